"""compute: counts a class map in level-0 pixels, in integers."""

import numpy as np
from numpy.typing import NDArray

from wsi_area.compute.machine_code import address_of, native_function
from wsi_area.compute.native import Native
from wsi_area.errors import SegmentationError
from wsi_area.model.classes import OUTSIDE_ROI_CODE, UNREADABLE_CODE, UNSCANNED_CODE
from wsi_area.model.counts import ClassCounts
from wsi_area.model.pixels import ClassMap

_CODES = 256
_ARGUMENTS = "uint8* int64 int64 int64 int64* int64* int64* int64*"
NATIVE = (Native("wsi_area.compute.count.compiled_counts", "weigh_codes", _ARGUMENTS),)


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
signal_by_class=(0, 0), tiles_done=0, unsampled_px=0)
    """
    shape = (len(row_weights), len(column_weights))
    if class_map.dtype != np.uint8 or class_map.shape != shape:
        raise SegmentationError(
            f"a class map must be uint8 {shape}; got {class_map.dtype} {class_map.shape}: the segmenter must "
            "return one class id per pixel it was given"
        )
    px_by_code = _weigh(
        class_map, np.ascontiguousarray(column_weights, np.int64), np.ascontiguousarray(row_weights, np.int64)
    )
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
    """Return the level-0 pixels of each of the 256 codes."""
    totals = np.zeros(_CODES, np.int64)
    if class_map.size:
        pixels = (
            class_map if class_map.strides[1] == 1 and class_map.strides[0] > 0 else np.ascontiguousarray(class_map)
        )
        of_rows = np.zeros((4, _CODES), np.int64)
        add = native_function(*NATIVE[0])
        add(
            address_of(pixels), *pixels.shape, pixels.strides[0], address_of(column_weights), address_of(row_weights),
            address_of(of_rows), address_of(totals),
        )  # fmt: skip
    weighed: list[int] = totals.tolist()
    return weighed
