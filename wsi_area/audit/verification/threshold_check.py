"""audit: what a result says of other thresholds, held against its ledger."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from wsi_area.model.ledger import LedgerLayout
from wsi_area.model.slide_result import CountedSlide
from wsi_area.results.threshold_record import threshold_again


def threshold_faults(slide: CountedSlide, columns: LedgerLayout, rows: NDArray[np.int64]) -> Iterator[tuple[str, str]]:
    """Yield what the result says of other thresholds and its ledger does not.

    Parameters
    ----------
    slide
        The result. One of an earlier version, which says nothing of other thresholds, has no fault.
    columns
        Layout of the ledger.
    rows
        int64 (grid rows, grid columns, columns): the ledger, level-0 px.
    """
    told, areas = slide.tissue_by_threshold, slide.tissue_mm2_by_threshold
    if told is None:
        return
    again = threshold_again(rows, columns, slide.segmenter.facts)
    if told != again:
        px = None if again is None else [moved.n_px for moved in again.moved]
        said = f"{[moved.n_px for moved in told.moved]} px in {told.counted_on}"
        yield "tissue_by_threshold", f"result.json says {said}; the ledger makes {px} px, or another threshold or share"
        return
    used = None if areas is None else areas.get("used")
    due = {s: None if share is None or used is None else share * used for s, share in told.share_by_shift.items()}
    if areas != due:
        yield "tissue_mm2_by_threshold", f"result.json says {areas} mm², the shares of its ledger make {due}"
