"""run: which batches of a divided slide a task of a job array has; pure: a function of its plan and the share."""

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction

from wsi_area.compute.cut.grid import batch_tiles_at
from wsi_area.model.plan import SlidePlan
from wsi_area.run.array.division import Share


def batches_of(plan: SlidePlan, share: Share) -> tuple[int, ...]:
    """Return the batches of one share, those without a tile to read included.

    Batches in their order, each as long as it has tiles to read, lie end to end on a line; a batch is the share's
    where its middle lies in the share. So each batch is in exactly one of several shares that make up the slide,
    whatever their number, and a share's batches are neighbours.

    Parameters
    ----------
    plan : SlidePlan
        Of the slide; equal plans give equal batches.
    share : Share
    """
    return batches_between(_tiles_to_read(plan), share.start, share.stop)


def batches_between(tiles: Sequence[int], start: Fraction, stop: Fraction) -> tuple[int, ...]:
    """Return the batches whose middles lie from one fraction of all tiles up to another; at 1 is of the last.

    >>> half = Fraction(1, 2)
    >>> batches_between([4, 4, 0, 2], Fraction(0), half), batches_between([4, 4, 0, 2], half, Fraction(1))
    ((0,), (1, 2, 3))
    """
    total, before, found = sum(tiles), 0, []
    for batch, count in enumerate(tiles):
        middle = Fraction(2 * before + count, 2 * total) if total else Fraction(0)
        if start <= middle < stop or middle == stop == 1:
            found.append(batch)
        before += count
    return tuple(found)


def owners_of(plan: SlidePlan, shares: Sequence[Share], batches: Iterable[int]) -> tuple[int, ...]:
    """Return the tasks that have some batches, in order."""
    of_batch = owner_by_batch(plan, shares)
    return tuple(sorted({of_batch[batch] for batch in batches}))


def owner_by_batch(plan: SlidePlan, shares: Sequence[Share]) -> Mapping[int, int]:
    """Return the task of each batch of a slide."""
    return {batch: share.task for share in shares for batch in batches_of(plan, share)}


def _tiles_to_read(plan: SlidePlan) -> list[int]:
    return [
        sum(plan.is_read(row * plan.grid_cols + col) for row in rows for col in cols)
        for rows, cols in (batch_tiles_at(plan, batch) for batch in range(plan.batch_rows * plan.batch_cols))
    ]
