"""A drawing that is bad costs its slide only, and the slide's row names the file."""

import gzip
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image
from synthetic import FileForm, disc, write_slide

from wsi_area.inputs.collect import collect_slides
from wsi_area.model.calibration import Mpp
from wsi_area.model.geometry import Size
from wsi_area.run.pipeline import run_slides
from wsi_area.settings.run_settings import load

SIZE = Size(300, 200)
SQUARE = [[10, 10], [60, 10], [60, 60], [10, 60], [10, 10]]
POLYGON = {"type": "Polygon", "coordinates": [SQUARE]}
GOOD = {"type": "Feature", "geometry": POLYGON, "properties": {"classification": "Tumor"}}


def outside(path: Path) -> None:
    far = (np.array(SQUARE) + 5000).tolist()
    path.write_text(json.dumps([GOOD | {"geometry": {"type": "Polygon", "coordinates": [far]}}]))


def star(path: Path) -> None:
    angle = np.arange(100_000) * (2 * np.pi / 100_000)
    radius = np.where(np.arange(100_000) % 2, 5.0, 90.0)
    ring = np.c_[100 + radius * np.cos(angle), 100 + radius * np.sin(angle)]
    path.write_text(json.dumps([GOOD | {"geometry": {"type": "Polygon", "coordinates": [ring.tolist()]}}]))


def jpeg_mask(path: Path) -> None:
    tifffile.imwrite(path, np.zeros((200, 300), np.uint8), photometric="minisblack", compression="jpeg", tile=(64, 64))


BAD = {
    "empty.geojson": lambda path: path.write_bytes(b""),
    "torn.geojson": lambda path: path.write_text(json.dumps([GOOD])[:-9]),
    "torn_xml.xml": lambda path: path.write_text("<Annotations><Annotation>"),
    "other.json": lambda path: path.write_text('{"shapes": []}'),
    "packed.geojson.gz": lambda path: path.write_bytes(gzip.compress(json.dumps([GOOD]).encode())[:-12]),
    "far.geojson": outside,
    "star.geojson": star,
    "jpeg.tif": jpeg_mask,
    "size.png": lambda path: Image.fromarray(np.ones((7, 300), np.uint8)).save(path),
    "nan.geojson": lambda path: path.write_text(json.dumps([GOOD]).replace("10", "NaN")),
    "folder.geojson": lambda path: path.mkdir(),
    "gone.geojson": lambda path: path.symlink_to(path.parent / "nowhere.geojson"),
}


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("bad")
    slides, drawn = folder / "slides", folder / "drawn"
    slides.mkdir()
    drawn.mkdir()
    form = FileForm(mpp=Mpp(0.5, 0.5))
    first = write_slide(slides / "good.tif", SIZE, {"tissue": disc(SIZE, 100, 100, 80)}, form).path
    (drawn / "good.geojson").write_text(json.dumps([GOOD]))
    (drawn / "none.geojson").write_text("[]")
    shutil.copy(first, slides / "none.tif")
    for name, save in BAD.items():
        shutil.copy(first, slides / f"{name.partition('.')[0]}.tif")
        save(drawn / name)
    inputs = collect_slides([str(path) for path in sorted(slides.iterdir())], annotations=drawn)
    return run_slides(inputs, load(None, ["segmenter.name=regions"]), folder / "out")


def test_the_good_slides_are_complete_one_of_them_with_nothing_drawn(outcome):
    found = {record["slide_id"]: record for record in outcome.documents}
    assert len(found) == len(BAD) + 2
    assert {name for name, record in found.items() if record["status"] == "complete"} == {"good", "none"}
    assert found["good"]["counts"]["n_px_by_class"][1] == 50 * 50
    assert found["none"]["counts"]["n_px_by_class"][1] == 0
    # all of these slides are copies of one
    assert {f["code"] for f in found["none"]["findings"]} == {"NOTHING_DRAWN", "SLIDE_TWICE"}


@pytest.mark.parametrize("name", list(BAD))
def test_a_bad_drawing_fails_its_slide_and_its_file_is_named(outcome, name):
    (record,) = (r for r in outcome.documents if r["slide_id"] == name.partition(".")[0])
    assert record["status"] == "failed"
    assert f"drawn/{name}" in json.dumps(record)


@pytest.mark.parametrize("column", ["annotations", "roi", "regions"])
def test_a_drawing_that_a_manifest_names_and_that_is_not_there_costs_its_row_alone(tmp_path: Path, column: str) -> None:
    size = Size(128, 128)
    for name in ("a", "b"):
        write_slide(tmp_path / f"{name}.tif", size, {"tissue": disc(size, 64, 64, 30)})
    manifest = tmp_path / "slides.csv"
    (tmp_path / "good.geojson").write_text(json.dumps([GOOD]), encoding="utf-8")
    manifest.write_text(f"path,{column}\na.tif,good.geojson\nb.tif,gone.geojson\n", encoding="utf-8")
    settings = load("regions" if column == "annotations" else "he_tissue", [])
    outcome = run_slides(collect_slides([], manifest=manifest), settings, tmp_path / "out")
    ended = {slide.slide_id: slide for slide in outcome.slides}
    assert (outcome.exit_code, ended["a"].status, ended["b"].status) == (2, "complete", "failed")
    assert "gone.geojson" in ended["b"].reason
