"""compute: the areas of the slides of one subject, added up; pure."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

from wsi_area.model.record.subjects import Case, SubjectTotal
from wsi_area.model.slide_result import CountedSlide, EndedSlide

_Key = tuple[Literal["class", "total"], str]
_Area = tuple[int, float | None, float | None]  # level-0 px, mm², standard uncertainty in mm²

NAMED = 5
"""Slides named in one remark; the tables name all of them."""


def subject_totals(
    slides: Sequence[EndedSlide], cases: Mapping[str, Case], twins: Sequence[Sequence[str]] = ()
) -> tuple[SubjectTotal, ...]:
    """Return the totals of each subject's slides: a value for each total and class, subject by subject.

    Parameters
    ----------
    slides : sequence of EndedSlide
        Every slide of the run.
    cases : mapping
        Who is on each slide, by its id; slides without are left aside.
    twins : sequence of sequence of str
        Slides whose files hold the same.
    """
    of_subject: dict[str, list[EndedSlide]] = {}
    for slide in slides:
        if slide.slide_id in cases:
            of_subject.setdefault(cases[slide.slide_id].subject, []).append(slide)
    measured = {s.slide_id: _areas(s) for members in of_subject.values() for s in members}
    keys = _keys(list(measured.values()))
    return tuple(
        _total(subject, members, key, measured, cases, twins)
        for subject, members in of_subject.items()
        for key in keys or (None,)
    )


def added_u_mm2(parts: Sequence[tuple[str, float]]) -> float:
    """Return the standard uncertainty of a sum of areas, in mm², from the source of each scale and what it adds.

    Sizes of pixels from one source err together: their uncertainties are added (GUM, JCGM 100:2008, 5.2.2, ρ = 1).
    Those of different sources know nothing of each other: the squares are.

    >>> added_u_mm2([("a", 1.0), ("a", 2.0), ("b", 4.0)])
    5.0
    """
    by_source: dict[str, float] = {}
    for source, u_mm2 in parts:
        by_source[source] = by_source.get(source, 0.0) + u_mm2
    return math.hypot(*by_source.values())


def scale_source(slide: CountedSlide) -> str:
    """Return the source that two slides share whose pixel sizes err together.

    That is the kind of claim, and the make of the scanner whose word it is; of a typed size the calibration record.
    Which scanner it was no file tells for certain, so all of one make count as one, which is the most it can be.
    """
    calibration = slide.calibration
    chosen = next((c for c in calibration.candidates if c.source == calibration.source), None)
    if chosen is None:
        return str(calibration.source)
    return f"typed, {chosen.traced_to}" if chosen.rung == "override" else f"{chosen.rung}, {slide.vendor}"


def _areas(slide: EndedSlide) -> dict[_Key, _Area]:
    """Return the areas of a slide by kind and name: its totals, then its classes."""
    if not isinstance(slide, CountedSlide) or slide.status == "failed":
        return {}
    found: dict[_Key, _Area] = {}
    if slide.tumor.n_px is not None:
        found["total", "tumor"] = (slide.tumor.n_px, slide.tumor.area_mm2, slide.tumor.area_u_mm2)
    if slide.positive is not None:
        found["total", "positive"] = (slide.positive.n_px, slide.positive.area_mm2, slide.positive.area_u_mm2)
    tissue_mm2, relative = slide.tissue.area_mm2, slide.calibration.relative_u_area
    u_mm2 = None if tissue_mm2 is None or relative is None else tissue_mm2 * relative
    if slide.tissue.n_px is not None:  # else nobody measured it
        found["total", "tissue"] = (slide.tissue.n_px, tissue_mm2, u_mm2)
    return found | {("class", c.name): (c.n_px, c.area_mm2, c.area_u_mm2) for c in slide.classes}


def _keys(measured: Sequence[Mapping[_Key, _Area]]) -> list[_Key]:
    """Return the totals and classes that there are; a class that is a total by name and by number stands once."""
    found = dict.fromkeys(key for areas in measured for key in areas)
    return [
        (kind, name)
        for kind, name in found
        if kind == "total"
        or ("total", name) not in found
        or any(areas.get(("total", name)) != areas.get((kind, name)) for areas in measured)
    ]


def _total(
    subject: str,
    members: Sequence[EndedSlide],
    key: _Key | None,
    measured: Mapping[str, Mapping[_Key, _Area]],
    cases: Mapping[str, Case],
    twins: Sequence[Sequence[str]],
) -> SubjectTotal:
    summed, parts = [], []
    for slide in members:
        _, mm2, u_mm2 = (0, None, None) if key is None else measured[slide.slide_id].get(key, (0, None, None))
        if mm2 is not None and isinstance(slide, CountedSlide):
            summed.append((slide, mm2))
            parts.append((scale_source(slide), u_mm2 or 0.0))
    names = {slide.slide_id for slide, _ in summed}
    own = [cases[slide.slide_id] for slide in members]
    return SubjectTotal(
        subject=subject,
        n_slides=len(members),
        class_name=None if key is None else key[1],
        area_mm2=math.fsum(mm2 for _, mm2 in summed) if summed else None,
        u_mm2=added_u_mm2(parts) if summed else None,
        kind="total" if key is None else key[0],
        n_slides_measured=len(summed),
        is_complete=len(summed) == len(members) and all(slide.is_final for slide in members),
        blocks=_listed(case.block for case in own),
        dates=_listed(case.date for case in own),
        remarks="; ".join(_remarks(members, names, own, twins)) or None,
    )


def _remarks(
    members: Sequence[EndedSlide], summed: set[str], own: Sequence[Case], twins: Sequence[Sequence[str]]
) -> Iterator[str]:
    """Yield what a reader of the sum should know."""
    absent = [f"{s.slide_id} ({s.status})" for s in members if s.slide_id not in summed]
    if absent:
        yield f"{len(absent)} of {len(members)} slides not in the sum: {_named(absent)}"
    torn = [s.slide_id for s in members if s.slide_id in summed and _is_lower_bound(s)]
    if torn:
        yield f"not read whole, so the sum is a lower bound: {_named(torn)}"
    sampled = [s.slide_id for s in members if s.slide_id in summed and isinstance(s, CountedSlide) and s.is_estimate]
    if sampled:
        yield f"estimated from a sample, whose error is not in ±: {_named(sampled)}"
    for group in twins:
        same = [name for name in group if name in summed]
        if len(same) > 1:
            yield f"the same content, counted {len(same)} times: {_named(same)}"
    days = {case.date for case in own if case.date is not None}
    if len(days) > 1:
        yield f"slides of {len(days)} dates in one sum"


def _is_lower_bound(slide: EndedSlide) -> bool:
    return isinstance(slide, CountedSlide) and slide.is_lower_bound


def _named(names: Sequence[str]) -> str:
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more} more" if more > 0 else "")


def _listed(told: Iterator[str | None]) -> str | None:
    """Return the texts that are there, each once, in order; None where there are none."""
    return ", ".join(sorted({text for text in told if text is not None})) or None
