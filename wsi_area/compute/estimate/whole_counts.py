"""compute: the counts of a whole slide, from those of the spots that were drawn, as integers that add up."""

import numpy as np

from wsi_area.compute.estimate.frame import Floats, Ints
from wsi_area.model.counts import ClassCounts
from wsi_area.model.ledger import LedgerLayout


def whole_counts(
    weights: Floats, drawn_rows: Ints, exact: ClassCounts, spots_px: int, layout: LedgerLayout
) -> ClassCounts:
    """Return the estimated counts of the classes of the whole slide, in level-0 pixels.

    No class has less than was counted, and all of them together have every pixel.

    Parameters
    ----------
    weights : float64 (m,)
        Of each spot drawn.
    drawn_rows : int64 (m, columns)
        Their rows of the ledger.
    exact : ClassCounts
        What is known without drawing: bare glass, and what lies outside the region of interest.
    spots_px : int
        Level-0 pixels of all spots that may be drawn.
    layout : LedgerLayout
    """
    counted = drawn_rows[:, layout.px_columns]
    px = shared_out(weights @ counted, counted.sum(axis=0), spots_px)
    n = layout.class_count
    signal = [round(float(s)) for s in weights @ drawn_rows[:, layout.signal_columns]]
    own = ClassCounts(tuple(px[:n]), px[n], px[n + 1], px[n + 2], tuple(signal), len(drawn_rows))
    return own + exact


def shared_out(estimates: Floats, least: Ints, total: int) -> list[int]:
    """Return whole numbers near some estimates, none below its least, that add up to a total.

    Parameters
    ----------
    estimates : float64 (k,)
    least : int64 (k,)
    total : int
        Not less than all that is least.

    >>> shared_out(np.array([-3.2, 5.4, 8.0]), np.array([0, 2, 1]), 10)
    [0, 4, 6]
    """
    beyond = np.maximum(estimates - least, 0.0)
    rest = total - int(least.sum())
    scaled = beyond * (rest / beyond.sum()) if beyond.sum() > 0 else np.full(len(least), rest / len(least))
    whole = np.floor(scaled).astype(np.int64)
    short = rest - int(whole.sum())
    nearest = np.argsort(-(scaled - whole), kind="stable")[:short]
    whole[nearest] += 1
    return [int(n) for n in least + whole]
