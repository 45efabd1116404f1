"""notebook: what people decided on a run, as a frame of its own and as columns beside what was measured."""

from typing import TYPE_CHECKING

from wsi_area.results.amended import amended_numbers
from wsi_area.results.opened_run import OpenedRun
from wsi_area.results.tables.columns import Kind
from wsi_area.review.folder import review_folder
from wsi_area.review.tables import review_table
from wsi_area.review.verdicts import slide_verdicts

if TYPE_CHECKING:  # only who asks for a frame pays for pandas
    import pandas as pd

BESIDE = ("verdict", "is_outdated", "amended_mm2", "amended_version")
"""Columns that the summary of a run has beside those of its table."""
_DTYPES: dict[Kind, str] = {"text": "object", "integer": "Int64", "number": "float64", "flag": "bool"}


def review_frame(run: OpenedRun) -> "pd.DataFrame":
    """Return one row for each planned slide, indexed by slide id: the verdict as it stands, and who gave it.

    Raises
    ------
    ResultError
        If what was decided cannot be read.
    """
    import pandas as pd

    table = review_table(slide_verdicts(run).values())
    rows = [[row.get(name) for name in table.columns] for row in table.rows]
    frame = pd.DataFrame(rows, columns=list(table.columns), dtype="object")
    return frame.astype({name: _DTYPES[kind] for name, kind in table.columns.items()}).set_index("slide_id")


def with_verdicts(summary: "pd.DataFrame", run: OpenedRun) -> "pd.DataFrame":
    """Return a summary with verdicts and amended areas beside what was measured; for errors as `review_frame`.

    Where nobody decided or amended anything, no document is read for it.
    """
    import pandas as pd

    if is_touched(run):
        beside = review_frame(run)[list(BESIDE)]
    else:
        beside = pd.DataFrame({"verdict": "unreviewed", "is_outdated": False}, index=summary.index)
        beside["amended_mm2"] = float("nan")
        beside["amended_version"] = pd.array([pd.NA] * len(summary), dtype="Int64")
    joined: pd.DataFrame = summary.join(beside)
    return joined


def is_touched(run: OpenedRun) -> bool:
    """Return True if anybody decided on a slide of a run, or amended one."""
    slides = run.run_record.slides_planned
    return review_folder(run.layout).is_begun or any(amended_numbers(run.layout.slide(name)) for name in slides)
