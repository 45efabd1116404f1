"""Stored tiles whose bytes are fetched together are those that are fetched one by one."""

import os
from pathlib import Path

import numpy as np
import pytest
from damage import set_tile_number
from numpy.typing import NDArray
from tiff_files import remove_tiles, stored_tiles, tissue_like, write_tiled

from wsi_area.slides import borrow_reader, inspect
from wsi_area.slides.lanes.direct_lane import DirectReader
from wsi_area.slides.lanes.tile_files import TileMemory

HEAD = b"a head"


def slide(path: Path) -> Path:
    """4 rows of 6 tiles, and a smaller level, which is what OpenSlide reads when it opens a file."""
    levels = [tissue_like(1024, 1536), tissue_like(256, 384)]
    return write_tiled(path, levels, tile_px=256, compression="jpeg")


def fetched(path: Path, indices: list[int], memory: TileMemory | None = None) -> list[bytes]:
    """Return the bytes of tiles that are fetched together; of none, none."""
    into = memory or TileMemory(HEAD)
    with borrow_reader(inspect(path), "direct") as reader:
        assert isinstance(reader, DirectReader)
        spans = reader.read_together(0, np.array(indices, np.int64), into)
    assert spans.shape == (len(indices), 2)
    assert bytes(into.data[: into.head_bytes]) == HEAD
    assert all(begin >= into.head_bytes or end == 0 for begin, end in spans.tolist())
    return [bytes(into.data[begin:end]) for begin, end in spans.tolist()]


def in_file(path: Path) -> list[bytes]:
    content = path.read_bytes()
    return [content[offset : offset + count] for offset, count in stored_tiles(path)]


@pytest.mark.parametrize(
    "indices", [list(range(24)), [0], [], [23, 0, 11], [5, 5, 4], list(range(0, 24, 2)), list(range(23, -1, -1))]
)
def test_in_whatever_order_each_has_its_own_bytes(tmp_path: Path, indices: list[int]) -> None:
    path = slide(tmp_path / "s.tif")
    own = in_file(path)
    assert fetched(path, indices) == [own[n] for n in indices]


def test_memory_that_is_used_again_holds_what_was_asked_last(tmp_path: Path) -> None:
    path, memory = slide(tmp_path / "s.tif"), TileMemory(HEAD)
    own = in_file(path)
    for indices in ([0, 1], list(range(24)), [7]):
        assert fetched(path, indices, memory) == [own[n] for n in indices]


def test_neighbours_in_the_file_are_one_reading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, readings, honest = slide(tmp_path / "s.tif"), [], os.preadv

    def watched(file: int, into: list[memoryview], begin: int) -> int:
        readings.append(begin)
        return honest(file, into, begin)

    monkeypatch.setattr(os, "preadv", watched)
    fetched(path, list(range(24)))
    assert len(readings) == 1
    fetched(path, [0, 12, 23])  # far from each other
    assert len(readings) == 4


@pytest.mark.parametrize(
    ("tag", "number"),
    [("TileOffsets", 0), ("TileByteCounts", 0), ("TileOffsets", 2**31), ("TileByteCounts", 200_000_000)],
)
def test_what_no_file_holds_is_not_there_and_its_neighbours_are(tmp_path: Path, tag: str, number: int) -> None:
    path = slide(tmp_path / "s.tif")
    own = in_file(path)
    set_tile_number(path, tag, 8, number)
    assert fetched(path, list(range(24))) == [b"" if n == 8 else tile for n, tile in enumerate(own)]


def test_tiles_that_were_never_written_are_not_there(tmp_path: Path) -> None:
    path = slide(tmp_path / "s.tif")
    own = in_file(path)
    remove_tiles(path, [0, 9, 23])
    assert fetched(path, list(range(24))) == [b"" if n in (0, 9, 23) else tile for n, tile in enumerate(own)]


def test_bytes_that_two_tiles_claim_are_of_neither(tmp_path: Path) -> None:
    path = slide(tmp_path / "s.tif")
    own, places = in_file(path), stored_tiles(path)
    set_tile_number(path, "TileOffsets", 3, places[10][0])
    assert fetched(path, list(range(24))) == [b"" if n in (3, 10) else tile for n, tile in enumerate(own)]


@pytest.mark.parametrize("cut_tile", [23, 12, 1])
def test_of_a_file_that_ends_too_soon_what_is_whole_is_there(
    tmp_path: Path, cut_tile: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, honest = slide(tmp_path / "s.tif"), os.preadv
    own, (offset, count) = in_file(path), stored_tiles(path)[cut_tile]
    end = offset + count // 2  # as if another program cut it while it is read

    def until_there(file: int, into: list[memoryview], begin: int) -> int:
        return max(0, min(honest(file, into, begin), end - begin))

    monkeypatch.setattr(os, "preadv", until_there)
    held: list[bytes] = fetched(path, list(range(24)))
    assert held == [tile if n < cut_tile else b"" for n, tile in enumerate(own)]


def test_where_nothing_can_be_read_nothing_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> int:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "preadv", fail)
    assert fetched(slide(tmp_path / "s.tif"), [0, 1]) == [b"", b""]


def test_a_head_stays_where_it_is_when_memory_grows() -> None:
    memory = TileMemory(HEAD)
    seen: list[NDArray[np.uint8]] = []
    for size_bytes in (10, 5, 10_000):
        memory.grow(size_bytes)
        seen.append(memory.data)
        assert memory.data.size >= len(HEAD) + size_bytes
        assert bytes(memory.data[: len(HEAD)]) == HEAD
    assert seen[0] is seen[1]
