"""review: what is made of the events for whoever reads: summary.csv, the sheet of the workbook, and the seal of both.

The seal of the measurement covers the measurement. That of the review names it, the heads of the chains, and each file
that was made of them, so that a table of yesterday is told from one that was changed.
"""

import hashlib
import logging
from collections.abc import Iterable
from contextlib import suppress

from wsi_area.errors import NewerDocumentError, ResultError
from wsi_area.model.review.review_seal import ReviewSeal
from wsi_area.model.review.verdict import SlideVerdict
from wsi_area.model.run_record import RunRecord
from wsi_area.model.slide_result import EndedSlide
from wsi_area.results.csv_text import csv_bytes
from wsi_area.results.layout import RunLayout, write_bytes
from wsi_area.results.opened_run import OpenedRun
from wsi_area.results.seal.sealed_run import earlier_seal, file_digest
from wsi_area.results.tables.columns import columns_of
from wsi_area.results.tables.run_tables import RunTable
from wsi_area.results.tables.workbook.sheets import WORKBOOK, add_to_workbook
from wsi_area.review.contents import contents_of, current_contents
from wsi_area.review.folder import ReviewFolder, read_identity, read_review_seal, review_folder, write_review_seal
from wsi_area.review.verdicts import ReviewState, state_of
from wsi_area.storage.locks import held
from wsi_area.storage.place import Place
from wsi_area.storage.whole_files import discard_dead_drafts
from wsi_area.version import __version__

_LOG = logging.getLogger(__name__)


def review_table(verdicts: Iterable[SlideVerdict]) -> RunTable:
    """Return the table of a review: a row for each planned slide."""
    columns = columns_of("review")
    rows = [{column.name: column.value(None, verdict) for column in columns} for verdict in verdicts]
    return RunTable({column.name: column.kind for column in columns}, rows)


def review_csv(verdicts: Iterable[SlideVerdict]) -> bytes:
    """Return the content of summary.csv."""
    table = review_table(verdicts)
    return csv_bytes(list(table.columns), table.rows)


def write_review(run: OpenedRun, events: Place | None = None) -> ReviewState:
    """Return what is known of a review, and write its table, its sheet and its seal.

    The sheet goes into the workbook of a run that has ended, if that is still the file that was written.

    Raises
    ------
    ResultError
        It cannot be read or written.
    """
    folder = review_folder(run.layout, events)
    contents = current_contents(run)
    with held(folder.lock, waits=True):  # of what is made of the events alone: these need none
        state = state_of(folder, contents)
        workbook = _with_sheet(run.layout, run.run_record, folder, state)
        _write(folder, state, run.run_record.seal, workbook)
    return state


def renew_review(run: OpenedRun) -> None:
    """Write table, sheet and seal of a review again, since a slide is amended; nothing where nobody decided anything.

    Raises
    ------
    ResultError
        It cannot be read or written.
    """
    if review_folder(run.layout).is_begun:
        write_review(run)


def review_at_end(layout: RunLayout, run: RunRecord, slides: Iterable[EndedSlide]) -> ReviewState | None:
    """Return the review of a run that ends; None where nobody decided anything.

    Whatever is wrong with a review stops no run: it is told in the log, and by ``wsi-area verify``.
    """
    folder = review_folder(layout)
    try:
        return state_of(folder, contents_of(layout, run, slides)) if folder.is_begun else None
    except (ResultError, NewerDocumentError) as error:
        _LOG.warning("the review of the run cannot be read: %s", error)
        return None


def seal_review(layout: RunLayout, run: RunRecord, state: ReviewState | None, workbook: str) -> None:
    """Write table and seal of the review of a run that has ended, chained to its new seal; as `review_at_end`.

    Parameters
    ----------
    layout, run
        Where it lies, and what ran.
    state : ReviewState or None
        What `review_at_end` found.
    workbook : str
        SHA-256 of the workbook, which has the sheet.
    """
    folder = review_folder(layout)
    if state is None:
        return
    try:
        with held(folder.lock, waits=True):
            _write(folder, state, run.seal, workbook)
    except ResultError as error:
        _LOG.warning("the table of the review could not be written anew: %s", error)


def _with_sheet(layout: RunLayout, run: RunRecord, folder: ReviewFolder, state: ReviewState) -> str | None:
    """Return the SHA-256 of the workbook of a run with the sheet of its review; None where it is not given one."""
    seal = earlier_seal(layout)
    if not folder.is_in_run or run.state == "running" or seal is None:
        return None
    known = {seal.held_files.get(WORKBOOK)}
    with suppress(ResultError):
        known.add(read_review_seal(folder).workbook)
    place = layout.root / WORKBOOK
    if not place.is_file() or file_digest(place) not in known:
        _LOG.warning("%s is not the file that was written, so it is given no sheet of the review", place)
        return None
    return add_to_workbook(layout, "review", review_table(state.verdicts.values()))


def _write(folder: ReviewFolder, state: ReviewState, measurement: str | None, workbook: str | None) -> None:
    discard_dead_drafts(folder.root, (folder.summary_csv.name, folder.seal_json.name))
    content = review_csv(state.verdicts.values())
    write_bytes(folder.summary_csv, content)
    seal = ReviewSeal(
        wsi_area_version=__version__,
        review=read_identity(folder).review,
        measurement=measurement,
        heads=(*state.chains.heads, *state.lost),  # what was lost stays named
        summary=hashlib.sha256(content).hexdigest(),
        workbook=workbook,
        seal="0" * 64,
    )
    write_review_seal(folder, seal.model_copy(update={"seal": seal.expected_seal}))
