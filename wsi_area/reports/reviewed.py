"""reports: what people decided on the slides of a run, and what they corrected, as the report shows it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from wsi_area.compute.quantity_text import with_mm2
from wsi_area.errors import ResultError
from wsi_area.model.review.verdict import SlideVerdict, VerdictStatus
from wsi_area.model.slide_result import CountedSlide, EndedSlide
from wsi_area.reports.documents import RunDocuments
from wsi_area.reports.provenance import time_text
from wsi_area.results.amended import latest_amended
from wsi_area.results.layout import RunLayout
from wsi_area.results.tables.shown_areas import total_areas
from wsi_area.review.contents import contents_of
from wsi_area.review.folder import review_folder
from wsi_area.review.verdicts import ReviewState, state_of
from wsi_area.storage.place import Place

VERDICT_TEXT: dict[VerdictStatus, str] = {
    "unreviewed": "not reviewed", "accepted": "accepted", "accepted_with_remark": "accepted with a remark",
    "rejected": "rejected", "needs_remeasuring": "to be measured again", "second_opinion": "second opinion wanted",
    "reviewers_differ": "reviewers differ", "outdated": "outdated: the number is another one by now",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class SlideReview:
    """What people decided on one slide."""

    status: VerdictStatus
    text: str
    lines: tuple[str, ...]  # who, when, and what was said


@dataclass(frozen=True, slots=True)
class ReviewView:
    """The review of a run; empty where nobody began one."""

    slides: Mapping[str, SlideReview] = field(default_factory=dict)
    amended: Mapping[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)  # names and areas, by slide
    counted: tuple[str, ...] = ()  # how many slides have which verdict
    heads: tuple[tuple[str, str], ...] = ()  # last event of each chain: who writes it, its hash
    faults: tuple[str, ...] = ()  # what is not as it was written, or cannot be read


def review_view(documents: RunDocuments, events: Place | None = None) -> ReviewView:
    """Return the review of a run as it stands; ``events`` says where its events lie, if not in the run.

    Raises
    ------
    ResultError
        If that folder holds a run.
    """
    faults: list[str] = []
    amended = _amended(documents.layout, documents.slides, faults)
    folder = review_folder(documents.layout, events)
    if not folder.is_begun:
        return ReviewView(amended=amended, faults=tuple(faults))
    try:
        state = state_of(folder, contents_of(documents.layout, documents.run_record, documents.slides))
    except ResultError as error:
        return ReviewView(amended=amended, faults=(*faults, f"the review cannot be read: {error}"))
    statuses = [verdict.status for verdict in state.verdicts.values()]
    return ReviewView(
        {name: _slide_review(verdict) for name, verdict in state.verdicts.items()},
        amended,
        tuple(f"{n} {text}" for status, text in VERDICT_TEXT.items() if (n := statuses.count(status))),
        _heads(state),
        (*faults, *(f"{fault.place}: {fault.message}" for fault in state.faults)),
    )


def _amended(
    layout: RunLayout, slides: Sequence[EndedSlide], faults: list[str]
) -> dict[str, tuple[tuple[str, str], ...]]:
    """Return the totals of the newest amended version of each slide that has one."""
    found = {}
    for slide in slides:
        if not isinstance(slide, CountedSlide):
            continue
        try:
            amended = latest_amended(layout.slide(slide.slide_id))
        except ResultError as error:
            faults.append(str(error))
            continue
        if amended is not None:
            what = f"amended ({amended.number}{', base gone' if amended.is_base_gone else ''})"
            totals = [t for t in total_areas(amended.result) if t.kind != "envelope"]
            found[slide.slide_id] = tuple((f"{t.name}, {what}", t.text) for t in totals)
    return found


def _slide_review(verdict: SlideVerdict) -> SlideReview:
    lines = []
    for one in verdict.by_reviewer:
        who = f"{one.reviewer} ({one.role})" if one.role else one.reviewer
        said = f": {one.remark}" if one.remark else ""
        reason = f", {one.reason.replace('_', ' ')}" if one.reason else ""
        of = "" if one.area_mm2 is None else f", of {with_mm2(f'{one.area_mm2:.4g}')}"
        gone = " (outdated)" if one.is_outdated else ""
        lines.append(f"{one.what.replace('_', ' ')}{reason}{of} by {who}, {time_text(one.utc)}{gone}{said}")
    if verdict.signed_by:
        lines.append(f"signed by {verdict.signed_by}, {time_text(verdict.signed_utc)}")
    lines += [f"comment by {c.reviewer}, {time_text(c.utc)}: {c.text}" for c in verdict.comments]
    text = VERDICT_TEXT[verdict.status] + (", signed" if verdict.is_signed else "")
    return SlideReview(verdict.status, text, tuple(lines))


def _heads(state: ReviewState) -> tuple[tuple[str, str], ...]:
    return tuple((head.writer, head.hash) for head in state.chains.heads)
