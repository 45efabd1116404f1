"""compute: the coarser levels of a class map, by majority."""

import numpy as np

from wsi_area.compute.machine_code import address_of, native_function
from wsi_area.compute.native import Native
from wsi_area.model.pixels import ClassMap

NATIVE = (Native("wsi_area.compute.picture.compiled_pyramid", "halve_codes", "uint8* int64 int64 int64 uint8*"),)

MODE_RULE = (
    "each pixel of a level is the most frequent code of the 2 × 2 pixels below it (of those there are, at the rim); of "
    "equally frequent ones the first in reading order"
)


def halved(class_map: ClassMap) -> ClassMap:
    """Return a class map at half its size, rounded up, by `MODE_RULE`.

    >>> halved(np.array([[1, 2, 5], [2, 3, 5], [7, 8, 9]], np.uint8)).tolist()
    [[2, 5], [7, 9]]
    """
    height, width = class_map.shape
    half = np.empty((-(-height // 2), -(-width // 2)), np.uint8)
    if half.size:
        finer = class_map if _has_plain_rows(class_map) else np.ascontiguousarray(class_map, np.uint8)
        native_function(*NATIVE[0])(address_of(finer), height, width, finer.strides[0], address_of(half))
    return half


def _has_plain_rows(class_map: ClassMap) -> bool:
    return class_map.dtype == np.uint8 and class_map.strides[1] == 1 and class_map.strides[0] >= class_map.shape[1]


def level_shapes(shape: tuple[int, int], smallest_px: int = 256) -> list[tuple[int, int]]:
    """Return the (height, width) of each level, from the finest to the first that fits into a small square.

    >>> level_shapes((1001, 600))
    [(1001, 600), (501, 300), (251, 150)]
    """
    shapes = [shape]
    while max(shapes[-1]) > smallest_px:
        shapes.append((-(-shapes[-1][0] // 2), -(-shapes[-1][1] // 2)))
    return shapes
