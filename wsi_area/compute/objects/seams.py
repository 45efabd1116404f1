"""compute: boxes put side by side: which of their parts are one object; pure.

Memory grows with the length of the seams and the number of parts that reach one, never with the slide's area.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from wsi_area.compute.objects.components import BoxSeams, Line
from wsi_area.compute.objects.parts_kernels import join_pairs
from wsi_area.frozen_value import frozen_value


@frozen_value(eq=False)
class Side:
    """One side of a seam, pixel by pixel."""

    parts: NDArray[np.int64]  # (n,), numbered over all boxes from 1; 0 for none
    codes: NDArray[np.uint8]  # (n,)


class SeamGrid:
    """All boxes of a slide, with their parts numbered from 1 box by box, row by row."""

    def __init__(self, boxes: Sequence[BoxSeams]) -> None:
        self._boxes = sorted(boxes, key=lambda box: (box.row, box.col))
        counts = [len(box.kinds) for box in self._boxes]
        self._before = dict(zip(((b.row, b.col) for b in self._boxes), np.cumsum([0, *counts]).tolist(), strict=False))
        self._by_place = {(box.row, box.col): box for box in self._boxes}
        self.kinds = np.concatenate([np.zeros(1, np.uint8), *(box.kinds for box in self._boxes)])

    def before(self, row: int, col: int) -> int:
        """Return the number of parts in the boxes before this one."""
        return int(self._before[row, col])

    def bottom_side(self, row: int, col: int) -> Side:
        """Return the lowest row of one box."""
        return self._side((row, col), "bottom")

    def horizontal(self) -> Iterator[tuple[Side, Side]]:
        """Yield the two sides of each seam between two rows of boxes, as wide as the slide: its corners are there."""
        rows, cols = self._shape()
        for row in range(rows - 1):
            upper = [self._side((row, col), "bottom") for col in range(cols)]
            lower = [self._side((row + 1, col), "top") for col in range(cols)]
            yield _end_to_end(upper), _end_to_end(lower)

    def vertical(self) -> Iterator[tuple[Side, Side]]:
        """Yield the two sides of each seam between two boxes of a row."""
        rows, cols = self._shape()
        for row in range(rows):
            for col in range(cols - 1):
                yield self._side((row, col), "right"), self._side((row, col + 1), "left")

    def all(self) -> Iterator[tuple[Side, Side]]:
        """Yield the two sides of every seam."""
        yield from self.horizontal()
        yield from self.vertical()

    def _shape(self) -> tuple[int, int]:
        last = self._boxes[-1]
        return last.row + 1, last.col + 1

    def _side(self, place: tuple[int, int], name: str) -> Side:
        line: Line = getattr(self._by_place[place], name)
        lengths = np.diff(line.ends, prepend=0)
        numbers = np.repeat(line.numbers.astype(np.int64), lengths)
        return Side(np.where(numbers > 0, numbers + self._before[place], 0), np.repeat(line.codes, lengths))


def _end_to_end(sides: Sequence[Side]) -> Side:
    return Side(np.concatenate([s.parts for s in sides]), np.concatenate([s.codes for s in sides]))


def beside(one: Side, other: Side, shift: int) -> tuple[Side, Side]:
    """Return the pixels of two sides that face each other, or for ``shift`` ±1 those that meet at a corner."""
    n = len(one.parts)
    a, b = slice(max(0, -shift), n - max(0, shift)), slice(max(0, shift), n - max(0, -shift))
    return Side(one.parts[a], one.codes[a]), Side(other.parts[b], other.codes[b])


def objects_of_parts(grid: SeamGrid, reach: NDArray[np.uint8]) -> tuple[int, NDArray[np.int64]]:
    """Return the number of objects, and the object of each part, int64 (n + 1,); object 0 is of no part.

    Parameters
    ----------
    grid
        The boxes.
    reach
        uint8 by kind: 1 where pixels join at corners, too.
    """
    n = len(grid.kinds)
    pairs = [np.zeros(0, np.int64)]
    for one, other in grid.all():
        for shift in (-1, 0, 1):
            a, b = beside(one, other, shift)
            kinds = grid.kinds[a.parts]
            joined = (kinds > 0) & (kinds == grid.kinds[b.parts])
            if shift:
                joined &= reach[kinds] > 0
            pairs.append(np.unique(a.parts[joined] * n + b.parts[joined]))
    one_part, other_part = np.divmod(np.concatenate(pairs), n)
    firsts, objects = np.unique(join_pairs(one_part, other_part, n), return_inverse=True)
    return len(firsts), objects
