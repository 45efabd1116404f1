"""A slide that somebody corrected: the corrected area stands beside the measured one, which stays."""

import base64
import io
import json
import re
from pathlib import Path

import numpy as np
import pytest
from command_line import wsi_area
from PIL import Image
from read_html import Tags, written
from small_run import SIZE

from wsi_area.reports.report import write_report


def card_of(html: str, slide_id: str) -> str:
    found = re.search(rf'<li class="card [^>]*data-name="{slide_id}">(.*?)</li>', html, re.DOTALL)
    assert found is not None
    return " ".join("".join(Tags(found[1]).text).split())


def page_of(html: str, slide_id: str) -> str:
    text = " ".join("".join(Tags(html[html.index('aria-labelledby="sign-title"') :]).text).split())
    return text[text.index(f"{slide_id} ") :]


def drawn_square(side_px: int) -> dict[str, object]:
    square = [[10, 10], [10 + side_px, 10], [10 + side_px, 10 + side_px], [10, 10 + side_px], [10, 10]]
    return {
        "type": "Feature",
        "geometry": {"type": "Polygon", "coordinates": [square]},
        "properties": {"operation": "add", "class": "tissue", "utc": "2026-03-01T09:00:00Z"},
    }


@pytest.mark.parametrize("side_px", [40, 100])
def test_an_amended_area_stands_beside_the_measured_one(run: Path, tmp_path: Path, side_px: int) -> None:
    file = tmp_path / "corrections.geojson"
    file.write_text(json.dumps({"type": "FeatureCollection", "features": [drawn_square(side_px)]}))
    plain = written(run)
    before = card_of(plain, "disc")
    assert "Sums are of what was measured" not in plain
    assert wsi_area("amend", run, "disc", file, "--on", "measured", "--reviewer", "Ada Miller").code == 0
    html = written(run)
    assert "Sums are of what was measured. 1 slide has" in html
    shown = card_of(html, "disc")
    assert shown.startswith(before.partition(" tissue")[0])  # what was measured stays
    measured, amended = (float(text) for text in re.findall(r"(\d\.\d+) ± ", shown))
    # the square lies on glass: its pixels of 0.5 × 0.475 µm are what is added
    assert amended - measured == pytest.approx(side_px**2 * 0.5 * 0.475 / 1e6, abs=1.1e-4)
    assert "tissue, amended (1)" in page_of(html, "disc")


def test_a_version_that_cannot_be_read_costs_itself(run: Path, tmp_path: Path) -> None:
    file = tmp_path / "corrections.geojson"
    file.write_text(json.dumps({"type": "FeatureCollection", "features": [drawn_square(40)]}))
    assert wsi_area("amend", run, "disc", file, "--on", "measured", "--reviewer", "Ada Miller").code == 0
    (run / "slides" / "disc" / "amended" / "1" / "result.json").write_text("{")
    html = written(run)
    assert "amended" not in card_of(html, "disc")
    assert "0.0466 ± " in card_of(html, "disc")
    assert "result.json" in page_of(html, "disc").partition("Areas")[0]  # what is wrong with it


def classes_at(html: str, anchor: str, x: float, y: float) -> int:
    """The code of the classes' picture at a place of the slide, both from 0 to 1."""
    found = re.search(rf'<image id="{anchor}-classes"[^>]*href="data:image/png;base64,([^"]*)"', html)
    assert found is not None
    picture = Image.open(io.BytesIO(base64.b64decode(found[1])))
    return int(np.asarray(picture)[int(y * picture.height), int(x * picture.width)])


@pytest.mark.parametrize("side_px", [60, 100])
def test_the_picture_of_a_corrected_slide_is_shown_beside_the_measured_one(
    run: Path, tmp_path: Path, side_px: int
) -> None:
    file = tmp_path / "corrections.geojson"
    file.write_text(json.dumps({"type": "FeatureCollection", "features": [drawn_square(side_px)]}))
    assert "-amended-" not in written(run)
    assert wsi_area("amend", run, "disc", file, "--on", "measured", "--reviewer", "Ada Miller").code == 0
    html = written(run)
    (anchor,) = re.findall(r'<image id="(slide-\d+)-amended-photo"', html)
    inside = (10 + side_px / 2) / SIZE.width_px, (10 + side_px / 2) / SIZE.height_px
    measured, corrected = (classes_at(html, of, *inside) for of in (anchor, f"{anchor}-amended"))
    assert measured != corrected
    disc = 480 / SIZE.width_px, 350 / SIZE.height_px  # where nothing was corrected
    assert classes_at(html, anchor, *disc) == classes_at(html, f"{anchor}-amended", *disc) == corrected
    card = html[html.index('data-name="disc"') :].partition("</li>")[0]
    assert f'href="#{anchor}-amended-classes"' in card
    assert "amended, as pictured," in card_of(html, "disc")
    page = page_of(html, "disc")
    assert page.index("As measured") < page.index("Amended (1)")


def test_the_report_of_amended_versions_shows_one_picture_of_each(run: Path, tmp_path: Path) -> None:
    file = tmp_path / "corrections.geojson"
    file.write_text(json.dumps({"type": "FeatureCollection", "features": [drawn_square(60)]}))
    assert wsi_area("amend", run, "disc", file, "--on", "measured", "--reviewer", "Ada Miller").code == 0
    html = write_report(run, amended=True).html.read_text(encoding="utf-8")
    assert "-amended-photo" not in html
    (anchor,) = re.findall(r'id="(slide-\d+)-title"[^>]*><bdi>disc<', html)
    at = (40 / SIZE.width_px, 40 / SIZE.height_px)
    assert classes_at(html, anchor, *at) == classes_at(html, anchor, 480 / SIZE.width_px, 350 / SIZE.height_px)
