"""run: the envelope of a slide's tissue, ordered where its class map is final."""

from wsi_area.errors import IncompleteResultError, ResultError
from wsi_area.results.layout import SlideLayout
from wsi_area.run.executors.contract import Executor, TaskLost
from wsi_area.run.prepare import PreparedSlide
from wsi_area.run.work.envelope_task import EnvelopeOutcome, EnvelopeScales, EnvelopeTask, make_envelope
from wsi_area.settings.run_settings import EnvelopeSettings


def measure_envelope(
    layout: SlideLayout, prepared: PreparedSlide, settings: EnvelopeSettings, executor: Executor
) -> EnvelopeOutcome | None:
    """Return the background that the tissue of a slide encloses; None if stopped before the end.

    It is a task like a batch: the one process that talks to a cluster's workers has enough to do.

    Raises
    ------
    IncompleteResultError
        If it came to no end.
    ResultError
        If the class map cannot be read.
    """
    tissue_ids = tuple(c.class_id for c in prepared.fitted.scheme.classes if c.is_tissue)
    scales = EnvelopeScales(settings.closing_um, settings.fill_um, settings.box_um)
    task = EnvelopeTask(layout.root.resolve(), prepared.plan, tissue_ids, scales)
    outcome = next((outcome for _, outcome in executor.map(make_envelope, [task])), None)
    name = prepared.info.slide_id
    if isinstance(outcome, TaskLost):
        raise IncompleteResultError(f"{name}: the envelope of its tissue could not be made: {outcome.message}")
    if outcome is None and not executor.is_stopped:
        raise IncompleteResultError(f"{name}: the envelope of its tissue came to no end; run the same command again")
    if outcome is not None and outcome.error is not None:
        raise ResultError(f"{outcome.error}; the tiles are committed, run the same command again")
    return outcome
