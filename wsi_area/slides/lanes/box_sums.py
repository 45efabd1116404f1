"""slides: pixels added up box by box, wherever a block of them begins, so that no stored tile is decoded twice."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Self

import numpy as np
from numpy.typing import NDArray

from wsi_area.compute.picture.box_sums import box_sums
from wsi_area.model.geometry import Region, Size
from wsi_area.model.pixels import DeepArray, MaskArray, RgbArray
from wsi_area.slides.lanes.reading import DecodedTile

Sums = NDArray[np.unsignedinteger]
MCU_PX = 16
"""Side of what JPEGs store at once, at most: of two blocks of light each way chroma may be one."""
_ROWS_AT_ONCE = 8
"""Rows of means made at once: what is needed for them meanwhile stays in the cache."""


@dataclass(slots=True, eq=False)
class BoxSums:
    """Sums of the valid pixels of boxes, for some rows of an overview; parts of an overview add up to the whole."""

    factor: int  # level pixels along the edge of a box
    first_row: int  # of the overview
    level_px: Size  # of the whole level, at whose right and lower rim boxes are smaller
    rgb: Sums  # (rows, columns, 3)
    valid_px: Sums  # (rows, columns): how many pixels of each box are valid
    deep: Sums | None = None  # (rows, columns, 1) of stored samples, where any block has more than 8 bits

    @classmethod
    def of_rows(cls, level_px: Size, factor: int, top_px: int, bottom_px: int) -> Self:
        """Return empty sums of the boxes that some rows of a level touch."""
        first = top_px // factor
        shape = -(-bottom_px // factor) - first, -(-level_px.width_px // factor)
        box_px = factor * factor
        return cls(factor, first, level_px, _zeros((*shape, 3), box_px, np.uint8), np.zeros(shape, _least(box_px)))

    def add(self, tile: DecodedTile) -> None:
        """Add a part of the level; what is damaged of it adds nothing."""
        if tile.damage is not None:
            return
        f, box = self.factor, tile.region_level_px
        top, left = box.y_px % f, box.x_px % f
        row, column = box.y_px // f - self.first_row, box.x_px // f
        at = np.s_[row : row - (-(top + box.height_px) // f), column : column - (-(left + box.width_px) // f)]
        rgb, deep, valid = tile.rgb, tile.deep, tile.valid
        if valid is None or valid.all():
            self.valid_px[at] += _lengths(box.height_px, top, f)[:, None] * _lengths(box.width_px, left, f)
        else:
            rgb = np.where(valid[..., None], rgb, np.uint8(0))
            deep = None if deep is None else np.where(valid, deep, np.uint16(0))
            self.valid_px[at] += box_sums(valid.view(np.uint8)[..., None], f, top, left)[..., 0]
        self.rgb[at] += box_sums(rgb, f, top, left)
        if deep is not None:
            self._deep()[at] += box_sums(deep[..., None], f, top, left)

    def add_valid(self, box: Region) -> None:
        """Add a part of the level, all of it valid, whose colours are added already."""
        f = self.factor
        top, left, row, column = box.y_px % f, box.x_px % f, box.y_px // f - self.first_row, box.x_px // f
        at = np.s_[row : row - (-(top + box.height_px) // f), column : column - (-(left + box.width_px) // f)]
        self.valid_px[at] += _lengths(box.height_px, top, f)[:, None] * _lengths(box.width_px, left, f)

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
        heights, widths = (
            _lengths(length, 0, self.factor) for length in (self.level_px.height_px, self.level_px.width_px)
        )
        shape = self.valid_px.shape
        rgb, is_valid = np.empty((*shape, 3), np.uint8), np.empty(shape, np.bool_)
        deep = None if self.deep is None else np.empty(shape, np.uint16)
        for top in range(0, len(rgb), _ROWS_AT_ONCE):
            rows = slice(top, top + _ROWS_AT_ONCE)
            is_valid[rows] = self.valid_px[rows] == heights[rows, None] * widths
            rgb[rows] = _means(self.rgb[rows], self.valid_px[rows], self.factor)
            if self.deep is not None and deep is not None:
                deep[rows] = _means(self.deep[rows], self.valid_px[rows], self.factor)[..., 0]
        return rgb, is_valid, deep

    def _deep(self) -> Sums:
        if self.deep is None:
            self.deep = _zeros((*self.valid_px.shape, 1), self.factor * self.factor, np.uint16)
        return self.deep


def _zeros(shape: tuple[int, ...], box_px: int, of: type[np.unsignedinteger]) -> Sums:
    """Return sums of nothing, of a type in which twice the largest there may be fits, and half a box: see `_means`.

    It is as narrow as can be: what is added up costs less than memory that is touched for the first time.
    """
    return np.zeros(shape, _least((2 * int(np.iinfo(of).max) + 1) * box_px))


def _least(number: int) -> np.dtype[np.unsignedinteger]:
    """Return the narrowest type that holds numbers up to this one."""
    return np.min_scalar_type(number)


@lru_cache(maxsize=256)  # stored tiles of a level are of one size, and few places of them in a box differ
def _lengths(length_px: int, before_px: int, factor: int) -> NDArray[np.uint64]:
    """Return the number of pixels of an axis in each box, where the first of them begins some pixels into its box.

    >>> _lengths(5, 2, 3).tolist()
    [1, 3, 1]
    """
    starts = np.arange(0, before_px + length_px, factor)
    signed = np.minimum(starts + factor, before_px + length_px) - starts
    signed[0] -= before_px
    lengths: NDArray[np.uint64] = signed.astype(np.uint64)
    lengths.setflags(write=False)
    return lengths


def _means(sums: Sums, valid_px: Sums, factor: int) -> Sums:
    """Return the sums of boxes divided by how many pixels each has, rounded half up."""
    whole = factor * factor
    means = sums + sums
    means += sums.dtype.type(whole)
    means //= sums.dtype.type(2 * whole)  # vector code: one divisor
    other = valid_px != whole  # at the rim of the level, or partly scanned
    if other.any():
        count = np.maximum(valid_px[other], 1).astype(np.int64)[:, None]
        means[other] = (2 * sums[other].astype(np.int64) + count) // (2 * count)
    return means
