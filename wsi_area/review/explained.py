"""review: the arithmetic of one area on record, step by step, computed again and held against the record."""

import math
from dataclasses import dataclass

from wsi_area.compute.count.explain import Explanation, explain_area, explanation_text, from_mpp
from wsi_area.compute.quantity_text import number_text
from wsi_area.errors import CountMismatchError, MissingMppError, ResultError, SettingsError
from wsi_area.results.opened_slide import OpenedSlide

_ROUND_OFF = 1e-9  # relative; the same product in another order differs in the last bits only
_TOTALS = ("tumor", "tissue")


@dataclass(frozen=True, slots=True, repr=False)
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
    """Return the arithmetic of a class, or of all tumour or all tissue, of a slide.

    A class that is itself called ``tumor`` or ``tissue`` is what the name means.
    """
    if not slide.is_counted:
        raise ResultError(f"{slide.slide_id} ended as {slide.status} and has no areas: {slide.record.get('reason')}")
    n_px, on_record_mm2 = _counted(slide, name)
    mpp = slide.mpp
    if mpp is None:
        raise MissingMppError(
            f"{slide.slide_id}: {name} is {number_text(n_px)} px and no mm², since no pixel size could be believed "
            f"({slide.record['calibration']['reason']}); measure it again with --mpp and --mpp-reason"
        )
    if on_record_mm2 is None and slide.record["analyzed"]["area_mm2"] is None:
        raise ResultError(
            f"{slide.slide_id}: nothing of it could be read, so it has no areas: {slide.record['reason']}"
        )
    source = slide.record["calibration"]["source"]
    explanation = explain_area(n_px, from_mpp(mpp, source), what=f"{name} pixels")
    if on_record_mm2 is None or not math.isclose(explanation.area_mm2, on_record_mm2, rel_tol=_ROUND_OFF):
        raise CountMismatchError(
            f"{slide.layout.result_json}: {name} is on record with {on_record_mm2} mm², but {n_px} px make "
            f"{explanation.area_mm2} mm²; the file was changed or is damaged, run the slide again"
        )
    return ExplainedArea(slide.slide_id, name, explanation)


def _counted(slide: OpenedSlide, name: str) -> tuple[int, float | None]:
    areas = {total: slide.record[total] for total in _TOTALS if slide.record[total]["n_px"] is not None}
    areas |= {c["name"]: c for c in slide.record["classes"]}
    if name not in areas:
        raise SettingsError(f"slide {slide.slide_id} has no class {name!r}; it has {', '.join(sorted(areas))}")
    return areas[name]["n_px"], areas[name]["area_mm2"]
