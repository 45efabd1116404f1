"""What a notebook shows as HTML: complete, and with nothing of somebody else's that is not escaped."""

import base64
import io
import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from measuring import measure
from PIL import Image
from synthetic import FileForm, SyntheticSlide, box, write_slide

from wsi_area.model.calibration import Mpp
from wsi_area.model.geometry import Size
from wsi_area.notebook.notebook_run import NotebookRun, open_run
from wsi_area.results.layout import read_json, write_json

HOSTILE = "<script>alert(1)</script><img src=x onerror='alert(2)'>"


class Tags(HTMLParser):
    """Every tag and every source of a page, and whether the tags close in order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.seen: list[str] = []
        self.sources: list[str] = []
        self.open: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        self.sources += [value or "" for name, value in attrs if name in {"src", "href"}]
        if tag != "img":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def parsed(page: str) -> Tags:
    tags = Tags(page)
    assert not tags.open
    return tags


def test_a_run_lists_every_slide_with_its_end_and_what_to_look_at(run: NotebookRun) -> None:
    page = run._repr_html_()
    tags = parsed(page)
    assert tags.seen.count("tr") == 1 + 3
    for text in ("✓ complete", "? needs_calibration", "✗ failed", "MPP_MISSING", "0.5 × 0.475 µm/px"):
        assert text in page
    assert re.search(r"0\.0466 ± 0\.00\d+", page)  # π·250² px of 0.5 µm × 0.475 µm


def test_a_slide_shows_itself_twice_with_a_bar_and_its_areas(run: NotebookRun) -> None:
    page = run["disc"]._repr_html_()
    tags = parsed(page)
    pictures = [base64.b64decode(source.partition("base64,")[2]) for source in tags.sources]
    plain, classed = (np.asarray(Image.open(io.BytesIO(picture)), float) for picture in pictures)
    assert plain.shape == classed.shape
    # the sides of the picture are as the sides of the slide in µm, not in pixels
    assert plain.shape[0] / plain.shape[1] == pytest.approx(176 * 0.475 / (251 * 0.5), rel=0.02)
    assert np.abs(plain - classed)[plain.shape[0] // 2, plain.shape[1] // 2].max() > 10  # the disc is washed
    assert np.abs(plain - classed)[2, 2].max() < 6  # the glass is not
    (bar_px,) = (int(n) for n in re.findall(r"width:(\d+)px;border:2px", page))
    assert bar_px / plain.shape[1] == pytest.approx(100 / (251 * 4 * 0.5), abs=0.01)
    assert "100 µm" in page


def test_a_slide_without_a_pixel_size_has_pixels_and_no_bar(run: NotebookRun) -> None:
    page = run["bare"]._repr_html_()
    parsed(page)
    assert "pixels only" in page
    assert "border:2px" not in page
    assert "60\u202f000" in page


def test_a_failed_slide_says_why(run: NotebookRun) -> None:
    page = run["text"]._repr_html_()
    assert "img" not in parsed(page).seen
    assert "✗ failed" in page


def test_a_calibration_marks_the_claim_that_was_taken(run: NotebookRun) -> None:
    page = run["disc"].calibration._repr_html_()
    parsed(page)
    assert page.count("<td>chosen</td>") == 1
    assert "Nothing in the file states a pixel size" in run["bare"].calibration._repr_html_()


def renamed(run: NotebookRun, tmp_path: Path, *, is_tumor: bool) -> NotebookRun:
    """The run as a model of glands alone would have left it."""
    copy = Path(shutil.copytree(run.layout.root, tmp_path / "copy"))
    for path in copy.glob("slides/*/result.json"):
        record = read_json(path)
        for entry in record.get("classes", ()):
            if entry["is_tissue"]:
                entry |= {"name": "gland", "is_tumor": is_tumor}
        write_json(path, record)
    return open_run(copy)


def test_what_a_model_of_glands_found_is_not_called_tissue(run: NotebookRun, tmp_path: Path) -> None:
    assert "tissue mm² (± expanded)" in run._repr_html_()
    assert "all tissue" in run["disc"]._repr_html_()
    found = renamed(run, tmp_path, is_tumor=False)
    pages = found._repr_html_(), found["disc"]._repr_html_()
    for page in pages:
        parsed(page)
        assert "tissue" not in page.replace("how well the classes fit the tissue", "")
    assert "<th>gland mm² (± expanded)</th>" in pages[0]
    assert "% of gland</th>" in pages[1]
    assert "all gland</th>" in pages[1]


def test_where_all_tissue_is_tumour_it_has_no_column_of_its_own(run: NotebookRun, tmp_path: Path) -> None:
    found = renamed(run, tmp_path, is_tumor=True)
    pages = found._repr_html_(), found["disc"]._repr_html_()
    assert all(page.count("<th") for page in pages)
    assert "tissue mm²" not in pages[0]
    assert "% of" not in pages[1]


def test_a_comparison_lists_settings_and_numbers(run: NotebookRun, disc_slide: SyntheticSlide, tmp_path: Path) -> None:
    measure(disc_slide.path, tmp_path / "out", "segmenter.threshold=254", "tiling.tile_px=100")
    page = run.compare(tmp_path / "out")._repr_html_()
    parsed(page)
    assert "segmenter.threshold" in page
    assert "tissue area_mm2" in page
    assert str(tmp_path) in page  # both folders are called out: only their paths tell them apart
    assert "all say the same" in run.compare(run)._repr_html_()


def hostile(document: Any) -> Any:
    """The same document with every free text replaced."""
    if isinstance(document, dict):
        kept = {
            "rung", "quality", "severity", "status", "path", "reader", "fingerprint", "code", "content_digest",
            "config_hash", "key", "plan_hash", "sha256", "role", "glass_source", "grade", "class_map_sha256",
        }  # fmt: skip
        if "color_rgb" in document:
            kept |= {"name"}
        if "n_px" in document:  # where the tissue comes from is one of three words
            kept |= {"source"}
        return {k: v if k in kept else hostile(v) for k, v in document.items()}
    if isinstance(document, list):
        return [hostile(item) for item in document]
    return HOSTILE if isinstance(document, str) else document


def test_whatever_a_file_says_is_text_and_never_markup(finished: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(finished, tmp_path / "<b onmouseover=alert(3)>"))
    path = copy / "slides" / "disc" / "result.json"
    write_json(path, hostile(read_json(path)))
    run = open_run(copy)
    pages = [run._repr_html_(), run["disc"]._repr_html_(), run["disc"].calibration._repr_html_()]
    pages.append(run.compare(finished)._repr_html_())
    for page in pages:
        assert "script" not in parsed(page).seen
        assert "&lt;script&gt;" in page or "&lt;b onmouseover" in page
        assert all(source.startswith("data:image/jpeg;base64,") for source in Tags(page).sources)


def test_a_slide_whose_picture_is_damaged_still_shows_its_numbers(finished: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(finished, tmp_path / "out"))
    (copy / "slides" / "disc" / "thumb.jpg").write_bytes(b"no picture")
    page = open_run(copy)["disc"]._repr_html_()
    assert "thumb.jpg" in page
    assert "tissue" in page


def test_a_run_that_has_not_ended_can_be_looked_at(finished: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(finished, tmp_path / "out"))
    about = read_json(copy / "run.json")
    write_json(
        copy / "run.json", {k: v for k, v in about.items() if k not in {"slides", "ended"}} | {"state": "running"}
    )
    shutil.rmtree(copy / "slides" / "bare")
    page = open_run(copy)._repr_html_()
    assert "not reached" in page
    assert parsed(page).seen.count("tr") == 1 + 3


def with_regions(folder: Path, boxes: dict[str, tuple[int, int, int, int]]) -> NotebookRun:
    """A run of a slide of 400 × 300 px of 1 µm whose left half is tissue, with regions that were drawn on it."""
    slide = write_slide(
        folder / "s.tiff", Size(400, 300), {"tissue": box(Size(400, 300), 0, 0, 200, 300)}, FileForm(mpp=Mpp(1.0, 1.0))
    )
    features = [
        {
            "type": "Feature",
            "geometry": {"type": "Polygon", "coordinates": [[[x, y], [r, y], [r, b], [x, b], [x, y]]]},
            "properties": {"objectType": "annotation", "name": name},
        }
        for name, (x, y, r, b) in boxes.items()
    ]
    drawn = folder / "regions.geojson"
    drawn.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    measure(slide.path, folder / "out", regions_from=drawn)
    return open_run(folder / "out")


@pytest.mark.parametrize(
    ("name", "corners", "mm2", "tissue"),
    [
        ("in tissue", (20, 20, 120, 120), "0.01", "100"),
        ("half of it", (150, 100, 250, 200), "0.01", "50"),
        (HOSTILE, (250, 10, 350, 60), "0.005", "0"),
    ],
)
def test_a_slide_shows_its_regions_with_their_areas(
    tmp_path: Path, name: str, corners: tuple[int, int, int, int], mm2: str, tissue: str
) -> None:
    page = with_regions(tmp_path, {name: corners})["s"]._repr_html_()
    parsed(page)
    assert HOSTILE not in page
    (row,) = re.findall(
        r'<tr><th scope="row" style="text-align:left">[^<]*</th><td style="text-align:left">.*?</tr>', page
    )
    assert re.findall(r"<td>([^<]*)</td>", row)[0] == mm2
    assert re.findall(r"<td>([^<]*)</td>", row)[1].split("\u202f")[0] == tissue
    assert "Regions may overlap" in page


def test_a_slide_without_regions_says_nothing_of_them(run: NotebookRun) -> None:
    assert "region" not in run["disc"]._repr_html_()
