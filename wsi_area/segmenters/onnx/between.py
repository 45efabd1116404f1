"""segmenters: what a network answers for pixels that are none of its answer's: between the nearest of those."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from wsi_area.compute.machine_code import call_native
from wsi_area.compute.native import Native
from wsi_area.segmenters.onnx.grid import Taps

_MODULE = "wsi_area.segmenters.onnx.compiled_between"
_READ_BETWEEN = "float32* int64 int64 int64 int64* float32* int64 int64 int64* float32* int64 int64 float32* float32*"
NATIVE = (Native(_MODULE, "read_between", _READ_BETWEEN),)


def read_at(answer: NDArray[Any], rows: Taps, columns: Taps) -> NDArray[Any]:
    """Return an answer (n, h, w) at other rows and columns, float32; of its own type where each pixel is one of it.

    Rows first and then columns, tap after tap, so that each pixel is the same sum in the same order wherever its tile
    was cut. What is only cut out is not copied.

    Raises
    ------
    IndexError
        If a row or a column is not in the answer.
    """
    for taps, size in zip((rows, columns), answer.shape[1:], strict=True):
        if taps.index.size and not (taps.index.min() >= 0 and taps.index.max() < size):
            raise IndexError(f"{taps.index.min()} to {taps.index.max()} are wanted of an answer of {size} px")
    if rows.index.shape[1] == columns.index.shape[1] == 1:
        return answer[:, _place(rows)][:, :, _place(columns)]
    numbers = np.ascontiguousarray(answer, np.float32)
    out = np.empty((len(answer), len(rows.index), len(columns.index)), np.float32)
    told = [
        part
        for taps in (rows, columns)
        for part in (
            np.ascontiguousarray(taps.index.T, np.int64), np.ascontiguousarray(taps.weight.T, np.float32),
            taps.index.shape[1], len(taps.index),
        )
    ]  # fmt: skip
    line = np.empty(answer.shape[2], np.float32)
    call_native(_MODULE, "read_between", _READ_BETWEEN, numbers, *numbers.shape, *told, line, out)
    return out


def _place(taps: Taps) -> slice | NDArray[np.int64]:
    """Return where each pixel lies that is one of the answer's: a slice where they follow each other."""
    one = taps.index[:, 0]
    if one.size and (np.diff(one) == 1).all():
        return slice(int(one[0]), int(one[-1]) + 1)
    return one
