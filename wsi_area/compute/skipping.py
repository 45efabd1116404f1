"""compute: which tiles hold only glass and need no reading, and how much tissue that can miss."""

import math
import random
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from wsi_area.compute.grid import tile_areas_l0_px, work_edges_l0_px
from wsi_area.compute.planning import with_skipped
from wsi_area.model.pixels import MaskArray
from wsi_area.model.plan import SlidePlan

AUDIT_FRACTION, AUDIT_MIN_TILES = 0.02, 8
"""Of the tiles that look like bare glass, this share is read all the same, chosen at random."""


def skip_glass(plan: SlidePlan, must_read: MaskArray, margin_l0_px: float) -> SlidePlan:
    """Return the plan with the tiles marked that hold only glass.

    A tile is skipped if no overview pixel within it, or within the margin around it, must be read. A ring of
    tiles next to tissue is thus always read, and so is a random sample of the rest (seeded by the slide's size):
    what they hold bounds what the skipped ones can (`skipped_foreground_upper_bound_px`).

    Parameters
    ----------
    plan : SlidePlan
    must_read : bool (h, w), the overview's frame
        True where the segmenter cannot rule out anything but background, and where nothing was scanned.
    margin_l0_px : float
        Width of the safety margin in level-0 px; at least two overview pixels are always kept.
    """
    l0_per_overview_px = plan.slide.size_l0_px.width_px / must_read.shape[1]
    margin_px = max(2, int(np.ceil(margin_l0_px / l0_per_overview_px)))
    # summed-area table: the number of True in any box is four look-ups
    table = np.zeros((must_read.shape[0] + 1, must_read.shape[1] + 1), np.int64)
    table[1:, 1:] = must_read.cumsum(0, dtype=np.int32).cumsum(1, dtype=np.int64)
    inside = _tile_has(plan, table, margin_px=1)
    near = _tile_has(plan, table, margin_px=margin_px)
    bare = {int(n) for n in np.flatnonzero(~near.ravel())}
    guard = {int(n) for n in np.flatnonzero((near & ~inside).ravel())}
    audit = _audit(plan, sorted(bare))
    return with_skipped(plan, frozenset(bare - audit), frozenset(guard | audit))


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


def skipped_px(plan: SlidePlan) -> int:
    """Return how many level-0 pixels lie in skipped tiles."""
    return int(tile_areas_l0_px(plan).ravel()[sorted(plan.skipped)].sum())


def skipped_foreground_upper_bound_px(skipped_l0_px: int, glass_read: Iterable[tuple[int, int]]) -> int | None:
    """Return a bound on the foreground that skipping has missed, in level-0 px.

    Parameters
    ----------
    skipped_l0_px : int
        Level-0 pixels that were not read.
    glass_read : iterable of (foreground_px, scanned_px)
        What was found in each tile of bare glass that was read all the same.

    Returns
    -------
    int or None
        The skipped pixels times a share of foreground: the worst in any of those tiles, or the upper 95 % limit
        of the share in all of them together (`poisson_upper_95`), whichever is larger. None if pixels were
        skipped and none was checked.

    >>> skipped_foreground_upper_bound_px(1000, [(0, 500), (5, 500)])
    11
    >>> skipped_foreground_upper_bound_px(0, [])
    0
    """
    if skipped_l0_px == 0:
        return 0
    seen = [(foreground, scanned) for foreground, scanned in glass_read if scanned]
    if not seen:
        return None
    worst = max(foreground / scanned for foreground, scanned in seen)
    limit = poisson_upper_95(sum(f for f, _ in seen)) / sum(n for _, n in seen)
    return math.ceil(skipped_l0_px * min(1.0, max(worst, limit)))  # a bound is never rounded down


def poisson_upper_95(count: int) -> float:
    """Return the upper 95 % limit of the mean of a Poisson variable that was seen to be ``count``.

    One-sided and exact up to 100 (Garwood, Biometrika 28, 1936), beyond by Wilson and Hilferty's cube (PNAS 17,
    1931), which is then right to five digits. For 0 it is the rule of three.

    >>> [round(poisson_upper_95(n), 3) for n in (0, 1, 10)]
    [2.996, 4.744, 16.962]
    """
    if count > 100:
        n = count + 1
        return n * (1 - 1 / (9 * n) + 1.6448536 / (3 * math.sqrt(n))) ** 3
    low, high = 0.0, count + 10 * math.sqrt(count + 1)
    while high - low > 1e-9 * high:
        middle = (low + high) / 2
        seen_or_less = sum(math.exp(i * math.log(middle) - middle - math.lgamma(i + 1)) for i in range(count + 1))
        low, high = (middle, high) if seen_or_less > 0.05 else (low, middle)
    return high
