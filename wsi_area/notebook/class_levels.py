"""notebook: the levels of a class map as arrays that read, and halve, no more than what is asked of them."""

import operator
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin
from numpy.typing import NDArray

from wsi_area.compute.picture.pyramid import halved, level_shapes
from wsi_area.errors import ResultError
from wsi_area.model.pixels import ClassMap

_BLOCK_PX = 512  # a side of what is halved and kept at a time
_KEPT_BLOCKS = 64  # of each level: 16 MiB, so that a level of up to 4096 × 4096 px is made once


class ClassLevels:
    """A stored class map and its coarser levels, each made from the one below it, block by block.

    A block of level n is the half (`compute.picture.pyramid.MODE_RULE`) of the 2 × 2 blocks of level n − 1 under it,
    so that four blocks are in memory for each level on the way down, and what was made lately is kept.
    """

    def __init__(self, array: Any) -> None:
        self._array = array
        self.shapes = level_shapes(array.shape, 1)
        self._kept: list[OrderedDict[tuple[int, int], ClassMap]] = [OrderedDict() for _ in self.shapes]
        self._lock = threading.Lock()

    def box(self, level: int, rows: tuple[int, int], columns: tuple[int, int]) -> ClassMap:
        """Return uint8 (h, w) of a box of a level, ``(first, end)`` of rows and of columns, which lies within it.

        Raises
        ------
        ResultError
            The stored class map cannot be read.
        """
        (top, bottom), (left, right) = rows, columns
        if level == 0:
            return self._read(top, bottom, left, right)
        box = np.empty((bottom - top, right - left), np.uint8)
        for y in range(top // _BLOCK_PX, -(-bottom // _BLOCK_PX)):
            for x in range(left // _BLOCK_PX, -(-right // _BLOCK_PX)):
                block = self._block(level, y, x)
                y0, x0 = y * _BLOCK_PX, x * _BLOCK_PX
                first_row, first_column = max(top, y0), max(left, x0)
                part = block[first_row - y0 : bottom - y0, first_column - x0 : right - x0]
                at = first_row - top, first_column - left
                box[at[0] : at[0] + part.shape[0], at[1] : at[1] + part.shape[1]] = part
        return box

    def _block(self, level: int, y: int, x: int) -> ClassMap:
        kept = self._kept[level]
        with self._lock:
            found = kept.get((y, x))
            if found is not None:
                kept.move_to_end((y, x))
                return found
        height, width = self.shapes[level - 1]
        top, left = 2 * y * _BLOCK_PX, 2 * x * _BLOCK_PX
        below = (top, min(top + 2 * _BLOCK_PX, height)), (left, min(left + 2 * _BLOCK_PX, width))
        block = _halved(self.box(level - 1, *below))
        with self._lock:
            kept[y, x] = block
            while len(kept) > _KEPT_BLOCKS:
                kept.popitem(last=False)
        return block

    def _read(self, top: int, bottom: int, left: int, right: int) -> ClassMap:
        return np.asarray(self._array[top:bottom, left:right], dtype=np.uint8)


def _halved(below: ClassMap) -> ClassMap:
    """Return a box at half its size; glass and the inside of tissue are one code, and cost nothing."""
    if (below == below[0, 0]).all():
        return np.full((-(-below.shape[0] // 2), -(-below.shape[1] // 2)), below[0, 0], np.uint8)
    return halved(below)


class ClassLevel(NDArrayOperatorsMixin):
    """One level of a class map: a box of it is read when it is cut out, all of it where numpy asks for an array.

    ``level[100:200, 300:500]`` reads that box alone; ``np.asarray(level)``, ``level == 1`` and other arithmetic read
    the whole level. `dask.array.from_array(level, chunks=2048)` takes it as it is.
    """

    dtype = np.dtype(np.uint8)
    ndim = 2

    def __init__(self, levels: ClassLevels, level: int) -> None:
        self._levels = levels
        self.level = level
        self.shape: tuple[int, int] = levels.shapes[level]
        self.held: object = None  # what must not go while this is read: the folder of a temporary run

    @property
    def size(self) -> int:
        """Return the number of pixels."""
        return self.shape[0] * self.shape[1]

    def __len__(self) -> int:
        return self.shape[0]

    def __repr__(self) -> str:
        return f"<class map, level {self.level}: {self.shape[1]} × {self.shape[0]} px, not read yet>"

    def __getitem__(self, key: Any) -> Any:
        """Return a part: whole numbers and slices read only that part, anything else reads the level."""
        parts = key if isinstance(key, tuple) else (key,)
        if len(parts) > 2 or not all(isinstance(part, slice | int | np.integer) for part in parts):
            return np.asarray(self)[key]
        cuts = [_cut(part, n_px) for part, n_px in zip((*parts, slice(None))[:2], self.shape, strict=True)]
        (rows, row_key), (columns, column_key) = cuts
        if rows[0] == rows[1] or columns[0] == columns[1]:
            return np.empty((rows[1] - rows[0], columns[1] - columns[0]), np.uint8)[row_key, column_key]
        return self._levels.box(self.level, rows, columns)[row_key, column_key]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        """Return the whole level in memory."""
        if copy is False:
            raise ValueError("a class map is read from disk: it cannot become an array without a copy")
        height, width = self.shape
        whole = self._levels.box(self.level, (0, height), (0, width))
        return whole if dtype is None else whole.astype(dtype, copy=False)

    def __array_ufunc__(self, ufunc: Callable[..., Any], method: str, *inputs: Any, **options: Any) -> Any:
        """Return the whole level as numpy has it."""
        arrays = (np.asarray(each) if isinstance(each, ClassLevel) else each for each in inputs)
        return getattr(ufunc, method)(*arrays, **options)


def _cut(part: Any, n_px: int) -> tuple[tuple[int, int], Any]:
    """Return the smallest stretch of an axis that holds what a key asks for, and that key within the stretch."""
    if not isinstance(part, slice):
        index = operator.index(part)
        if not -n_px <= index < n_px:
            raise IndexError(f"there is no row or column {index} among {n_px}")
        index %= n_px
        return (index, index + 1), 0
    asked = range(*part.indices(n_px))
    if not asked:
        return (0, 0), slice(None)
    first, last = min(asked[0], asked[-1]), max(asked[0], asked[-1])
    return (first, last + 1), slice(None, None, part.step)


def class_level(array: Any, level: int, name: str) -> ClassLevel:
    """Return a level of a stored class map: 0 as it was measured, each further one half the size, rounded up.

    Parameters
    ----------
    array : StoredClassMap, or numpy, uint8 (h, w)
    level : int
    name : str
        Of the slide, for what is said when something is wrong.

    Raises
    ------
    ResultError
        There is no such level.

    >>> class_level(np.array([[1, 1, 2], [0, 1, 2]], np.uint8), 1, "S1")[:].tolist()
    [[1, 2]]
    """
    levels = ClassLevels(array)
    if level < 0:
        raise ResultError(f"{name}: there is no level {level} of a class map; 0 is the finest")
    if level >= len(levels.shapes):
        raise ResultError(
            f"{name}: level {level} of a class map of {array.shape[1]} × {array.shape[0]} px would be less than one "
            "pixel; give a smaller level"
        )
    return ClassLevel(levels, level)
