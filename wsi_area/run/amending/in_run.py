"""run: a slide of a run amended by whoever holds its folder; tables, seal and run.json of the run stay as they are."""

import logging
from pathlib import Path

from wsi_area.annotations.corrections.corrections_file import corrections_bytes
from wsi_area.errors import ResultError
from wsi_area.results.layout import RunLayout
from wsi_area.results.opened_run import OpenedRun
from wsi_area.results.run_folder import require_readable
from wsi_area.review.tables import renew_review
from wsi_area.run.amending.amend import AmendOptions, AmendOutcome, amend_slide
from wsi_area.run.executors.choice import make_executor
from wsi_area.settings.run_settings import RunSection
from wsi_area.storage.locks import sole_writer
from wsi_area.storage.place import Place

_LOG = logging.getLogger(__name__)


def amend_in_run(
    root: Place, slide_id: str, file: Path, options: AmendOptions, workers: int = 0
) -> AmendOutcome | None:
    """Return the amended version of a slide that a file of corrections makes; None if stopped before the end.

    Parameters
    ----------
    root
        The folder of a run that has ended.
    slide_id, file, options
        The slide, its corrections, and how they are laid.
    workers
        Threads that do the work; 0: one for each core.

    Raises
    ------
    AnnotationError
        If the file cannot be read, or cannot be laid over the slide.
    ResultError
        If there is no such run or slide, it has not ended, somebody else writes there, or something cannot be written.
    """
    content = corrections_bytes(file)
    layout = RunLayout(root)
    run = require_readable(layout)
    ended = run.ended_slides.get(slide_id)
    if run.state == "running" or ended is None:
        known = ", ".join(map(repr, run.ended_slides)) or "none"
        why = "has not ended" if run.state == "running" else f"has no slide {slide_id!r}; it has {known}"
        raise ResultError(f"{root} {why}; run the same command again to finish it, or name another slide")
    if ended.status == "failed":
        raise ResultError(f"{slide_id} failed and has no class map ({ended.reason}); measure it first")
    with sole_writer(root):
        executor = make_executor(RunSection(workers=workers))
        try:
            outcome = amend_slide(layout.slide(slide_id), run, content, str(file), options, executor)
        finally:
            executor.close()
    if outcome is not None and outcome.version is not None:
        renew_review(OpenedRun(layout, run))  # what was decided on the slide before is outdated now
    return outcome
