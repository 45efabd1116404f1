"""results: the class map of a slide as a lazy array, in which what zarr and its codecs raise is an error of ours.

A chunk that is torn has many names in zarr: ValueError of a checksum, RuntimeError of a codec, OSError of the disk.
Whoever reads a class map gets one, with the store and the remedy in it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from wsi_area.errors import ResultError
from wsi_area.frozen_value import frozen_value
from wsi_area.model.pixels import ClassMap
from wsi_area.results.layout import CLASS_MAP_ARRAY, SlideLayout
from wsi_area.storage.place import Place

if TYPE_CHECKING:
    import zarr

ZARR_FAULTS = (OSError, KeyError, ValueError, RuntimeError)
"""What zarr and its codecs raise of a store that is not there, or not whole."""


@contextmanager
def zarr_errors_of(store: Place) -> Iterator[None]:
    """Raise what zarr finds wrong with a store as a ResultError that names it and the remedy."""
    try:
        yield
    except ZARR_FAULTS as error:
        why = "its bytes are not those that were written" if "checksum" in str(error).lower() else error
        raise ResultError(f"{store} cannot be read ({why}); measure the slide again with --force") from error


@frozen_value(eq=False)
class StoredClassMap:
    """A class map in its store, uint8 (h, w) on the work grid: a slice of it is read when it is cut out.

    ``numpy.asarray`` reads all of it; `dask.array.from_array` takes it as it is.
    """

    array: "zarr.Array[Any]"
    where: Place

    @property
    def shape(self) -> tuple[int, int]:
        """Return height and width in work pixels."""
        height, width = self.array.shape
        return height, width

    @property
    def ndim(self) -> int:
        """Return the number of axes."""
        return self.array.ndim

    @property
    def dtype(self) -> "np.dtype[Any]":
        """Return the type of a code: uint8 where it is ours."""
        return np.dtype(self.array.dtype)

    @property
    def chunks(self) -> tuple[int, ...]:
        """Return height and width of what is decoded at once."""
        return self.array.chunks

    @property
    def shards(self) -> tuple[int, ...] | None:
        """Return height and width of a file of it; None where each chunk is one."""
        return self.array.shards

    def __getitem__(self, at: Any) -> ClassMap:
        """Return a part of it, as numpy would cut it.

        Raises
        ------
        ResultError
            If a chunk of it is damaged.
        """
        with zarr_errors_of(self.where):
            return np.asarray(self.array[at], dtype=np.uint8)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        """Return all of it."""
        return np.asarray(self[:], dtype)


def not_opened(store: Place, error: Exception) -> ResultError:
    """Return the error of a class map that does not open."""
    return ResultError(f"{store} cannot be opened ({error}); was the slide measured?")


def open_class_map(layout: SlideLayout) -> StoredClassMap:
    """Return the class map of a slide, of which nothing is read yet.

    Raises
    ------
    ResultError
        If there is none that opens.
    """
    import zarr  # imported here: it takes longer to load than many a slide takes

    from wsi_area.results.class_map.overlaid_store import class_map_store

    try:
        array = zarr.open_array(class_map_store(layout), path=CLASS_MAP_ARRAY, mode="r")
    except ZARR_FAULTS as error:
        raise not_opened(layout.class_map, error) from error
    return StoredClassMap(array, layout.class_map)
