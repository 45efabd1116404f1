"""audit: areas of the classes of a run as readers' answers correct them, with what makes them uncertain."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from wsi_area.audit.reference.answers import CANNOT_TELL, Reading
from wsi_area.compute.judge.agreement import kappa
from wsi_area.compute.reference.allocation import more_to_halve
from wsi_area.compute.reference.share_limits import Ints
from wsi_area.compute.reference.stratified_area import (
    Z_95,
    StratifiedArea,
    mean_of_readers,
    stratified_area,
    with_scale,
)
from wsi_area.errors import SettingsError
from wsi_area.model.uncertainty.reference_design import DesignPoint, DesignStratum, ReferenceDesign

WHOLE_RUN = "(run)"
"""What stands for the slide's id in the rows of all slides together; no slide's folder may be named so."""


@dataclass(frozen=True, slots=True)
class AdjustedArea:
    """One class of a slide, or of all slides; every area in mm²."""

    slide_id: str
    class_name: str
    counted_mm2: float
    adjusted_mm2: float
    ci95_low_mm2: float
    ci95_high_mm2: float
    published_mm2: float  # half width of the normal interval of Olofsson et al. 2014: points alone, too narrow
    observer_u_mm2: float | None  # standard deviation between readers; None of one reader
    users_accuracy: float | None  # share of what is mapped that is right; None where nothing is mapped, or no point
    producers_accuracy: float | None  # share of what is there that is mapped
    points: int  # answered
    more_points_to_halve: int | None  # None: the pixel size alone is half of the interval

    def document(self) -> dict[str, Any]:
        """Return it as JSON values, named as in the table."""
        values = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {"slide_id": values.pop("slide_id"), "class": values.pop("class_name"), **values}


@dataclass(frozen=True, slots=True)
class ReferenceScore:
    """What came of the answers to one draw."""

    design: ReferenceDesign
    readers: tuple[str, ...]
    answered: tuple[int, ...]  # of each reader
    kappa: float | None  # mean over pairs of readers; None of one reader
    areas: tuple[AdjustedArea, ...]
    notes: tuple[str, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class _Answered:
    """A part of the run: its strata, and the points of all readers in them."""

    name: str
    strata: list[tuple[float, float, str]]  # mm² of area, of which slide's pixel makes no difference; mapped class
    hits: Callable[[int, str], Ints]
    drawn: list[Ints]  # by reader
    relative_u_area: float


def scored(design: ReferenceDesign, readings: Sequence[Reading]) -> ReferenceScore:
    """Return what the answers of readers make of a run's areas.

    Raises
    ------
    SettingsError
        Two readers have one name, or answered other points.
    """
    names = [reading.reader for reading in readings]
    if len(set(names)) < len(names):
        raise SettingsError(f"two files of answers are both named {names[0]}.csv; name each after its reader")
    points = [p for p in design.points if all(p.point_id in reading.answers for reading in readings)]
    classes = list(dict.fromkeys(c.name for slide in design.slides for c in slide.classes))
    areas = [area for part in _parts(design, points, readings) for area in _areas(design, part, classes, readings)]
    return ReferenceScore(
        design, tuple(names), tuple(len(r.answers) for r in readings), _kappa(points, readings), tuple(areas),
        tuple(_notes(design, points, readings)),
    )  # fmt: skip


def _parts(design: ReferenceDesign, points: Sequence[DesignPoint], readings: Sequence[Reading]) -> list[_Answered]:
    """Return the slides, and the run after them."""
    slides = {slide.slide_id: slide for slide in design.slides}
    parts = []
    for name, slide in slides.items():
        own = [s for s in design.strata if s.slide_id == name]
        here = [p for p in points if p.slide_id == name]
        parts.append(_part(design, name, [[s] for s in own], here, readings, slide.relative_u_area))
    groups: dict[str, list[DesignStratum]] = {}
    for stratum in design.strata:
        groups.setdefault(stratum.drawn_with, []).append(stratum)
    # one scanner, one error: that of the least sure slide for all of them
    u = max(slide.relative_u_area for slide in slides.values())
    return [*parts, _part(design, WHOLE_RUN, list(groups.values()), points, readings, u)]


def _part(
    design: ReferenceDesign, name: str, groups: list[list[DesignStratum]], points: Sequence[DesignPoint],
    readings: Sequence[Reading], u: float,
) -> _Answered:  # fmt: skip
    pixel = {slide.slide_id: slide.pixel_area_mm2 for slide in design.slides}
    place = {(s.slide_id, s.class_name, s.zone): n for n, group in enumerate(groups) for s in group}
    at = np.array([place[p.slide_id, p.class_name, p.zone] for p in points], np.int64)
    told = [np.array([reading.answers[p.point_id] for p in points], dtype=object) for reading in readings]

    def hits(reader: int, answer: str) -> Ints:
        return np.bincount(at[told[reader] == answer], minlength=len(groups)).astype(np.int64)

    sizes = [
        (sum(s.n_px * pixel[s.slide_id] for s in g), float(sum(s.n_px for s in g)), g[0].class_name) for g in groups
    ]
    drawn = np.bincount(at, minlength=len(groups)).astype(np.int64)
    return _Answered(name, sizes, hits, [drawn] * len(readings), u)


def _areas(
    design: ReferenceDesign, part: _Answered, classes: Sequence[str], readings: Sequence[Reading]
) -> list[AdjustedArea]:
    sizes = np.array([mm2 for mm2, _, _ in part.strata])
    mapped_names = [name for _, _, name in part.strata]
    found = []
    for name in classes:
        mapped = np.array([float(own == name) for own in mapped_names])
        sampled = [_sampled(part, reader, name, sizes, mapped) for reader in range(len(readings))]
        mean = mean_of_readers(sampled)
        shown = with_scale(mean, part.relative_u_area)
        right = [_right(part, reader, name, sizes, mapped) for reader in range(len(readings))]
        known = [share for share in right if share is not None]
        users = float(np.mean(known)) if known else None
        area, counted = float(mean.area), float((sizes * mapped).sum())
        found.append(
            AdjustedArea(
                part.name, name, counted, area, float(shown.low_95), float(shown.high_95),
                Z_95 * float(mean.u_published),
                float(np.std([float(s.area) for s in sampled], ddof=1)) if len(sampled) > 1 else None,
                users, min(1.0, users * counted / area) if users is not None and area else None,
                int(part.drawn[0].sum()), _more(part, name, sizes, shown),
            )
        )  # fmt: skip
    return found


def _sampled(part: _Answered, reader: int, name: str, sizes: Any, mapped: Any) -> StratifiedArea:
    return stratified_area(part.hits(reader, name), part.hits(reader, CANNOT_TELL), part.drawn[reader], sizes, mapped)


def _right(part: _Answered, reader: int, name: str, sizes: Any, mapped: Any) -> float | None:
    """Return the share of what is mapped as a class that a reader calls so."""
    told = part.drawn[reader] - part.hits(reader, CANNOT_TELL)
    known = (mapped > 0) & (told > 0)
    if not known.any():
        return None
    shares = part.hits(reader, name)[known] / told[known]
    return float((shares * sizes[known]).sum() / sizes[known].sum())


def _more(part: _Answered, name: str, sizes: Any, shown: StratifiedArea) -> int | None:
    half = float(shown.high_95 - shown.low_95) / 2
    fixed = Z_95 * part.relative_u_area * float(shown.area)
    more = more_to_halve(part.hits(0, name), part.drawn[0], sizes.tolist(), half, fixed)
    return None if more is None else sum(more)


def _kappa(points: Sequence[DesignPoint], readings: Sequence[Reading]) -> float | None:
    """Return the mean of Cohen's kappa over pairs of readers, over the points both can tell."""
    found = []
    for n, first in enumerate(readings):
        for second in readings[n + 1 :]:
            pairs = [(first.answers[p.point_id], second.answers[p.point_id]) for p in points]
            pairs = [pair for pair in pairs if CANNOT_TELL not in pair]
            names = sorted({name for pair in pairs for name in pair})
            matrix = np.zeros((len(names), len(names)), np.int64)
            for a, b in pairs:
                matrix[names.index(a), names.index(b)] += 1
            if (one := kappa(matrix)) is not None:
                found.append(one)
    return float(np.mean(found)) if found else None


def _notes(design: ReferenceDesign, points: Sequence[DesignPoint], readings: Sequence[Reading]) -> list[str]:
    notes = [f"{name} had no points: {why}" for name, why in design.left_out.items()]
    if len(points) < len(design.points):
        notes.append(f"{len(points)} of {len(design.points)} points are answered by all; they are a random sample too")
    unsure = sum(reading.answers[p.point_id] == CANNOT_TELL for reading in readings for p in points)
    if unsure:
        notes.append(
            f"{unsure} answers are {CANNOT_TELL}: they count as the class for the upper end, not for the lower"
        )
    have = {(p.slide_id, p.class_name, p.zone) for p in points}
    empty = sum((s.slide_id, s.class_name, s.zone) not in have for s in design.strata)
    if empty:
        notes.append(
            f"{empty} of {len(design.strata)} strata of slides have no point: the map counts there, and "
            "the interval holds whatever can be true"
        )
    return notes
