"""slides: whether a JPEG 2000 codestream is whole, by its markers alone: it has no checksum (ISO 15444-1, annex A)."""

import re
import struct

_START, _SIZE = b"\xff\x4f\xff\x51", struct.Struct(">8x8I")  # of the picture, its place, of its tiles, their place
_TILE_PART, _DATA, _END = 0xFF90, 0xFF93, 0xFFD9
_IN_DATA = re.compile(rb"\xff(?:\x91\x00\x04..|\x92|([\x90-\xff]))", re.DOTALL)
"""A coder never writes a byte above 8F behind one of FF, but for the two markers that stand round packets."""
_ZEROED_BYTES = bytes(128)
"""So many in a row no encoder writes into a tile: each byte of 0 would be a packet of nothing."""


def claimed_size_px(data: bytes) -> tuple[int, int] | None:
    """Return width and height as a codestream claims them; None where it is none."""
    if not data.startswith(_START) or len(data) < _SIZE.size:
        return None
    right_px, lower_px, left_px, upper_px, *_ = _SIZE.unpack_from(data)
    return right_px - left_px, lower_px - upper_px


def refuse_zeroed(data: bytes) -> None:
    """Refuse a codestream of which some was overwritten by zeros; behind its end they are padding.

    Raises
    ------
    ValueError
    """
    if _ZEROED_BYTES in data.rstrip(b"\0"):
        raise ValueError(f"{len(_ZEROED_BYTES)} bytes of its JPEG 2000 data and more are 0")


def refuse_torn(data: bytes) -> None:
    """Refuse a codestream of which some was lost, moved or overwritten, as far as its markers tell.

    Each part of a tile ends where the next marker stands, no marker stands within its data, and each tile has a part.
    A changed byte within the data is seen where it makes a marker, which one in 600 does: decoders show the others.

    Raises
    ------
    ValueError
        It is none, or not whole.
    """
    if claimed_size_px(data) is None:
        raise ValueError("it is no JPEG 2000 codestream")
    at = _behind_segments(data, 2, _TILE_PART)
    tiles = set()
    while _marker(data, at) == _TILE_PART:
        tile, length = struct.unpack_from(">HI", data, at + 4) if at + 12 <= len(data) else (0, 1)
        end = at + length if length else data.rfind(b"\xff\xd9")  # 0: the last one, as far as the end
        begin = _behind_segments(data, at + 12, _DATA)
        if not begin + 2 <= end <= len(data):
            raise ValueError(f"a part of its JPEG 2000 data ends at byte {end} of {len(data)}")
        if any(found[1] for found in _IN_DATA.finditer(data, begin + 2, end)):
            raise ValueError("a marker stands within its JPEG 2000 data")
        tiles.add(tile)
        at = end
    if _marker(data, at) != _END and data[at:].strip(b"\0"):
        raise ValueError(f"its JPEG 2000 data go on at byte {at} with no marker")
    if len(tiles) != _tile_count(data):
        raise ValueError(f"{len(tiles)} of {_tile_count(data)} tiles of its JPEG 2000 picture are there")


def _tile_count(data: bytes) -> int:
    right_px, lower_px, _, _, width_px, height_px, left_px, upper_px = _SIZE.unpack_from(data)
    across, down = -((left_px - right_px) // max(width_px, 1)), -((upper_px - lower_px) // max(height_px, 1))
    return int(across * down)


def _marker(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 2])


def _behind_segments(data: bytes, at: int, wanted: int) -> int:
    """Return the place of a marker behind the segments of a head, each of which says how long it is."""
    while (marker := _marker(data, at)) != wanted:
        if not 0xFF4F < marker < 0xFF70 or at + 4 > len(data):
            raise ValueError(f"the head of its JPEG 2000 data breaks off at byte {at} of {len(data)}")
        at += 2 + _marker(data, at + 2)
    return at
