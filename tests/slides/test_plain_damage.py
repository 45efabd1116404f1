"""A plain TIFF that claims what its file does not hold: a reason, no allocation, never black pixels as if scanned."""

from pathlib import Path

import numpy as np
import pytest
import tifffile

from wsi_area.errors import SlideOpenError, TileReadError
from wsi_area.model.geometry import Region
from wsi_area.slides import borrow_reader, close_readers, inspect

WHITE = np.full((100, 80, 3), 240, np.uint8)


@pytest.fixture(autouse=True)
def _closed_readers():
    yield
    close_readers()


def damaged(path: Path, tag: str, value: object, dtype: str | None = None) -> Path:
    """A plain TIFF of ten strips with another value in one of its fields."""
    tifffile.imwrite(path, WHITE, photometric="rgb", rowsperstrip=10, compression="zlib")
    with tifffile.TiffFile(path, mode="r+b") as tiff:
        tiff.pages[0].tags[tag].overwrite(value, dtype=dtype)
    return path


def fails_with(path: Path) -> str:
    """What is said of the file, when it is inspected or else when it is read."""
    try:
        info = inspect(path)
    except SlideOpenError as error:
        return str(error)
    with borrow_reader(info, "plain") as reader, pytest.raises(TileReadError) as failed:
        reader.read(0, Region(0, 0, info.size_l0_px.width_px, info.size_l0_px.height_px))
    return str(failed.value)


def counts_with(place: int, number: int) -> tuple[int, ...]:
    counts = [40] * 10
    counts[place] = number
    return tuple(counts)


@pytest.mark.parametrize("count", [0, 5000, 1 << 31, (1 << 32) - 1])
def test_a_strip_that_is_missing_or_larger_than_the_file_is_named(tmp_path: Path, count: int) -> None:
    path = damaged(tmp_path / "s.tif", "StripByteCounts", counts_with(4, count), "I")
    assert f"a part of {count} bytes at" in fails_with(path)


@pytest.mark.parametrize("offset", [0, 1 << 31])
def test_a_strip_that_lies_nowhere_is_named_and_not_painted_black(tmp_path: Path, offset: int) -> None:
    path = damaged(tmp_path / "s.tif", "StripOffsets", counts_with(9, offset), "I")
    assert "is not in the file of" in fails_with(path)


def test_strips_that_are_not_listed_are_missed(tmp_path: Path) -> None:
    path = damaged(tmp_path / "s.tif", "StripOffsets", (400, 440), "I")
    assert fails_with(path)


def test_rows_without_a_strip_to_hold_them_are_no_division_by_zero(tmp_path: Path) -> None:
    message = fails_with(damaged(tmp_path / "s.tif", "RowsPerStrip", 0))
    assert "s.tif" in message or "slide 's'" in message


@pytest.mark.parametrize("keep_bytes", [4, 6, 7, 8, 9, 12, 15])
@pytest.mark.parametrize("head", [b"II*\0\x08\0\0\0", b"II+\0\x08\0\0\0\x10\0\0\0\0\0\0\0"])
def test_a_header_that_ends_early_is_a_reason_and_no_bug(tmp_path: Path, head: bytes, keep_bytes: int) -> None:
    path = tmp_path / "s.tif"
    path.write_bytes(head[:keep_bytes])
    with pytest.raises(SlideOpenError, match=r"s\.tif"):
        inspect(path)
