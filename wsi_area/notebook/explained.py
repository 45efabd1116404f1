"""notebook: the arithmetic of one area on record, step by step, computed again and held against the record."""

from wsi_area.compute.count.explain import Explanation, explain_area, explanation_text, from_mpp
from wsi_area.compute.quantity_text import number_text
from wsi_area.errors import MissingMppError, ResultError, SettingsError
from wsi_area.frozen_value import frozen_value
from wsi_area.model.slide_result import CountedSlide
from wsi_area.results.opened_slide import OpenedSlide
from wsi_area.results.sound_areas import require_areas


@frozen_value(repr=False)
class ExplainedArea:
    """An area with every step that led to it; it prints as text."""

    slide_id: str
    name: str
    explanation: Explanation

    @property
    def area_mm2(self) -> float:
        """Return the answer."""
        return self.explanation.area_mm2

    def __repr__(self) -> str:
        return f"{self.slide_id}, {self.name}\n{explanation_text(self.explanation)}"


def explained_area(slide: OpenedSlide, name: str) -> ExplainedArea:
    """Return the arithmetic of a class, or of all tumour, all that is positive or all tissue, of a slide.

    A class that is itself called ``tumor``, ``positive`` or ``tissue`` is what the name means.
    """
    result = slide.result
    if not isinstance(result, CountedSlide):
        raise ResultError(f"{slide.slide_id} ended as {slide.status} and has no areas: {result.reason}")
    n_px = _counted_px(result, name)
    mpp, calibration = slide.mpp, result.calibration
    if mpp is None:
        raise MissingMppError(
            f"{slide.slide_id}: {name} is {number_text(n_px)} px and no mm², since no pixel size could be believed "
            f"({calibration.reason}); measure it again with --mpp and --mpp-reason"
        )
    if result.analyzed.area_mm2 is None:
        raise ResultError(f"{slide.slide_id}: nothing of it could be read, so it has no areas: {result.reason}")
    require_areas(result, slide.layout.result_json)
    explanation = explain_area(n_px, from_mpp(mpp, calibration.source or ""), what=f"{name} pixels")
    return ExplainedArea(slide.slide_id, name, explanation)


def _counted_px(slide: CountedSlide, name: str) -> int:
    positive_px = None if slide.positive is None else slide.positive.n_px
    totals = {"tumor": slide.tumor.n_px, "positive": positive_px, "tissue": slide.tissue.n_px}
    areas = {total: n_px for total, n_px in totals.items() if n_px is not None} | {
        c.name: c.n_px for c in slide.classes
    }
    if name not in areas:
        raise SettingsError(f"slide {slide.slide_id} has no class {name!r}; it has {', '.join(sorted(areas))}")
    return areas[name]
