"""A plain TIFF that claims what its file does not hold: a reason, no allocation, never black pixels as if scanned."""

from pathlib import Path

import numpy as np
import pytest
import tifffile
from damage import flip_bytes, overwrite, set_tile_number, stored_span
from PIL import Image
from tiff_files import tissue_like

from wsi_area.errors import SlideOpenError, TileReadError
from wsi_area.model.geometry import Region
from wsi_area.slides import borrow_reader, close_readers, inspect, read_around_damage

WHITE = np.full((100, 80, 3), 240, np.uint8)


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
    tifffile.imwrite(tmp_path / "s.tif", WHITE, photometric="rgb", rowsperstrip=10, compression="zlib")
    path = set_tile_number(tmp_path / "s.tif", "StripOffsets", 9, offset)
    assert "strip 9: a part of " in fails_with(path)
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


# --- what is inside: every decoder is strict


def states_of(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return the colours of a plain image, and which of its pixels are lost."""
    info = inspect(path)
    size = info.size_l0_px
    lost = np.zeros((size.height_px, size.width_px), np.bool_)
    with borrow_reader(info, "plain") as reader:
        pixels, damaged = read_around_damage(reader, 0, Region(0, 0, size.width_px, size.height_px))
    for part in damaged:
        at = part.region_level_px
        lost[at.y_px : at.bottom_px, at.x_px : at.right_px] = True
    return pixels.rgb, lost


JPEGS = {
    "4:2:0": {"subsampling": 2},
    "4:4:4": {"subsampling": 0},
    "progressive": {"progressive": True},
    "optimized": {"optimize": True},
    "with restarts": {"restart_marker_blocks": 20},
    "grey": {},
}


def write_jpeg(path: Path, how: str) -> Path:
    picture = Image.fromarray(tissue_like(400, 600))
    (picture.convert("L") if how == "grey" else picture).save(path, quality=85, **JPEGS[how])
    return path


@pytest.mark.parametrize("how", JPEGS)
def test_a_whole_jpeg_of_any_kind_is_read_as_pillow_reads_it(tmp_path: Path, how: str) -> None:
    path = write_jpeg(tmp_path / "s.jpg", how)
    rgb, lost = states_of(path)
    np.testing.assert_array_equal(rgb, np.asarray(Image.open(path).convert("RGB")))
    assert not lost.any()


@pytest.mark.parametrize("how", JPEGS)
@pytest.mark.parametrize("place", [0.2, 0.5, 0.8])
def test_a_tenth_of_a_jpeg_set_to_zero_is_not_measured(tmp_path: Path, how: str, place: float) -> None:
    path = write_jpeg(tmp_path / "s.jpg", how)
    many = path.stat().st_size
    overwrite(path, int(place * many), bytes(many // 10))
    assert states_of(path)[1].all()


@pytest.mark.parametrize("how", JPEGS)
@pytest.mark.parametrize("kept", [0.3, 0.9, 0.999])
def test_a_jpeg_that_ends_early_is_not_measured(tmp_path: Path, how: str, kept: float) -> None:
    path = write_jpeg(tmp_path / "s.jpg", how)
    path.write_bytes(path.read_bytes()[: int(kept * path.stat().st_size)])
    assert states_of(path)[1].all()


def test_what_stands_behind_the_end_of_a_jpeg_is_no_damage(tmp_path: Path) -> None:
    path = write_jpeg(tmp_path / "s.jpg", "4:2:0")
    rgb, _ = states_of(path)
    close_readers()
    whole = path.read_bytes()
    path.write_bytes(whole + b"a preview of the camera" + whole)
    again, lost = states_of(path)
    assert not lost.any()
    np.testing.assert_array_equal(again, rgb)


@pytest.mark.parametrize("compress_level", [0, 6])
@pytest.mark.parametrize("seed", range(4))
def test_a_png_of_which_one_byte_of_pixels_was_changed_is_not_measured(
    tmp_path: Path, seed: int, compress_level: int
) -> None:
    Image.fromarray(tissue_like(300, 300)).save(tmp_path / "s.png", compress_level=compress_level)
    pixels = (tmp_path / "s.png").read_bytes().index(b"IDAT") + 4
    path = flip_bytes(tmp_path / "s.png", pixels, (tmp_path / "s.png").stat().st_size - 20, 1, seed)
    assert states_of(path)[1].all()


FORMS = {
    "zlib": {"compression": "zlib", "photometric": "rgb"},
    "differences": {"compression": "zlib", "photometric": "rgb", "predictor": True},
    "lzw": {"compression": "lzw", "photometric": "rgb"},
    "jpeg of YCbCr": {"compression": "jpeg", "photometric": "ycbcr", "subsampling": (2, 2)},
    "jpeg of RGB": {"compression": "jpeg", "photometric": "rgb"},
    "packbits": {"compression": "packbits", "photometric": "rgb"},
    "uncompressed": {"photometric": "rgb"},
    "planes": {"compression": "zlib", "photometric": "rgb", "planarconfig": "separate"},
}


def write_strips(path: Path, how: str, **more: object) -> Path:
    picture = tissue_like(320, 200)
    tifffile.imwrite(
        path, np.moveaxis(picture, -1, 0) if how == "planes" else picture, **{"rowsperstrip": 64} | FORMS[how] | more
    )  # fmt: skip
    return path


@pytest.mark.parametrize("how", FORMS)
def test_a_whole_tiff_is_read_as_tifffile_reads_it(tmp_path: Path, how: str) -> None:
    path = write_strips(tmp_path / "s.tif", how)
    rgb, lost = states_of(path)
    assert not lost.any()
    expected = tifffile.imread(path)
    np.testing.assert_array_equal(rgb, np.moveaxis(expected, 0, -1) if how == "planes" else expected)


@pytest.mark.parametrize("how", [how for how in FORMS if how not in ("packbits", "uncompressed")])
def test_a_damaged_strip_costs_its_own_rows(tmp_path: Path, how: str) -> None:
    path = write_strips(tmp_path / "s.tif", how)
    rgb, _ = states_of(path)
    close_readers()
    offset, count = stored_span(path, 2)
    overwrite(path, offset + count // 3, bytes(count // 3))
    again, lost = states_of(path)
    assert lost[128:192].all()
    assert lost.sum() == 64 * 200
    np.testing.assert_array_equal(again[~lost], rgb[~lost])


@pytest.mark.parametrize("how", FORMS)
def test_a_strip_that_is_shorter_than_its_rows_costs_its_own_rows(tmp_path: Path, how: str) -> None:
    path = write_strips(tmp_path / "s.tif", how)
    _, count = stored_span(path, 1)
    set_tile_number(path, "StripByteCounts", 1, count // 2)
    _, lost = states_of(path)
    assert lost[64:128].all()
    assert lost.sum() == 64 * 200


def test_a_turned_picture_loses_the_rows_that_are_damaged_where_they_are_shown(tmp_path: Path) -> None:
    path = write_strips(tmp_path / "s.tif", "zlib", extratags=[(274, "H", 1, 6, True)])
    offset, count = stored_span(path, 0)
    overwrite(path, offset + 30, bytes(count - 40))
    _, lost = states_of(path)
    assert lost.shape == (200, 320)
    assert lost[:, -64:].all()  # the first rows are shown at the right
    assert lost.sum() == 64 * 200
