"""A drawing encloses what its outer rings surround, and one in another unit than pixels is told by its extent."""

import json
from pathlib import Path

import pytest
from drawn_samples import slide_of

from wsi_area.annotations import read_drawn

SLIDE = slide_of(1000, 800)
Ring = list[list[float]]


def square(x: float, y: float, side: float) -> Ring:
    return [[x, y], [x + side, y], [x + side, y + side], [x, y + side], [x, y]]


def written(path: Path, *polygons: list[Ring]) -> Path:
    geometry = {"type": "MultiPolygon", "coordinates": polygons}
    feature = {"type": "Feature", "properties": {"classification": {"name": "Tumor"}}, "geometry": geometry}
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    return path


def area_of(path: Path) -> float:
    return float(sum(region.area_l0_px2 for region in read_drawn(path, slide=SLIDE).regions))


@pytest.mark.parametrize(
    ("polygons", "px2"),
    [
        ([[square(100, 100, 400), square(700, 600, 100)]], 160_000),  # a hole beside its outline
        ([[square(100, 100, 400), square(450, 450, 100)]], 160_000 - 2500),  # half over its rim
        ([[square(100, 100, 400), square(200, 200, 100), square(700, 600, 50)]], 150_000),  # one in it, one beside it
        ([[square(100, 100, 200), square(600, 100, 50)], [square(600, 500, 100)]], 50_000),
    ],
)
def test_a_hole_beside_its_outline_adds_nothing(tmp_path: Path, polygons: list[list[Ring]], px2: float) -> None:
    path = written(tmp_path / "s.geojson", *polygons)
    assert area_of(path) == pytest.approx(px2)
    assert [f.code for f in read_drawn(path, slide=SLIDE).findings] == ["OUTLINE_REPAIRED"]


@pytest.mark.parametrize("per_unit", [0.0005, 1e-4, 1 / 1000])
def test_a_drawing_that_is_not_in_pixels_is_told_by_its_extent(tmp_path: Path, per_unit: float) -> None:
    ring = [[x * per_unit, y * per_unit] for x, y in square(100, 100, 400)]
    path = written(tmp_path / "s.geojson", [ring])
    (found,) = read_drawn(path, slide=SLIDE).findings
    assert (found.code, found.severity) == ("DRAWING_TINY", "warning")
    assert "mm, in degrees" in found.remedy
    placed = read_drawn(path, slide=SLIDE, scale=1 / per_unit)
    assert (placed.regions[0].area_l0_px2, placed.findings) == (pytest.approx(160_000), ())


def test_a_small_outline_is_believed_where_others_are_larger_or_the_slide_is_small(tmp_path: Path) -> None:
    path = written(tmp_path / "a.geojson", [square(10, 10, 0.5)], [square(500, 500, 20)])
    assert read_drawn(path, slide=SLIDE).findings == ()
    tiny = written(tmp_path / "b.geojson", [square(10, 10, 1)])
    assert read_drawn(tiny, slide=slide_of(40, 40)).findings == ()
