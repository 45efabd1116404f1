"""compute: which tiles hold only glass and need no reading, and how much tissue that can miss."""

import math
import random
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from wsi_area.compute.cut.grid import work_edges_l0_px
from wsi_area.compute.cut.planning import with_skipped
from wsi_area.model.pixels import MaskArray
from wsi_area.model.plan import SlidePlan

AUDIT_FRACTION, AUDIT_MIN_TILES = 0.02, 59
"""Of the tiles that look like bare glass, this share is read all the same, chosen at random; at least 59, the number
that must be found clean to say with 95 % confidence that less than 5 % are not (0.95^59 = 0.0485)."""


def skip_glass(plan: SlidePlan, must_read: MaskArray, margin_l0_px: float, *, is_certain: bool = False) -> SlidePlan:
    """Return the plan with the tiles marked that hold only glass.

    A tile is skipped if no overview pixel within it, or within the margin around it, must be read. A ring of
    tiles next to tissue is thus always read, and so is a random sample of the rest (seeded by the slide's size):
    what they hold bounds what the skipped ones can (`skipped_foreground_upper_bound_px`). Where fewer than 59 tiles
    look bare, all of them are read.

    Parameters
    ----------
    plan : SlidePlan
    must_read : bool (h, w), the overview's frame
        True where the segmenter cannot rule out anything but background, and where nothing was scanned.
    margin_l0_px : float
        Width of the safety margin in level-0 px; at least two overview pixels are always kept.
    is_certain : bool
        What need not be read is known to be background, as beside a drawing: no sample of it is read.
    """
    l0_per_overview_px = plan.slide.size_l0_px.width_px / must_read.shape[1]
    margin_px = max(2, int(np.ceil(margin_l0_px / l0_per_overview_px)))
    # summed-area table: the number of True in any box is four look-ups
    table = np.zeros((must_read.shape[0] + 1, must_read.shape[1] + 1), np.int64)
    upto = table[1:, 1:]
    np.cumsum(np.cumsum(must_read, axis=1, out=upto), axis=0, out=upto)  # in one type: six times as fast
    inside = _tile_has(plan, table, margin_px=1)
    near = _tile_has(plan, table, margin_px=margin_px)
    bare = {int(n) for n in np.flatnonzero(~near.ravel())} - plan.outside_roi
    guard = {int(n) for n in np.flatnonzero((near & ~inside).ravel())} - plan.outside_roi
    audit = set() if is_certain else _audit(plan, sorted(bare))
    return with_skipped(plan, frozenset(bare - audit), frozenset(audit), frozenset(guard | audit))


def _tile_has(plan: SlidePlan, table: NDArray[np.int64], margin_px: int) -> NDArray[np.bool_]:
    """Return bool (grid_rows, grid_cols), True where any True lies under the tile grown by a margin.

    ``table`` is the summed-area table of the overview's mask, int64 (h + 1, w + 1).
    """
    edges_x, edges_y = work_edges_l0_px(plan)
    size = plan.slide.size_l0_px
    height, width = table.shape[0] - 1, table.shape[1] - 1
    x0, x1 = _spans(edges_x, plan.tile_px, size.width_px, width, margin_px)
    y0, y1 = _spans(edges_y, plan.tile_px, size.height_px, height, margin_px)
    total = table[np.ix_(y1, x1)] - table[np.ix_(y0, x1)] - table[np.ix_(y1, x0)] + table[np.ix_(y0, x0)]
    return np.asarray(total > 0)


def _spans(
    edges_l0: NDArray[np.int64], tile_px: int, size_l0_px: int, overview_px: int, margin_px: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return first and end overview pixel under each tile of one axis, margin included."""
    first_work = np.arange(0, len(edges_l0) - 1, tile_px)
    end_work = np.minimum(first_work + tile_px, len(edges_l0) - 1)
    first = edges_l0[first_work] * overview_px // size_l0_px - margin_px
    end = -(-edges_l0[end_work] * overview_px // size_l0_px) + margin_px
    return np.clip(first, 0, overview_px), np.clip(end, 0, overview_px)


def _audit(plan: SlidePlan, bare: list[int]) -> set[int]:
    wanted = min(len(bare), max(AUDIT_MIN_TILES, round(AUDIT_FRACTION * len(bare))))
    # seeded by what every copy and every encoding of a slide has in common
    size = plan.slide.size_l0_px
    return set(random.Random(size.width_px << 32 | size.height_px).sample(bare, wanted))


def skipped_foreground_upper_bound_px(
    skipped_tiles: int, audited_px: Sequence[int], worst_px: int, overview_box_px: int
) -> int | None:
    """Return a 95 % bound on the foreground that skipping has missed, in level-0 px.

    Foreground comes in pieces, so the tile is the unit of the sample: how many skipped tiles may hold any, times
    how much one may hold without having been seen on the overview. The number of tiles holds whatever they hold
    (`skipped_tiles_upper_bound`). How much one holds is an assumption: no more than the worst bare tile that was read,
    and one overview pixel at least. It fails where a few tiles alone hold more thin tissue than that, spread so evenly
    that no pixel of the overview shows it: a sample of tiles cannot see them, and then the bound says nothing.

    Parameters
    ----------
    skipped_tiles : int
        Tiles that were not read.
    audited_px : sequence of int
        Foreground in each bare tile that was read because the random sample chose it.
    worst_px : int
        The most foreground in any bare tile that was read, next to tissue or in the sample.
    overview_box_px : int
        Level-0 px under one overview pixel: a piece as large as that would have been seen.

    Returns
    -------
    int or None
        None if tiles were skipped and none was audited.

    >>> skipped_foreground_upper_bound_px(1000, [0] * 59, 0, 100)
    5000
    >>> skipped_foreground_upper_bound_px(0, [], 0, 100)
    0
    """
    if skipped_tiles == 0:
        return 0
    if not audited_px:
        return None
    hits = sum(n > 0 for n in audited_px)
    return skipped_tiles_upper_bound(skipped_tiles, hits, len(audited_px)) * max(worst_px, overview_box_px)


def skipped_tiles_upper_bound(skipped_tiles: int, hits: int, audited: int) -> int:
    """Return a 95 % bound on the skipped tiles that hold any foreground at all; it assumes nothing of how much.

    >>> skipped_tiles_upper_bound(641, 0, 59)
    32
    """
    return math.ceil(skipped_tiles * binomial_upper_95(hits, audited))


def binomial_upper_95(hits: int, trials: int) -> float:
    """Return the upper 95 % limit of a share of which ``hits`` of ``trials`` were seen.

    One-sided Clopper-Pearson (Biometrika 26, 1934): the share at which so few hits have a chance of 5 %.

    >>> [round(binomial_upper_95(k, 59), 4) for k in (0, 1, 59)]
    [0.0495, 0.0779, 1.0]
    """
    low, high = 0.0, 1.0
    while hits < trials and high - low > 1e-12:
        middle = (low + high) / 2
        so_few = sum(
            math.exp(
                math.lgamma(trials + 1) - math.lgamma(i + 1) - math.lgamma(trials - i + 1)
                + i * math.log(middle) + (trials - i) * math.log1p(-middle)
            )
            for i in range(hits + 1)
        )  # fmt: skip
        low, high = (middle, high) if so_few > 0.05 else (low, middle)
    return high
