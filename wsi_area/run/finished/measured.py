"""finished: how a slide ended, and the result of one that came to nothing."""

from wsi_area.errors import MissingMppError
from wsi_area.frozen_value import frozen_value
from wsi_area.inputs.collect import SlideInput
from wsi_area.model.record.slide_origin import Timing
from wsi_area.model.slide_result import EndedSlide, UncountedSlide
from wsi_area.results.documents import earlier_result, write_result
from wsi_area.results.layout import SlideLayout
from wsi_area.run.context import Context
from wsi_area.run.executors.contract import TaskLost
from wsi_area.run.prepare import PrepareFailure
from wsi_area.run.slide_document import versions


@frozen_value
class Measured:
    """The result of a slide, and whether an earlier run had already made it."""

    result: EndedSlide
    resumed: bool

    @property
    def status(self) -> str:
        """Return the status of the slide."""
        return self.result.status


def write_failed(
    slide: SlideInput, layout: SlideLayout, context: Context, failure: PrepareFailure | TaskLost
) -> Measured:
    """Return the result of a slide that came to nothing, written unless that would take the place of a result."""
    result = failed_slide(slide, context, failure)
    if not _holds_a_result(layout):
        write_result(layout, result)
    elif result.status == "failed":
        reason = f"{result.reason}; its earlier result is kept in {layout.root}, the tables say failed"
        result = result.model_copy(update={"reason": reason})
    return Measured(result, resumed=False)


def failed_slide(slide: SlideInput, context: Context, failure: PrepareFailure | TaskLost) -> UncountedSlide:
    """Return the result of a slide that came to nothing.

    Its status is ``failed``, or ``needs_calibration`` where the segmenter looks so many µm round a pixel that without
    a pixel size nothing can be counted.
    """
    error, told = failure.error if isinstance(failure, PrepareFailure) else "TaskLost", versions(context.settings)
    return UncountedSlide(
        slide_id=slide.slide_id,
        status="needs_calibration" if error == MissingMppError.__name__ else "failed",
        reason=failure.message,
        path=slide.path,
        wsi_area_version=told.wsi_area_version,
        measurement_version=told.measurement_version,
        config_hash=told.config_hash,
        error=error,
    )


def _holds_a_result(layout: SlideLayout) -> bool:
    """Return True if an earlier run left a result here, which a failure of today must not take away."""
    return earlier_result(layout) is not None


def timing_on_record(layout: SlideLayout) -> Timing | None:
    """Return the times that it took when the tiles of a slide were measured, if that is known."""
    earlier = earlier_result(layout)
    return None if earlier is None else earlier.timing


def map_on_record(layout: SlideLayout, key: str) -> str | None:
    """Return the digest of a class map when the tiles of its slide were measured by this very key, if that is known.

    A class map that was exchanged since does not pass for the one that was measured.
    """
    earlier = earlier_result(layout)
    return None if earlier is None or earlier.key != key else earlier.class_map_sha256
