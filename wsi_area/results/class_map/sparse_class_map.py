"""results: the class map of a slide tile by tile, and only what of it is not background."""

from collections.abc import Iterator

import numpy as np

from wsi_area.frozen_value import frozen_value
from wsi_area.model.geometry import Region
from wsi_area.model.pixels import ClassMap
from wsi_area.results.class_map.array_documents import known_class_map
from wsi_area.results.class_map.overlaid import require_same_base, stored_shard
from wsi_area.results.class_map.sparse_tiles import SparseTiles
from wsi_area.results.class_map.stored_class_map import ZARR_FAULTS, StoredClassMap, not_opened, open_class_map
from wsi_area.results.layout import CLASS_MAP_ARRAY, SlideLayout
from wsi_area.storage.place import Place


@frozen_value
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
    below = layout.base
    if below is not None:
        require_same_base(layout, below)
    try:
        known = known_class_map(layout.class_map / CLASS_MAP_ARRAY)
    except ZARR_FAULTS as error:
        raise not_opened(layout.class_map, error) from error
    if known is None:
        return open_class_map(layout)
    (height, width), tile_px = known.shape, known.chunk_shape[0]
    return SparseClassMap(layout, (height, width), tile_px, known.file_shape[0] // tile_px)


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


def class_map_box(layout: SlideLayout, shard: tuple[int, int], box_work_px: Region) -> ClassMap | None:
    """Return one shard's box of a class map, uint8 (h, w), or None where all of it is background.

    Raises
    ------
    ResultError
        If it cannot be read.
    """
    class_map, (row, col) = sparse_class_map(layout), shard
    # what is all background has no shard, so there is nothing to decode
    if not stored_shard(layout, row, col).exists():
        return None
    b = box_work_px
    return class_map[b.y_px : b.bottom_px, b.x_px : b.right_px]
