"""model: a picture of class codes as large as a slide, held in packed blocks: only what is asked for is unpacked."""

import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field, replace
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from wsi_area.errors import AnnotationError
from wsi_area.frozen_value import frozen_value

Codes = NDArray[np.uint8]
"""uint8 (h, w) of class codes."""
Block = int | bytes
"""The one code of a block that has no other, else its codes, row by row, packed by zlib."""

CODES = 256
BLOCK_PX = 1024
"""Edge of a block where nothing else decides: a megabyte unpacked."""
_UNPACKED = 24  # blocks kept in a process


@frozen_value
class DrawnMask:
    """Class codes with their scale; they travel packed, and a mask of one code throughout takes next to nothing."""

    blocks: tuple[Block, ...] = field(repr=False)  # row by row of blocks
    row_edges: tuple[int, ...] = field(repr=False)  # mask px, ascending, from 0 to the height
    column_edges: tuple[int, ...] = field(repr=False)
    px_by_code: tuple[int, ...] = field(repr=False)  # (256,)
    scale_x: float  # level-0 px per mask px
    scale_y: float
    names: Mapping[int, str]  # code → class name; a code without a name belongs to no class

    @property
    def width_px(self) -> int:
        """Return its width in mask pixels."""
        return self.column_edges[-1]

    @property
    def height_px(self) -> int:
        """Return its height in mask pixels."""
        return self.row_edges[-1]

    @property
    def codes_present(self) -> tuple[int, ...]:
        """Return the codes that it holds, ascending."""
        return tuple(code for code, px in enumerate(self.px_by_code) if px)

    def codes_at(self, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> Codes:
        """Return the codes where some rows meet some columns, uint8 (len(rows), len(columns)).

        Parameters
        ----------
        rows, columns : intp (h,), (w,)
            Ascending, mask px, each within the mask.

        >>> mask_of(np.array([[0, 1], [2, 3]], np.uint8), {}).codes_at(np.array([1, 1]), np.array([0])).tolist()
        [[2], [2]]
        """
        found = np.empty((len(rows), len(columns)), np.uint8)
        column_spans = _spans(columns, self.column_edges)
        for r, top, bottom in _spans(rows, self.row_edges):
            for c, left, right in column_spans:
                block = self.blocks[r * (len(self.column_edges) - 1) + c]
                if isinstance(block, int):
                    found[top:bottom, left:right] = block
                    continue
                codes = unpacked(block, self.column_edges[c + 1] - self.column_edges[c])
                inside_rows = rows[top:bottom] - self.row_edges[r]
                found[top:bottom, left:right] = codes[np.ix_(inside_rows, columns[left:right] - self.column_edges[c])]
        return found

    def codes(self) -> Codes:
        """Return all codes at once, uint8 (height_px, width_px); of small masks only."""
        return self.codes_at(np.arange(self.height_px), np.arange(self.width_px))

    def pieces(self) -> Iterator[tuple[int, int, int, int, int | Codes]]:
        """Yield top, bottom, left and right of each block, mask px, and its one code or its codes."""
        for n, block in enumerate(self.blocks):
            r, c = divmod(n, len(self.column_edges) - 1)
            top, bottom = self.row_edges[r], self.row_edges[r + 1]
            left, right = self.column_edges[c], self.column_edges[c + 1]
            yield top, bottom, left, right, block if isinstance(block, int) else unpacked(block, right - left)

    def recoded(self, table: NDArray[np.uint8], names: Mapping[int, str]) -> "DrawnMask":
        """Return the mask with each code replaced by its entry in a table of 256, and the names of the new ones."""
        blocks = tuple(
            int(table[codes]) if isinstance(codes, int) else packed(table[codes]) for *_, codes in self.pieces()
        )
        px = np.bincount(table, weights=self.px_by_code, minlength=CODES)
        return replace(self, blocks=blocks, px_by_code=tuple(int(n) for n in px), names=names)


def mask_of(codes: Codes, names: Mapping[int, str], scale: float = 1.0) -> DrawnMask:
    """Return a mask of codes that are all there.

    >>> mask = mask_of(np.zeros((2000, 3), np.uint8), {})
    >>> mask.blocks, mask.row_edges
    ((0, 0), (0, 1024, 2000))
    """
    codes = np.asarray(codes, np.uint8)
    rows, columns = edges(codes.shape[0], BLOCK_PX), edges(codes.shape[1], BLOCK_PX)
    pieces = (
        (r, c, codes[top:bottom, left:right])
        for r, (top, bottom) in enumerate(pairwise(rows))
        for c, (left, right) in enumerate(pairwise(columns))
    )
    return replace(packed_mask(pieces, rows, columns), scale_x=scale, scale_y=scale, names=names)


def packed_mask(
    pieces: Iterable[tuple[int, int, int | Codes]],
    row_edges: tuple[int, ...],
    column_edges: tuple[int, ...],
    most_bytes: int | None = None,
) -> DrawnMask:
    """Return a mask of scale 1 and without names from blocks that come one by one, each packed before the next.

    Parameters
    ----------
    pieces
        Row and column of each block, and its one code or its codes; each block once, in any order.
    row_edges, column_edges
        Of the blocks, mask px.
    most_bytes
        That the packed blocks may take together.

    Raises
    ------
    AnnotationError
        They take more.
    """
    taken_bytes = 0
    across = len(column_edges) - 1
    blocks: list[Block] = [0] * (across * (len(row_edges) - 1))
    px = np.zeros(CODES, np.int64)
    for r, c, codes in pieces:
        block = codes if isinstance(codes, int) else packed(codes)
        if isinstance(block, int):
            px[block] += (row_edges[r + 1] - row_edges[r]) * (column_edges[c + 1] - column_edges[c])
        else:
            px += np.bincount(np.asarray(codes).ravel(), minlength=CODES)
            taken_bytes += len(block)
        if most_bytes is not None and taken_bytes > most_bytes:
            raise AnnotationError(
                f"its codes take more than {most_bytes} bytes when they are packed; save the mask at a coarser scale"
            )
        blocks[r * across + c] = block
    return DrawnMask(tuple(blocks), row_edges, column_edges, tuple(int(n) for n in px), 1.0, 1.0, {})


def packed(codes: Codes) -> Block:
    """Return the one code of a block that has no other, else its codes packed."""
    first = codes.flat[0]
    if codes[0, -1] == first == codes[-1, 0] and (codes == first).all():
        return int(first)
    return zlib.compress(np.ascontiguousarray(codes).data, 1)


def edges(length_px: int, unit_px: int) -> tuple[int, ...]:
    """Return the begins and ends of the blocks along an axis: at each unit, and in large units every ``BLOCK_PX`` too.

    >>> edges(5, 2), edges(5000, 4096)
    ((0, 2, 4, 5), (0, 1024, 2048, 3072, 4096, 5000))
    """
    step_px = BLOCK_PX if unit_px >= 2 * BLOCK_PX else unit_px
    starts = (
        at for unit in range(0, length_px, unit_px) for at in range(unit, min(unit + unit_px, length_px), step_px)
    )
    return (*starts, length_px)


@lru_cache(maxsize=_UNPACKED)
def unpacked(block: bytes, width_px: int) -> Codes:
    """Return the codes of a packed block, uint8 (h, width_px), read-only."""
    return np.frombuffer(zlib.decompress(block), np.uint8).reshape(-1, width_px)


def _spans(indices: NDArray[np.intp], at: tuple[int, ...]) -> list[tuple[int, int, int]]:
    """Return the blocks that ascending indices fall into: the block, its first index and the one behind its last."""
    ends = np.searchsorted(indices, at, "left").tolist()
    return [(n, a, b) for n, (a, b) in enumerate(pairwise(ends)) if b > a]
