"""tests: damage done to whole files, by what it does to them; the rest of each file stays as it was."""

import random
from pathlib import Path

import tifffile

_BYTES = {3: 2, 4: 4, 16: 8}


def set_tile_number(path: Path, tag: str, index: int, number: int, page: int = 0) -> Path:
    """Overwrite one entry of ``TileOffsets``, ``TileByteCounts`` or their like for strips, as a torn write does."""
    with tifffile.TiffFile(path) as tiff:
        entry = tiff.pages[page].aspage().tags[tag]
        size, order = _BYTES[int(entry.dtype)], "little" if tiff.byteorder == "<" else "big"
        at = entry.valueoffset + index * size
    data = bytearray(path.read_bytes())
    data[at : at + size] = number.to_bytes(size, order)
    path.write_bytes(data)
    return path


def stored_span(path: Path, index: int, page: int = 0) -> tuple[int, int]:
    """Return the place of a stored tile or strip: its offset and its bytes."""
    with tifffile.TiffFile(path) as tiff:
        found = tiff.pages[page].aspage()
        return int(found.dataoffsets[index]), int(found.databytecounts[index])


def overwrite(path: Path, at: int, content: bytes) -> Path:
    """Overwrite bytes of a file."""
    data = bytearray(path.read_bytes())
    data[at : at + len(content)] = content
    path.write_bytes(data)
    return path


def flip_bytes(path: Path, begin: int, end: int, count: int, seed: int) -> Path:
    """Give some bytes between two places another value each."""
    rng = random.Random(seed)
    data = bytearray(path.read_bytes())
    for at in rng.sample(range(begin, end), count):
        data[at] ^= rng.randrange(1, 256)
    path.write_bytes(data)
    return path
