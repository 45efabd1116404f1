"""run: one task: read → segment → crop the halo → write the chunk → count → commit."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from wsi_area.compute.count.edges import AreaIds, areas_of
from wsi_area.compute.cut.grid import batch_tiles_at, place_at, tile_at, work_edges_l0_px
from wsi_area.compute.cut.planning import SHARED_TILES_BYTES
from wsi_area.errors import LaneDiffersError, SegmentationError, TileReadError
from wsi_area.model.geometry import Region
from wsi_area.model.ledger import LedgerLayout, TileStatus
from wsi_area.model.pixels import MaskArray
from wsi_area.model.plan import Tile
from wsi_area.results.class_map.ledger import ledger_rows
from wsi_area.results.class_map.shard import encoded_tile
from wsi_area.results.class_map.signal_store import encoded_signal
from wsi_area.results.class_map.store import commit_batch
from wsi_area.results.layout import SlideLayout
from wsi_area.run.work.deadlines import deadline
from wsi_area.run.work.slide_job import BatchResult, BatchTask, SlideJob, TileFailure
from wsi_area.run.work.tile_by_colour import classify_by_colour
from wsi_area.run.work.tile_spot import Ints, TileSpot
from wsi_area.segmenters.colour.colour_rule import ColourRule
from wsi_area.segmenters.network_runs import windows_so_far
from wsi_area.slides import (
    DamagedPart,
    SharedTiles,
    SlideReader,
    borrow_reader,
    refuse_other_edges,
    require_unchanged,
)

Announce = Callable[[int], None]
"""Is told the number of each tile before it is measured, so that what it dies of can be named."""


def measure_batch(task: BatchTask, announce: Announce | None = None) -> BatchResult:
    """Return the outcome of one batch, measured and committed; never raises.

    This is the task boundary: a failure of any kind is returned with the slide and the batch it befell.

    Parameters
    ----------
    task : BatchTask
    announce : callable or None
        Given in a process of its own, which may die of a tile: is told of each before it is measured. A lack of memory
        is left to end that process, so that the tile can be told from the others.
    """
    started, shown = time.process_time(), windows_so_far()
    try:
        measuring = _Measuring.of(task.job)
        if task.spots is not None:
            done, level_px, failures = _measure_spots(task, task.spots, measuring)
        else:
            done, level_px, failures = _measure_batch(task, measuring, announce)
    except Exception as error:  # the one place: whatever happens to a batch must not take the slide along
        if announce is not None and isinstance(error, MemoryError):
            raise
        name = task.job.plan.slide.slide_id
        message = f"{name}, batch {task.batch}: {type(error).__name__}: {error}"
        obstacle = str(error) if isinstance(error, LaneDiffersError) else None
        return BatchResult(task.batch, 0, 0, (), time.process_time() - started, message, lane_obstacle=obstacle)
    took_s, runs = time.process_time() - started, windows_so_far() - shown
    proof_s = measuring.edge_proof_cpu_s
    return BatchResult(task.batch, done, level_px, tuple(failures), took_s, network_runs=runs, edge_proof_cpu_s=proof_s)


def _measure_batch(
    task: BatchTask, measuring: "_Measuring", announce: Announce | None
) -> tuple[int, int, list[TileFailure]]:
    """Return the number of a batch's tiles that were measured and committed, the pixels read for them, and failures."""
    job, only, given_up = task.job, task.only, dict(task.given_up)
    plan = job.plan
    tile_rows, tile_cols = batch_tiles_at(plan, task.batch)
    batch = {row * plan.grid_cols + col: tile_at(plan, row, col) for row in tile_rows for col in tile_cols}
    layout = LedgerLayout(len(job.fitted.scheme.classes))
    rows = np.zeros((len(tile_rows), len(tile_cols), len(layout.columns)), np.int64)
    encoded: dict[tuple[int, int], bytes] = {}
    signal: dict[tuple[int, int], bytes] | None = {} if job.keeps_signal else None
    failures: list[TileFailure] = []
    level_px = 0
    if only is None:
        measuring.expect(task, [t.read_level_px for n, t in batch.items() if plan.is_read(n) and n not in given_up])
    for (number, tile), spot in zip(batch.items(), _spots(job, batch.values(), rows, layout), strict=True):
        if only is not None and number not in only:
            continue
        failure = None
        if number in given_up:
            spot.fill_unreadable()
            failure = given_up[number]
        elif plan.is_read(number):
            if announce is not None:
                announce(number)
            failure = measuring.measure(tile, spot)
            level_px += tile.read_level_px.area_px
        elif not spot.skip():
            continue
        if failure is not None:
            failures.append(TileFailure(tile.row, tile.col, failure))
        place = tile.row - tile_rows[0], tile.col - tile_cols[0]
        planes = spot.planes(plan.tile_px)
        spot.count_edges(measuring.areas, planes)
        if (content := encoded_tile(spot.class_map, plan.tile_px, planes)) is not None:
            encoded[place] = content
        if signal is not None and spot.signal is not None:
            steps = encoded_signal(spot.signal, plan.tile_px)
            signal |= {} if steps is None else {place: steps}
    if only is not None:
        return 0, level_px, failures
    require_unchanged(plan.slide)  # what was read after somebody wrote into the file is of no slide at all
    commit_batch(SlideLayout(job.slide_dir), job.key, (tile_rows[0], tile_cols[0]), encoded, rows, signal)
    return len(batch), level_px, failures


def _measure_spots(
    task: BatchTask, numbers: frozenset[int], measuring: "_Measuring"
) -> tuple[int, int, list[TileFailure]]:
    """Return the number of a batch's spots that were measured and committed, the pixels read for them, and failures.

    The rows of its other spots stay as they are.
    """
    job, plan = task.job, task.job.plan
    tile_rows, tile_cols = batch_tiles_at(plan, task.batch)
    tiles = [tile_at(plan, *divmod(number, plan.grid_cols)) for number in sorted(numbers)]
    layout, store = LedgerLayout(len(job.fitted.scheme.classes)), SlideLayout(job.slide_dir)
    rows = ledger_rows(store, tile_rows, tile_cols)
    own = np.zeros((1, len(tiles), len(layout.columns)), np.int64)
    failures = []
    measuring.expect(task, [tile.read_level_px for tile in tiles])
    for tile, spot in zip(tiles, _spots(job, tiles, own, layout), strict=True):
        failure = measuring.measure(tile, spot)
        if failure is not None:
            failures.append(TileFailure(tile.row, tile.col, failure))
        spot.count_edges(measuring.areas)
        rows[tile.row - tile_rows[0], tile.col - tile_cols[0]] = spot.row
    require_unchanged(plan.slide)
    commit_batch(store, job.key, (tile_rows[0], tile_cols[0]), {}, rows)
    return len(tiles), sum(tile.read_level_px.area_px for tile in tiles), failures


def _spots(job: SlideJob, tiles: Iterable[Tile], rows: Ints, layout: LedgerLayout) -> Iterator[TileSpot]:
    """Yield where each tile of a batch leaves its answer; the class maps are one memory, compressed while it is hot."""
    plan = job.plan
    edges_x, edges_y = work_edges_l0_px(plan)
    widths, heights = np.diff(edges_x), np.diff(edges_y)
    scratch = np.empty((plan.tile_px, plan.tile_px), np.uint8)
    of_signal = np.empty(plan.tile_px**2 if job.keeps_signal else 0, np.int32)
    for tile, row in zip(tiles, rows.reshape(-1, rows.shape[2]), strict=True):
        core = tile.core_work_px
        left, right, top, bottom = core.x_px, core.right_px, core.y_px, core.bottom_px
        area_l0_px = int(edges_x[right] - edges_x[left]) * int(edges_y[bottom] - edges_y[top])
        class_map = scratch[: core.height_px, : core.width_px]
        signal = of_signal[: class_map.size].reshape(class_map.shape) if job.keeps_signal else None
        weights = widths[left:right], heights[top:bottom]
        yield TileSpot(class_map, row, layout, area_l0_px, *weights, _inside(job, tile), signal)


def _read_ahead(task: BatchTask, regions_level_px: Sequence[Region]) -> None:
    """Have what a batch will read fetched while its first tiles are decoded, in the one lane that knows where."""
    job, plan = task.job, task.job.plan
    if job.lane != "direct":
        return
    name = f"{plan.slide.slide_id}, batch {task.batch}"  # the first to open the file may hang on a share that is gone
    with (
        deadline(job.tile_timeout_s, name, ends_process=job.timeout_ends_process),
        borrow_reader(plan.slide, job.lane) as reader,
    ):
        reader.read_ahead(plan.level, regions_level_px)


def _inside(job: SlideJob, tile: Tile) -> MaskArray | None:
    """Return the pixels of a tile's core that lie in the region of interest, None where all of them do."""
    if job.roi is None:
        return None
    from wsi_area.compute.cut.roi import inside_roi  # geometry is loaded only where something was drawn

    core = tile.core_work_px
    if tile.row * job.plan.grid_cols + tile.col in job.plan.outside_roi:
        return np.zeros((core.height_px, core.width_px), np.bool_)
    inside = inside_roi(job.roi, place_at(job.plan, core))
    return None if inside.all() else inside


Classify = Callable[[SlideJob, SlideReader, Tile, TileSpot], Sequence[DamagedPart]]


@dataclass(slots=True)
class _Measuring:
    """What measures the tiles of a batch one by one, and what it took to prove the lane on the way."""

    job: SlideJob
    classify: Classify
    areas: tuple[AreaIds, ...]  # whose edges are counted
    shared: SharedTiles | None  # what the tiles of a batch have in common, where they have halos
    edge_proof_cpu_s: float = 0.0

    @classmethod
    def of(cls, job: SlideJob) -> "_Measuring":
        """Return the measure of tiles by which a slide is to be measured."""
        classify: Classify
        shared = None
        rule = getattr(job.fitted, "colour_rule", None)  # a protocol takes a third of a millisecond to ask
        if isinstance(rule, ColourRule):
            classify = partial(classify_by_colour, rule)
        else:
            from wsi_area.run.work.tile_by_class_map import classify_by_class_map

            shared = SharedTiles(SHARED_TILES_BYTES) if job.plan.halo_px else None
            classify = partial(classify_by_class_map, shared)
        return cls(job, classify, areas_of(job.fitted.scheme), shared)

    def expect(self, task: BatchTask, regions_level_px: Sequence[Region]) -> None:
        """Be told what will be read, in this order: it is fetched ahead, and what halos share is decoded once."""
        _read_ahead(task, regions_level_px)
        if self.shared is not None:
            self.shared.expect(regions_level_px)

    def measure(self, tile: Tile, spot: TileSpot) -> str | None:
        """Measure one tile into its spot within the time it may take; return why some is unreadable, or None."""
        job = self.job
        name = f"{job.plan.slide.slide_id}, tile row {tile.row} col {tile.col}"
        with deadline(job.tile_timeout_s, name, ends_process=job.timeout_ends_process):
            for attempt in range(job.read_retries + 1):
                is_last = attempt == job.read_retries
                spot.clear()
                try:
                    damaged = self._read(tile, spot)
                except (TileReadError, SegmentationError) as error:
                    if isinstance(error, TileReadError) and not is_last:
                        continue
                    spot.fill_unreadable()
                    return f"{error} (all of this tile counts as unreadable)"
                if damaged and not is_last:
                    continue  # of a disk or a network, the next try may have more
                return _with_status(spot, damaged)
        raise AssertionError("unreachable: the last try returns")

    def _read(self, tile: Tile, spot: TileSpot) -> Sequence[DamagedPart]:
        """Read and classify one tile, its stored tiles at edges proven first; return what is damaged."""
        job = self.job
        with borrow_reader(job.plan.slide, job.lane) as reader:
            if job.proves_edges:
                started_s = time.thread_time()
                try:
                    refuse_other_edges(reader, job.plan.level, tile.read_level_px)
                finally:
                    self.edge_proof_cpu_s += time.thread_time() - started_s
            return self.classify(job, reader, tile, spot)


def _with_status(spot: TileSpot, damaged: Sequence[DamagedPart]) -> str | None:
    """Set the status of a tile that was measured as far as it could be read; return why some is unreadable, or None."""
    lost_l0_px = int(spot.row[spot.layout.unreadable_column])
    spot.row[spot.layout.status_column] = TileStatus.UNREADABLE if lost_l0_px else TileStatus.READ
    spot.assert_accounted()
    if not lost_l0_px:
        return None
    others = f", and {len(damaged) - 1} more parts of this tile" if len(damaged) > 1 else ""
    return f"{damaged[0].damage} ({lost_l0_px} of {spot.area_l0_px} level-0 px{others})"
