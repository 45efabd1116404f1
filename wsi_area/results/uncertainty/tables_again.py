"""results: the tables of a finished run written again, when more is known of its slides than when it ended."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from wsi_area.model.documented import Table
from wsi_area.model.run_record import RunRecord
from wsi_area.model.slide_result import EndedSlide
from wsi_area.results.documents import read_result
from wsi_area.results.layout import RunLayout
from wsi_area.results.same_content import with_same_content
from wsi_area.results.seal.sealed_run import add_to_seal, earlier_seal
from wsi_area.results.tables.reading import read_parquet
from wsi_area.results.tables.region_tables import with_regions
from wsi_area.results.tables.run_tables import RunTable, run_tables, write_tables
from wsi_area.results.tables.workbook.sheets import WORKBOOK, write_workbook
from wsi_area.results.uncertainty.reference_scores import reference_scores, with_reference

SUMMARY = "summary.parquet"


def write_tables_again(layout: RunLayout, run: RunRecord, name: str) -> None:
    """Write the tables of a run with what is known now, and add those that changed to its seal.

    The seal of the run is over what was measured, and stays. A run that has not ended has no tables yet; it writes them
    with all of this when it ends.

    Parameters
    ----------
    layout, run
        Where it lies, and what ran.
    name : str
        What made them other, as the seal is to name it.
    """
    if not (layout.root / SUMMARY).exists():
        return
    slides = with_reference(_slides(layout, run), reference_scores(layout))
    tables = with_regions(run_tables(slides, run), layout, slides)
    tables = _with_failed_rows(tables, layout, slides)
    written = write_tables(layout, tables)
    written[WORKBOOK] = write_workbook(layout, tables, run.seal or "")
    seal = earlier_seal(layout)
    held = {} if seal is None else seal.held_files
    if changed := [layout.root / file for file, digest in written.items() if held.get(file) != digest]:
        add_to_seal(layout, name, changed)


def _slides(layout: RunLayout, run: RunRecord) -> list[EndedSlide]:
    """Return the end of each slide of a run, in its order."""
    found = []
    for slide_id in run.slides_planned:
        ended = run.ended_slides.get(slide_id)
        if ended is not None and ended.status == "failed":  # what lies there is of an earlier run, or of none
            found.append(ended)
        else:
            found.append(with_same_content(read_result(layout.slide(slide_id)), run.twins))
    return found


def _with_failed_rows(
    tables: Mapping[Table, RunTable], layout: RunLayout, slides: Sequence[EndedSlide]
) -> dict[Table, RunTable]:
    """Return tables whose summary has the rows of failed slides as they were: run.json does not have all of these."""
    before = read_parquet((layout.root / SUMMARY).read_bytes(), SUMMARY)
    failed = {slide.slide_id for slide in slides if slide.status == "failed"}
    kept = {row["slide_id"]: row for row in before.rows if row["slide_id"] in failed}
    summary = tables["summary"]
    rows = [kept.get(row["slide_id"], row) for row in summary.rows]
    return {**tables, "summary": replace(summary, rows=rows)}
