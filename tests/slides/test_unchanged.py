"""A slide is the file that was inspected: written into since, even to the same length, it is no slide at all."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from tiff_files import tissue_like, write_tiled

from wsi_area.errors import SlideOpenError
from wsi_area.model.slide import SlideInfo
from wsi_area.slides import borrow_reader, close_readers, inspect, require_unchanged


@pytest.fixture
def info(tmp_path: Path) -> SlideInfo:
    close_readers()
    return inspect(write_tiled(tmp_path / "s.tif", [tissue_like(128, 192)], tile_px=64))


def later(path: Path) -> None:
    status = path.stat()
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 1_000_000))  # a thousandth of a second


def one_byte(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    later(path)  # whatever the clock of the file system tells apart


def longer(path: Path) -> None:
    """One byte more, with the time of before."""
    status = path.stat()
    path.write_bytes(path.read_bytes() + b"\0")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def another_in_its_place(path: Path) -> None:
    other = path.with_name("other.tif")
    other.write_bytes(path.read_bytes())
    os.utime(other, (1e9, 1e9))  # older, as a copy that keeps its times may be
    other.replace(path)


CHANGES = [later, one_byte, longer, another_in_its_place]


def test_a_file_that_nobody_wrote_into_is_the_one_that_was_inspected(info: SlideInfo) -> None:
    Path(info.path).read_bytes()
    require_unchanged(info)


@pytest.mark.parametrize("change", CHANGES)
def test_a_file_of_the_same_name_that_was_written_since_is_refused(
    info: SlideInfo, change: Callable[[Path], None]
) -> None:
    change(Path(info.path))
    with pytest.raises(SlideOpenError, match=r"s\.tif: changed since it was inspected .*start the run again"):
        require_unchanged(info)


@pytest.mark.parametrize("lane", ["openslide", "direct"])
def test_no_lane_opens_it(info: SlideInfo, lane: str) -> None:
    one_byte(Path(info.path))
    with pytest.raises(SlideOpenError, match="changed since it was inspected"), borrow_reader(info, lane):
        pass


def test_a_file_that_is_gone_is_told_so(info: SlideInfo) -> None:
    Path(info.path).unlink()
    with pytest.raises(SlideOpenError, match="No such file"):
        require_unchanged(info)
