"""NDPI files as Hamamatsu writes them: each level one JPEG with restart markers, whose places a tag lists."""

import io
import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

TEXT, SHORT, LONG, RATIONAL, SIGNED_LONG, FLOAT = 2, 3, 4, 5, 9, 11
_CENTIMETRE = 3
_START_OF_SCAN, _MAKE, _STARTS = b"\xff\xda", b"Hamamatsu\0", 65426


def empty_ndpi() -> bytearray:
    """Return the head of a file, whose first directory is to be named at byte 4."""
    return bytearray(b"II*\0" + bytes(8))


def append_picture(
    out: bytearray,
    link: int,
    picture: Image.Image,
    lens: float,
    offset_nm: int | None,
    *,
    interval_mcus: int = 0,
    subsampling: int = 2,
    quality: int = 95,
    mpp: float | None = None,
) -> int:
    """Append a picture and its directory, name it where ``link`` says; return where the next one is to be named."""
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=quality, subsampling=subsampling, restart_marker_blocks=interval_mcus)
    place, jpeg = len(out), stream.getvalue()
    out += jpeg + bytes(len(jpeg) % 2)
    width, height = picture.size
    fields = [
        (256, LONG, width), (257, LONG, height), (259, SHORT, 7), (262, SHORT, 6), (273, LONG, place),
        (277, SHORT, 3), (278, LONG, height), (279, LONG, len(jpeg)), (65420, LONG, 1), (65421, FLOAT, lens),
    ]  # fmt: skip
    fields += [] if offset_nm is None else [(65424, SIGNED_LONG, offset_nm)]
    fields += [(258, SHORT, len(out)), (271, TEXT, len(out) + 6)]
    out += struct.pack("<3H", 8, 8, 8) + _MAKE
    if mpp is not None:
        fields += [(282, RATIONAL, len(out)), (283, RATIONAL, len(out)), (296, SHORT, _CENTIMETRE)]
        out += struct.pack("<2I", round(1e7 / mpp), 1000)
    starts = interval_starts(jpeg) if interval_mcus else []
    if starts:
        fields.append((_STARTS, LONG, len(out)))
        out += struct.pack(f"<{len(starts)}I", *starts)
    struct.pack_into("<Q", out, link, len(out))
    out += struct.pack("<H", len(fields))
    for tag, kind, value in sorted(fields):
        count = {258: 3, 271: len(_MAKE), _STARTS: len(starts)}.get(tag, 1)
        one = (
            "HHII"
            if count > 1
            else {RATIONAL: "HHII", SHORT: "HHIHxx", LONG: "HHII", SIGNED_LONG: "HHIi", FLOAT: "HHIf"}[kind]
        )
        out += struct.pack(f"<{one}", tag, kind, count, value)
    link = len(out)
    out += bytes(8 + 4 * len(fields))  # the upper halves of the offsets follow
    return link


def interval_starts(jpeg: bytes) -> list[int]:
    """Return the places where the entropy-coded data of each restart interval begin in a JPEG."""
    at = jpeg.index(_START_OF_SCAN)
    starts = [at + 2 + int.from_bytes(jpeg[at + 2 : at + 4], "big")]
    while (at := jpeg.find(b"\xff", starts[-1] if at < starts[-1] else at + 1)) >= 0:
        if 0xD0 <= jpeg[at + 1] <= 0xD7:
            starts.append(at + 2)
    return starts


def write_ndpi_slide(
    path: Path, levels: Sequence[NDArray[np.uint8]], *, interval_mcus: int, subsampling: int = 0, quality: int = 85,
    mpp: float | None = None,
) -> Path:  # fmt: skip
    """Write the levels of a slide, the finest first, then a macro.

    Restart intervals of the finest have so many blocks; those of the others are as much narrower as they are.
    ``mpp`` is the finest level's pixel size in µm; none is stated without it.
    """
    out, link = empty_ndpi(), 4
    for picture in levels:
        share = picture.shape[1] / levels[0].shape[1]
        link = append_picture(
            out, link, Image.fromarray(picture), 20 * share, 0, interval_mcus=round(interval_mcus * share),
            subsampling=subsampling, quality=quality, mpp=None if mpp is None else mpp / share,
        )  # fmt: skip
    append_picture(out, link, Image.new("RGB", (128, 64)), -1.0, None)
    path.write_bytes(out)
    return path
