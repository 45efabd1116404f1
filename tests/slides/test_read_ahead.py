"""What the direct lane asks the system to fetch before it is read."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from tiff_files import remove_tiles, stored_tiles, tissue_like, write_tiled

from wsi_area.model.geometry import Region
from wsi_area.slides import borrow_reader, close_readers, inspect

pytestmark = pytest.mark.skipif(not hasattr(os, "posix_fadvise"), reason="this system takes no such hint")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[int, int]]]:
    spans: list[tuple[int, int]] = []

    def record(file: int, offset: int, length: int, advice: int) -> None:
        assert advice == os.POSIX_FADV_WILLNEED
        spans.append((offset, offset + length))

    monkeypatch.setattr(os, "posix_fadvise", record)
    yield spans
    close_readers()


def covers(spans: list[tuple[int, int]], tile: tuple[int, int]) -> bool:
    fetched = {n for begin, end in spans for n in range(begin, end)}
    return fetched.issuperset(range(tile[0], tile[0] + tile[1]))


def test_every_stored_tile_under_the_regions_is_fetched_and_no_other(tmp_path: Path, asked) -> None:
    path = write_tiled(tmp_path / "s.tif", [tissue_like(1024, 1536)], tile_px=256, compression=None)
    tiles = stored_tiles(path)  # 4 rows of 6, uncompressed: each far larger than what is joined
    with borrow_reader(inspect(path), "direct") as reader:
        reader.read_ahead(0, [Region(300, 0, 400, 256), Region(0, 700, 10, 80)])
    wanted = {1, 2, 12, 18}
    assert {n for n, tile in enumerate(tiles) if covers(asked, tile)} == wanted
    assert sum(end - begin for begin, end in asked) == sum(tiles[n][1] for n in wanted)


def test_neighbours_in_the_file_are_fetched_as_one(tmp_path: Path, asked) -> None:
    path = write_tiled(tmp_path / "s.tif", [tissue_like(512, 1024)], tile_px=256, compression="jpeg")
    with borrow_reader(inspect(path), "direct") as reader:
        reader.read_ahead(0, [Region(0, 0, 1024, 512)])
    assert [begin for begin, _ in asked[1:]] == [end for _, end in asked[:-1]]  # one after the other, without a gap
    assert all(covers(asked, tile) for tile in stored_tiles(path))


def test_no_hint_is_longer_than_what_the_system_takes_of_one(tmp_path: Path, asked) -> None:
    path = write_tiled(tmp_path / "s.tif", [tissue_like(512, 1024)], tile_px=256, compression=None)
    with borrow_reader(inspect(path), "direct") as reader:
        reader.read_ahead(0, [Region(0, 0, 1024, 512)])
    assert max(end - begin for begin, end in asked) <= 128 * 1024  # eight tiles of 192 KiB, one after the other
    assert all(covers(asked, tile) for tile in stored_tiles(path))


def test_a_tile_that_the_file_does_not_hold_is_not_asked_for(tmp_path: Path, asked) -> None:
    path = write_tiled(tmp_path / "s.tif", [tissue_like(512, 512)], tile_px=256, compression=None)
    remove_tiles(path, [0, 3])
    with borrow_reader(inspect(path), "direct") as reader:
        reader.read_ahead(0, [Region(0, 0, 512, 512)])
    tiles = stored_tiles(path)
    assert [covers(asked, tiles[n]) for n in (1, 2)] == [True, True]
    assert all(begin > 0 for begin, _ in asked)
    assert max(end for _, end in asked) <= path.stat().st_size


def test_a_file_system_that_takes_no_hint_is_read_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_tiled(tmp_path / "s.tif", [tissue_like(256, 256)], tile_px=256, compression=None)

    def refuse(*_: int) -> None:
        raise OSError(29, "Illegal seek")

    monkeypatch.setattr(os, "posix_fadvise", refuse)
    with borrow_reader(inspect(path), "direct") as reader:
        reader.read_ahead(0, [Region(0, 0, 256, 256)])
        assert reader.read(0, Region(0, 0, 256, 256)).rgb.any()
    close_readers()
