"""segmenters: the kernels of the pixel features, called with arrays; what they do stands in ``compiled_features``."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wsi_area.compute.machine_code import call_native
from wsi_area.compute.native import Native
from wsi_area.model.pixels import MaskArray, RgbArray

FloatArray = NDArray[np.float32]
Neighbours = tuple[NDArray[np.int64], NDArray[np.int64], FloatArray]
"""Of each place the two cells between which it lies, and the weight of the second."""

BASE_PLANES = 5  # optical density of red, green, blue; squared grey density; texture
TENSOR_PLANES = 3

_COMPILED = "wsi_area.segmenters.pixels.compiled_features"
_HELD = "float32* int64 int64"  # planes, the row that the first of them is, rows held
_ARGUMENTS = {
    "cells_of": "uint8* uint8* int64 int64 float32* int64 int64 int64 float32* float32* int64 int64",
    "halve": "float32* int64 int64 int64 int64 int64 float32* int64 int64",
    "smooth": f"{_HELD} int64 int64 float32* int64 float32* {_HELD} int64 int64 int64",
    "gradients": f"{_HELD} int64 int64 float32* {_HELD} int64 int64",
    "describe": f"{_HELD} int64 int64 {_HELD} float32* float32* float32* {_HELD} int64 int64 int64",
    "read_off": "float32* int64 int64 int64 int64* int64* float32* int64* int64* float32* int64 float32*",
    "read_rows": "float32* int64 int64 int64 int64* int64* float32* int64 int64* int64* float32* int64 float32* "
    "float32*",
}
NATIVE = tuple(Native(_COMPILED, name, arguments) for name, arguments in _ARGUMENTS.items())


@dataclass(slots=True, eq=False)
class HeldRows:
    """Rows of planes of a picture, float32 (planes, rows held, width): from ``first`` up to ``end``."""

    planes: FloatArray
    height: int  # of the picture
    first: int
    end: int

    @classmethod
    def whole(cls, planes: FloatArray) -> "HeldRows":
        """Return all rows of a picture."""
        return cls(planes, planes.shape[1], 0, planes.shape[1])

    @classmethod
    def none_of(cls, count: int, height: int, width: int, most_rows: int) -> "HeldRows":
        """Return room for some rows of a picture, of which none is worked out yet."""
        return cls(np.empty((count, min(height, most_rows), width), np.float32), height, 0, 0)

    def roll(self, begin: int, end: int) -> int:
        """Return the first row still to be worked out, up to ``end``, once rows before ``begin`` are forgotten.

        Raises
        ------
        ValueError
            If there is no room for them, or a row that was forgotten is wanted again.
        """
        kept = max(0, self.end - begin)
        if begin < self.first or max(end, begin + kept) - begin > self.planes.shape[1]:
            raise ValueError(f"rows {begin} to {end} do not follow {self.first} to {self.end} in the room there is")
        if kept and begin > self.first:
            self.planes[:, :kept] = self.planes[:, begin - self.first : self.end - self.first]
        self.first, self.end = begin, max(end, begin + kept)
        return begin + kept

    @property
    def given(self) -> tuple[FloatArray, int, int]:
        """Return the numbers that a kernel is told of it."""
        return self.planes, self.first, self.planes.shape[1]


def cells_of(
    rgb: RgbArray, valid: MaskArray, tables: FloatArray, pitch: int, top: int, left: int, out: FloatArray
) -> None:
    """Write the cell means of the base planes, float32 (5, rows, cols).

    ``top`` and ``left`` are how many work pixels of the first cell lie outside the box.
    """
    line = np.empty((BASE_PLANES + 1, valid.shape[1]), np.float32)
    _call("cells_of", rgb, valid, *valid.shape, tables, pitch, top, left, line, out, *out.shape[1:])


def halve(planes: FloatArray, top: int, left: int, out: FloatArray) -> None:
    """Write the means of 2 × 2; ``top`` and ``left`` are 1 where the first box misses its first row or column."""
    _call("halve", planes, *planes.shape, top, left, out, *out.shape[1:])


def smooth(held: HeldRows, weights: FloatArray, begin: int, end: int, out: HeldRows) -> None:
    """Write rows smoothed by symmetric weights (middle, next, …) both ways; the edge pixel is repeated."""
    count, _, width = held.planes.shape
    reach = len(weights) - 1
    line = np.empty(width + 2 * reach, np.float32)
    _call("smooth", *held.given, held.height, width, weights, reach, line, *out.given, count, begin, end)


def gradients(held: HeldRows, sigma: float, begin: int, end: int, out: HeldRows) -> None:
    """Write rows of xx, xy, yy of the gradient of the grey density, in density per standard deviation."""
    _call("gradients", *held.given, held.height, held.planes.shape[2], _one(sigma), *out.given, begin, end)


def describe(
    held: HeldRows, tensor: HeldRows, stains: FloatArray, sigma: float, begin: int, end: int, out: HeldRows
) -> None:
    """Write the features of rows of one scale from smoothed base planes and, where ``out`` has room, the tensor."""
    width = held.planes.shape[2]
    grey = np.empty((3, width), np.float32)
    _call(
        "describe", *held.given, held.height, width, *tensor.given, stains, _one(sigma), grey, *out.given,
        len(out.planes), begin, end,
    )  # fmt: skip


def read_off(planes: FloatArray, down: Neighbours, across: Neighbours, out: FloatArray) -> None:
    """Write the planes at points, float32 (n_planes, n), by bilinear interpolation: first down, then across."""
    _call("read_off", planes, *planes.shape, *down, *across, len(across[0]), out)


def read_rows(planes: FloatArray, down: Neighbours, across: Neighbours, out: FloatArray) -> None:
    """Write rows of points, float32 (n_planes, rows, cols), by the operations of ``read_off``."""
    line = np.empty(planes.shape[2], np.float32)
    _call("read_rows", planes, *planes.shape, *down, len(down[0]), *across, len(across[0]), line, out)


def _one(number: float) -> FloatArray:
    return np.array([number], np.float32)


def _call(name: str, *values: Any) -> None:
    call_native(_COMPILED, name, _ARGUMENTS[name], *values)
