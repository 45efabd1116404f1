"""review: what is made of the events for whoever reads: summary.csv, the sheet of the workbook, and the seal of both.

The seal of the measurement covers the measurement. That of the review names it, the heads of the chains, and each file
that was made of them, so that a table of yesterday is told from one that was changed.
"""

import hashlib
from collections.abc import Iterable, Mapping

from wsi_area.model.review.review_seal import ReviewSeal
from wsi_area.model.review.verdict import SlideVerdict
from wsi_area.model.run_record import RunRecord
from wsi_area.model.slide_result import EndedSlide
from wsi_area.results.csv_text import csv_bytes
from wsi_area.results.layout import RunLayout, write_bytes
from wsi_area.results.opened_run import OpenedRun
from wsi_area.results.tables.columns import columns_of
from wsi_area.results.tables.run_tables import RunTable
from wsi_area.review.contents import SlideContent, contents_of, current_contents
from wsi_area.review.folder import ReviewFolder, read_identity, review_folder, unwritable, write_review_seal
from wsi_area.review.verdicts import ReviewState, state_of
from wsi_area.storage.locks import held
from wsi_area.storage.place import Place
from wsi_area.version import __version__


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
    """Return what is known of a review, and write its table and its seal.

    Raises
    ------
    ResultError
        It cannot be read or written.
    """
    return _written(review_folder(run.layout, events), run.run_record.seal, current_contents(run))


def renew_review(layout: RunLayout, run: RunRecord, slides: Iterable[EndedSlide]) -> None:
    """Write table and seal of a review again, for a run that ends; nothing where nobody decided anything."""
    folder = review_folder(layout)
    if folder.is_begun:
        _written(folder, run.seal, contents_of(layout, run, slides))


def _written(folder: ReviewFolder, measurement: str | None, contents: Mapping[str, SlideContent]) -> ReviewState:
    with held(folder.lock, waits=True):  # of the table alone; events need none
        state = state_of(folder, contents)
        content = review_csv(state.verdicts.values())
        try:
            write_bytes(folder.summary_csv, content)
            seal = ReviewSeal(
                wsi_area_version=__version__,
                review=read_identity(folder).review,
                measurement=measurement,
                heads=state.chains.heads,
                files={"summary.csv": hashlib.sha256(content).hexdigest()},
                seal="0" * 64,
            )
            write_review_seal(folder, seal.model_copy(update={"seal": seal.expected_seal}))
        except OSError as error:
            raise unwritable(folder, error) from error
    return state
