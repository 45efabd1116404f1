"""results: an estimate put into the result of a slide: what it says of each area, of the account, and how it ended."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from wsi_area.compute.budget.terms import BudgetTerms, GivenTerm
from wsi_area.compute.count.area import area_mm2
from wsi_area.compute.estimate.estimator import Z95, totals_of, weights_of
from wsi_area.compute.estimate.rounds import Sample
from wsi_area.compute.estimate.slide_frame import quantities_of
from wsi_area.compute.estimate.whole_counts import whole_counts
from wsi_area.frozen_value import frozen_value
from wsi_area.model.burden import Status
from wsi_area.model.calibration import Mpp
from wsi_area.model.classes import TissueClass
from wsi_area.model.counts import ClassCounts
from wsi_area.model.ledger import LedgerLayout, TileStatus
from wsi_area.model.record.estimate.slide_estimate import EstimatedArea, EstimateOnRecord
from wsi_area.model.slide_result import CountedSlide
from wsi_area.results.estimates.quantity_counts import quantity_counts


@frozen_value
class Estimated:
    """What the spots that were drawn say of the whole slide."""

    whole: ClassCounts  # of all of it, as estimated
    account: ClassCounts  # of what was looked at, and of what was not
    areas: tuple[EstimatedArea, ...]


@frozen_value
class EstimatedSlide:
    """An estimate as it goes into the result of a slide."""

    whole: ClassCounts
    account: ClassCounts
    record: EstimateOnRecord
    reason: str  # why it is not as exact as was asked; "" where it is


def estimated_from(
    sample: Sample, ledger: NDArray[np.int64], classes: Sequence[TissueClass], mpp: Mpp | None
) -> Estimated:
    """Return the estimate that the spots that were drawn give of a slide; the same, to the integer, whoever asks.

    Parameters
    ----------
    sample : Sample
        The spots that were drawn.
    ledger : int64 (rows, cols, columns)
    classes : sequence of TissueClass
    mpp : Mpp or None
    """
    columns, quantities = LedgerLayout(len(classes)), quantities_of(classes)
    frame, drawn = sample.frame, sample.drawn
    rows = ledger[frame.place[drawn, 0], frame.place[drawn, 1]]
    skipped, may_be_drawn = (
        ledger[..., columns.status_column] == TileStatus.SKIPPED,
        np.zeros(ledger.shape[:2], np.bool_),
    )
    may_be_drawn[tuple(frame.place.T)] = True
    exact, bare = (columns.total(ledger[skipped & among]) for among in (~may_be_drawn, may_be_drawn))
    whole = whole_counts(weights_of(frame, drawn), rows, exact, round(frame.whole_px), columns)
    totals = totals_of(frame, drawn, quantity_counts(rows, columns, quantities))
    unsampled_px = round(frame.whole_px) - int(frame.area_px[drawn].sum()) - bare.total_px
    account = replace(columns.total(rows) + exact + bare, unsampled_px=unsampled_px)
    areas = []
    for n, quantity in enumerate(quantities):
        beside = sum(exact.px_by_class[i] for i in quantity.class_ids)
        n_px = sum(whole.px_by_class[i] for i in quantity.class_ids)
        low, high = (float(ends[n]) + beside for ends in (totals.low_px, totals.high_px))
        mm2 = [None if mpp is None else area_mm2(px, mpp) for px in (n_px, low, high)]
        areas.append(
            EstimatedArea(
                kind=quantity.kind,
                name=quantity.name,
                n_px=n_px,
                low_px=low,
                high_px=high,
                area_mm2=mm2[0],
                ci95_low_mm2=mm2[1],
                ci95_high_mm2=mm2[2],
            )
        )
    return Estimated(whole, account, tuple(areas))


def as_estimated(slide: CountedSlide, estimated: EstimatedSlide) -> CountedSlide:
    """Return a slide made from estimated counts as one that says so: its status, its account, its estimate."""
    account, record = estimated.account, estimated.record
    is_torn = slide.counts.n_px_unreadable > 0 or account.unreadable_px > 0
    status: Status = "incomplete" if is_torn or estimated.reason else "estimated"
    counts = slide.counts.model_copy(
        update={
            "n_px_by_class": account.px_by_class,
            "n_px_unscanned": account.unscanned_px,
            "n_px_outside_roi": account.outside_roi_px,
            "n_px_unreadable": account.unreadable_px,
            "n_px_unsampled": account.unsampled_px,
            "n_px_accounted": account.total_px,
        }
    )
    classes = tuple(c.model_copy(update={"n_px_sampled": account.px_by_class[c.id]}) for c in slide.classes)
    told = {
        "status": status if slide.mpp is not None else slide.status,
        "reason": "; ".join(text for text in (slide.reason, estimated.reason) if text),
        "counts": counts,
        "classes": classes,
        "estimate": record,
    }
    return slide.model_copy(update=told)


def with_sampling(terms: BudgetTerms, estimated: EstimatedSlide) -> BudgetTerms:
    """Return the terms that others know of a slide's errors, with the error of having drawn spots of it."""
    record = estimated.record
    source = f"{record.spots_drawn} of {record.spots} spots of {record.spot_x_um:.0f} µm, seed {record.seed}"
    given = {}
    for area in reversed(record.areas):  # the totals over classes of the same name
        if area.ci95_low_mm2 is not None and area.ci95_high_mm2 is not None:
            half = (area.ci95_high_mm2 - area.ci95_low_mm2) / 2
            given[area.name] = GivenTerm(source, u_mm2=half / Z95, remedy="draw more spots: a smaller --estimate")
    return replace(terms, sampling=given)
