"""Stored tiles that several regions need are decoded once, within what may be kept, and are the same pixels."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from damage import overwrite, stored_span
from numpy.typing import NDArray
from tiff_files import tissue_like, write_tiled

from wsi_area.model.geometry import Region
from wsi_area.model.pixels import RgbArray
from wsi_area.model.slide import SlideInfo
from wsi_area.slides import SharedTiles, borrow_reader, inspect, read_around_damage
from wsi_area.slides.lanes import direct_lane
from wsi_area.slides.stored.tiled_level import TiledLevel

STORED_PX = 128
STORED_BYTES = 3 * STORED_PX**2
WIDTH_PX, HEIGHT_PX = 1024, 768  # 8 × 6 stored tiles
CORES = [Region(x, y, 256, 256) for y in range(0, HEIGHT_PX, 256) for x in range(0, WIDTH_PX, 256)]


def picture() -> NDArray[np.uint8]:
    return tissue_like(HEIGHT_PX, WIDTH_PX)


@pytest.fixture(scope="module")
def slide(tmp_path_factory: pytest.TempPathFactory) -> SlideInfo:
    path = tmp_path_factory.mktemp("shared") / "s.tif"
    return inspect(write_tiled(path, [picture()], compression="deflate", tile_px=STORED_PX))


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> Counter[bytes]:
    """How often the bytes of each stored tile were decoded."""
    counts: Counter[bytes] = Counter()
    decode = direct_lane.decode_together

    def counting(data: Sequence[bytes | None], level: TiledLevel, out: RgbArray) -> NDArray[np.bool_]:
        counts.update(some for some in data if some is not None)
        return decode(data, level, out)

    monkeypatch.setattr(direct_lane, "decode_together", counting)
    return counts


def with_halos(slide: SlideInfo, halo_px: int, cores: list[Region] = CORES) -> list[Region]:
    return [core.grown(halo_px, slide.levels[0].size_px) for core in cores]


def read_all(slide: SlideInfo, regions: list[Region], shared: SharedTiles) -> int:
    """Return the most bytes that were kept, having compared every region with the picture that was written."""
    whole, most_bytes = picture(), 0
    shared.expect(regions)
    with borrow_reader(slide, "direct") as reader:
        for region in regions:
            pixels, damaged = read_around_damage(reader, 0, region, shared)
            np.testing.assert_array_equal(pixels.rgb, whole[region.slices])
            assert pixels.valid.all()
            assert not damaged
            most_bytes = max(most_bytes, shared.kept_bytes)
    return most_bytes


@pytest.mark.parametrize("halo_px", [1, 60, 128, 200])
def test_each_stored_tile_is_decoded_once_and_nothing_is_kept_in_the_end(
    slide: SlideInfo, decoded: Counter[bytes], halo_px: int
) -> None:
    shared = SharedTiles(48 * STORED_BYTES)
    read_all(slide, with_halos(slide, halo_px), shared)
    assert len(decoded) == 48
    assert set(decoded.values()) == {1}
    assert shared.kept_bytes == 0


def test_tiles_to_decode_go_together_past_those_that_were_kept(
    slide: SlideInfo, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[int] = []
    decode = direct_lane.decode_together

    def counting(data: Sequence[bytes | None], level: TiledLevel, out: RgbArray) -> NDArray[np.bool_]:
        calls.append(len(data))
        assert None not in data
        return decode(data, level, out)

    monkeypatch.setattr(direct_lane, "decode_together", counting)
    monkeypatch.setattr(direct_lane, "tiles_at_once", lambda tiles: 4)
    first, second = (core.grown(60, slide.levels[0].size_px) for core in CORES[5:7])  # each touches 4 × 4 tiles
    read_all(slide, [first, second, second.grown(-60, slide.levels[0].size_px)], SharedTiles(48 * STORED_BYTES))
    assert calls == [4, 4, 4, 4, 4, 4]  # eight of the second are new, and none of what lies within it


@pytest.mark.parametrize("most_tiles", [0, 1, 3, 7, 12])
def test_no_more_is_kept_than_may_be_and_the_pixels_are_the_same(
    slide: SlideInfo, decoded: Counter[bytes], most_tiles: int
) -> None:
    shared = SharedTiles(most_tiles * STORED_BYTES)
    assert read_all(slide, with_halos(slide, 60), shared) <= most_tiles * STORED_BYTES
    alone = sum(len(tiles_under(region)) for region in with_halos(slide, 60))
    assert decoded.total() == alone if most_tiles == 0 else 48 < decoded.total() < alone


def test_tiles_that_are_skipped_in_between_break_nothing(slide: SlideInfo, decoded: Counter[bytes]) -> None:
    some = [core for n, core in enumerate(CORES) if n not in (1, 6, 7)]
    regions = with_halos(slide, 60, some)
    shared = SharedTiles(48 * STORED_BYTES)
    read_all(slide, regions, shared)
    assert decoded.total() == len(set().union(*(tiles_under(region) for region in regions)))
    assert shared.kept_bytes == 0


def test_regions_that_were_not_told_of_are_read_alone(slide: SlideInfo) -> None:
    shared = SharedTiles(48 * STORED_BYTES)
    with borrow_reader(slide, "direct") as reader:
        for region in with_halos(slide, 60):
            pixels, _ = read_around_damage(reader, 0, region, shared)
            np.testing.assert_array_equal(pixels.rgb, picture()[region.slices])
            assert shared.kept_bytes == 0


def test_of_a_damaged_tile_nothing_is_kept_so_that_the_next_try_may_have_more(tmp_path: Path) -> None:
    path = write_tiled(tmp_path / "s.tif", [picture()], compression="deflate", tile_px=STORED_PX)
    at, count = stored_span(path, 2)  # between the first two cores
    whole = path.read_bytes()[at : at + count]
    overwrite(path, at + 20, bytes(40))
    first, second = with_halos(inspect(path), 60, CORES[:2])
    lost = Region(2 * STORED_PX, 0, STORED_PX, STORED_PX)
    shared = SharedTiles(48 * STORED_BYTES)
    shared.expect([first, second])
    with borrow_reader(inspect(path), "direct") as reader:
        pixels, damaged = read_around_damage(reader, 0, first, shared)
        assert [part.region_level_px for part in damaged] == [lost.intersection(first)]
        overwrite(path, at, whole)
        pixels, damaged = read_around_damage(reader, 0, second, shared)
        assert not damaged
        np.testing.assert_array_equal(pixels.rgb, picture()[second.slices])


def tiles_under(region: Region) -> set[tuple[int, int]]:
    """Return the stored tiles that a region touches, by looking at each of them."""
    every = [(column, row) for column in range(WIDTH_PX // STORED_PX) for row in range(HEIGHT_PX // STORED_PX)]
    return {
        (column, row)
        for column, row in every
        if Region(column * STORED_PX, row * STORED_PX, STORED_PX, STORED_PX).intersection(region) is not None
    }
