"""MIRAX slides: photographs that overlap, at places of their own, in the files that OpenSlide wants of them."""

import io
import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_ID, _VERSION = "0123456789ABCDEF", "01.02"
_SECTION = (
    "OVERLAP_X={overlap}\nOVERLAP_Y={overlap}\nMICROMETER_PER_PIXEL_X={mpp}\nMICROMETER_PER_PIXEL_Y={mpp}\n"
    "IMAGE_FORMAT=JPEG\nIMAGE_FILL_COLOR_BGR=16777215\nDIGITIZER_WIDTH={side}\nDIGITIZER_HEIGHT={side}\n"
    "IMAGE_CONCAT_FACTOR={factor}\n"
)


def write_mirax(
    path: Path, picture: NDArray[np.uint8], *, photo_px: int = 256, overlap_px: int = 16, levels: int = 2,
    shift_px: int = 3, mpp: float = 0.25,
) -> Path:  # fmt: skip
    """Write photographs of a picture, uint8 (h, w, 3), each up to ``shift_px`` beside its place on the grid.

    What lies behind the last whole photograph is left out. A photograph of a coarser level is made of two by two.
    """
    step = photo_px - overlap_px
    across, down = (max(1, (side - shift_px - overlap_px) // step) for side in picture.shape[1::-1])
    across, down = (max(1, n >> (levels - 1)) << (levels - 1) for n in (across, down))
    random = np.random.default_rng(5)
    places = np.mgrid[0:down, 0:across].transpose(1, 2, 0)[..., ::-1] * step
    places = places + random.integers(0, shift_px + 1, places.shape)
    places[0, 0] = 0
    photos = [[picture[y : y + photo_px, x : x + photo_px] for x, y in row] for row in places]
    folder = path.with_suffix("")
    folder.mkdir()
    path.write_bytes(_jpeg(picture[:64, :64]))
    data, pages = bytearray(b"\0" * 64), []
    for level in range(levels):
        pages.append(_append(data, photos, across, 1 << level))
        photos = [[_four(photos[y : y + 2], x) for x in range(0, len(photos[0]), 2)] for y in range(0, len(photos), 2)]
    positions_at = len(data)
    data += b"".join(struct.pack("<Bii", 1, x, y) for x, y in places.reshape(-1, 2).tolist())
    (folder / "Data0000.dat").write_bytes(data)
    (folder / "Index.dat").write_bytes(_index(pages, positions_at, len(data) - positions_at))
    sections = "".join(f"HIER_0_VAL_{n}_SECTION=LEVEL_{n}\n" for n in range(levels))
    told = "".join(
        f"[LEVEL_{n}]\n"
        + _SECTION.format(overlap=overlap_px / (1 << n), mpp=mpp * (1 << n), side=photo_px, factor=int(n > 0))
        for n in range(levels)
    )
    (folder / "Slidedat.ini").write_text(
        f"[GENERAL]\nSLIDE_VERSION=01.02\nSLIDE_ID={_ID}\nIMAGENUMBER_X={across}\nIMAGENUMBER_Y={down}\n"
        "OBJECTIVE_MAGNIFICATION=20\nCameraImageDivisionsPerSide=1\n"
        "[HIERARCHICAL]\nHIER_COUNT=1\nNONHIER_COUNT=1\nINDEXFILE=Index.dat\nHIER_0_NAME=Slide zoom level\n"
        f"HIER_0_COUNT={levels}\n{sections}NONHIER_0_NAME=VIMSLIDE_POSITION_BUFFER\nNONHIER_0_COUNT=1\n"
        "NONHIER_0_VAL_0=default\nNONHIER_0_VAL_0_SECTION=NONHIERLAYER_0_SECTION\n"
        "[NONHIERLAYER_0_SECTION]\nVIMSLIDE_POSITION_DATA_FORMAT_VERSION=257\n"
        f"[DATAFILE]\nFILE_COUNT=1\nFILE_0=Data0000.dat\n{told}"
    )
    return path


def _four(rows: list[list[NDArray[np.uint8]]], x: int) -> NDArray[np.uint8]:
    """Return one photograph made of two by two."""
    if len(rows) < 2 or x + 1 >= len(rows[0]):
        return rows[0][x]  # behind the coarsest level, which nobody asks for
    return np.concatenate([np.concatenate(row[x : x + 2], axis=1) for row in rows])[::2, ::2]


def _append(data: bytearray, photos: list[list[NDArray[np.uint8]]], across: int, apart: int) -> list[int]:
    """Append the photographs of a level; return number, place, bytes and file of each, one after the other."""
    page: list[int] = []
    for row, some in enumerate(photos):
        for column, photo in enumerate(some):
            jpeg = _jpeg(photo)
            page += apart * (row * across + column), len(data), len(jpeg), 0
            data += jpeg
    return page


def _index(pages: list[list[int]], positions_at: int, positions_bytes: int) -> bytes:
    """Return the index: what lies in a page is found by a pointer to a pointer to a pointer."""
    out = bytearray((_VERSION + _ID).encode() + bytes(8))
    roots = len(out) - 8

    def appended(*numbers: int) -> int:
        place = len(out)
        out.extend(struct.pack(f"<{len(numbers)}i", *numbers))
        return place

    def page_at(*numbers: int) -> int:
        return appended(0, appended(*numbers))

    levels = [page_at(len(page) // 4, 0, *page) for page in pages]
    struct.pack_into("<i", out, roots, appended(*levels))
    struct.pack_into("<i", out, roots + 4, appended(page_at(1, 0, 0, 0, positions_at, positions_bytes, 0)))
    return bytes(out)


def _jpeg(picture: NDArray[np.uint8]) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(picture)).save(stream, "JPEG", quality=85)
    return stream.getvalue()
