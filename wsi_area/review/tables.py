"""review: what is made of the events for whoever reads: summary.csv, the sheet of the workbook, and the seal of both.

The seal of the measurement covers the measurement. That of the review names it, the heads of the chains, and each file
that was made of them, so that a table of yesterday is told from one that was changed.
"""

import hashlib
import logging
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress

from wsi_area.errors import ResultError
from wsi_area.model.review.review_seal import ReviewSeal
from wsi_area.model.review.verdict import SlideVerdict
from wsi_area.model.run_record import RunRecord
from wsi_area.results.csv_text import csv_bytes
from wsi_area.results.layout import RunLayout, write_bytes
from wsi_area.results.opened_run import OpenedRun
from wsi_area.results.seal.sealed_run import earlier_seal
from wsi_area.results.tables.columns import columns_of
from wsi_area.results.tables.run_tables import RunTable
from wsi_area.results.tables.workbook.sheets import WORKBOOK, workbook_with
from wsi_area.review.contents import current_contents
from wsi_area.review.folder import ReviewFolder, read_identity, read_review_seal, review_folder, write_review_seal
from wsi_area.review.verdicts import ReviewState, state_of
from wsi_area.storage.locks import held
from wsi_area.storage.place import Place
from wsi_area.storage.whole_files import discard_dead_drafts
from wsi_area.version import __version__

_LOG = logging.getLogger(__name__)

RENEWED = "the next decision writes it anew, and so does the same wsi-area run again"
"""How a table that is older than the events is renewed."""


def review_table(verdicts: Iterable[SlideVerdict]) -> RunTable:
    """Return the table of a review: a row for each planned slide."""
    columns = columns_of("review")
    rows = [{column.name: column.value(None, verdict) for column in columns} for verdict in verdicts]
    return RunTable({column.name: column.kind for column in columns}, rows)


def review_csv(verdicts: Iterable[SlideVerdict]) -> bytes:
    """Return the content of summary.csv."""
    table = review_table(verdicts)
    return csv_bytes(list(table.columns), table.rows)


def old_table(run: OpenedRun, state: ReviewState, events: Place | None = None) -> str | None:
    """Return the words on a table that is not what the events make, and how it is renewed; None: it is.

    Parameters
    ----------
    run, state
        The run, and what is known of its review.
    events : Place or None
        Where its events lie, if not in the run.
    """
    folder = review_folder(run.layout, events)
    if not folder.is_written:
        return None
    try:
        if folder.summary_csv.read_bytes() == review_csv(state.verdicts.values()):
            return None
        since = frozenset(state.chains.heads) - frozenset(read_review_seal(folder).heads)
        told = "is older than the events" if since else "is not what events and results make now"
    except OSError:
        told = "is not there"
    except ResultError:
        told = "has no seal that can be read, and may be older than the events"
    return f"{folder.summary_csv} {told}; {_renewal(folder)}"


def write_review(run: OpenedRun, events: Place | None = None) -> ReviewState:
    """Return the state of a review, and write its table, its sheet and its seal.

    The sheet goes into the workbook of a run that has ended, if that is still the file that was written.

    Raises
    ------
    ResultError
        It cannot be read or written.
    """
    folder = review_folder(run.layout, events)
    contents = current_contents(run)
    with _alone(folder), _whose_decisions_stand(folder):
        state = state_of(folder, contents)
        before, after = _workbooks(run.layout, run.run_record, folder, state)
        _write(folder, state, run.run_record.seal, (_sha256(before), _sha256(after)))
        if after is not None:  # last of all: the seal knows it as it was and as it will be
            write_bytes(run.layout.root / WORKBOOK, after)
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


def seal_review(layout: RunLayout, run: RunRecord, state: ReviewState, workbook: str) -> None:
    """Write table and seal of the review of a run that has ended, chained to its new seal; as `review_at_end`.

    Parameters
    ----------
    layout, run
        Where it lies, and what ran.
    state : ReviewState
        What `review_at_end` found.
    workbook : str
        SHA-256 of the workbook, which has the sheet.
    """
    folder = review_folder(layout)
    try:
        with _alone(folder):
            _write(folder, state, run.seal, (workbook, workbook))
    except ResultError as error:
        _LOG.warning("the table of the review could not be written anew: %s", error)


@contextmanager
def _alone(folder: ReviewFolder) -> Iterator[None]:
    """Hold what is made of the events, so that two who make it follow one another; the events themselves need none.

    Where nothing can be locked it is made all the same: the next decision makes it anew.
    """
    with ExitStack() as stack:
        try:
            stack.enter_context(held(folder.lock, waits=True))
        except ResultError as error:
            _LOG.info("the table of the review is made without a lock: %s", error)
        yield


@contextmanager
def _whose_decisions_stand(folder: ReviewFolder) -> Iterator[None]:
    """Say of a table that cannot be written what to do: the events are there, and nobody is to decide again."""
    try:
        yield
    except ResultError as error:
        if not isinstance(error.__cause__, OSError):
            raise
        remedy = f"mend its permissions or free some space; {_renewal(folder)}, so no decision is to be repeated"
        raise ResultError(
            f"{folder.root} cannot be written ({error.__cause__.strerror or error.__cause__}); {remedy}"
        ) from error


def _renewal(folder: ReviewFolder) -> str:
    return RENEWED if folder.is_in_run else "the next decision writes it anew"


def _workbooks(
    layout: RunLayout, run: RunRecord, folder: ReviewFolder, state: ReviewState
) -> tuple[bytes | None, bytes | None]:
    """Return the workbook of a run as it is, and with the sheet of its review; None where it is not given one."""
    place, sealed = layout.root / WORKBOOK, earlier_seal(layout)
    if not folder.is_in_run or run.state == "running" or sealed is None or not place.is_file():
        return None, None
    known = {sealed.held_files.get(WORKBOOK)}
    with suppress(ResultError):
        seal = read_review_seal(folder)
        known |= {seal.workbook, seal.workbook_before}
    before = place.read_bytes()
    if _sha256(before) not in known:
        _LOG.warning("%s is not the file that was written, so it is given no sheet of the review", place)
        return None, None
    return before, workbook_with(before, "review", review_table(state.verdicts.values()))


def _sha256(content: bytes | None) -> str | None:
    return None if content is None else hashlib.sha256(content).hexdigest()


def _write(
    folder: ReviewFolder, state: ReviewState, measurement: str | None, workbooks: tuple[str | None, str | None]
) -> None:
    discard_dead_drafts(folder.root, (folder.summary_csv.name, folder.seal_json.name))
    content = review_csv(state.verdicts.values())
    write_bytes(folder.summary_csv, content)
    seal = ReviewSeal(
        wsi_area_version=__version__,
        review=read_identity(folder).review,
        measurement=measurement,
        heads=(*state.chains.heads, *state.lost),  # what was lost stays named
        summary=hashlib.sha256(content).hexdigest(),
        workbook_before=workbooks[0],
        workbook=workbooks[1],
        seal="0" * 64,
    )
    write_review_seal(folder, seal.model_copy(update={"seal": seal.expected_seal}))
