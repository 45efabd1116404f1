"""reports: what a report is called: by the title of its study, else by how many slides it has; pure."""

from wsi_area.errors import SettingsError
from wsi_area.frozen_value import frozen_value
from wsi_area.model.run_record import RunRecord
from wsi_area.plain_text import title_line
from wsi_area.reports.provenance import time_text


@frozen_value
class Heading:
    """The first lines of a report."""

    title: str
    byline: str  # how many slides, and when; empty where the title says it


def heading_of(run: RunRecord, slides: int, title: str | None = None, amended: int | None = None) -> Heading:
    """Return the heading of a run's report.

    Parameters
    ----------
    run : RunRecord
        Its title is taken where no other is given.
    slides : int
        How many the report has.
    title : str or None
        Of the study.
    amended : int or None
        How many of the slides are taken with corrections; None: the report is of what was measured.
    """
    what = f"{slides} {'slide' if slides == 1 else 'slides'}, {time_text(run.started)}"
    if amended is not None:
        what += f", {amended} with a person's corrections"
    named = title or run.title
    return Heading(named, what) if named else Heading(f"Report of {what}", "")


def require_title(title: str) -> str:
    """Return a title that somebody typed, as one line.

    Raises
    ------
    SettingsError
        If it is none.
    """
    try:
        return title_line(title)
    except ValueError as error:
        raise SettingsError(f"--title: {error}") from error
