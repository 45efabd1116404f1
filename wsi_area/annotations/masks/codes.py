"""annotations: whole numbers out of a file as the codes of a mask, block by block; sizes bounded before anything."""

from bisect import bisect_left
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wsi_area.errors import AnnotationError
from wsi_area.frozen_value import frozen_value
from wsi_area.model.drawn_mask import BLOCK_PX, Codes, edges
from wsi_area.model.geometry import Size

MAX_MASK_PX = 1 << 36
"""A mask in tiles or chunks: 69 gigapixels, three times the largest slide of CAMELYON16."""
MAX_WHOLE_PX = 1 << 29
"""What is decoded at once, a PNG or a single strip: half a gigabyte."""
MAX_MASK_BYTES = 1 << 30
"""Of the files that a mask is kept in, and of what its codes take when they are packed."""
MAX_PART_PX = 1 << 26
"""8192 × 8192, of one tile or chunk: 67 MB unpacked."""
_UNIT_PX = 1 << 24  # decoded at a time, where parts are as wide as the mask
MOST_CODE = 255


@frozen_value
class PartGrid:
    """How a mask is cut into the parts of its file, and these put together into units of some megapixels."""

    height_px: int
    width_px: int
    part_h: int
    part_w: int

    @property
    def size(self) -> Size:
        """Return the size of the mask, mask px."""
        return Size(self.width_px, self.height_px)

    @property
    def unit_h(self) -> int:
        """Return the height of a unit: whole parts, of which as many as make up a block and no band of gigabytes."""
        most = max(1, min(BLOCK_PX, _UNIT_PX // self.unit_w))
        return max(1, most // self.part_h) * self.part_h

    @property
    def unit_w(self) -> int:
        """Return the width of a unit: whole parts."""
        return max(1, BLOCK_PX // self.part_w) * self.part_w

    @property
    def row_edges(self) -> tuple[int, ...]:
        """Return the begins and ends of blocks, mask px."""
        return edges(self.height_px, self.unit_h)

    @property
    def column_edges(self) -> tuple[int, ...]:
        """Return the begins and ends of blocks, mask px."""
        return edges(self.width_px, self.unit_w)


def require_sane_size(path: Path, width_px: int, height_px: int, most_px: int = MAX_MASK_PX) -> None:
    """Refuse a mask that is empty or too large, before it is decoded."""
    if width_px <= 0 or height_px <= 0 or width_px * height_px > most_px:
        raise AnnotationError(
            f"{path}: a mask of {width_px} × {height_px} px cannot be held, the limit is {most_px}; save it as a TIFF "
            "in tiles of 512 px, or at a coarser scale, and state that scale"
        )


def require_sane_part(path: Path, part_w: int, part_h: int, width_px: int, height_px: int) -> None:
    """Refuse parts that take far more memory than a tile does: a few stored bytes can unpack to any size."""
    most = max(MAX_PART_PX, min(MAX_WHOLE_PX, width_px * height_px))
    if part_w <= 0 or part_h <= 0 or part_w * part_h > most:
        raise AnnotationError(
            f"{path}: a mask of {width_px} × {height_px} px in parts of {part_w} × {part_h} px cannot be held; save it "
            "in tiles of 512 px"
        )


def as_codes(path: Path, values: NDArray[Any]) -> Codes:
    """Return whole numbers of any width as codes; one that is no code is refused.

    Raises
    ------
    AnnotationError
        With the number.

    >>> as_codes(Path("a"), np.array([[0, 255]], np.uint16)).dtype
    dtype('uint8')
    """
    if values.dtype in (np.uint8, np.bool_):
        return values.astype(np.uint8, copy=False)
    low, high = int(values.min()), int(values.max())
    if low < 0 or high > MOST_CODE:
        raise AnnotationError(
            f"{path} holds the number {low if low < 0 else high}, and codes go from 0 to {MOST_CODE}; if it numbers "
            "objects, save it with the code of a class for each"
        )
    return values.astype(np.uint8)


Piece = tuple[int, int, int | Codes]
"""Row and column of a block, and its one code or its codes."""


def in_blocks(part: Callable[[int, int], int | Codes], grid: PartGrid) -> Iterator[Piece]:
    """Yield the blocks of a mask put together from the parts of its file; each part is asked for once.

    Parameters
    ----------
    part
        Returns the part in a row and a column of parts: its one code, or its codes, as large as a part or less at the
        end of the mask.
    """
    for top in range(0, grid.height_px, grid.unit_h):
        bottom = min(top + grid.unit_h, grid.height_px)
        for left in range(0, grid.width_px, grid.unit_w):
            right = min(left + grid.unit_w, grid.width_px)
            codes = _unit(part, grid, (top, bottom, left, right))
            for r, y0, y1 in _between(grid.row_edges, top, bottom):
                for c, x0, x1 in _between(grid.column_edges, left, right):
                    yield r, c, codes if isinstance(codes, int) else codes[y0 - top : y1 - top, x0 - left : x1 - left]


def _unit(part: Callable[[int, int], int | Codes], grid: PartGrid, box: tuple[int, int, int, int]) -> int | Codes:
    """Return the codes in a box of whole parts, or their one code where every part has the same."""
    top, bottom, left, right = box
    found = [
        (y, x, part(y // grid.part_h, x // grid.part_w))
        for y in range(top, bottom, grid.part_h)
        for x in range(left, right, grid.part_w)
    ]
    first = found[0][2]
    if isinstance(first, int) and all(isinstance(codes, int) and codes == first for _, _, codes in found):
        return first
    unit = np.empty((bottom - top, right - left), np.uint8)
    for y, x, codes in found:
        there = unit[y - top : y - top + grid.part_h, x - left : x - left + grid.part_w]
        there[...] = codes if isinstance(codes, int) else codes[: there.shape[0], : there.shape[1]]
    return unit


def _between(at: tuple[int, ...], start: int, stop: int) -> Iterator[tuple[int, int, int]]:
    """Yield the blocks of an axis that lie in a stretch of it: their number, where they begin and end."""
    n = bisect_left(at, start)
    while n + 1 < len(at) and at[n] < stop:
        yield n, at[n], at[n + 1]
        n += 1


def require_upright(path: Path, orientation: object) -> None:
    """Refuse a mask that is turned when it is shown: its codes would be laid where nobody drew them.

    Raises
    ------
    AnnotationError
    """
    if isinstance(orientation, int) and 2 <= orientation <= 8:
        raise AnnotationError(
            f"{path} is turned when it is shown (orientation {orientation}), and a mask is laid over the slide as it "
            "is stored; save it upright, without an orientation"
        )
