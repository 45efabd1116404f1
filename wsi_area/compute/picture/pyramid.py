"""compute: the coarser levels of a class map, by majority; pure, numpy only."""

import numpy as np

from wsi_area.model.pixels import ClassMap

MODE_RULE = (
    "each pixel of a level is the most frequent code of the 2 × 2 pixels below it (of those there are, at the rim); of "
    "equally frequent ones the first in reading order"
)


def halved(class_map: ClassMap) -> ClassMap:
    """Return a class map at half its size, rounded up, by `MODE_RULE`.

    >>> halved(np.array([[1, 2, 5], [2, 3, 5], [7, 8, 9]], np.uint8)).tolist()
    [[2, 5], [7, 9]]
    """
    odd_rows, odd_columns = class_map.shape[0] % 2, class_map.shape[1] % 2
    # the last row or column twice: the most frequent of its pixels, and the first of equally frequent, stay the same
    padded = np.pad(class_map, ((0, odd_rows), (0, odd_columns)), mode="edge")
    a, b, c, d = padded[::2, ::2], padded[::2, 1::2], padded[1::2, ::2], padded[1::2, 1::2]
    later = np.where((b == c) | (b == d), b, np.where(c == d, c, a))  # where a is alone, a pair wins
    return np.where((a == b) | (a == c) | (a == d), a, later)


def level_shapes(shape: tuple[int, int], smallest_px: int = 256) -> list[tuple[int, int]]:
    """Return the (height, width) of each level, from the finest to the first that fits into a small square.

    >>> level_shapes((1001, 600))
    [(1001, 600), (501, 300), (251, 150)]
    """
    shapes = [shape]
    while max(shapes[-1]) > smallest_px:
        shapes.append((-(-shapes[-1][0] // 2), -(-shapes[-1][1] // 2)))
    return shapes
