"""compute: two grids of work pixels laid over one another, as exact integers of level-0 pixels.

The edges of both are whole level-0 pixels, so that the pieces into which they cut each other are, too.
"""

import numpy as np
from numpy.typing import NDArray

from wsi_area.frozen_value import frozen_value
from wsi_area.model.pixels import ClassMap, MaskArray

Ints = NDArray[np.int64]


@frozen_value(eq=False)
class Pieces:
    """The pieces of one axis, from edge to edge of either grid."""

    lengths_l0_px: Ints  # (n,), each above 0
    of_first: Ints  # (n,), which cell of the first grid a piece lies in
    of_second: Ints  # (n,), the same of the second


def pieces_of(first_l0_px: Ints, second_l0_px: Ints) -> Pieces:
    """Return the pieces of the part of an axis that the first grid covers.

    Parameters
    ----------
    first_l0_px, second_l0_px : int64 (n + 1,), (m + 1,)
        Edges in level-0 px, ascending. The second ones begin no later than the first, and end no earlier.

    >>> pieces = pieces_of(np.array([2, 4, 6]), np.array([0, 3, 8]))
    >>> pieces.lengths_l0_px.tolist(), pieces.of_first.tolist(), pieces.of_second.tolist()
    ([1, 1, 2], [0, 0, 1], [0, 1, 1])
    """
    start, end = first_l0_px[0], first_l0_px[-1]
    between = second_l0_px[(second_l0_px > start) & (second_l0_px < end)]
    edges = np.union1d(first_l0_px, between)
    left = edges[:-1]
    return Pieces(
        np.diff(edges),
        np.searchsorted(first_l0_px, left, side="right") - 1,
        np.searchsorted(second_l0_px, left, side="right") - 1,
    )


def covered_l0_px(mask: MaskArray, rows: Pieces, columns: Pieces) -> NDArray[np.uint32]:
    """Return the level-0 pixels of each cell of the first grid that lie under True cells of the second.

    Parameters
    ----------
    mask : bool (m rows, m columns)
        Of the second grid.
    rows, columns : Pieces
        Of both axes, in which every cell of the first grid has a piece.

    >>> pieces = pieces_of(np.array([0, 4, 8]), np.array([0, 3, 8]))
    >>> covered_l0_px(np.array([[True, False], [False, False]]), pieces, pieces).tolist()
    [[9, 0], [0, 0]]
    """
    # first along the rows, where whole rows of the mask are weighed, then along the columns
    weighed = np.where(mask[rows.of_second], rows.lengths_l0_px[:, None], 0).astype(np.uint32)
    down = _summed(weighed, rows.of_first, axis=0)
    across = down[:, columns.of_second] * columns.lengths_l0_px.astype(np.uint32)
    return np.asarray(_summed(across, columns.of_first, axis=1), dtype=np.uint32)


def cross_counts(
    first: ClassMap, second: ClassMap, rows: Pieces, columns: Pieces, most_first: int, most_second: int
) -> Ints:
    """Return the level-0 pixels that have each pair of codes, int64 (most_first, most_second).

    Parameters
    ----------
    first, second : uint8 (h, w) of each grid
        Codes below ``most_first`` and ``most_second``.
    rows, columns : Pieces

    >>> pieces = pieces_of(np.array([0, 4, 8]), np.array([0, 3, 8]))
    >>> one = np.array([[1, 0], [0, 0]], np.uint8)
    >>> cross_counts(one, one, pieces, pieces, 2, 2).tolist()
    [[48, 0], [7, 9]]
    """
    found = np.zeros((most_first, most_second), np.int64)
    pairs_of_first = first[:, columns.of_first].astype(np.intp) * most_second
    pairs_of_second = second[:, columns.of_second]
    # rows that show the same two rows of codes as the one above are weighed together with it
    differs = _differs(first)[rows.of_first] & (np.diff(rows.of_first, prepend=-1) > 0)
    differs |= _differs(second)[rows.of_second] & (np.diff(rows.of_second, prepend=-1) > 0)
    differs[:1] = True
    starts = np.flatnonzero(differs)
    for start, height in zip(starts, np.add.reduceat(rows.lengths_l0_px, starts), strict=True):
        pairs = pairs_of_first[rows.of_first[start]] + pairs_of_second[rows.of_second[start]]
        # sums of whole numbers below 2**53, which float64 holds exactly
        across = np.bincount(pairs, columns.lengths_l0_px, most_first * most_second)
        found += int(height) * across.astype(np.int64).reshape(found.shape)
    return found


def _differs(codes: ClassMap) -> NDArray[np.bool_]:
    """Return for each row whether it is another than the one above, bool (h,)."""
    return np.concatenate([[True], (codes[1:] != codes[:-1]).any(axis=1)])


def _summed(values: NDArray[np.uint32], of_first: Ints, axis: int) -> NDArray[np.uint32]:
    """Return the sums of the pieces of each cell; there is at least one of each, and they are in order."""
    starts = np.flatnonzero(np.diff(of_first, prepend=-1))
    return np.asarray(np.add.reduceat(values, starts, axis=axis, dtype=np.uint32))
