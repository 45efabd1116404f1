"""reports: what people decided on a run, as lines for the report and its paper; pure but for reading the events."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from wsi_area.errors import NewerDocumentError, ResultError
from wsi_area.frozen_value import frozen_value
from wsi_area.model.review.verdict import SlideVerdict
from wsi_area.model.run_record import RunRecord
from wsi_area.reports.provenance import time_text
from wsi_area.results.layout import RunLayout
from wsi_area.review.folder import review_folder
from wsi_area.storage.place import Place

if TYPE_CHECKING:  # loaded where a review is begun
    from wsi_area.review.verdicts import ReviewState

HEAD_SHOWN = 16
"""Digits of a head that are printed; verify takes how it begins."""
_TEXT = {
    "unreviewed": "not reviewed", "accepted": "accepted", "accepted_with_remark": "accepted with remark",
    "rejected": "rejected", "needs_remeasuring": "to be measured again", "second_opinion": "second opinion asked for",
    "reviewers_differ": "reviewers differ", "outdated": "outdated: the number is another one by now",
}  # fmt: skip


@frozen_value
class VerdictLine:
    """The verdict on one slide, for people."""

    slide_id: str
    status: str
    text: str
    by: str  # who, and when
    signed: str  # who signed, and when; empty where nobody did
    remark: str  # reason and remark
    area: str  # that was decided on
    amended: str  # the area with corrections; empty where there are none
    is_open: bool


@frozen_value
class HeadLine:
    """An event that no other names, and that names all before it: on paper it shows whether the chains are whole."""

    head: str
    by: str
    number: int
    utc: str


@frozen_value
class ReviewView:
    """What people decided on a run."""

    verdicts: tuple[VerdictLine, ...]
    heads: tuple[HeadLine, ...]
    waiting: int  # slides that somebody has to look at
    faults: tuple[str, ...]  # what in the events is not what was written

    @property
    def by_slide(self) -> Mapping[str, VerdictLine]:
        """Return the verdict on each slide, by its id."""
        return {line.slide_id: line for line in self.verdicts}

    def of(self, slide_id: str) -> VerdictLine | None:
        """Return the verdict on a slide that somebody decided on; None where nobody did."""
        found = (line for line in self.verdicts if line.slide_id == slide_id and line.status != "unreviewed")
        return next(found, None)


def review_view(layout: RunLayout, run: RunRecord, events: Place | None = None) -> ReviewView | None:
    """Return the decisions of people on a run; None where nobody decided anything.

    What cannot be read is told in the report: the numbers do not depend on it.

    Parameters
    ----------
    layout, run
        Where it lies, and what ran.
    events : Place or None
        Where the events lie, if not in the run.
    """
    if not review_folder(layout, events).is_begun:
        return None
    from wsi_area.results.opened_run import OpenedRun
    from wsi_area.review.verdicts import review_state

    try:
        state = review_state(OpenedRun(layout, run), events)
    except (ResultError, NewerDocumentError) as error:
        return ReviewView((), (), 0, (f"what was decided cannot be read: {error}",))
    lines = tuple(_verdict(verdict) for verdict in state.verdicts.values())
    faults = tuple(f"{fault.place}: {fault.message}" for fault in state.faults)
    return ReviewView(lines, _heads(state), len(state.open_slides), faults)


def _verdict(verdict: SlideVerdict) -> VerdictLine:
    reviewer, when = verdict.reviewer, time_text(verdict.utc)
    signed = "" if verdict.signed_by is None else f"{verdict.signed_by}, {time_text(verdict.signed_utc)}"
    said = [text for text in ((verdict.reason or "").replace("_", " "), verdict.remark) if text]
    return VerdictLine(
        slide_id=verdict.slide_id,
        status=verdict.status,
        text=_TEXT[verdict.status],
        by="" if reviewer is None else f"{reviewer}{f' ({verdict.role})' if verdict.role else ''}, {when}",
        signed=signed,
        remark=": ".join(said),
        area=_area(verdict.decided_mm2),
        amended=_area(verdict.amended_mm2),
        is_open=verdict.is_open,
    )


def _area(area_mm2: float | None) -> str:
    return "" if area_mm2 is None else f"{area_mm2:.4g} mm²"


def _heads(state: "ReviewState") -> tuple[HeadLine, ...]:
    events = {event.hash: event for event in state.chains.events}
    found = [events[head.hash] for head in state.chains.tips]
    return tuple(HeadLine(e.hash[:HEAD_SHOWN], e.reviewer.name, e.number, time_text(e.utc)) for e in found)
