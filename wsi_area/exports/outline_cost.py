"""exports: what the outlines of a slide will come to, said before they are made: corners counted, the rest guessed."""

from collections.abc import Iterable
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from wsi_area.compute.machine_code import call_native
from wsi_area.compute.native import Native
from wsi_area.frozen_value import frozen_value
from wsi_area.model.pixels import ClassMap

if TYPE_CHECKING:  # whoever compiles the kernels has no more than their libraries
    from wsi_area.exports.measured_slide import MeasuredSlide

_COMPILED = "wsi_area.exports.compiled_corners"
_ARGUMENTS = "uint8* int64 int64 uint8* int64 uint8* uint8* int64* int64* int64 int64*"
NATIVE = (Native(_COMPILED, "count_corners", _ARGUMENTS),)
CORNERS_PER_CORE_S, SIMPLIFIED_CORNERS_PER_CORE_S = 12e6, 0.45e6
"""Rough rates for an estimate only, measured on a stained slide of 40 960²: 32 million corners, 265 at 0.25 µm/px."""
PX_PER_CORE_S = 400e6
_PACKED_SHARE = 0.2  # of text, on the same slide
_CORNERS_PER_RING = 10  # there; a ring has four at least
_POINT_BYTES, _RING_BYTES = 4, 4  # brackets and commas


@frozen_value
class OutlineCost:
    """What the exact outlines of a slide come to."""

    slide_id: str
    corners: int  # counted
    rings: int  # about: round regions and round holes
    text_bytes: int  # about
    packed_bytes: int  # about
    core_s: float  # about


def outline_cost(slide: "MeasuredSlide", *, simplify_px: float = 0.0) -> OutlineCost:
    """Return the cost of the outlines of a slide; one pass over its class map, without following an edge.

    Parameters
    ----------
    slide
        What would be outlined.
    simplify_px : float
        How far an outline may move, level-0 px: the corners are counted before, and 0 is quicker.

    Raises
    ------
    ResultError
        The class map cannot be read.
    """
    is_traced = np.zeros(256, np.bool_)
    is_traced[[c.class_id for c in slide.drawn_classes]] = True
    x_digits, y_digits = (_digits(edges) for edges in slide.grid.edges_l0_px)
    corners, digits = corners_of(slide.bands(), is_traced, x_digits, y_digits)
    rings = max(corners / _CORNERS_PER_RING, 1.0 if corners else 0.0)
    per_point = _POINT_BYTES + digits / max(1, corners)
    text_bytes = int(per_point * (corners + rings) + _RING_BYTES * rings)
    core_s = _px(slide) / PX_PER_CORE_S + corners / _rate(simplify_px)
    return OutlineCost(
        slide.result.slide_id, corners, round(rings), text_bytes, int(_PACKED_SHARE * text_bytes), core_s
    )


def corners_of(
    bands: Iterable[ClassMap], is_traced: NDArray[np.bool_], x_digits: NDArray[np.int64], y_digits: NDArray[np.int64]
) -> tuple[int, int]:
    """Return the corners that the regions of a class map have, and the digits of their coordinates, as two numbers.

    Parameters
    ----------
    bands : uint8 (h, w) each
        The class map from top to bottom, in whole rows.
    is_traced : bool (256,)
        Of each code.
    x_digits, y_digits : int64 (w + 1,), (rows + 1,)
        How many digits the coordinate of each edge has.

    >>> ones = np.ones(4, np.int64)
    >>> corners_of([np.eye(3, dtype=np.uint8)], np.arange(256) == 1, ones, ones)
    (12, 24)
    """
    width_px = len(x_digits) - 1
    above, codes, counts, y = np.zeros(width_px, np.uint8), np.empty(width_px, np.uint8), np.zeros(2, np.int64), 0
    for band in chain(bands, [np.zeros((1, width_px), np.uint8)]):
        call_native(
            _COMPILED, "count_corners", _ARGUMENTS, np.ascontiguousarray(band), *band.shape, is_traced, y, above, codes,
            x_digits, y_digits, len(y_digits), counts,
        )  # fmt: skip
        y += len(band)
    corners, digits = counts.tolist()
    return corners, digits


def may_be_long(slide: "MeasuredSlide", core_s: float, *, simplify_px: float = 0.0) -> bool:
    """Return True if outlines may take so long, whatever the class map shows: a vertex has four corners at most."""
    return 4 * _px(slide) > core_s * _rate(simplify_px)


def _px(slide: "MeasuredSlide") -> int:
    return slide.grid.size_px.width_px * slide.grid.size_px.height_px


def _rate(simplify_px: float) -> float:
    """Return the number of corners that are written in a core-second."""
    return SIMPLIFIED_CORNERS_PER_CORE_S if simplify_px else CORNERS_PER_CORE_S


def _digits(edges: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the number of digits of each of some numbers, int64 of the same shape."""
    return 1 + np.searchsorted(10 ** np.arange(1, 19), edges, side="right").astype(np.int64)
