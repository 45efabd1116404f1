"""run: the last steps of whoever writes a folder, in one order: twins, tables, seal, run.json, log.

The counterpart of `beginning`. run.json comes after the tables, so that a folder says that it has ended only when all
of it is there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import zstandard

from wsi_area.model.documented import Table
from wsi_area.model.json_tree import json_digest
from wsi_area.model.run_record import RunRecord
from wsi_area.model.slide_result import EndedSlide
from wsi_area.results.documents import write_run, write_seal
from wsi_area.results.layout import RunLayout
from wsi_area.results.same_content import same_content
from wsi_area.results.seal.contents import COLUMNS_NOT_SEALED
from wsi_area.results.seal.sealed_run import sealed_run, standing_tables, with_files
from wsi_area.results.tables.object_tables import write_objects
from wsi_area.results.tables.region_tables import with_regions
from wsi_area.results.tables.run_tables import RunTable, run_tables, write_tables
from wsi_area.results.tables.workbook.sheets import WORKBOOK, write_workbook
from wsi_area.results.uncertainty.reference_scores import reference_scores, with_reference
from wsi_area.review.at_end import review_at_end
from wsi_area.run.finished.basis import code_digest
from wsi_area.run.run_document import RunOutcome, as_of_run, ended_run
from wsi_area.run.run_log import RunLog
from wsi_area.storage.processes import give_back_memory

if TYPE_CHECKING:  # what makes its table is loaded where somebody decided something
    from wsi_area.review.verdicts import ReviewState


def end_run(
    layout: RunLayout,
    begun: RunRecord,
    outcome: RunOutcome,
    table: Sequence[EndedSlide],
    log: RunLog,
    worker_count: int,
    further: Mapping[str, Any] | None = None,
) -> RunOutcome:
    """Return the outcome of a run; its tables, its seal and run.json are written.

    Parameters
    ----------
    layout, begun
        Where it lies, and what was known of it when it began.
    outcome, table
        How the slides asked for ended, and every slide of the folder.
    log, worker_count
        Where its end is said, and how many tasks were done at once.
    further : mapping or None
        Fields of run.json that tasks know better than whoever merges them.
    """
    give_back_memory()  # of the passes: tables and report need their own
    twins = same_content(table)
    told, outcome = as_of_run(table, outcome, twins)
    run = begun.model_copy(update={"same_content": twins or None})
    tables = with_regions(run_tables(told, run), layout, told)
    shown = _with_reference(tables, layout, run, told)
    run = ended_run(run, outcome, told, worker_count).model_copy(update=further or {})
    seal = sealed_run(layout, run, table, tables)
    review = review_at_end(layout, run, told)
    sheets = shown if review is None else {**shown, "review": _review_table(review)}
    seal = seal.model_copy(update={"made_of": _made_of(sheets, tables, seal.seal)})
    files = standing_tables(layout, seal.made_of)
    if files is None:
        files = {**write_tables(layout, shown), WORKBOOK: write_workbook(layout, sheets, seal.seal)}
    files |= write_objects(layout, [slide.slide_id for slide in told if slide.status != "failed"])
    run = run.model_copy(update={"seal": seal.seal})
    write_seal(layout, with_files(seal, run, files))
    write_run(layout, run)
    if review is not None:
        _seal_review(layout, run, review, files[WORKBOOK])
    log.run_ended(outcome)
    return replace(outcome, seal=seal.seal)


def _made_of(sheets: Mapping[Table, RunTable], sealed: Mapping[Table, RunTable], seal: str) -> str:
    """Return the digest of what tables and workbook are made of: all that is in them, and what makes them.

    Of a table under the seal only what that leaves out is added; so each cell is digested once.
    """
    held = {name: json_digest(_not_sealed(table, sealed.get(name))) for name, table in sheets.items()}
    return json_digest([code_digest(), zstandard.__version__, seal, held])


def _not_sealed(table: RunTable, sealed: RunTable | None) -> list[Any]:
    rows, columns = table.rows, [list(column) for column in table.columns.items()]
    if table is not sealed:
        return [columns, list(rows)]
    return [columns, [[row.get(name) for row in rows] for name in table.columns if name in COLUMNS_NOT_SEALED]]


def _review_table(review: "ReviewState") -> RunTable:
    from wsi_area.review.tables import review_table

    return review_table(review.verdicts.values())


def _seal_review(layout: RunLayout, run: RunRecord, review: "ReviewState", workbook: str) -> None:
    from wsi_area.review.tables import seal_review

    seal_review(layout, run, review, workbook)


def _with_reference(
    tables: dict[Table, RunTable], layout: RunLayout, run: RunRecord, slides: Sequence[EndedSlide]
) -> dict[Table, RunTable]:
    """Return the tables as they are shown: with what readers of reference points said before the run was gone on with.

    The seal is over the others, which hold what was measured.
    """
    scores = reference_scores(layout)
    if not scores:
        return tables
    told = with_reference(slides, scores)
    return with_regions(run_tables(told, run), layout, told)
