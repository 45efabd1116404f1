"""results: the class map of a slide tile by tile, and only what of it is not background."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from zarr.codecs import BytesCodec, Crc32cCodec, ShardingCodec

from wsi_area.model.classes import BACKGROUND_ID
from wsi_area.model.pixels import ClassMap
from wsi_area.results.class_map.overlaid import stored_shard
from wsi_area.results.class_map.shard import CHUNK_CODECS
from wsi_area.results.class_map.sparse_tiles import SparseTiles
from wsi_area.results.class_map.stored_class_map import StoredClassMap, open_class_map
from wsi_area.results.layout import SlideLayout
from wsi_area.storage.place import Place

_KEYS = {"name": "default", "configuration": {"separator": "/"}}
"""How zarr names the files of a class map of ours."""


@dataclass(frozen=True, slots=True)
class SparseClassMap(SparseTiles[np.uint8]):
    """A class map that hands out only those of its tiles that are not background."""

    layout: SlideLayout
    shape: tuple[int, int]
    tile_px: int
    tiles_per_side: int  # of a shard

    @property
    def dtype(self) -> "np.dtype[np.uint8]":
        """Return the type of a code."""
        return np.dtype(np.uint8)

    def place(self, row: int, col: int) -> Place:
        """Return the file that a shard is read from: of an amended version its own, or the one below."""
        return stored_shard(self.layout, row, col)


def sparse_class_map(layout: SlideLayout) -> SparseClassMap | StoredClassMap:
    """Return the class map of a slide, to be read tile by tile; as zarr reads it where another program wrote it.

    Raises
    ------
    ResultError
        If it cannot be opened.
    """
    stored = open_class_map(layout)
    array = stored.array
    codecs: Any = getattr(array.metadata, "codecs", ())  # zarr's format 2 has none
    sharding = codecs[0] if len(codecs) == 1 else None
    if not isinstance(sharding, ShardingCodec) or array.shards is None:
        return stored
    inner = tuple(type(codec) for codec in sharding.codecs[1:])
    is_ours = (
        inner == tuple(type(codec) for codec in CHUNK_CODECS)
        and isinstance(sharding.codecs[0], BytesCodec)
        and tuple(type(codec) for codec in sharding.index_codecs) == (BytesCodec, Crc32cCodec)
        and sharding.index_location.value == "end"
        and array.metadata.to_dict().get("chunk_key_encoding") == _KEYS
        and array.fill_value == BACKGROUND_ID
    )
    tile_px, side_px = array.chunks[0], array.shards[0]
    if not is_ours or array.dtype != np.uint8 or array.chunks[1] != tile_px or array.shards[1] != side_px:
        return stored
    height, width = array.shape
    return SparseClassMap(layout, (height, width), tile_px, side_px // tile_px)


def tiles_of(layout: SlideLayout) -> Iterator[tuple[int, int, ClassMap]]:
    """Yield the tiles of a class map: first row and column, and pixels, uint8 (h, w), until the next is asked for.

    Tiles of background alone may be left out.

    Raises
    ------
    ResultError
        If it cannot be opened, or a part of it is damaged.
    """
    found = sparse_class_map(layout)
    if isinstance(found, SparseClassMap):
        yield from found.tiles_with_content()
        return
    (height, width), (tile_height, tile_width) = found.shape, found.chunks
    for y in range(0, height, tile_height):
        for x in range(0, width, tile_width):
            yield y, x, found[y : y + tile_height, x : x + tile_width]
