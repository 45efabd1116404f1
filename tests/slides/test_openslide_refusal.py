"""A TIFF of tiles that OpenSlide refuses is opened by no other lane without OpenSlide's reason; strips stay quiet."""

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
from damage import overwrite
from tiff_files import halved, tissue_like, write_tiled

from wsi_area.compute.judge.refusal import refusal_findings
from wsi_area.errors import SlideOpenError
from wsi_area.model.slide import SlideInfo
from wsi_area.slides import choose_lane, inspect
from wsi_area.slides.header import refusal


def pyramid(path: Path) -> Path:
    picture = tissue_like(300, 400)
    return write_tiled(path, [picture, halved(picture)], tile_px=64, compression="deflate")


def last_directory(path: Path) -> tuple[int, int]:
    """Return the place of the last directory of a small TIFF, and the number of its fields."""
    data = path.read_bytes()
    (at,) = struct.unpack_from("<I", data, 4)
    while True:
        (fields,) = struct.unpack_from("<H", data, at)
        (following,) = struct.unpack_from("<I", data, at + 2 + 12 * fields)
        if not following:
            return at, fields
        at = following


def with_a_field_of_no_type(path: Path) -> Path:
    at, _ = last_directory(path)
    return overwrite(path, at + 2 + 12 * 4 + 2, b"\0\0")


def with_a_link_beyond_the_end(path: Path) -> Path:
    at, fields = last_directory(path)
    return overwrite(path, at + 2 + 12 * fields, struct.pack("<I", path.stat().st_size + 5000))


def with_a_link_to_the_first(path: Path) -> Path:
    at, fields = last_directory(path)
    return overwrite(path, at + 2 + 12 * fields, path.read_bytes()[4:8])


def with_more_fields_than_bytes(path: Path) -> Path:
    at, _ = last_directory(path)
    return overwrite(path, at, b"\xff\xff")


BROKEN = [with_a_field_of_no_type, with_a_link_beyond_the_end, with_a_link_to_the_first, with_more_fields_than_bytes]


def codes(info: SlideInfo) -> list[tuple[str, str]]:
    return [(finding.code, finding.severity) for finding in refusal_findings(info)]


@pytest.mark.parametrize("broken", BROKEN)
def test_a_pyramid_with_a_broken_last_directory_is_measured_with_openslides_reason_on_record(
    tmp_path: Path, broken: Callable[[Path], Path]
) -> None:
    info = inspect(broken(pyramid(tmp_path / "s.tiff")))
    assert codes(info) == [("REFUSED_BY_OPENSLIDE", "warning")]
    reason = info.openslide_refusal
    assert reason
    assert reason != refusal.UNKNOWN_REASON
    assert reason in refusal_findings(info)[0].message
    decision = choose_lane(info, [0], "auto")
    assert decision.lane == "plain"
    assert reason in decision.reason


def test_a_file_that_is_named_like_a_slide_is_refused_with_openslides_reason(tmp_path: Path) -> None:
    path = with_a_field_of_no_type(pyramid(tmp_path / "s.svs"))
    with pytest.raises(SlideOpenError, match=r"its name \.svs promises \(Unknown type encountered: 0\)"):
        inspect(path)


def test_a_whole_pyramid_and_a_plain_tiff_of_strips_are_quiet_and_nobody_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def asked(file: Path) -> str:
        raise AssertionError(f"OpenSlide was asked for the reason of {file}")

    monkeypatch.setattr(refusal, "_said_of", asked)
    tifffile.imwrite(tmp_path / "strips.tif", tissue_like(200, 300), photometric="rgb", rowsperstrip=20)
    with tifffile.TiffWriter(tmp_path / "with_thumbnail.tif") as writer:
        writer.write(tissue_like(200, 300), photometric="rgb")
        writer.write(tissue_like(50, 75), photometric="rgb", subfiletype=1)
    for path in (pyramid(tmp_path / "whole.tif"), tmp_path / "strips.tif", tmp_path / "with_thumbnail.tif"):
        assert codes(inspect(path)) == []


def test_tiles_behind_a_picture_of_strips_are_no_damage_but_told(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "s.tif") as writer:
        writer.write(tissue_like(50, 75), photometric="rgb", subfiletype=1)
        writer.write(tissue_like(200, 300), photometric="rgb", tile=(64, 64))
    info = inspect(tmp_path / "s.tif")
    assert (info.size_l0_px.width_px, codes(info)) == (300, [("REFUSED_BY_OPENSLIDE", "info")])


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "uint32", "int16", "complex64"])
@pytest.mark.parametrize("description", [None, "Aperio Image Library v12\n200x200|MPP = 0.5"])
def test_samples_that_nobody_reads_are_refused_before_a_pixel_is_decoded(
    tmp_path: Path, dtype: str, description: str | None
) -> None:
    tifffile.imwrite(
        tmp_path / "s.tif", np.zeros((200, 200, 3), dtype), photometric="rgb", tile=(64, 64), description=description
    )  # fmt: skip
    with pytest.raises(SlideOpenError, match=f"its samples are {dtype}"):
        inspect(tmp_path / "s.tif")


@pytest.mark.parametrize("where", [{"tile": (64, 64)}, {"rowsperstrip": 32}, {"tile": (64, 64), "compression": "lzw"}])
def test_a_picture_of_one_bit_a_pixel_is_of_a_kind_that_is_not_read_and_not_called_damaged(
    tmp_path: Path, where: dict[str, object]
) -> None:
    dots = np.add.outer(np.arange(200), np.arange(200)) % 3 == 0
    tifffile.imwrite(tmp_path / "s.tif", dots, photometric="minisblack", **where)
    with pytest.raises(
        SlideOpenError, match="its samples have 1 bit, not 8 or 16; export it by itself, as 8-bit grey"
    ) as refused:
        inspect(tmp_path / "s.tif")
    assert "damaged" not in str(refused.value)
