"""Bands of stored tiles among threads: each is decoded once while anybody needs it."""

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from wsi_area.model.geometry import Region, Size
from wsi_area.model.pixels import RgbArray
from wsi_area.slides.lanes import bands
from wsi_area.slides.lanes.bands import DecodedBands, band_px
from wsi_area.slides.stored.tiled_level import JPEG, TiledLevel

WAIT_S = 60  # an upper bound for a machine that hangs, which no test comes near


def level_of(width_px: int, height_px: int, tile_width_px: int) -> TiledLevel:
    across, down = width_px // tile_width_px, height_px // 8
    count = across * down
    return TiledLevel(
        Size(width_px, height_px), Size(tile_width_px, 8), across, down, range(1, count + 1), [1] * count, JPEG, 1,
        True, b"", is_interval=True,
    )  # fmt: skip


def decoding(said: Callable[[int], object] = lambda first: None) -> tuple[bands.Decode, Counter[int]]:
    """Return a decoder that fills a band with the number of its first stored tile, and how often each was decoded."""
    times: Counter[int] = Counter()

    def decode(level: int, tiles: TiledLevel, some: range, out: RgbArray) -> tuple[str | None, ...]:
        times[some[0]] += 1
        said(some[0])
        out[...] = some[0]
        return (None,) * len(some)

    return decode, times


def shown(kept: DecodedBands, tiles: TiledLevel, box: Region) -> list[tuple[Region, int]]:
    return [
        (tile.region_level_px, int(tile.rgb[0, 0, 0])) for some in kept.decoded_tiles(0, tiles, box) for tile in some
    ]


@pytest.mark.parametrize("count", [2, 3, 5])
def test_what_one_thread_decodes_another_waits_for_having_decoded_what_nobody_does(count: int) -> None:
    tiles = level_of(256 * count, 64, 256)
    began, others_done = threading.Event(), threading.Event()
    left = set(range(1, count))

    def said(first: int) -> None:
        if first == 0:
            began.set()
            assert others_done.wait(WAIT_S)
        else:
            left.discard(first)
            if not left:
                others_done.set()

    decode, times = decoding(said)
    kept = DecodedBands(decode)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(shown, kept, tiles, Region(0, 0, 256, 64))
        assert began.wait(WAIT_S)
        second = pool.submit(shown, kept, tiles, Region(0, 0, 256 * count, 64))
        assert first.result(WAIT_S) == [(Region(0, 0, 256, 64), 0)]
        assert second.result(WAIT_S) == [(Region(256 * n, 0, 256, 64), n) for n in range(count)]
    assert times == {n: 1 for n in range(count)}


@pytest.mark.parametrize("columns", [1, 2, 4])
def test_a_band_stays_while_a_region_is_read_out_of_it_though_none_is_kept(
    monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    monkeypatch.setattr(bands, "KEPT_BYTES", 0)
    tiles = level_of(128 * columns, 128, 128)
    decode, times = decoding()
    kept = DecodedBands(decode)
    box = Region(0, 0, 128 * columns, 64)
    reading = kept.decoded_tiles(0, tiles, box)
    held = next(reading)
    shown(kept, tiles, Region(0, 64, 128 * columns, 64))  # something else goes, not what is in use
    assert len(shown(kept, tiles, box)) == columns
    assert set(times.values()) == {1}
    assert [int(tile.rgb.max()) for tile in held] == list(range(columns))
    reading.close()
    shown(kept, tiles, box)
    assert [times[n] for n in range(columns)] == [2] * columns


@pytest.mark.parametrize("failing", [0, 1, 3])
def test_a_decoder_that_fails_once_leaves_nothing_to_be_waited_for(failing: int) -> None:
    tiles = level_of(1024, 64, 256)
    failures = [MemoryError("no more")]

    def said(first: int) -> None:
        if first == failing and failures:
            raise failures.pop()

    decode, times = decoding(said)
    kept = DecodedBands(decode)
    box = Region(0, 0, 1024, 64)
    with pytest.raises(MemoryError, match="no more"):
        shown(kept, tiles, box)
    with ThreadPoolExecutor(1) as pool:
        assert len(pool.submit(shown, kept, tiles, box).result(WAIT_S)) == 4
    assert times == {n: 1 + (n == failing) for n in range(4)}


@pytest.mark.parametrize("threads", [2, 4, 8])
def test_many_threads_that_read_one_region_decode_each_band_of_it_once(threads: int) -> None:
    tiles = level_of(2048, 128, 512)
    decode, times = decoding()
    kept = DecodedBands(decode)
    with ThreadPoolExecutor(threads) as pool:
        found = list(pool.map(lambda _: shown(kept, tiles, Region(0, 0, 2048, 128)), range(3 * threads)))
    assert all(one == found[0] for one in found)
    assert np.array_equal([number for _, number in found[0]], [0, 1, 2, 3, 32, 33, 34, 35])
    assert set(times.values()) == {1}


@pytest.mark.parametrize(("width_px", "pixels"), [(256, 16_384), (2048, 131_072), (5120, 327_680)])
def test_a_band_is_64_rows_of_its_column(width_px: int, pixels: int) -> None:
    assert band_px(level_of(4 * width_px, 640, width_px)) == pixels
