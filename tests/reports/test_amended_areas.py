"""A slide that somebody corrected: the corrected area stands beside the measured one, which stays."""

import json
import re
from pathlib import Path

import pytest
from command_line import wsi_area
from read_html import Tags, written


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
