"""The passes over a slide on disk: the same answer for every cut and worker, and after every kind of end."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from class_map_cuts import SCHEME, cleaned, foci_of
from numpy.typing import NDArray
from plans import plan_of
from scipy import ndimage

from wsi_area.compute.count.counting import count_class_map
from wsi_area.compute.count.edges import areas_of, boundary_edges
from wsi_area.compute.cut.grid import tile_at, work_edges_l0_px
from wsi_area.errors import IncompleteResultError, PlanError, ResultError, SettingsError
from wsi_area.model.calibration import Mpp
from wsi_area.model.ledger import LedgerLayout, TileStatus
from wsi_area.model.objects import Foci, SizeFilters
from wsi_area.model.plan import SlidePlan
from wsi_area.model.record.slide_foci import FociOnRecord
from wsi_area.results.class_map.cleaned_store import discard_cleaned, tiles_layout
from wsi_area.results.class_map.ledger import ledger_rows
from wsi_area.results.class_map.shard import encoded_tiles
from wsi_area.results.class_map.store import commit_batch, create_store
from wsi_area.results.class_map.stored_class_map import open_class_map
from wsi_area.results.layout import RunLayout, SlideLayout
from wsi_area.results.record import foci_on_record
from wsi_area.results.tables.object_tables import read_foci, write_objects
from wsi_area.run.executors.choice import make_executor
from wsi_area.run.executors.contract import Executor, TaskLost
from wsi_area.run.executors.serial import SerialExecutor
from wsi_area.run.passes.object_pass import clean_slide, measure_foci, refuse_with_signal
from wsi_area.segmenters.colour.tissue import SIGNALS
from wsi_area.settings.run_settings import RunSection

MPP = Mpp(0.5, 0.25)
FILTERS = SizeFilters(min_tissue_um2=2.0, max_hole_um2=3.0, min_focus_um2=1.5)
COARSE = SizeFilters(min_tissue_um2=24.0, max_hole_um2=30.0, min_focus_um2=15.0)
OFF = SizeFilters()
COLUMNS = LedgerLayout(len(SCHEME.classes))


def picture() -> NDArray[np.uint8]:
    """A class map of 150 × 130 work pixels with everything on it, and an empty corner."""
    random = np.random.default_rng(8)
    field = ndimage.gaussian_filter(random.standard_normal((130, 150)), 1.5)
    class_map = np.digitize(field, np.quantile(field, [0.5, 0.75, 0.88, 0.96])).astype(np.uint8)
    class_map[:40, :50] = 0
    class_map[64:80, 64:80] = 253  # whole tiles, for every tile size below
    class_map[100:, 120:] = 255
    class_map[:, :3] = 254
    return class_map


def cut(tile_px: int, batch_tiles: int) -> SlidePlan:
    """A slide of 599 × 389 px at a third and a quarter of its size: the last column is partial."""
    plan = plan_of((599, 389), tile_px=tile_px, mpp=MPP)
    info = replace(plan.slide, levels=(plan.slide.levels[0], replace(plan.slide.levels[0], index=1)))
    size = replace(plan.work_size_px, width_px=150, height_px=130)
    levels = (info.levels[0], replace(info.levels[1], size_px=size))
    return replace(
        plan, slide=replace(info, levels=levels), level=1, work_size_px=size, batch_tiles=batch_tiles, tile_px=tile_px
    )


def commit(layout: SlideLayout, plan: SlidePlan, class_map: NDArray[np.uint8], key: str = "key") -> None:
    """What the tiles of a slide leave behind."""
    create_store(layout, plan, SCHEME, key, {"slide": "s"})
    columns, rows = (np.diff(edges) for edges in work_edges_l0_px(plan))
    k = plan.batch_tiles
    for row in range(0, plan.grid_rows, k):
        for col in range(0, plan.grid_cols, k):
            tiles = np.array(
                [
                    [_row(tile_at(plan, i, j).core_work_px, class_map, columns, rows)
                     for j in range(col, min(col + k, plan.grid_cols))]
                    for i in range(row, min(row + k, plan.grid_rows))
                ]
            )  # fmt: skip
            y, x, edge = row * plan.tile_px, col * plan.tile_px, k * plan.tile_px
            box = class_map[y : y + edge, x : x + edge]
            commit_batch(layout, key, (row, col), encoded_tiles(box, plan.tile_px), tiles)


def _row(core: Any, class_map: NDArray[np.uint8], columns: NDArray[np.int64], rows: NDArray[np.int64]) -> list[int]:
    x, y = slice(core.x_px, core.right_px), slice(core.y_px, core.bottom_px)
    counts = count_class_map(class_map[y, x], columns[x], rows[y], len(SCHEME.classes))
    status = TileStatus.UNREADABLE if (class_map[y, x] == 253).all() else TileStatus.READ
    return [
        *counts.px_by_class, counts.unscanned_px, counts.outside_roi_px, counts.unreadable_px,
        *[0] * len(SCHEME.classes), status, *[0] * (len(COLUMNS.columns) - COLUMNS.status_column - 1),
    ]  # fmt: skip


def clean(
    root: Path, plan: SlidePlan, executor: Executor, filters: SizeFilters = FILTERS, mpp: Mpp | None = MPP
) -> Any:
    return clean_slide(SlideLayout(root), plan, SCHEME, filters, mpp, "key", {"slide": "s"}, executor)


def files(root: Path) -> dict[str, bytes]:
    return {str(p.relative_to(root)): p.read_bytes() for p in sorted(root.rglob("*")) if p.is_file()}


def foci_bytes(foci: Foci | None) -> list[object]:
    assert foci is not None
    return [repr(getattr(foci, n)) for n in Foci.__slots__ if n != "listed"] + [foci.listed.tobytes()]


@pytest.fixture(scope="module", params=["serial", "threads", "processes"])
def executor(request: pytest.FixtureRequest) -> Iterator[Executor]:
    made = make_executor(RunSection(executor=request.param, workers=2))
    yield made
    made.close()


CUTS = [(16, 4), (32, 1), (256, 1)]


def whole_and_edges() -> tuple[NDArray[np.uint8], tuple[NDArray[np.int64], NDArray[np.int64]]]:
    return picture(), work_edges_l0_px(cut(256, 1))


def test_foci_are_the_same_to_the_bit_for_every_cut_and_worker(executor: Executor, tmp_path: Path) -> None:
    class_map, edges = whole_and_edges()
    expected = foci_of(class_map, mpp=MPP, edges=edges)
    assert expected.touching_unread > 0
    assert expected.hole_count > 0
    tables = set()
    for tile_px, batch_tiles in CUTS:
        layout, plan = SlideLayout(tmp_path / f"{tile_px}-{batch_tiles}" / "s"), cut(tile_px, batch_tiles)
        commit(layout, plan, class_map)
        assert foci_bytes(measure_foci(layout, plan, SCHEME, MPP, executor)) == foci_bytes(expected)
        tables.add(pq.read_table(layout.root / "objects.parquet").replace_schema_metadata(None).to_pandas().to_csv())
    assert len(tables) == 1


def test_a_filtered_slide_is_the_same_to_the_bit_for_every_cut_and_worker(executor: Executor, tmp_path: Path) -> None:
    class_map, edges = whole_and_edges()
    assert set(np.diff(edges[0])) == {3, 4}  # a size is one of level-0 pixels, whatever a work pixel stands for
    columns, heights = (np.diff(e) for e in edges)
    seen, changes_seen = set(), set()
    for tile_px, batch_tiles in CUTS:
        layout, plan = SlideLayout(tmp_path / f"{tile_px}-{batch_tiles}"), cut(tile_px, batch_tiles)
        raw = tiles_layout(layout, COARSE)
        commit(raw, plan, class_map)
        before = files(raw.root)
        changes_seen.add(clean(layout.root, plan, executor, COARSE))
        found, rows, raw_rows = open_class_map(layout)[:], ledger_rows(layout), ledger_rows(raw)
        seen.add(found.tobytes())
        for i, j in np.ndindex(rows.shape[:2]):
            core, status = tile_at(plan, i, j).core_work_px, COLUMNS.status_column
            assert rows[i, j, :status].tolist() == _row(core, found, columns, heights)[:status]
            tile = found[core.y_px : core.bottom_px, core.x_px : core.right_px]
            assert rows[i, j, COLUMNS.edge_columns].tolist() == boundary_edges(tile, areas_of(SCHEME))
        kept = np.r_[status : COLUMNS.edge_columns.start, COLUMNS.here_columns.start : rows.shape[-1]]
        assert (rows[..., kept] == raw_rows[..., kept]).all()
        assert rows[..., COLUMNS.px_columns].sum() == plan.pixel_count_l0
        assert files(raw.root) == before
    assert len(seen) == len(changes_seen) == 1
    changes = changes_seen.pop()
    assert [(c.name, c.objects > 0, c.area_px > 0) for c in changes] == [
        ("focus", True, True),
        ("tissue", True, True),
        ("hole", True, True),
    ]


def test_the_filters_on_disk_are_those_that_were_proven_on_arrays(tmp_path: Path) -> None:
    class_map = picture()
    plan = plan_of((150, 130), tile_px=32, mpp=MPP)  # work pixels are level-0 pixels
    plan = replace(plan, batch_tiles=1)
    commit(tiles_layout(SlideLayout(tmp_path / "s"), FILTERS), plan, class_map)
    changes = clean(tmp_path / "s", plan, SerialExecutor())
    expected, expected_changes = cleaned(class_map, FILTERS, mpp=MPP)
    assert list(changes) == expected_changes
    assert np.array_equal(open_class_map(SlideLayout(tmp_path / "s"))[:], expected)
    assert not np.array_equal(expected, class_map)


class Dying(SerialExecutor):
    """An executor whose process is gone after some tasks."""

    def __init__(self, tasks: int) -> None:
        super().__init__()
        self.left = tasks

    def map(self, function: Callable[[Any], Any], items: Sequence[Any]) -> Iterator[tuple[int, Any]]:
        for position, item in enumerate(items):
            self.left -= 1
            if self.left < 0:
                raise KeyboardInterrupt
            yield position, function(item)


def test_whenever_it_is_killed_the_next_run_ends_the_same_to_the_byte(tmp_path: Path) -> None:
    plan, class_map = cut(32, 2), picture()
    for name in ("whole", "killed"):
        commit(tiles_layout(SlideLayout(tmp_path / name), FILTERS), plan, class_map)
    clean(tmp_path / "whole", plan, SerialExecutor())
    expected = files(tmp_path / "whole")
    passes = 4 * plan.batch_rows * plan.batch_cols
    for tasks in range(passes):
        with pytest.raises(KeyboardInterrupt):
            clean(tmp_path / "killed", plan, Dying(tasks))
        assert "size_filters.json" not in files(tmp_path / "killed")
    clean(tmp_path / "killed", plan, Dying(passes))
    assert files(tmp_path / "killed") == expected


def test_what_is_filtered_and_measured_is_not_done_again(tmp_path: Path) -> None:
    plan, layout = cut(32, 2), SlideLayout(tmp_path / "s")
    commit(tiles_layout(layout, FILTERS), plan, picture())
    changes = clean(layout.root, plan, SerialExecutor())
    foci = measure_foci(layout, plan, SCHEME, MPP, SerialExecutor())
    before = {p: p.stat().st_mtime_ns for p in layout.root.rglob("*")}
    assert clean(layout.root, plan, Dying(0)) == changes
    assert foci_bytes(measure_foci(layout, plan, SCHEME, MPP, Dying(0))) == foci_bytes(foci)
    assert {p: p.stat().st_mtime_ns for p in layout.root.rglob("*")} == before


def test_a_tile_that_is_read_after_all_is_filtered_and_measured_with_the_rest(tmp_path: Path) -> None:
    plan, layout, class_map = cut(16, 3), SlideLayout(tmp_path / "s"), picture()
    raw = tiles_layout(layout, FILTERS)
    commit(raw, plan, class_map)
    clean(layout.root, plan, SerialExecutor())
    first = measure_foci(layout, plan, SCHEME, MPP, SerialExecutor())
    class_map[64:80, 64:80] = 2
    commit(raw, plan, class_map)
    clean(layout.root, plan, SerialExecutor())
    second = measure_foci(layout, plan, SCHEME, MPP, SerialExecutor())
    assert not (open_class_map(layout)[:] == 253).any()
    assert first is not None
    assert second is not None
    assert (first.touching_unread > 0, second.touching_unread) == (True, 0)
    assert second.area_px > first.area_px


def test_without_filters_nothing_is_written_and_no_task_is_run(tmp_path: Path) -> None:
    plan, layout = cut(32, 2), SlideLayout(tmp_path / "s")
    assert tiles_layout(layout, OFF) == layout
    commit(layout, plan, picture())
    before = files(layout.root)
    assert clean(layout.root, plan, Dying(0), OFF) == ()
    assert files(layout.root) == before


def test_filters_that_find_nothing_to_do_leave_the_map_as_it_was(tmp_path: Path) -> None:
    plan, layout, class_map = cut(32, 2), SlideLayout(tmp_path / "s"), np.zeros((130, 150), np.uint8)
    commit(tiles_layout(layout, FILTERS), plan, class_map)
    assert [c.objects for c in clean(layout.root, plan, SerialExecutor())] == [0, 0, 0]
    assert (ledger_rows(layout) == ledger_rows(tiles_layout(layout, FILTERS))).all()
    assert not (layout.class_map / "0" / "c").exists()  # nothing but background needs no shard


def test_a_hole_that_spans_boxes_without_a_shard_is_filled(tmp_path: Path) -> None:
    plan, layout = cut(16, 1), SlideLayout(tmp_path / "s")
    class_map = np.zeros((130, 150), np.uint8)
    class_map[10:120, 10:140] = 1
    class_map[20:110, 20:130] = 0  # several boxes in it are bare
    filters = SizeFilters(max_hole_um2=1e6)
    commit(tiles_layout(layout, filters), plan, class_map)
    clean(layout.root, plan, SerialExecutor(), filters)
    found = open_class_map(layout)[:]
    assert (found[10:120, 10:140] == 1).all()
    assert found.sum() == 110 * 130


def test_a_slide_measured_afresh_keeps_nothing_of_the_filters(tmp_path: Path) -> None:
    plan, layout = cut(32, 2), SlideLayout(tmp_path / "s")
    commit(tiles_layout(layout, FILTERS), plan, picture())
    clean(layout.root, plan, SerialExecutor())
    measure_foci(layout, plan, SCHEME, MPP, SerialExecutor())
    discard_cleaned(layout)
    assert not {"raw", "size_filters.json", "objects.parquet"} & {p.name for p in layout.root.iterdir()}
    discard_cleaned(layout)  # nothing there: nothing to do


class Losing(SerialExecutor):
    """An executor whose workers die over one task."""

    def map(self, function: Callable[[Any], Any], items: Sequence[Any]) -> Iterator[tuple[int, Any]]:
        yield 0, TaskLost("out of memory?")


class Forgetting(SerialExecutor):
    """An executor that loses its tasks without a word."""

    def map(self, function: Callable[[Any], Any], items: Sequence[Any]) -> Iterator[tuple[int, Any]]:
        yield 0, function(items[0])


@pytest.mark.parametrize(("lossy", "words"), [(Losing(), "out of memory"), (Forgetting(), "came to no end")])
def test_a_task_that_is_lost_gives_no_result_and_says_which_slide(tmp_path: Path, lossy: Executor, words: str) -> None:
    plan, layout = cut(32, 2), SlideLayout(tmp_path / "s")
    for one in (layout, tiles_layout(layout, FILTERS)):
        commit(one, plan, picture())
    with pytest.raises(IncompleteResultError, match=rf"made-up: .*{words}"):
        measure_foci(layout, plan, SCHEME, MPP, lossy)
    with pytest.raises(IncompleteResultError, match=rf"made-up: .*{words}"):
        clean(layout.root, plan, lossy)
    assert not (layout.root / "objects.parquet").exists()


def test_a_run_that_is_stopped_leaves_no_answer_and_no_error(tmp_path: Path) -> None:
    plan, layout = cut(32, 2), SlideLayout(tmp_path / "s")
    for one in (layout, tiles_layout(layout, FILTERS)):
        commit(one, plan, picture())
    stopped = SerialExecutor()
    stopped.stop()
    assert measure_foci(layout, plan, SCHEME, MPP, stopped) is None
    assert clean(layout.root, plan, stopped) is None


def test_a_damaged_shard_is_named_and_nothing_is_made_of_it(tmp_path: Path) -> None:
    plan, layout = cut(32, 2), SlideLayout(tmp_path / "s")
    commit(layout, plan, picture())
    shard = layout.class_map / "0" / "c" / "1" / "1"
    shard.write_bytes(shard.read_bytes()[:-20])
    with pytest.raises(ResultError, match=r"made-up, objects of batch 4: .*mask\.ome\.zarr/0/c/1/1 is damaged"):
        measure_foci(layout, plan, SCHEME, MPP, SerialExecutor())


def test_a_class_map_that_does_not_fit_its_ledger_is_refused(tmp_path: Path) -> None:
    plan, layout = cut(32, 2), SlideLayout(tmp_path / "s")
    raw = tiles_layout(layout, FILTERS)
    commit(raw, plan, picture())
    (raw.class_map / "0" / "c" / "1" / "1").unlink()
    with pytest.raises(ResultError, match=r"CountMismatchError.*do not agree"):
        clean(layout.root, plan, SerialExecutor())


def test_a_signal_and_filters_do_not_go_together() -> None:
    refuse_with_signal(OFF, SIGNALS["od"])
    refuse_with_signal(FILTERS, None)
    with pytest.raises(SettingsError, match=r"\[objects\].*'od'"):
        refuse_with_signal(FILTERS, SIGNALS["od"])


def test_a_slide_without_pixel_size_is_measured_in_pixels_and_cannot_be_filtered(tmp_path: Path) -> None:
    plan, layout = cut(32, 2), SlideLayout(tmp_path / "s")
    commit(layout, plan, picture())
    foci = measure_foci(layout, plan, SCHEME, None, SerialExecutor())
    record = foci_on_record(foci, None)
    assert record is not None
    assert record.n_px_net > 0
    assert record.net_area_mm2 is record.filled_area_mm2 is record.largest_focus_mm2 is record.largest_extent_mm is None
    assert record.listed[0].max_feret_mm is record.listed[0].area_mm2 is None
    assert pq.read_table(layout.root / "objects.parquet")["area_mm2"].null_count == len(record.listed)
    json.dumps(record.model_dump(mode="json"), allow_nan=False)
    with pytest.raises(PlanError, match="--mpp"):
        clean(layout.root, plan, SerialExecutor(), mpp=None)


def test_a_scheme_without_tumour_has_no_foci_unless_tissue_is_asked_for(tmp_path: Path) -> None:
    plan, layout = cut(32, 2), SlideLayout(tmp_path / "s")
    commit(layout, plan, picture())
    no_tumour = replace(SCHEME, classes=tuple(replace(c, is_tumor=False) for c in SCHEME.classes))
    assert measure_foci(layout, plan, no_tumour, MPP, SerialExecutor()) is None
    assert foci_on_record(None, MPP) is None
    tissue = measure_foci(layout, plan, no_tumour, MPP, SerialExecutor(), "tissue")
    assert tissue is not None
    assert tissue.area_px == ledger_rows(layout)[..., [1, 2, 3]].sum()


def test_the_document_lists_the_largest_and_the_tables_have_them_all(tmp_path: Path) -> None:
    run, plan = RunLayout(tmp_path), cut(32, 2)
    found = {}
    for name in ("a", "b"):
        commit(run.slide(name), plan, picture() if name == "a" else np.flipud(picture()).copy())
        found[name] = measure_foci(run.slide(name), plan, SCHEME, MPP, SerialExecutor())
    record = foci_on_record(found["a"], MPP, listed_most=5)
    assert record is not None
    assert len(record.listed) == 5 < record.count
    assert record.listed[0].area_mm2 == record.largest_focus_mm2
    assert (record.largest_extent_mm or 0) >= (record.listed[0].max_feret_mm or 1)
    assert record.net_area_mm2 == pytest.approx(record.n_px_net * 0.125e-6, rel=1e-12)
    assert record.n_px_net == ledger_rows(run.slide("a"))[..., [2, 3]].sum()
    assert FociOnRecord.model_validate(json.loads(record.model_dump_json())) == record
    write_objects(run, ["a", "b", "never measured"])
    table = pq.read_table(tmp_path / "objects.parquet").to_pandas()
    assert list(table.columns[:6]) == ["slide_id", "object_id", "set", "area_px", "area_mm2", "filled_px"]
    assert table.groupby("slide_id").size().to_dict() == {n: f.count for n, f in found.items() if f is not None}
    for name, sum_px in table.groupby("slide_id")["area_px"].sum().items():
        assert sum_px == found[str(name)].area_px  # type: ignore[union-attr]
    write_objects(run, [])
    assert not (tmp_path / "objects.parquet").exists()


def test_a_table_that_is_torn_or_of_another_map_is_made_again(tmp_path: Path) -> None:
    plan, layout = cut(32, 2), SlideLayout(tmp_path / "s")
    commit(layout, plan, picture())
    foci = measure_foci(layout, plan, SCHEME, MPP, SerialExecutor())
    path = layout.root / "objects.parquet"
    whole = path.read_bytes()
    assert read_foci(layout, "another") is None
    for torn in (b"", whole[:100], whole[:-4]):
        path.write_bytes(torn)
        assert foci_bytes(measure_foci(layout, plan, SCHEME, MPP, SerialExecutor())) == foci_bytes(foci)
        assert path.read_bytes() == whole


def test_changes_are_plain_values_for_a_document(tmp_path: Path) -> None:
    plan, layout = cut(128, 1), SlideLayout(tmp_path / "s")
    commit(tiles_layout(layout, FILTERS), plan, picture())
    changes = [asdict(change) for change in clean(layout.root, plan, SerialExecutor())]
    assert json.loads(json.dumps(changes)) == changes
    assert [c["limit_um2"] for c in changes] == [1.5, 2.0, 3.0]
