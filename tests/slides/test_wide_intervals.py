"""How often restart intervals that are wider than a tile are decoded, in the order in which a plan has them read."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest
from ndpi_files import write_ndpi_slide
from tiff_files import tissue_like

from wsi_area.compute.cut.grid import batch_tiles_at, tile_at
from wsi_area.compute.cut.planning import Tiling, plan_slide
from wsi_area.compute.cut.wide_tiles import ROW_BYTES_MOST
from wsi_area.model.calibration import Mpp
from wsi_area.model.geometry import Region, Size
from wsi_area.model.pixels import RgbArray
from wsi_area.model.plan import SlidePlan
from wsi_area.model.slide import Level, SlideInfo
from wsi_area.slides import inspect
from wsi_area.slides.lanes.bands import KEPT_BYTES, DecodedBands
from wsi_area.slides.lanes.direct_lane import DirectReader
from wsi_area.slides.lanes.reading import DecodedTile
from wsi_area.slides.stored.tiled_level import JPEG, TiledLevel

INTERVAL_HEIGHT_PX = 8


class Counted:
    """Decodes nothing, and counts the pixels that are asked for."""

    def __init__(self) -> None:
        self.pixels = 0

    def __call__(self, level: int, tiles: TiledLevel, indices: range, out: RgbArray) -> tuple[str | None, ...]:
        self.pixels += out.shape[0] * min(out.shape[1], tiles.size_px.width_px)
        return (None,) * len(indices)


def plan_of(size: Size, interval_px: int, *, tile_px: int | None = None, reduce_factor: int = 1) -> SlidePlan:
    level = Level(0, size, 1.0, 1.0, Size(interval_px, INTERVAL_HEIGHT_PX))
    info = SlideInfo("made-up", "made-up.ndpi", "hamamatsu", size, (level,), "f" * 64, 1, 1)
    return plan_slide(info, Mpp(0.25, 0.25), (0,), Tiling(0.25 * reduce_factor, tile_px or "auto"))


def stored(plan: SlidePlan) -> TiledLevel:
    size, tile = plan.slide.levels[0].size_px, plan.slide.levels[0].stored_tile_px
    assert tile is not None
    across, down = -(-size.width_px // tile.width_px), -(-size.height_px // tile.height_px)
    return TiledLevel(size, tile, across, down, (), (), JPEG, 1, True, b"", is_interval=True)


def batches(plan: SlidePlan) -> Iterator[Iterator[Region]]:
    """Yield what is read for each batch."""
    for batch in range(plan.batch_rows * plan.batch_cols):
        rows, cols = batch_tiles_at(plan, batch)
        yield iter([tile_at(plan, r, c).read_level_px for r in rows for c in cols])


def times_decoded(plan: SlidePlan, workers: int, *, lag: int = 0) -> tuple[float, DecodedBands]:
    """Return how often each pixel is decoded by so many workers which read one tile each at a time.

    The first one rests for ``lag`` tiles of the others, again and again: workers keep no step.
    """
    tiles, decode = stored(plan), Counted()
    bands, waiting = DecodedBands(decode), batches(plan)
    at_work: list[Iterator[Region]] = list(islice(waiting, workers))
    turn = 0
    while at_work:
        turn += 1
        begun: list[Iterator[tuple[DecodedTile, ...]]] = []
        for n, batch in reversed(list(enumerate(at_work))):
            if lag and n == 0 and len(at_work) > 1 and turn % (lag + 1):
                continue
            region = next(batch, None)
            while region is None and (another := next(waiting, None)) is not None:
                at_work[n] = another
                region = next(another, None)
            if region is None:
                del at_work[n]
                continue
            begun.append(bands.decoded_tiles(0, tiles, region))
        for parts in begun:
            next(parts)  # all of them are being read at once
        for parts in begun:
            for _ in parts:
                pass
    return decode.pixels / plan.slide.size_l0_px.area_px, bands


@pytest.mark.parametrize("workers", [1, 2, 8])
@pytest.mark.parametrize("interval_px", [512, 640, 2048, 4096])
def test_intervals_no_wider_than_a_batch_are_decoded_once_by_any_number_of_workers(
    interval_px: int, workers: int
) -> None:
    assert times_decoded(plan_of(Size(20480, 8192), interval_px), workers)[0] == 1


@pytest.mark.parametrize("workers", [1, 2, 8])
@pytest.mark.parametrize("width_px", [20480, 32768, 51200, 100_352])
def test_intervals_as_wide_as_the_slide_are_decoded_once_by_any_number_of_workers(width_px: int, workers: int) -> None:
    assert times_decoded(plan_of(Size(width_px, 4096), width_px), workers)[0] == 1


@pytest.mark.parametrize(("interval_px", "lag", "most"), [(4096, 2, 1.1), (20480, 2, 1.1), (20480, 5, 1.2)])
def test_workers_that_keep_no_step_decode_little_again(interval_px: int, lag: int, most: float) -> None:
    assert times_decoded(plan_of(Size(20480, 8192), interval_px), 4, lag=lag)[0] <= most


@pytest.mark.parametrize("reduce_factor", [2, 4, 8])
def test_so_it_is_where_pixels_are_reduced(reduce_factor: int) -> None:
    plan = plan_of(Size(20480, 8192), 20480, reduce_factor=reduce_factor)
    assert plan.reduce_factor == reduce_factor
    assert times_decoded(plan, 2)[0] == 1


@pytest.mark.parametrize("interval_px", [5120, 6144, 8192])
def test_intervals_of_up_to_two_batches_are_decoded_by_each_at_most(interval_px: int) -> None:
    plan = plan_of(Size(24576, 8192), interval_px)
    for workers in (1, 2, 8):
        assert times_decoded(plan, workers)[0] <= 2


@pytest.mark.parametrize("workers", [1, 2, 8])
@pytest.mark.parametrize("interval_px", [2048, 4096, 20480])
def test_what_is_kept_is_a_row_of_tiles_for_each_worker_and_one_more_or_32_mb(interval_px: int, workers: int) -> None:
    plan = plan_of(Size(20480, 8192), interval_px)
    _, bands = times_decoded(plan, workers)
    kept_bytes = sum(band.rgb.nbytes for band in bands._kept.values())
    assert kept_bytes <= max(KEPT_BYTES, (workers + 1) * 3 * interval_px * plan.tile_px)


@pytest.mark.parametrize("workers", [1, 3])
def test_of_rows_that_are_too_much_for_memory_no_more_is_kept_than_of_others(workers: int) -> None:
    plan = plan_of(Size(20480, 4096), 20480, tile_px=2048)  # as somebody asked for
    assert ROW_BYTES_MOST < 3 * 20480 * 2048
    _, bands = times_decoded(plan, workers)
    assert sum(band.rgb.nbytes for band in bands._kept.values()) <= KEPT_BYTES


@pytest.mark.parametrize("region", [Region(0, 0, 20480, 4096), Region(4096, 64, 8192, 1000), Region(16384, 0, 4096, 9)])
def test_nothing_is_kept_for_regions_beside_where_a_region_takes_all_of_its_intervals(region: Region) -> None:
    plan = plan_of(Size(20480, 8192), 4096)
    bands = DecodedBands(Counted())
    for _ in bands.decoded_tiles(0, stored(plan), region):
        pass
    assert bands._row_bytes == 0


def test_a_reader_that_is_closed_gives_back_what_was_decoded(tmp_path: Path) -> None:
    picture = tissue_like(64, 256)
    info = inspect(write_ndpi_slide(tmp_path / "s.ndpi", [picture], interval_mcus=16))
    reader = DirectReader(info)
    bands = reader._bands
    assert bands is not None
    reader.read(0, Region(0, 0, 100, 60))
    assert sum(band.rgb.nbytes for band in bands._kept.values()) == 3 * 128 * 64
    reader.close()
    assert not bands._kept
    assert bands._idle_bytes == 0
