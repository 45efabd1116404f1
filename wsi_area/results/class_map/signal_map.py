"""results: the signal map of a slide, read tile by tile; and its digest, whoever measured it and in which helpings."""

import numpy as np

from wsi_area.errors import ResultError
from wsi_area.frozen_value import frozen_value
from wsi_area.results.class_map.array_documents import known_signal_map
from wsi_area.results.class_map.signal_store import kept_signal
from wsi_area.results.class_map.sparse_tiles import SparseTiles
from wsi_area.results.layout import CLASS_MAP_ARRAY, SlideLayout
from wsi_area.segmenters.protocol import Signal
from wsi_area.storage.place import Place


@frozen_value
class SignalMap(SparseTiles[np.int32]):
    """The signal of each work pixel of a slide in whole steps; it hands out only tiles that are not 0 throughout."""

    layout: SlideLayout
    signal: Signal
    shape: tuple[int, int]
    tile_px: int
    tiles_per_side: int  # of a shard

    @property
    def dtype(self) -> "np.dtype[np.int32]":
        """Return the type of a pixel."""
        return np.dtype("<i4")

    def place(self, row: int, col: int) -> Place:
        """Return the file of a shard."""
        return self.layout.signal_place(row, col)


def signal_map(layout: SlideLayout) -> SignalMap | None:
    """Return the signal map of a slide, to be read tile by tile; None where none was kept, or of an amended version.

    Where a pixel of background was corrected into a class, nobody knows its signal.

    Raises
    ------
    ResultError
        If what it says of itself is damaged.
    """
    signal = None if layout.base is not None else kept_signal(layout)
    if signal is None:
        return None
    place = layout.signal_map / CLASS_MAP_ARRAY
    try:
        known = known_signal_map(place)
    except (OSError, ValueError) as error:
        raise ResultError(f"{place} cannot be opened ({error}); measure the slide again with --force") from error
    if known is None:
        raise ResultError(f"{place} is no signal map of ours; measure the slide again with --force")
    (height, width), tile_px = known.shape, known.chunk_shape[0]
    return SignalMap(layout, signal, (height, width), tile_px, known.file_shape[0] // tile_px)
