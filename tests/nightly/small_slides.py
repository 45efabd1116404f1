"""Small slides cut out of large ones, their compressed pixels untouched: what a fuzzer can afford to read thousands of
times.

A TIFF is cut by its structure alone: chosen directories are kept whole, or down to a box of their tiles, and every
stored tile or strip is copied byte for byte. NDPI, which has 8 bytes for the place of the next directory, stays NDPI.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import openslide
import tifffile

NDPI_TAG = 65420
_BYTES_OF_TYPE = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8}
_WIDTH, _HEIGHT, _STRIPS, _STRIP_BYTES = 256, 257, 273, 279
_TILE_WIDTH, _TILE_HEIGHT, _TILES, _TILE_BYTES = 322, 323, 324, 325
_LONG = 4

Tiles = tuple[int, int, int, int]
"""Which tiles of a level are kept: from which column and row on, how many across and down."""

CUTS: Mapping[str, Mapping[int, Tiles | None]] = {
    "CMU-1-Small-Region.svs": {0: (2, 4, 3, 3), 2: None},
    "TCGA-CR-7395-01A-01-TS1.svs": {0: (6, 6, 2, 2), 2: (3, 3, 1, 1)},
    "OS-2-ndpi.tif": {0: (3, 3, 2, 2)},
    "test3-DAPI-2-387.ndpi": {3: None, 4: None},
}
"""Of the public slides: directories to keep, None for all of their tiles."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One field of a directory."""

    at: int  # where its 12 bytes lie
    tag: int
    kind: int
    count: int
    content: bytes

    def numbers(self) -> list[int]:
        code = {1: "B", 3: "H", 4: "I", 16: "Q"}[self.kind]
        return list(struct.unpack(f"<{self.count}{code}", self.content))


def directories(data: bytes) -> list[dict[int, Entry]]:
    """Return the directories of a little-endian TIFF or NDPI, each field by its tag."""
    (at,) = struct.unpack_from("<I", data, 4)
    is_ndpi = NDPI_TAG in _directory(data, at)
    found = []
    while at:
        found.append(_directory(data, at))
        end = at + 2 + 12 * len(found[-1])
        (at,) = struct.unpack_from("<Q" if is_ndpi else "<I", data, end)
    return found


def _directory(data: bytes, at: int) -> dict[int, Entry]:
    (count,) = struct.unpack_from("<H", data, at)
    entries = {}
    for place in range(at + 2, at + 2 + 12 * count, 12):
        tag, kind, n = struct.unpack_from("<HHI", data, place)
        size = _BYTES_OF_TYPE[kind] * n
        (start,) = (place + 8,) if size <= 4 else struct.unpack_from("<I", data, place + 8)
        entries[tag] = Entry(place, tag, kind, n, data[start : start + size])
    return entries


PLAIN_SIDE_PX = 700
_PLAIN_FORMS: Mapping[str, Mapping[str, Any]] = {
    "plain.jpg": {"format": "JPEG", "quality": 85},
    "plain_progressive.jpg": {"format": "JPEG", "quality": 85, "progressive": True},
    "plain.png": {"format": "PNG"},
    "plain_jpeg_strips.tif": {"compression": "jpeg", "photometric": "ycbcr", "subsampling": (2, 2), "rowsperstrip": 64},
    "plain_deflate_strips.tif": {"compression": "zlib", "photometric": "rgb", "rowsperstrip": 64},
}


def write_plain_images(slide: Path, folder: Path) -> list[Path]:
    """Write a piece of a slide as every kind of plain image; return the files."""
    with openslide.OpenSlide(slide) as opened:
        piece = opened.read_region((500, 500), 0, (PLAIN_SIDE_PX, PLAIN_SIDE_PX)).convert("RGB")
    for name, form in _PLAIN_FORMS.items():
        if "format" in form:
            piece.save(folder / name, dpi=(50_800, 50_800), **form)
        else:
            tifffile.imwrite(folder / name, np.asarray(piece), resolution=(50_800, 50_800), **form)
    return [folder / name for name in _PLAIN_FORMS]


def small_slide(path: Path) -> bytes:
    """Return the bytes of a slide, cut down where the file is one that is known to be large."""
    data = path.read_bytes()
    cut = CUTS.get(path.name)
    return data if cut is None else trimmed(data, cut)


def trimmed(data: bytes, keep: Mapping[int, Tiles | None]) -> bytes:
    """Return a TIFF with some of its directories and, of tiled ones, a box of their tiles."""
    pages = directories(data)
    is_ndpi = NDPI_TAG in pages[0]
    out = bytearray(b"II*\0" + bytes(8 if is_ndpi else 4))
    link = 4  # where the place of the next directory is written
    for number, tiles in keep.items():
        fields = {tag: (e.kind, e.count, e.content) for tag, e in pages[number].items()}
        _copy_pixels(data, out, pages[number], fields, tiles)
        link = _write_directory(out, link, fields, is_ndpi)
    return bytes(out)


def _copy_pixels(
    data: bytes,
    out: bytearray,
    entries: Mapping[int, Entry],
    fields: dict[int, tuple[int, int, bytes]],
    tiles: Tiles | None,
) -> None:
    """Copy the tiles or strips of a directory, and have its fields name their new places."""
    place_tag, bytes_tag = (_TILES, _TILE_BYTES) if _TILES in entries else (_STRIPS, _STRIP_BYTES)
    places, sizes = entries[place_tag].numbers(), entries[bytes_tag].numbers()
    kept = list(range(len(places)))
    if tiles is not None:
        tile = [entries[tag].numbers()[0] for tag in (_TILE_WIDTH, _TILE_HEIGHT)]
        across = -(-entries[_WIDTH].numbers()[0] // tile[0])
        col, row, wide, high = tiles
        kept = [r * across + c for r in range(row, row + high) for c in range(col, col + wide)]
        for tag, length in ((_WIDTH, tile[0] * wide), (_HEIGHT, tile[1] * high)):
            fields[tag] = _longs([length])
    starts = []
    for n in kept:
        starts.append(len(out))
        out += data[places[n] : places[n] + sizes[n]] + b"\0" * (sizes[n] % 2)
    fields[place_tag], fields[bytes_tag] = _longs(starts), _longs([sizes[n] for n in kept])


def _longs(numbers: list[int]) -> tuple[int, int, bytes]:
    return _LONG, len(numbers), struct.pack(f"<{len(numbers)}I", *numbers)


def _write_directory(out: bytearray, link: int, fields: Mapping[int, tuple[int, int, bytes]], is_ndpi: bool) -> int:
    """Append a directory, name it where `link` says, and return where the place of the next one is to be written."""
    values = {}
    for tag, (_, _, content) in fields.items():
        if len(content) > 4:
            values[tag] = len(out)
            out += content + b"\0" * (len(content) % 2)
    struct.pack_into("<Q" if is_ndpi else "<I", out, link, len(out))
    out += struct.pack("<H", len(fields))
    for tag, (kind, count, content) in sorted(fields.items()):
        value = struct.pack("<I", values[tag]) if tag in values else content.ljust(4, b"\0")
        out += struct.pack("<HHI", tag, kind, count) + value
    end = len(out)
    out += bytes(8 + 4 * len(fields) if is_ndpi else 4)  # NDPI: the upper halves of its values, all 0
    return end
