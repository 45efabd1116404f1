"""Regions that somebody drew lie over the picture of their slide, each with its name, where it was drawn."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from measuring import measure
from read_html import written
from synthetic import FileForm, disc, write_slide

from wsi_area.inputs.collect import collect_slides
from wsi_area.model.calibration import Mpp
from wsi_area.model.geometry import Size
from wsi_area.model.slide_result import CountedSlide
from wsi_area.reports.picture.focus_marks import Mark
from wsi_area.reports.picture.photo_layers import Frame
from wsi_area.reports.picture.region_outlines import RegionOutline, region_outlines
from wsi_area.results.documents import read_result
from wsi_area.results.layout import RunLayout
from wsi_area.run.pipeline import run_slides
from wsi_area.settings.run_settings import load

SIZE, MPP = Size(1000, 800), Mpp(0.5, 0.4)
BOXES = {"cortex": (100, 100, 400, 300), "a <b>medulla</b>": (500, 100, 900, 700), "front": (450, 350, 700, 600)}
DRAWN_CLASSES = (
    'segmenter.name="regions"', 'segmenter.unmatched="ignore"',
    'segmenter.classes=[{id=0,name="background",color="#ffffff"},'
    '{id=1,name="tumor",color="#d62728",is_tissue=true,is_tumor=true,match=["tumor"]}]',
)  # fmt: skip


def ring(left: int, top: int, right: int, bottom: int) -> list[list[int]]:
    return [[left, top], [right, top], [right, bottom], [left, bottom], [left, top]]


def geojson(path: Path, boxes: dict[str, tuple[int, int, int, int]], classes: dict[str, str]) -> Path:
    features = [
        {
            "type": "Feature", "id": f"r{n}", "geometry": {"type": "Polygon", "coordinates": [ring(*box)]},
            "properties": {"objectType": "annotation", "name": name, "classification": {"name": classes[name]}},
        }
        for n, (name, box) in enumerate(boxes.items())
    ]  # fmt: skip
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return path


def shown(out: Path, marks: tuple[Mark, ...] = ()) -> dict[str, RegionOutline]:
    layout, notes = RunLayout(out).slide("s"), list[str]()
    record = read_result(layout)
    assert isinstance(record, CountedSlide)
    frame = Frame(float(SIZE.width_px), SIZE.height_px * MPP.y / MPP.x, MPP.y / MPP.x)
    found = region_outlines(layout, record, frame, marks, notes)
    assert notes == []
    return {outline.title: outline for outline in found}


@pytest.fixture
def slide(tmp_path: Path) -> Path:
    return write_slide(tmp_path / "s.tiff", SIZE, {"tissue": disc(SIZE, 500, 400, 350)}, FileForm(mpp=MPP)).path


def corners(outline: RegionOutline) -> set[tuple[float, float]]:
    return {(float(x), float(y)) for x, y in re.findall(r"([\d.]+) ([\d.]+)", outline.path)}


def test_each_region_is_outlined_where_it_was_drawn_with_its_name_above_it(slide: Path, tmp_path: Path) -> None:
    regions = geojson(tmp_path / "regions.geojson", BOXES, dict.fromkeys(BOXES, "Region*"))
    measure(slide, tmp_path / "out", regions_from=regions)
    found = shown(tmp_path / "out")
    assert set(found) == set(BOXES)
    for name, (left, top, right, bottom) in BOXES.items():
        outline = found[name]
        wanted = {(float(x), round(y * 0.8, 1)) for x in (left, right) for y in (top, bottom)}
        assert corners(outline) == wanted  # y in the length of an x pixel
        assert outline.label == name
        assert left <= outline.x <= right
        assert abs(outline.y - top * 0.8) < 2 * outline.font_size
    html = written(tmp_path / "out")
    assert html.count('<g class="drawn">') == len(BOXES)
    assert "<b>medulla" not in html


def test_what_became_a_class_has_its_name_and_no_second_outline(slide: Path, tmp_path: Path) -> None:
    boxes = {"lesion": (300, 300, 500, 500), "fold": (600, 200, 700, 300), "": (200, 200, 260, 260)}
    drawing = geojson(tmp_path / "d.geojson", boxes, {"lesion": "tumor", "fold": "Artefact", "": "Necrosis"})
    run_slides(collect_slides([str(slide)], annotations=drawing), load(None, DRAWN_CLASSES), tmp_path / "out")
    found = shown(tmp_path / "out")
    assert (found["lesion"].label, found["lesion"].path) == ("lesion", "")
    assert found["fold"].label == "fold"
    assert len(corners(found["fold"])) == 4
    (unnamed,) = (outline for title, outline in found.items() if title not in ("lesion", "fold"))
    assert unnamed.label == ""
    assert len(corners(unnamed)) == 4


@pytest.mark.parametrize("count", [2, 5])
def test_names_of_regions_in_one_place_do_not_cover_one_another_or_a_number(
    slide: Path, tmp_path: Path, count: int
) -> None:
    boxes = {f"reader {n}": (400 + n, 300 + n, 600, 500) for n in range(count)}
    regions = geojson(tmp_path / "regions.geojson", boxes, dict.fromkeys(boxes, "x"))
    measure(slide, tmp_path / "out", regions_from=regions)
    mark = Mark(1, 500.0, 235.0, 500.0, 250.0, 15.0)
    found = list(shown(tmp_path / "out", (mark,)).values())
    assert len(found) == count
    heights = sorted([*(outline.y for outline in found), mark.y])
    assert np.diff(heights).min() > found[0].font_size


def test_a_slide_without_regions_has_none_over_its_picture(slide: Path, tmp_path: Path) -> None:
    measure(slide, tmp_path / "out")
    assert shown(tmp_path / "out") == {}
    assert 'class="show-regions"' not in written(tmp_path / "out")
