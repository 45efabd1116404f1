"""results: one shard of the class map as a file: tiles compressed one by one, then the index of where they lie.

The layout is that of zarr's `sharding_indexed` codec with the index at the end, so zarr reads what stands here.
Its writers want the whole shard as one block of pixels and spend more on copying it than on compressing it; here
each tile is compressed as soon as it is classified, while it is in the cache.
"""

from collections.abc import Mapping

import google_crc32c
import numpy as np
from numpy.typing import NDArray

from wsi_area.compute.plane_frames import plane_frame
from wsi_area.model.classes import BACKGROUND_ID
from wsi_area.model.pixels import ClassMap
from wsi_area.results.class_map.array_documents import ZSTD_LEVEL
from wsi_area.storage.place import Place, commit

ABSENT = np.iinfo(np.uint64).max
"""In the index: the offset of a tile that is not there."""
CRC_BYTES = 4
"""After each tile, and after the index."""
_ENTRY_BYTES = 16


def encoded_tile(class_map: ClassMap, tile_px: int, planes: NDArray[np.uint8] | None = None) -> bytes | None:
    """Return a tile as it lies in a shard, or None for one of background, which is the fill value.

    Its bit planes are packed with zstd, as the document of the class map says.

    Parameters
    ----------
    class_map : uint8 (h, w)
        Padded with background to ``tile_px`` squared, as a tile at the edge of the slide must be.
    tile_px : int
    planes : uint8 (planes, tile_px² / 8) or None
        The bit planes of the class map, of a whole tile, where they are at hand.
    """
    if class_map.shape != (tile_px, tile_px):
        whole = np.full((tile_px, tile_px), BACKGROUND_ID, np.uint8)
        whole[: class_map.shape[0], : class_map.shape[1]] = class_map
        class_map = whole
    frame = plane_frame(np.ascontiguousarray(class_map), ZSTD_LEVEL, planes)
    return None if frame is None else with_checksum(frame)


def with_checksum(frame: bytes) -> bytes:
    """Return a compressed tile as it lies in a shard."""
    return frame + _crc(frame)


def encoded_tiles(class_map: ClassMap, tile_px: int) -> dict[tuple[int, int], bytes]:
    """Return the tiles of a batch, uint8 (h, w), by their (row, col) within it; those of background are left out."""
    height, width = class_map.shape
    encoded = {
        (y // tile_px, x // tile_px): encoded_tile(class_map[y : y + tile_px, x : x + tile_px], tile_px)
        for y in range(0, height, tile_px)
        for x in range(0, width, tile_px)
    }
    return {place: content for place, content in encoded.items() if content is not None}


def write_shard(path: Place, tiles: Mapping[tuple[int, int], bytes], tiles_per_side: int) -> None:
    """Write a shard whole, or leave what was there; without tiles there is none, which reads as background.

    Parameters
    ----------
    path : Place
    tiles : mapping of (row, col) within the shard to bytes
        From `encoded_tiles`.
    tiles_per_side : int
    """
    if not tiles:
        path.unlink(missing_ok=True)
        return
    commit(path, shard_pieces(tiles, tiles_per_side), flushed=False)


def shard_pieces(tiles: Mapping[tuple[int, int], bytes], tiles_per_side: int) -> tuple[bytes, ...]:
    """Return the bytes of a shard, one piece after the other: its tiles, their index, the checksum of that."""
    index = np.full((tiles_per_side, tiles_per_side, 2), ABSENT, "<u8")
    offset = 0
    for place, content in tiles.items():
        index[place] = offset, len(content)
        offset += len(content)
    return (*tiles.values(), index.tobytes(), _crc(index.tobytes()))


def stored_index(content: bytes, tiles_per_side: int) -> NDArray[np.uint64]:
    """Return the places of a shard's tiles in it, uint64 (n, 2): offset and length.

    Parameters
    ----------
    content : bytes
        Tiles, each with its checksum, then the index of where they lie, and its checksum; no shorter than that.
    tiles_per_side : int
    """
    start = index_start(content, tiles_per_side)
    return np.frombuffer(content, "<u8", 2 * tiles_per_side**2, start).reshape(-1, 2)


def absent(index: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Return a mask, bool (n,), of the tiles that an index, uint64 (n, 2), says are not there: by both numbers."""
    return np.asarray((index == ABSENT).all(axis=1))


def index_start(content: bytes, tiles_per_side: int) -> int:
    """Return the byte at which the index of a shard begins; below 0 where it is too short to have one."""
    return len(content) - _ENTRY_BYTES * tiles_per_side**2 - CRC_BYTES


def _crc(content: bytes) -> bytes:
    checksum: int = google_crc32c.value(content)
    return checksum.to_bytes(CRC_BYTES, "little")
