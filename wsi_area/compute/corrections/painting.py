"""compute: strokes laid over a box of a class map, one after the other, and what each correction did there."""

from collections.abc import Sequence
from functools import lru_cache
from itertools import groupby

import numpy as np
import shapely
from numpy.typing import NDArray

from wsi_area.compute.corrections.strokes import Stroke
from wsi_area.compute.cut.rasterise import inside_at
from wsi_area.frozen_value import frozen_value
from wsi_area.model.classes import OUTSIDE_ROI_CODE, UNREADABLE_CODE, UNSCANNED_CODE
from wsi_area.model.geometry import Region
from wsi_area.model.pixels import ClassMap, MaskArray, TilePlace

Ints = NDArray[np.int64]
TALLIES = ("drawn", "changed", "unscanned", "outside_roi", "unreadable")
"""Columns of what is counted of each correction, level-0 px."""
_NOT_PAINTED = (UNSCANNED_CODE, OUTSIDE_ROI_CODE, UNREADABLE_CODE)


@frozen_value(eq=False)
class Painted:
    """A box of a class map with its corrections."""

    codes: ClassMap
    held: MaskArray  # bool (h, w): pixels that a correction decided on, for filters to leave alone
    tallies: Ints  # (corrections, 5), see TALLIES


def painted(
    codes: ClassMap, strokes: Sequence[Stroke], place: TilePlace, weights: tuple[Ints, Ints], count: int
) -> Painted:
    """Return a box of a class map with strokes laid over it.

    Parameters
    ----------
    codes : uint8 (h, w)
        The box as it was; it is not changed.
    strokes
        In the order of their corrections.
    place : TilePlace
        Where the box lies, with the centres of its pixels.
    weights : int64 (w,), (h,)
        Level-0 pixels that each column and each row stands for.
    count : int
        How many corrections there are.
    """
    codes = codes.copy()
    held, tallies = np.zeros(codes.shape, np.bool_), np.zeros((count, len(TALLIES)), np.int64)
    for number, grouped in groupby(strokes, key=lambda stroke: stroke.correction):
        met = [(stroke, window) for stroke in grouped if (window := _window(stroke, place)) is not None]
        if not met:
            continue
        # of a single stroke nothing else is looked at; several are those of one drawing of the whole layer
        rows, columns = met[0][1] if len(met) == 1 else (slice(0, codes.shape[0]), slice(0, codes.shape[1]))
        before = codes[rows, columns].copy()
        drawn = np.zeros(codes.shape, np.bool_)
        for stroke, window in met:
            inside, under = _inside(stroke, place, window), codes[window]
            held[window] |= inside & stroke.takes[under]
            np.copyto(under, stroke.becomes[under], where=inside)
            drawn[window] |= inside & (not stroke.is_everywhere)
        drawn = drawn[rows, columns]
        of = [drawn, codes[rows, columns] != before, *(drawn & (before == code) for code in _NOT_PAINTED)]
        tallies[number] += [_weighed(mask, weights[0][columns], weights[1][rows]) for mask in of]
    return Painted(codes, held, tallies)


def _inside(stroke: Stroke, place: TilePlace, window: tuple[slice, slice]) -> MaskArray:
    """Return the pixels of a window of a box that a stroke is laid over, bool (h, w)."""
    rows, columns = window
    if stroke.component is not None:
        return stroke.component.mask(place.work_px)[window]
    if stroke.wkb_l0_px is None:
        return np.ones((rows.stop - rows.start, columns.stop - columns.start), np.bool_)
    return inside_at(stroke.wkb_l0_px, place.x_centres_l0_px[columns], place.y_centres_l0_px[rows])


def _window(stroke: Stroke, place: TilePlace) -> tuple[slice, slice] | None:
    """Return the rows and columns of a box beyond which a stroke has no pixel; None where it has none at all."""
    x, y = place.x_centres_l0_px, place.y_centres_l0_px
    if stroke.wkb_l0_px is None:
        is_met = stroke.component is None or stroke.component.meets(place.work_px)
        return (slice(0, len(y)), slice(0, len(x))) if is_met else None
    left, top, right, bottom = _bounds(stroke.wkb_l0_px)
    columns = slice(int(np.searchsorted(x, left, "left")), int(np.searchsorted(x, right, "right")))
    rows = slice(int(np.searchsorted(y, top, "left")), int(np.searchsorted(y, bottom, "right")))
    return None if rows.start >= rows.stop or columns.start >= columns.stop else (rows, columns)


@lru_cache(maxsize=4096)  # asked of every batch; a drawing may have a million points
def _bounds(wkb: bytes) -> tuple[float, float, float, float]:
    left, top, right, bottom = shapely.bounds(shapely.from_wkb(wkb)).tolist()
    return left, top, right, bottom


def meets(stroke: Stroke, place: TilePlace) -> bool:
    """Return True if a stroke may be laid over a pixel of a box."""
    return _window(stroke, place) is not None


def _weighed(mask: MaskArray, column_weights: Ints, row_weights: Ints) -> int:
    return int(row_weights @ (mask @ column_weights))


def place_of(box: Region, columns_l0_px: Ints, rows_l0_px: Ints) -> tuple[TilePlace, tuple[Ints, Ints]]:
    """Return the place of a box of work pixels, and the level-0 pixels that its columns and rows stand for.

    Parameters
    ----------
    box
        Work px.
    columns_l0_px, rows_l0_px : int64 (w + 1,), (h + 1,)
        Level-0 edges of the work grid's columns and rows.
    """
    x = columns_l0_px[box.x_px : box.right_px + 1].astype(np.float64)
    y = rows_l0_px[box.y_px : box.bottom_px + 1].astype(np.float64)
    place = TilePlace(box, (x[:-1] + x[1:]) / 2, (y[:-1] + y[1:]) / 2)
    return place, (np.diff(x).astype(np.int64), np.diff(y).astype(np.int64))
