"""review: what each slide of a run is now: the content that a decision is held against, and its main area."""

from collections.abc import Iterable, Iterator, Mapping

from wsi_area.errors import ResultError
from wsi_area.frozen_value import frozen_value
from wsi_area.model.review.event import Measure
from wsi_area.model.run_record import RunRecord
from wsi_area.model.slide_result import CountedSlide, EndedSlide
from wsi_area.results.amended import AmendedSlide, latest_amended
from wsi_area.results.content_hash import content_hash
from wsi_area.results.layout import RunLayout
from wsi_area.results.opened_run import OpenedRun


@frozen_value
class SlideContent:
    """A slide as it is now."""

    slide_id: str
    subject: str | None
    content: str | None  # None: its document cannot be read
    was_counted: bool
    size_l0_px: tuple[int, int] | None  # width and height
    measure: Measure | None = None  # what the areas are of
    measured_mm2: float | None = None
    amended: int | None = None  # number of the amended version that is decided on
    amended_mm2: float | None = None

    @property
    def area_mm2(self) -> float | None:
        """Return the area that is decided on."""
        return self.measured_mm2 if self.amended is None else self.amended_mm2


def current_contents(run: OpenedRun) -> dict[str, SlideContent]:
    """Return the content of each planned slide of a run, in the order of the run."""
    return contents_of(run.layout, run.run_record, _results(run))


def contents_of(layout: RunLayout, run: RunRecord, slides: Iterable[EndedSlide]) -> dict[str, SlideContent]:
    """Return the content of each planned slide of a run, from the results that are at hand.

    Parameters
    ----------
    layout, run
        Where it lies, and what ran.
    slides : iterable of EndedSlide
        How its slides ended; one that is planned and not among them is one whose document cannot be read.
    """
    known = {slide.slide_id: slide for slide in slides}
    found = {}
    for slide_id in run.slides_planned:
        case = run.known_cases.get(slide_id)
        subject, slide = None if case is None else case.subject, known.get(slide_id)
        if slide is None:
            found[slide_id] = SlideContent(slide_id, subject, None, False, None)
        else:
            found[slide_id] = _content(layout, slide, subject)
    return found


def _results(run: OpenedRun) -> Iterator[EndedSlide]:
    """Yield the result of each slide; of one that failed before it had any, what run.json says."""
    ended: Mapping[str, EndedSlide] = run.run_record.ended_slides
    for slide_id in run.run_record.slides_planned:
        try:
            yield run[slide_id].result
        except KeyError:
            if slide_id in ended:
                yield ended[slide_id]
        except ResultError:
            continue


def _content(layout: RunLayout, slide: EndedSlide, subject: str | None) -> SlideContent:
    if not isinstance(slide, CountedSlide):
        return SlideContent(slide.slide_id, subject, content_hash(slide), False, None)
    measure, measured_mm2 = main_area(slide)
    try:
        amended: AmendedSlide | None = latest_amended(layout.slide(slide.slide_id))
    except ResultError:
        return SlideContent(slide.slide_id, subject, None, True, None, measure, measured_mm2)
    size = (slide.width_px, slide.height_px)
    if amended is None or amended.is_base_gone:
        return SlideContent(slide.slide_id, subject, content_hash(slide), True, size, measure, measured_mm2)
    _, amended_mm2 = main_area(amended.result)
    return SlideContent(
        slide.slide_id, subject, amended.content_hash, True, size, measure, measured_mm2, amended.number, amended_mm2
    )


def main_area(slide: CountedSlide) -> tuple[Measure | None, float | None]:
    """Return the name of the first area of a slide, and the area in mm²: tumour, else what is positive, else tissue."""
    if slide.tumor.n_px is not None:
        return "tumor", slide.tumor.area_mm2
    if slide.positive is not None:
        return "positive", slide.positive.area_mm2
    return ("tissue", slide.tissue.area_mm2) if slide.tissue.n_px is not None else (None, None)
