"""compute: counts a class map in level-0 pixels, in integers."""

import numpy as np
from numpy.typing import NDArray

from wsi_area.errors import SegmentationError
from wsi_area.model.classes import OUTSIDE_ROI_CODE, UNREADABLE_CODE, UNSCANNED_CODE
from wsi_area.model.counts import ClassCounts
from wsi_area.model.pixels import ClassMap

_CODES = 256


def count_class_map(
    class_map: ClassMap,
    column_weights: NDArray[np.int64],
    row_weights: NDArray[np.int64],
    class_count: int,
) -> ClassCounts:
    """Return the level-0 pixels by class of a class map; exact, its signal 0 and no tile done.

    Parameters
    ----------
    class_map
        uint8 (h, w) of class ids below ``class_count`` and reserved codes.
    column_weights, row_weights
        int64 (w,) and (h,): level-0 pixels that a column or row stands for; a pixel counts their product.
    class_count
        Classes of the scheme.

    Raises
    ------
    SegmentationError
        If the map is not uint8 (h, w) of the weights' lengths, or holds a code that is neither a class nor
        reserved.

    >>> ones = np.ones(2, np.int64)
    >>> count_class_map(np.array([[0, 1], [1, 255]], np.uint8), ones * 4, ones, 2)
    ClassCounts(px_by_class=(4, 8), unscanned_px=4, outside_roi_px=0, unreadable_px=0, \
signal_by_class=(0, 0), tiles_done=0)
    """
    shape = (len(row_weights), len(column_weights))
    if class_map.dtype != np.uint8 or class_map.shape != shape:
        raise SegmentationError(
            f"a class map must be uint8 {shape}; got {class_map.dtype} {class_map.shape}: the segmenter must "
            "return one class id per pixel it was given"
        )
    px_by_code = _weigh(class_map, np.asarray(column_weights, np.int64), np.asarray(row_weights, np.int64))
    reserved = (UNREADABLE_CODE, OUTSIDE_ROI_CODE, UNSCANNED_CODE)
    stray = [code for code in range(class_count, _CODES) if px_by_code[code] and code not in reserved]
    if stray:
        raise SegmentationError(
            f"class map holds the codes {stray}, which are neither one of its {class_count} classes nor "
            f"reserved {reserved}; the segmenter must declare every class it writes"
        )
    return ClassCounts(
        tuple(px_by_code[:class_count]),
        px_by_code[UNSCANNED_CODE],
        px_by_code[OUTSIDE_ROI_CODE],
        px_by_code[UNREADABLE_CODE],
        (0,) * class_count,
    )


def _weigh(class_map: ClassMap, column_weights: NDArray[np.int64], row_weights: NDArray[np.int64]) -> list[int]:
    """Return the level-0 pixels of each of the 256 codes.

    Columns and rows of one weight are counted together: there are two or three distinct weights a slide,
    so this is a few plain histograms, where a weighted histogram would add in floating point.
    """
    totals = [0] * _CODES
    of_rows, of_columns = np.unique(row_weights), np.unique(column_weights)
    for row_weight in of_rows:
        rows = class_map if len(of_rows) == 1 else class_map[row_weights == row_weight]
        for column_weight in of_columns:
            block = rows if len(of_columns) == 1 else rows[:, column_weights == column_weight]
            weight = int(row_weight) * int(column_weight)
            for code, pixels in enumerate(np.bincount(block.ravel(), minlength=_CODES)):
                totals[code] += int(pixels) * weight
    return totals
