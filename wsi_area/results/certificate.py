"""results: the certificate of a slide, put together from what is on record of it; no file is touched."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from wsi_area.model.finding import QaFinding
from wsi_area.model.record.slide_areas import CountsOnRecord
from wsi_area.model.record.slide_certificate import (
    Certificate,
    CertifiedFacts,
    CertifiedLight,
    CertifiedPictures,
    Completeness,
    Grade,
    Letter,
    Orientation,
)
from wsi_area.model.record.slide_origin import CalibrationOnRecord, LightOnRecord
from wsi_area.model.record.slide_pictures import PicturesOnRecord
from wsi_area.model.slide import UPRIGHT
from wsi_area.model.slide_result import CountedSlide

NOT_LOOKED_AT = CertifiedLight(
    was_looked_at=False, glass=None, glass_level=None, threshold=None, threshold_method=None, grade=None
)

_ON_PICTURE = ("PICTURE_CHOSEN", "REFUSED_BY_OPENSLIDE")
_ON_LIGHT = ("GLASS_NOT_SEEN", "GLASS_UNEVEN", "ALL_TISSUE", "BACKGROUND_UNEXPECTED")
_NOT_ASSESSED = (
    "Diagnosis, grade or stage: this is a measurement of area.",
    "Whether a class is what its name says: no pathologist's reading was compared with this slide here.",
    "Colour fidelity of the stain and of the scanner.",
    "Stitching and registration of the scan.",
)
_NOT_FOUND_APART = "Focus, folds, pen, air bubbles and dust: no class of this run looks for them."


def certificate(
    content_digest: str,
    pictures: PicturesOnRecord,
    pixel_size: CalibrationOnRecord,
    light: CertifiedLight,
    completeness: Completeness,
    findings: Sequence[QaFinding],
    excluded: Iterable[str] = (),
) -> Certificate:
    """Return the certificate of a slide; findings are its grade, ``excluded`` the artefacts that are classes of it."""
    asked = not pictures.choice.says_nothing
    against = [f for f in findings if not (asked and f.code == "PICTURE_CHOSEN" and f.severity == "info")]
    return Certificate.over(
        CertifiedFacts(
            content_digest=content_digest,
            pictures=CertifiedPictures(**dict(pictures), grade=_grade(against, _ON_PICTURE)),
            pixel_size=pixel_size,
            light=light,
            completeness=completeness,
            orientation=Orientation(
                on_record=pictures.orientation, is_as_shown=pictures.is_turned or pictures.orientation == UPRIGHT
            ),
            not_assessed=not_assessed(excluded),
        )
    )


def certificate_of(slide: CountedSlide, stored: Completeness) -> Certificate | None:
    """Return the certificate of a slide that was counted, ``stored`` what its file holds; None without its pictures."""
    if slide.pictures is None:
        return None
    fit = slide.segmenter
    return certificate(
        slide.content_digest,
        slide.pictures,
        slide.calibration,
        certified_light(slide.light, fit.facts, slide.findings),
        _counted(stored, slide.counts),
        slide.findings,
        [c.name for c in slide.classes if c.is_excluded],
    )


def certified_light(
    light: LightOnRecord | None, facts: Mapping[str, Any], findings: Sequence[QaFinding] | None
) -> CertifiedLight:
    """Return the light as it was seen, with a grade where the slide was counted and glass is looked for."""
    return CertifiedLight(
        was_looked_at=True,
        glass=light,
        glass_level=None if light is None else min(light.glass_rgb),
        threshold=None if light is None or facts.get("threshold") is None else float(facts["threshold"]),
        threshold_method=None if light is None else facts.get("method"),
        grade=None if light is None or findings is None else _light_grade(light, findings),
    )


def not_assessed(excluded: Iterable[str] = ()) -> tuple[str, ...]:
    """Return the things that nobody looks at, a sentence each; ``excluded`` are artefacts with classes of the run."""
    names = ", ".join(excluded)
    apart = f"Artefacts other than {names}: no class of this run looks for them." if names else _NOT_FOUND_APART
    return (*_NOT_ASSESSED, apart)


def _counted(stored: Completeness, counts: CountsOnRecord) -> Completeness:
    return stored.model_copy(
        update={"n_px_unscanned": counts.n_px_unscanned, "n_px_unreadable": counts.n_px_unreadable}
    )


def _light_grade(light: LightOnRecord, findings: Sequence[QaFinding]) -> Grade | None:
    """Return the grade of the light; None where no number leans on the glass and nothing is said of it."""
    grade = _grade(findings, _ON_LIGHT)
    return grade if light.leans_on_glass or grade.because else None


def _grade(findings: Sequence[QaFinding], codes: Sequence[str]) -> Grade:
    found = [f for f in findings if f.code in codes]
    worst: Letter = "A" if not found else "B" if all(f.severity == "info" for f in found) else "C"
    return Grade(grade=worst, because=tuple(dict.fromkeys(f.code for f in found)))
