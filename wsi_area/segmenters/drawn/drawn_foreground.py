"""segmenters: which boxes of an overview something drawn may touch; rather one box too many than one too few."""

import numpy as np
import shapely
from numpy.typing import NDArray

from wsi_area.compute.cut.rasterise import inside_at
from wsi_area.model.drawn_mask import DrawnMask
from wsi_area.model.geometry import Size
from wsi_area.model.pixels import MaskArray

_PARTS_AT_ONCE = 5000
_EDGES_AT_ONCE = 1 << 18
_POINTS_AT_ONCE = 1 << 18


def boxes_met_by_outline(wkb: bytes, overview: Size, slide: Size) -> MaskArray:
    """Return bool (h, w), True for each box of the overview that an outline's area may touch.

    >>> boxes_met_by_outline(shapely.box(21, 21, 22, 22).wkb, Size(10, 10), Size(100, 100)).sum()
    np.int64(9)
    """
    step_x, step_y = slide.width_px / overview.width_px, slide.height_px / overview.height_px
    x = np.arange(0.5, overview.width_px, dtype=np.float64) * step_x
    y = np.arange(0.5, overview.height_px, dtype=np.float64) * step_y
    met = inside_at(wkb, x, y)
    geometry = shapely.from_wkb(wkb)
    count = int(shapely.get_num_geometries(geometry))
    for first in range(0, count, _PARTS_AT_ONCE):
        parts = shapely.get_geometry(geometry, np.arange(first, min(first + _PARTS_AT_ONCE, count)))
        points, line = shapely.get_coordinates(shapely.get_rings(parts), return_index=True)
        at = points / (step_x, step_y)
        for start in range(0, len(at) - 1, _EDGES_AT_ONCE):
            _mark_edges(met, at[start : start + _EDGES_AT_ONCE + 1], line[start : start + _EDGES_AT_ONCE + 1])
    return _grown(met)


def _mark_edges(met: MaskArray, at: NDArray[np.float64], line: NDArray[np.intp]) -> None:
    """Mark every box that an edge crosses: its pieces, no longer than a box, reach into the boxes of their ends."""
    joined = np.flatnonzero(line[:-1] == line[1:])
    pieces = np.cumsum(np.ceil(np.abs(at[joined + 1] - at[joined]).max(axis=1)).clip(1))
    most = np.arange(_POINTS_AT_ONCE, pieces[-1] if len(pieces) else 0, _POINTS_AT_ONCE)
    for few in np.split(joined, np.searchsorted(pieces, most)):
        if not len(few):
            continue
        count = np.ceil(np.abs(at[few + 1] - at[few]).max(axis=1)).astype(np.intp).clip(1)
        edge = np.repeat(np.arange(len(few)), count)
        nth = np.arange(len(edge)) - np.repeat(np.cumsum(count) - count, count)
        way = (at[few + 1] - at[few])[edge] / count[edge, None]
        start = at[few][edge] + way * nth[:, None]
        (c0, r0), (c1, r1) = (_box_of(point, met.shape) for point in (start, start + way))
        for row, column in ((r0, c0), (r1, c1), (r0, c1), (r1, c0)):
            met[row, column] = True


def _box_of(at: NDArray[np.float64], shape: tuple[int, ...]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return column and row of the boxes that points lie in, in units of a box."""
    height, width = shape
    box = at.astype(np.intp)
    return np.clip(box[:, 0], 0, width - 1), np.clip(box[:, 1], 0, height - 1)


def boxes_met_by_mask(drawn: NDArray[np.bool_], mask: DrawnMask, overview: Size, slide: Size) -> MaskArray:
    """Return bool (h, w), True for each box of the overview under which a mask has a pixel that is drawn.

    Parameters
    ----------
    drawn : bool (256,)
        Which codes are.
    """
    met = np.zeros((overview.height_px, overview.width_px), np.bool_)
    rows = _spans(overview.height_px, slide.height_px, mask.scale_y, mask.height_px)
    columns = _spans(overview.width_px, slide.width_px, mask.scale_x, mask.width_px)
    for top, bottom, left, right, codes in mask.pieces():
        if isinstance(codes, int) and not drawn[codes]:
            continue
        box_rows, box_columns = _boxes(rows, top, bottom), _boxes(columns, left, right)
        if isinstance(codes, int):
            met[box_rows, box_columns] = True
            continue
        here = _any_between(drawn[codes], *_within(rows, box_rows, top, bottom))
        met[box_rows, box_columns] |= _any_between(here.T, *_within(columns, box_columns, left, right)).T
    return _grown(met)


Spans = tuple[NDArray[np.intp], NDArray[np.intp]]
"""The first mask pixel under each box, and the first behind it."""


def _boxes(spans: Spans, start: int, stop: int) -> slice:
    """Return the boxes that lie over the mask pixels from ``start`` to ``stop``."""
    first, last = spans
    return slice(int(np.searchsorted(last, start, "right")), int(np.searchsorted(first, stop, "left")))


def _within(spans: Spans, boxes: slice, start: int, stop: int) -> Spans:
    """Return the part of the spans of some boxes that lies between, counted from ``start``."""
    first, last = spans
    return np.maximum(first[boxes], start) - start, np.minimum(last[boxes], stop) - start


def _spans(boxes: int, slide_px: int, scale: float, mask_px: int) -> Spans:
    """Return the first mask pixel under each box, and the first behind it."""
    edges = np.arange(boxes + 1) * (slide_px / boxes) / scale
    first = np.clip(np.floor(edges[:-1]), 0, mask_px - 1).astype(np.intp)
    last = np.clip(np.ceil(edges[1:]), 1, mask_px).astype(np.intp)
    return first, np.maximum(last, first + 1)


def _any_between(values: MaskArray, first: NDArray[np.intp], last: NDArray[np.intp]) -> MaskArray:
    return np.stack([values[a:b].any(axis=0) for a, b in zip(first, last, strict=True)])


def _grown(met: MaskArray) -> MaskArray:
    """Return a mask grown by one box: the overview's boxes end at whole pixels, ours where division puts them."""
    padded = np.pad(met, 1)
    wide = padded[:, :-2] | padded[:, 1:-1] | padded[:, 2:]
    return wide[:-2] | wide[1:-1] | wide[2:]
