"""What outlines will cost is said beforehand: the corners exactly, the bytes nearly, and only where it is much."""

import gzip
import json
from pathlib import Path

import numpy as np
import pytest
import shapely
from drawn_run_fixtures import (  # noqa: F401
    drawing_fixture,
    drawn_slide_fixture,
    folder_fixture,
    measured_run_fixture,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from test_tracing import traced

from wsi_area.errors import SettingsError
from wsi_area.exports import export
from wsi_area.exports.export import ExportOptions, cost_of_export, export_run
from wsi_area.exports.outline_cost import OutlineCost, corners_of

MAPS = hnp.arrays(np.uint8, hnp.array_shapes(min_dims=2, max_dims=2, max_side=9), elements=st.integers(0, 4))


def counted(class_map: np.ndarray, cuts: list[int]) -> int:
    height, width = class_map.shape
    x_digits, y_digits = np.full(width + 1, 2, np.int64), np.full(height + 1, 1, np.int64)
    corners, digits = corners_of(np.split(class_map, cuts), np.arange(256) % 4 > 0, x_digits, y_digits)
    assert digits == 3 * corners
    return corners


@settings(max_examples=150)
@given(class_map=MAPS, data=st.data())
def test_as_many_corners_are_counted_as_the_outlines_have(class_map, data):
    cuts = sorted(data.draw(st.lists(st.integers(0, len(class_map)), max_size=3)))
    outlines = traced(class_map, 1, 2, 3)
    assert counted(class_map, cuts) == sum(len(ring) for r in outlines for ring in (r.shell, *r.holes))


def test_where_four_regions_meet_each_has_a_corner():
    assert counted(np.array([[1, 2], [3, 1]], np.uint8), []) == 16


def test_the_cost_of_a_slide_is_that_of_the_file_that_is_written_then(folder: Path):
    [cost] = cost_of_export(folder, ExportOptions("geojson"))
    assert isinstance(cost, OutlineCost)
    assert not list(folder.rglob("*regions.geojson*"))
    [made] = export_run(folder, ExportOptions("geojson"))
    text = gzip.decompress(made.path.read_bytes())
    shapes = shapely.get_parts([shapely.geometry.shape(f["geometry"]) for f in json.loads(text)["features"]])
    rings = len(shapely.get_rings(shapes))
    assert cost.corners == shapely.get_num_coordinates(shapes).sum() - rings  # whose first point is their last again
    assert cost.text_bytes == pytest.approx(len(text), abs=4000)  # of what stands round the coordinates


def test_a_slide_without_a_class_map_is_named_with_its_reason(folder: Path):
    [left_out] = cost_of_export(folder, ExportOptions("geojson", amended=True))
    assert left_out.not_exported == "it has no amended version"


@pytest.mark.parametrize("format_", ["ome-zarr", "regions"])
def test_the_cost_of_another_format_is_refused(folder: Path, format_):
    with pytest.raises(SettingsError, match=f"--format {format_} has none, leave it out"):
        cost_of_export(folder, ExportOptions(format_))


@pytest.mark.parametrize(("long_core_s", "times"), [(1e-9, 1), (30.0, 0), (0.01, 0)])
def test_only_what_takes_long_is_told_before_it_is_written(folder: Path, monkeypatch, long_core_s, times):
    monkeypatch.setattr(export, "LONG_CORE_S", long_core_s)
    told: list[OutlineCost] = []
    list(export_run(folder, ExportOptions("geojson"), announce=told.append))
    assert [cost.slide_id for cost in told] == ["S1"] * times
