"""segmenters: which boxes of an overview something drawn may touch; rather one box too many than one too few."""

import numpy as np
import shapely
from numpy.typing import NDArray

from wsi_area.compute.cut.rasterise import inside_at
from wsi_area.model.drawn_mask import DrawnMask
from wsi_area.model.geometry import Size
from wsi_area.model.pixels import MaskArray


def boxes_met_by_outline(wkb: bytes, overview: Size, slide: Size) -> MaskArray:
    """Return bool (h, w), True for each box of the overview that an outline's area may touch.

    >>> boxes_met_by_outline(shapely.box(21, 21, 22, 22).wkb, Size(10, 10), Size(100, 100)).sum()
    np.int64(9)
    """
    step_x, step_y = slide.width_px / overview.width_px, slide.height_px / overview.height_px
    x = np.arange(0.5, overview.width_px, dtype=np.float64) * step_x
    y = np.arange(0.5, overview.height_px, dtype=np.float64) * step_y
    met = inside_at(wkb, x, y)
    # every box that the boundary crosses: pieces no longer than a box reach into the boxes of their ends at most
    boundary = shapely.segmentize(shapely.boundary(shapely.from_wkb(wkb)), min(step_x, step_y))
    points, line = shapely.get_coordinates(shapely.get_parts(boundary), return_index=True)
    columns = np.clip((points[:, 0] / step_x).astype(np.intp), 0, overview.width_px - 1)
    rows = np.clip((points[:, 1] / step_y).astype(np.intp), 0, overview.height_px - 1)
    met[rows, columns] = True
    joined = line[:-1] == line[1:]
    met[rows[:-1][joined], columns[1:][joined]] = True
    met[rows[1:][joined], columns[:-1][joined]] = True
    return _grown(met)


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
    """Return which boxes lie over the mask pixels from ``start`` to ``stop``."""
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
