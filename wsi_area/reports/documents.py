"""reports: the documents of a run that a report is made from, read once and checked against each other."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wsi_area.errors import ResultError
from wsi_area.model.calibration import Mpp
from wsi_area.model.run_record import RunRecord
from wsi_area.model.slide_result import CountedSlide, EndedSlide
from wsi_area.results.documents import document_of, read_result
from wsi_area.results.layout import RunLayout, SlideLayout
from wsi_area.results.run_folder import require_readable
from wsi_area.results.same_content import with_same_content
from wsi_area.results.sound_areas import require_sound
from wsi_area.storage.place import Place

Record = Mapping[str, Any]

STATUS_ORDER = ("failed", "incomplete", "needs_calibration", "complete")
"""What needs somebody first."""


@dataclass(frozen=True, slots=True)
class RunDocuments:
    """run.json and the document of every planned slide, those that need somebody first."""

    layout: RunLayout
    run_record: RunRecord
    results: tuple[tuple[SlideLayout, EndedSlide], ...]

    @property
    def about(self) -> Record:
        """Return run.json as the document that is written."""
        return document_of(self.run_record)

    @property
    def slides(self) -> tuple[tuple[SlideLayout, Record], ...]:
        """Return the slides' folders and documents."""
        return tuple((layout, document_of(slide)) for layout, slide in self.results)

    @property
    def records(self) -> tuple[Record, ...]:
        """Return the slides' documents."""
        return tuple(document_of(slide) for _, slide in self.results)


def read_documents(run: Place) -> RunDocuments:
    """Return everything on record about a run, each area computed again from its count and found the same.

    Raises
    ------
    ResultError
        If the folder holds no run, or one that has not ended.
    CountMismatchError
        If a slide's pixels do not add up, or an area is not its count times the pixel size.
    """
    layout = RunLayout(run)
    run_record = require_readable(layout)
    if run_record.state == "running" or run_record.slides is None:
        raise ResultError(f"{run}: this run has not ended; run the same command again to finish it, then report")
    found = _slides(layout, run_record.slides)
    slides = [(place, with_same_content(slide, run_record.twins)) for place, slide in found]
    slides.sort(key=lambda slide: STATUS_ORDER.index(slide[1].status))  # stable: else as planned
    return RunDocuments(layout, run_record, tuple(slides))


def _slides(layout: RunLayout, ended: Mapping[str, EndedSlide]) -> Iterator[tuple[SlideLayout, EndedSlide]]:
    for slide_id, how in ended.items():
        if not slide_id or Path(slide_id).name != slide_id:
            raise ResultError(f"{layout.run_json}: {slide_id!r} is not the id of a slide; the file was changed")
        slide = layout.slide(slide_id)
        yield slide, _result(slide, how.model_copy(update={"slide_id": slide_id}))


def _result(slide: SlideLayout, ended: EndedSlide) -> EndedSlide:
    """Return what the run says of a slide; what lies in the folder of one that failed is of an earlier run."""
    if ended.status == "failed":
        return ended
    try:
        result = read_result(slide)
    except ResultError as error:  # a report of the others is still wanted, and this one stands first in it
        return ended.model_copy(update={"status": "failed", "reason": str(error)})
    if isinstance(result, CountedSlide) and result.status != "failed":
        require_sound(result, slide.result_json)
        return result
    if result.status == ended.status == "needs_calibration":
        return result
    reason = f"{slide.result_json} is not the result that run.json names"
    return ended.model_copy(update={"status": "failed", "reason": reason})


def mpp_of(record: Record) -> Mpp | None:
    """Return the pixel size that a slide was measured with, None where it was counted in pixels only.

    >>> mpp_of({"calibration": {"mpp_x_um": 0.5, "mpp_y_um": 0.25}})
    Mpp(x=0.5, y=0.25)
    """
    x, y = record["calibration"]["mpp_x_um"], record["calibration"]["mpp_y_um"]
    return None if x is None or y is None else Mpp(float(x), float(y))
