"""audit: the review of a run held against itself: chains, heads, seal, table, and what lies there besides."""

import hashlib
from collections.abc import Iterator, Sequence

from wsi_area.audit.verification.disagreement import Disagreement
from wsi_area.errors import NewerDocumentError, ResultError
from wsi_area.frozen_value import frozen_value
from wsi_area.model.review.event import SeenHead
from wsi_area.model.review.review_seal import ReviewSeal
from wsi_area.model.run_record import RunRecord
from wsi_area.model.slide_result import EndedSlide
from wsi_area.results.layout import RunLayout
from wsi_area.results.tables.run_tables import RunTable
from wsi_area.review.contents import contents_of
from wsi_area.review.folder import ReviewFolder, junk_in, read_review_seal, review_folder
from wsi_area.review.tables import RENEWED, review_csv, review_table
from wsi_area.review.verdicts import ReviewState, state_of
from wsi_area.storage.place import Place


@frozen_value
class CheckedReview:
    """What came of the review of a run."""

    faults: tuple[Disagreement, ...] = ()
    notes: tuple[str, ...] = ()
    table: RunTable | None = None  # what the workbook is to say; None: it has no such sheet, or nobody can know
    workbook: str | None = None  # SHA-256 of the workbook when it was last given its sheet


def check_review(
    layout: RunLayout,
    run: RunRecord,
    slides: Sequence[EndedSlide],
    heads: Sequence[str] = (),
    events: Place | None = None,
) -> CheckedReview:
    """Return everything in the review of a run that does not agree.

    Parameters
    ----------
    layout, run, slides
        Where it lies, what ran, and how its slides ended, as far as known.
    heads : sequence of str
        Heads of chains on somebody's paper, or how they begin.
    events : Place or None
        Where the review lies, if not in the run.

    Raises
    ------
    NewerDocumentError
        If a later version wrote an event.
    """
    folder = review_folder(layout, events)
    faults = [_fault(name, "it is no part of a review; move it elsewhere") for name in junk_in(folder)]
    if not folder.is_begun:
        return CheckedReview((*faults, *(_unknown_head(head) for head in heads)))
    try:
        state = state_of(folder, contents_of(layout, run, slides))
    except NewerDocumentError:
        raise
    except ResultError as error:
        return CheckedReview((*faults, _fault("events", str(error))))
    faults += [_fault(fault.place, fault.message) for fault in state.faults]
    hashes = [event.hash for event in state.chains.events]
    faults += [_unknown_head(head) for head in heads if not any(h.startswith(_bare(head)) for h in hashes)]
    if not folder.is_written:  # it goes on with the review in the run, and nobody decided here yet
        return CheckedReview(tuple(faults), state.chains.notes)
    knows_all = {slide.slide_id for slide in slides} >= set(run.slides_planned)
    seal, made = _made_faults(folder, run, state, knows_all=knows_all)
    has_sheet = seal is not None and seal.workbook is not None and knows_all and not _since(seal, state)
    return CheckedReview(
        (*faults, *made),
        state.chains.notes,
        review_table(state.verdicts.values()) if has_sheet else None,
        None if seal is None else seal.workbook,
    )


def _made_faults(
    folder: ReviewFolder, run: RunRecord, state: ReviewState, *, knows_all: bool
) -> tuple[ReviewSeal | None, list[Disagreement]]:
    """Return the seal of a review, and what is wrong with it and with the table that was made of the events."""
    try:
        seal = read_review_seal(folder)
    except NewerDocumentError:
        raise
    except ResultError as error:
        told = f"it is not there, since somebody decided and was stopped: {RENEWED}"
        return None, [_fault("seal.json", str(error) if folder.seal_json.exists() else told)]
    return seal, [*_seal_faults(seal, run, state), *_table_faults(folder, seal, state, knows_all=knows_all)]


def _seal_faults(seal: ReviewSeal, run: RunRecord, state: ReviewState) -> Iterator[Disagreement]:
    if seal.expected_seal != seal.seal:
        yield _fault("seal.json", f"what it holds makes the seal {seal.expected_seal[:12]}…, not {seal.seal[:12]}…")
    if run.state == "finished" and seal.measurement != run.seal:
        told = f"it is of the measurement {(seal.measurement or 'without a seal')[:12]}…, and the run bears "
        yield _fault("seal.json", f"{told}{(run.seal or 'none')[:12]}…; {RENEWED}")
    if since := _since(seal, state):
        yield _fault("summary.csv", f"events of {len(since)} sessions came after it was made; {RENEWED}")


def _since(seal: ReviewSeal, state: ReviewState) -> frozenset[SeenHead]:
    """Return the heads of chains that became longer since the table was made."""
    return frozenset(state.chains.heads) - frozenset(seal.heads)


def _table_faults(
    folder: ReviewFolder, seal: ReviewSeal, state: ReviewState, *, knows_all: bool
) -> Iterator[Disagreement]:
    try:
        found = folder.summary_csv.read_bytes()
    except OSError as error:
        yield _fault("summary.csv", f"it cannot be read ({error.strerror or error}); {RENEWED}")
        return
    if hashlib.sha256(found).hexdigest() != seal.summary:
        yield _fault("summary.csv", "it is not the file that was written")
    elif knows_all and not _since(seal, state) and found != review_csv(state.verdicts.values()):
        yield _fault("summary.csv", f"it is not what events and results make; {RENEWED}")


def _unknown_head(head: str) -> Disagreement:
    return _fault(
        "events", f"no event has the head {head}, which somebody has on paper: the end of a chain was cut off"
    )


def _bare(head: str) -> str:
    return head.strip().rstrip("…").lower() or "-"


def _fault(place: str, message: str) -> Disagreement:
    return Disagreement("", f"review/{place}", message)
