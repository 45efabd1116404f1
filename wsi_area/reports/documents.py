"""reports: the documents of a run that a report is made from, read once and checked against each other."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from wsi_area.errors import CountMismatchError, NewerDocumentError, ResultError
from wsi_area.frozen_value import frozen_value
from wsi_area.model.run_record import RunRecord
from wsi_area.model.slide_result import CountedSlide, EndedSlide
from wsi_area.results.amended import latest_amended
from wsi_area.results.documents import read_result
from wsi_area.results.layout import RunLayout, SlideLayout
from wsi_area.results.run_folder import require_readable
from wsi_area.results.same_content import with_same_content
from wsi_area.results.sound_areas import require_sound
from wsi_area.results.uncertainty.reference_scores import reference_scores, with_reference
from wsi_area.storage.place import Place

STATUS_ORDER = ("failed", "incomplete", "needs_calibration", "estimated", "complete")
"""What needs somebody first."""


@frozen_value
class RunDocuments:
    """run.json and the result of every planned slide, those that need somebody first."""

    layout: RunLayout
    run_record: RunRecord
    slides: tuple[EndedSlide, ...]
    refused: tuple[tuple[str, str], ...]  # slides whose documents are not believed, and why; they stand as failed

    def folder(self, slide: EndedSlide) -> SlideLayout:
        """Return the place of a slide: its folder, or that of the amended version that it is."""
        layout = self.layout.slide(slide.slide_id)
        amendment = slide.amendment if isinstance(slide, CountedSlide) else None
        return layout if amendment is None else layout.amended(amendment.number)

    @property
    def amended_count(self) -> int:
        """Return the number of slides that are taken with a person's corrections."""
        return sum(isinstance(slide, CountedSlide) and slide.amendment is not None for slide in self.slides)


def read_documents(run: Place, *, amended: bool = False) -> RunDocuments:
    """Return everything on record about a run, each area computed again from its count and found the same.

    Parameters
    ----------
    run : Place
        The run directory.
    amended : bool
        Take the newest amended version of each slide, where it has one whose base is there.

    Raises
    ------
    ResultError
        If the folder holds no run, or one that has not ended.
    """
    layout = RunLayout(run)
    run_record = require_readable(layout)
    if run_record.state == "running" or run_record.slides is None:
        raise ResultError(f"{run}: this run has not ended; run the same command again to finish it, then report")
    refused: dict[str, str] = {}
    slides = [with_same_content(slide, run_record.twins) for slide in _slides(layout, run_record.slides, refused)]
    slides = with_reference(slides, reference_scores(layout))
    if amended:
        slides = [_as_amended(layout, slide) for slide in slides]
    slides.sort(key=lambda slide: STATUS_ORDER.index(slide.status))  # stable: else as planned
    return RunDocuments(layout, run_record, tuple(slides), tuple(refused.items()))


def _as_amended(layout: RunLayout, slide: EndedSlide) -> EndedSlide:
    """Return the newest amended version of a slide; as it was measured, where it has none that can be shown."""
    if not isinstance(slide, CountedSlide):
        return slide
    version = latest_amended(layout.slide(slide.slide_id))
    if version is None or version.is_base_gone:
        return slide
    require_sound(version.result, version.layout.result_json)
    return version.result


def _slides(layout: RunLayout, ended: Mapping[str, EndedSlide], refused: dict[str, str]) -> Iterator[EndedSlide]:
    """Yield what is said of each slide, and note those whose documents are not believed."""
    for slide_id, how in ended.items():
        if not slide_id or Path(slide_id).name != slide_id:
            raise ResultError(f"{layout.run_json}: {slide_id!r} is not the id of a slide; the file was changed")
        how = how.model_copy(update={"slide_id": slide_id})
        try:
            yield _result(layout.slide(slide_id), how)
        except NewerDocumentError:
            raise
        except (ResultError, CountMismatchError) as error:
            # a report of the others is still wanted, and this one stands first in it
            refused[slide_id] = str(error)
            yield how.model_copy(update={"status": "failed", "reason": str(error)})


def _result(slide: SlideLayout, ended: EndedSlide) -> EndedSlide:
    """Return the record of a slide in the run; what lies in the folder of one that failed is of an earlier run.

    Raises
    ------
    ResultError, CountMismatchError
        If its document cannot be read, is another one, or says numbers that do not make each other.
    """
    if ended.status == "failed":
        return ended
    result = read_result(slide)
    if isinstance(result, CountedSlide) and result.status != "failed":
        require_sound(result, slide.result_json)
        return result
    if result.status == ended.status == "needs_calibration":
        return result
    raise ResultError(f"{slide.result_json} is not the result that run.json names")
