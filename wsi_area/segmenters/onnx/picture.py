"""segmenters: what a network is shown of a box: windows cut, resampled and turned into numbers, as its card says."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from wsi_area.compute.machine_code import call_native
from wsi_area.compute.native import Native
from wsi_area.frozen_value import frozen_value
from wsi_area.model.pixels import RgbArray, TilePixels
from wsi_area.segmenters.onnx.card import CardInput
from wsi_area.segmenters.onnx.grid import Axis, Ints, Taps, mirrored

Shown = NDArray[Any]
"""Windows as the network takes them: of its type, in its order of axes."""

_MODULE = "wsi_area.segmenters.onnx.compiled_pictures"
_LOOK_UP = "uint8* int64 int64 int64* int64 int64* int64 {0} int64 int64 {0}"
_BLEND = (
    "uint8* int64 int64 int64* float32* int64 int64 int64* float32* int64 int64 "
    "int64 float32* int64 float32* float32* int64 int64 float32*"
)
_WORDS = {"float32": "uint32", "float16": "uint16", "uint8": "uint8"}
"""A number as the bits that are copied, by the type of the input."""
NATIVE = (
    *(Native(_MODULE, "look_up", _LOOK_UP.format(f"{word}*")) for word in _WORDS.values()),
    Native(_MODULE, "blend", _BLEND),
)
_WHITE = 255


@frozen_value
class Picture:
    """A box of pixels, and how those of the network are made of them, on the network's own grid."""

    rgb: RgbArray  # contiguous
    rows: Taps  # of each row of the grid: by index into the box
    columns: Taps
    shown: CardInput
    tables: Shown  # (3, 256): what a byte of each colour becomes

    @classmethod
    def of(cls, pixels: TilePixels, axes: tuple[Axis, Axis], taps: tuple[Taps, Taps], shown: CardInput) -> "Picture":
        """Return the picture of a box: what was not scanned, and what lies beyond the slide, shown as the card says.

        Parameters
        ----------
        pixels
            The box.
        axes
            Where it lies, its rows and its columns.
        taps
            The work pixels that each row and each column of the grid is made of; those beyond the box are beyond the
            slide, or play no part.
        shown
            What the card says of the input.
        """
        rgb = pixels.rgb
        if not pixels.valid.all():
            rgb = np.where(pixels.valid[..., None], rgb, np.array(shown.unscanned_rgb, np.uint8))
        inside = []
        for axis, tap in zip(axes, taps, strict=True):
            index, size = tap.index - axis.start_px, axis.size_px
            if shown.edge == "white":
                index = np.where((index >= 0) & (index < size), index, size)  # the row or column of white
            else:
                index = mirrored(index, size)
            inside.append(Taps(np.ascontiguousarray(index, np.int64), np.ascontiguousarray(tap.weight, np.float32)))
        beyond = [int(tap.index.max(initial=0)) >= size for tap, size in zip(inside, rgb.shape[:2], strict=True)]
        if any(beyond):
            rgb = np.pad(rgb, ((0, beyond[0]), (0, beyond[1]), (0, 0)), constant_values=_WHITE)
        return cls(np.ascontiguousarray(rgb), inside[0], inside[1], shown, as_type(byte_tables(shown), shown))

    @property
    def is_resampled(self) -> bool:
        """Return False if each pixel of the grid is one of the box."""
        return any(taps.index.shape[1] > 1 for taps in (self.rows, self.columns))

    def show(self, row: int, column: int, out: Shown) -> None:
        """Write the window that begins at a row and a column of the grid: (pixel · scale - mean) / std, by colour.

        Parameters
        ----------
        row, column
            Px of the network's input, from the first of the grid.
        out
            (3, h, w) or (h, w, 3) as the card's layout says, of its type, contiguous: where it is written.
        """
        height, width = out.shape[1:] if self.shown.layout == "NCHW" else out.shape[:2]
        if not (0 <= row <= len(self.rows.index) - height and 0 <= column <= len(self.columns.index) - width):
            raise ValueError(f"a window of {height} × {width} px at {row}, {column} is not in the picture")
        rows, columns = slice(row, row + height), slice(column, column + width)
        if not self.is_resampled:
            self._look_up(self.rows.index[rows], self.columns.index[columns], out)
        elif out.dtype == np.float32:
            self._blend(rows, columns, out)
        else:
            numbers = np.empty(out.shape, np.float32)
            self._blend(rows, columns, numbers)
            out[...] = as_type(numbers, self.shown)

    def _look_up(self, rows: Ints, columns: Ints, out: Shown) -> None:
        word = _WORDS[self.shown.dtype]
        call_native(
            _MODULE, "look_up", _LOOK_UP.format(f"{word}*"),
            self.rgb, self.rgb.size, self.rgb.strides[0], rows, len(rows), columns, len(columns),
            self.tables.view(word), self._first, self._is_planar, out.view(word),
        )  # fmt: skip

    def _blend(self, rows: slice, columns: slice, out: Shown) -> None:
        scale, mean, std = _scale_of(self.shown)
        index = self.columns.index[columns]
        low, high = int(index.min()), int(index.max()) + 1
        steps = np.stack([1 / (scale * std), mean / std]).astype(np.float32)
        call_native(
            _MODULE, "blend", _BLEND,
            self.rgb, self.rgb.size, self.rgb.strides[0],
            self.rows.index[rows], self.rows.weight[rows], self.rows.index.shape[1], rows.stop - rows.start,
            np.ascontiguousarray(index.T) - low, np.ascontiguousarray(self.columns.weight[columns].T), index.shape[1],
            len(index), low, np.empty((high - low, 3), np.float32), high - low, np.empty(len(index), np.float32), steps,
            self._first, self._is_planar, out,
        )  # fmt: skip

    @property
    def _first(self) -> int:
        return 0 if self.shown.channels == "RGB" else 2

    @property
    def _is_planar(self) -> bool:
        return self.shown.layout == "NCHW"


def as_type(numbers: NDArray[np.floating], shown: CardInput) -> Shown:
    """Return numbers in the type of the input; bytes are rounded.

    >>> as_type(np.array([0.6, 260.0]), CardInput(mpp_um=1, window_px=8, context_px=0, scale="0..255", dtype="uint8"))
    array([  1, 255], dtype=uint8)
    """
    if shown.dtype == "uint8":
        numbers = np.clip(np.rint(numbers), 0, 255)
    return numbers.astype(shown.dtype, copy=False)


def byte_tables(shown: CardInput) -> NDArray[np.float32]:
    """Return float32 (3, 256): what each byte becomes, in the order of the card's colours."""
    scale, mean, std = _scale_of(shown)
    return np.ascontiguousarray(((np.arange(256)[:, None] / scale - mean) / std).astype(np.float32).T)


def _scale_of(shown: CardInput) -> tuple[float, NDArray[np.float64], NDArray[np.float64]]:
    """Return what pixels are divided by, and the mean and the deviation of each colour then."""
    return 255.0 if shown.scale == "0..1" else 1.0, np.array(shown.mean), np.array(shown.std)
