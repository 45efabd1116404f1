"""Outlines as text: read again as JSON they are the regions, however many points a batch has and whoever writes."""

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
from test_tracing import TracedRegion, regions

from wsi_area.exports.export import ExportOptions, export_run
from wsi_area.exports.outline_texts import put_text
from wsi_area.exports.simplifying import simplified
from wsi_area.exports.tracing import regions_in_order
from wsi_area.exports.tracing.rings import RingBatch, joined, whole_regions
from wsi_area.exports.tracing.sweep import traced_regions

MAPS = hnp.arrays(np.uint8, hnp.array_shapes(min_dims=2, max_dims=2, max_side=12), elements=st.integers(0, 2))


def batches_of(class_map: np.ndarray, points_at_once: int, rows: int = 256, let_go_from: int = 0) -> list:
    height, width = class_map.shape
    bands = [class_map[y : y + rows] for y in range(0, height, rows)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(regions_in_order, "_POINTS_AT_ONCE", points_at_once)
        patch.setattr(regions_in_order, "_LET_GO_FROM", let_go_from)
        return list(traced_regions(bands, np.arange(width + 1), np.arange(height + 1), [1, 2]))


def rings_of(found: list[TracedRegion]) -> list:
    return [(r.class_id, r.area_px, r.shell.tolist(), [hole.tolist() for hole in r.holes]) for r in found]


@settings(max_examples=80, deadline=None)
@given(class_map=MAPS, points=st.integers(1, 40), rows=st.integers(1, 12))
def test_batches_of_any_size_have_the_same_regions_whose_holes_wait_in_a_file(class_map, points, rows):
    whole = rings_of(regions(batches_of(class_map, 10**6)))
    batches = batches_of(class_map, points, rows)
    assert rings_of(regions(batches)) == whole
    regrouped = list(whole_regions(batches))
    assert rings_of(regions(regrouped)) == whole
    assert all(batch.is_outer[0] for batch in regrouped)


def test_a_region_with_thousands_of_holes_over_many_bands_is_put_together_from_the_file():
    class_map = np.ones((401, 301), np.uint8)
    class_map[1::2, 1::2] = np.random.default_rng(3).integers(0, 3, (200, 150))
    [outer, *inner] = sorted(regions(batches_of(class_map, 997, rows=8)), key=lambda r: -r.area_px)
    assert outer.area_px == (class_map == 1).sum() - sum(r.area_px for r in inner if r.class_id == 1)
    assert len(outer.holes) == (class_map != 1).sum()
    assert [tuple(hole[0]) for hole in outer.holes] == sorted(
        ((x, y) for y, x in np.argwhere(class_map != 1)), key=lambda corner: corner[::-1]
    )


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
@pytest.mark.parametrize("let_go_from", [-(1 << 40), 0, 40])
def test_holes_of_regions_that_ended_are_let_go_while_others_wait_on(seed, let_go_from):
    rng = np.random.default_rng(seed)
    class_map = np.kron(rng.integers(0, 3, (20, 12)), np.ones((11, 9))).astype(np.uint8)  # regions of any height, full
    class_map[rng.random(class_map.shape) < 0.2] = 0  # of holes, of which those that touch are one
    whole = rings_of(regions(batches_of(class_map, 10**6, rows=len(class_map), let_go_from=1 << 40)))
    assert rings_of(regions(batches_of(class_map, 300, rows=3, let_go_from=let_go_from))) == whole
    assert sum(len(holes) for *_, holes in whole) > 500
    for class_id, area_px, shell, holes in whole:
        assert area_px == shapely.Polygon(shell, holes).area
        assert class_id in (1, 2)


@settings(max_examples=60, deadline=None)
@given(
    rings=st.lists(st.lists(st.tuples(*[st.integers(0, 2**33)] * 2), min_size=1, max_size=5), min_size=1, max_size=6)
)
def test_numbers_of_any_length_are_written_as_json_reads_them(rings):
    points = np.array([point for ring in rings for point in ring], np.int64)
    ends, areas_px = np.cumsum([len(ring) for ring in rings]), np.ones(len(rings), np.int64)
    batch, heads = RingBatch(points, ends, areas_px, areas_px), b"]," * len(rings)
    text = put_text(batch, np.arange(len(rings)), heads[2:], 2 * np.arange(len(rings)))
    found = json.loads(f"[{bytes(text).decode()}]]")
    assert found == [[[list(p) for p in (*ring, ring[0])]] for ring in rings]


@pytest.mark.parametrize("tolerance_px", [0.5, 1.5, 4.0])
def test_many_outlines_are_simplified_as_each_alone(tolerance_px):
    rng = np.random.default_rng(11)
    class_map = (np.kron(rng.random((20, 25)), np.ones((5, 5))) + rng.random((100, 125)) / 4 > 0.6).astype(np.uint8)
    batch = joined(batches_of(class_map, 10**6))
    exact, simple = regions([batch]), simplified(batch, tolerance_px)
    expected = [shapely.Polygon(r.shell, r.holes).simplify(tolerance_px) for r in exact]
    found = regions([simple.rings])
    assert len(found) == len(exact) > 20
    for one, area, was_left, alone, before in zip(
        found, simple.outline_areas_px, simple.is_exact, expected, exact, strict=True
    ):
        outline = shapely.Polygon(one.shell, one.holes)
        assert outline.is_valid
        assert outline.area == area
        assert one.area_px == before.area_px
        assert outline.equals(shapely.Polygon(before.shell, before.holes) if was_left else alone)


@pytest.mark.parametrize("options", [{}, {"split": True}, {"simplify_px": 2.0}, {"split": True, "simplify_px": 2.0}])
def test_neither_threads_nor_batches_change_what_the_file_says(folder: Path, tmp_path: Path, options, monkeypatch):
    def file(name: str, workers: int) -> bytes:
        [made] = export_run(folder, ExportOptions("geojson", **options), out=tmp_path / name, workers=workers)
        return made.path.read_bytes()

    alone = file("alone", 1)
    assert file("three", 3) == alone
    monkeypatch.setattr(regions_in_order, "_POINTS_AT_ONCE", 50)
    cut = file("cut", 2)
    assert file("cut again", 1) == cut
    assert gzip.decompress(cut) == gzip.decompress(alone)
    assert json.loads(gzip.decompress(alone))["features"]


def test_labels_are_the_same_whoever_writes_them(folder: Path, tmp_path: Path):
    made = [next(export_run(folder, ExportOptions("ome-zarr"), out=tmp_path / str(n), workers=n)).path for n in (1, 4)]
    one, other = ({p.relative_to(m): p.read_bytes() for p in m.rglob("*") if p.is_file()} for m in made)
    assert one == other
