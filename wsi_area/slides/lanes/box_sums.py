"""slides: pixels added up box by box, wherever a block of them begins, so that no stored tile is decoded twice."""

from dataclasses import dataclass
from typing import Any, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from wsi_area.model.geometry import Size
from wsi_area.model.pixels import DeepArray, MaskArray, RgbArray, TilePixels

Sample = TypeVar("Sample", np.uint8, np.uint16)
Sums = NDArray[np.unsignedinteger]


@dataclass(slots=True, eq=False)
class BoxSums:
    """Sums of the valid pixels of boxes, for some rows of an overview; parts of an overview add up to the whole."""

    factor: int  # level pixels along the edge of a box
    first_row: int  # of the overview
    level_px: Size  # of the whole level, at whose right and lower rim boxes are smaller
    rgb: Sums  # (rows, columns, 3)
    valid_px: NDArray[np.int64]  # (rows, columns): how many pixels of each box are valid
    deep: Sums | None = None  # (rows, columns, 1) of stored samples, where any block has more than 8 bits

    @classmethod
    def of_rows(cls, level_px: Size, factor: int, top_px: int, bottom_px: int) -> Self:
        """Return empty sums of the boxes that some rows of a level touch."""
        first = top_px // factor
        shape = -(-bottom_px // factor) - first, -(-level_px.width_px // factor)
        rgb: Sums = np.zeros((*shape, 3), np.uint32 if factor <= 2048 else np.uint64)  # twice a sum fits: see `_means`
        return cls(factor, first, level_px, rgb, np.zeros(shape, np.int64))

    def add(self, x_px: int, y_px: int, pixels: TilePixels) -> None:
        """Add a block of the level, whose first pixel is the given one."""
        f, (height, width) = self.factor, pixels.valid.shape
        top, left = y_px % f, x_px % f
        row, column = y_px // f - self.first_row, x_px // f
        at = np.s_[row : row - (-(top + height) // f), column : column - (-(left + width) // f)]
        rgb, deep = pixels.rgb, pixels.deep
        if pixels.valid.all():
            self.valid_px[at] += _lengths(height, top, f)[:, None] * _lengths(width, left, f)
        else:
            rgb = np.where(pixels.valid[..., None], rgb, np.uint8(0))
            deep = None if deep is None else np.where(pixels.valid, deep, np.uint16(0))
            self.valid_px[at] += _sums(pixels.valid.view(np.uint8)[..., None], f, top, left)[..., 0].astype(np.int64)
        self.rgb[at] += _sums(rgb, f, top, left)
        if deep is not None:
            self._deep()[at] += _sums(deep[..., None], f, top, left)

    def add_part(self, part: "BoxSums") -> None:
        """Add what another has of some of these rows."""
        first = part.first_row - self.first_row
        at = np.s_[first : first + len(part.valid_px)]
        self.rgb[at] += part.rgb
        self.valid_px[at] += part.valid_px
        if part.deep is not None:
            self._deep()[at] += part.deep

    def means(self) -> tuple[RgbArray, MaskArray, DeepArray | None]:
        """Return the mean colour of the valid pixels of each box, which boxes are wholly valid, and the mean samples.

        Means are rounded half up; those of boxes without a valid pixel are 0. Of all rows of a level only.
        """
        rows, columns = (
            _lengths(length, 0, self.factor) for length in (self.level_px.height_px, self.level_px.width_px)
        )
        area = rows[:, None] * columns
        partial = self.valid_px < area
        rgb = _means(self.rgb, area, self.valid_px, partial, self.factor).astype(np.uint8)
        if self.deep is None:
            return rgb, ~partial, None
        return rgb, ~partial, _means(self.deep, area, self.valid_px, partial, self.factor)[..., 0]

    def _deep(self) -> Sums:
        if self.deep is None:
            self.deep = np.zeros((*self.valid_px.shape, 1), np.uint64)
        return self.deep


def _lengths(length_px: int, before_px: int, factor: int) -> NDArray[np.int64]:
    """Return the number of pixels of an axis in each box, where the first of them begins some pixels into its box.

    >>> _lengths(5, 2, 3).tolist()
    [1, 3, 1]
    """
    starts = np.arange(0, before_px + length_px, factor)
    lengths = np.minimum(starts + factor, before_px + length_px) - starts
    lengths[0] -= before_px
    return lengths


def _means(
    sums: Sums, area: NDArray[np.int64], valid_px: NDArray[np.int64], partial: MaskArray, factor: int
) -> NDArray[np.uint16]:
    """Return the sums of boxes divided by how many pixels each has, rounded half up."""
    whole = sums.dtype.type(factor * factor)
    rounded = sums + sums
    rounded += whole
    rounded //= whole + whole  # vector code: one divisor
    means: NDArray[np.uint16] = rounded.astype(np.uint16)
    for rim in (np.s_[-1, :], np.s_[:, -1]):  # where boxes may be smaller
        means[rim] = _divided(sums[rim], area[rim])
    if partial.any():
        means[partial] = _divided(sums[partial], np.maximum(valid_px[partial], 1))
    return means


def _divided(sums: Sums, count: NDArray[np.int64]) -> NDArray[np.uint16]:
    divisor = count[..., None]
    means: NDArray[np.uint16] = ((2 * sums.astype(np.int64) + divisor) // (2 * divisor)).astype(np.uint16)
    return means


def _sums(samples: NDArray[Sample], factor: int, top: int, left: int) -> Sums:
    """Return exact sums (boxes down, boxes across, channels) of uint8 or uint16 (h, w, channels).

    The first sample lies ``top`` rows and ``left`` columns into its box. Of type uint32, or uint64 where twice a sum
    might not fit.
    """
    if top or left:  # zeros before it add nothing
        height, width, channels = samples.shape
        placed = np.zeros((top + height, left + width, channels), samples.dtype)
        placed[top:, left:] = samples
        samples = placed
    height, width, channels = samples.shape
    # down first, in the narrowest type that cannot overflow: this pass touches every pixel
    lines = samples.reshape(height, width * channels)
    wide = samples.dtype == np.uint16
    down: NDArray[Any] = lines[::factor].astype(np.uint16 if factor <= 257 and not wide else np.uint32)
    for offset in range(1, min(factor, height)):
        part = lines[offset::factor]
        down[: len(part)] += part
    shape = (len(down), -(-width // factor), channels)
    sums = np.zeros(shape, np.uint32 if factor <= (128 if wide else 2048) else np.uint64)
    for channel in range(channels):
        across: NDArray[Any] = down[:, channel::channels][:, ::factor].astype(sums.dtype)
        for offset in range(1, min(factor, width)):
            part = down[:, channel + offset * channels :: channels * factor]
            across[:, : part.shape[1]] += part
        sums[..., channel] = across
    return sums
