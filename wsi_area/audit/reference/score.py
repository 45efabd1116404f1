"""audit: areas of the classes of a run as readers' answers correct them, with what makes them uncertain."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from wsi_area.audit.reference.answers import CANNOT_TELL, Reading
from wsi_area.compute.judge.agreement import kappa
from wsi_area.compute.reference.allocation import more_to_halve
from wsi_area.compute.reference.drawn_slides import area_of_all
from wsi_area.compute.reference.share_limits import Ints
from wsi_area.compute.reference.stratified_area import (
    Z_95,
    StratifiedArea,
    mean_of_readers,
    stratified_area,
    with_scale,
)
from wsi_area.errors import SettingsError
from wsi_area.frozen_value import frozen_value
from wsi_area.model.uncertainty.reference_design import DesignPoint, DesignStratum, ReferenceDesign
from wsi_area.model.uncertainty.reference_score import AdjustedArea, Reader, ReferenceScore

WHOLE_RUN = "(run)"
"""What stands for the slide's id in the rows of all slides together; no slide's folder may be named so."""


Members = Mapping[str, frozenset[str]]
"""The classes that an area is made of, by the name of the area."""


@frozen_value
class _Answered:
    """A part of the run: its strata, and the points of all readers in them."""

    name: str
    strata: list[tuple[float, float, str]]  # mm² of area, of which slide's pixel makes no difference; mapped class
    hits: Callable[[int, str], Ints]
    drawn: list[Ints]  # by reader
    relative_u_area: float


def scored(
    design: ReferenceDesign, readings: Sequence[Reading], totals: Members, when: str | None = None
) -> ReferenceScore:
    """Return the score that the answers of readers make of a run's areas.

    Parameters
    ----------
    design, readings
        What was drawn, and what each reader says of it.
    totals : mapping
        The classes that tumour, positive and tissue are made of, as far as there are any.
    when : str or None
        The time, ISO 8601: of several draws of a run the one that was scored last is shown.

    Raises
    ------
    SettingsError
        Two readers have one name, or answered other points.
    """
    names = [reading.reader for reading in readings]
    if len(set(names)) < len(names):
        raise SettingsError(f"two files of answers are both named {names[0]}.csv; name each after its reader")
    points = [p for p in design.points if all(p.point_id in reading.answers for reading in readings)]
    classes: Members = {c.name: frozenset({c.name}) for slide in design.slides for c in slide.classes}
    parts = _parts(design, points, readings)
    areas, of_totals = (
        [area for part in parts for area in _areas(part, wanted, len(readings))]
        + (_of_all(design, parts, wanted, len(readings)) if design.not_drawn else [])
        for wanted in (classes, totals)
    )
    return ReferenceScore(
        draw=design.name,
        scored=when,
        readers=tuple(Reader(reader=r.reader, answered=len(r.answers)) for r in readings),
        kappa=_kappa(points, readings),
        areas=tuple(areas),
        totals=tuple(of_totals),
        slides={slide.slide_id: slide.key for slide in design.slides},
        notes=(*_notes(design, points, readings), *_notes_of_all(design, areas)),
    )


def _parts(design: ReferenceDesign, points: Sequence[DesignPoint], readings: Sequence[Reading]) -> list[_Answered]:
    """Return the slides, and the run after them; where some slides were drawn, the run is no such part."""
    slides = {slide.slide_id: slide for slide in design.slides}
    own: dict[str, list[list[DesignStratum]]] = {name: [] for name in slides}
    here: dict[str, list[DesignPoint]] = {name: [] for name in slides}
    for stratum in design.strata:
        own[stratum.slide_id].append([stratum])
    for point in points:
        here[point.slide_id].append(point)
    parts = [
        _part(design, name, own[name], here[name], readings, slide.relative_u_area) for name, slide in slides.items()
    ]
    if design.not_drawn:
        return parts
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


def _areas(part: _Answered, wanted: Members, readers: int) -> list[AdjustedArea]:
    return [_adjusted(part, name, members, readers) for name, members in wanted.items()]


def _adjusted(part: _Answered, name: str, members: frozenset[str], readers: int) -> AdjustedArea:
    """Return the area of one class, or of several together."""
    sizes = np.array([mm2 for mm2, _, _ in part.strata])
    mapped = np.array([float(own in members) for _, _, own in part.strata])
    sampled = [_sampled(part, reader, members, sizes, mapped) for reader in range(readers)]
    mean = mean_of_readers(sampled)
    shown = with_scale(mean, part.relative_u_area)
    known = [s for r in range(readers) if (s := _right(part, r, members, sizes, mapped)) is not None]
    users = float(np.mean(known)) if known else None
    area, counted = float(mean.area), float((sizes * mapped).sum())
    return AdjustedArea(
        slide_id=part.name,
        class_=name,
        counted_mm2=counted,
        adjusted_mm2=area,
        ci95_low_mm2=float(shown.low_95),
        ci95_high_mm2=float(shown.high_95),
        points_u_mm2=max(area - float(mean.low_95), float(mean.high_95) - area) / Z_95,
        published_mm2=Z_95 * float(mean.u_published),
        observer_u_mm2=float(np.std([float(s.area) for s in sampled], ddof=1)) if readers > 1 else None,
        users_accuracy=users,
        producers_accuracy=min(1.0, users * counted / area) if users is not None and area else None,
        points=int(part.drawn[0].sum()),
        more_points_to_halve=_more(part, members, readers, sizes, mapped),
    )


def _of_all(design: ReferenceDesign, parts: Sequence[_Answered], wanted: Members, readers: int) -> list[AdjustedArea]:
    """Return the areas in all slides of a run of which some were drawn."""
    return [_area_of_all(design, parts, name, members, readers) for name, members in wanted.items()]


def _area_of_all(
    design: ReferenceDesign, parts: Sequence[_Answered], name: str, members: frozenset[str], readers: int
) -> AdjustedArea:
    everyone = (*design.slides, *design.not_drawn)
    all_mm2 = sum(slide.pixel_area_mm2 * c.n_px for slide in everyone for c in slide.classes)
    mapped_mm2 = sum(slide.pixel_area_mm2 * c.n_px for slide in everyone for c in slide.classes if c.name in members)
    own = [_adjusted(part, name, members, readers) for part in parts]
    counted = np.array([area.counted_mm2 for area in own])
    drawn = np.array(sum(mm2 for part in parts for mm2, _, _ in part.strata))
    # a stratum without an answer would count as the map has it, and that slide agree with the map
    is_whole = all((part.drawn[0] > 0).all() for part in parts)
    found: list[StratifiedArea] = []
    for reader in range(readers):
        middle, low, high = (
            area_of_all(np.array([_seen(part, reader, members, unsure) for part in parts]), counted, drawn, mapped_mm2,
                        all_mm2)
            for unsure in (None, False, True)
        )  # fmt: skip
        known = is_whole and bool(middle.is_known and low.is_known and high.is_known)
        ends = (low.low_95, high.high_95) if known else (np.array(0.0), np.array(all_mm2))
        found.append(StratifiedArea(middle.area, ends[0], ends[1], middle.u))
    u = max(slide.relative_u_area for slide in everyone)
    mean = mean_of_readers(found)
    shown = with_scale(mean, u)
    users = [area.users_accuracy for area in own if area.users_accuracy is not None]
    return AdjustedArea(
        slide_id=WHOLE_RUN, class_=name, counted_mm2=mapped_mm2, adjusted_mm2=float(mean.area),
        ci95_low_mm2=float(shown.low_95), ci95_high_mm2=float(shown.high_95),
        points_u_mm2=max(float(mean.area - mean.low_95), float(mean.high_95 - mean.area)) / Z_95,
        published_mm2=Z_95 * float(mean.u_published),
        observer_u_mm2=float(np.std([float(one.area) for one in found], ddof=1)) if readers > 1 else None,
        users_accuracy=float(np.mean(users)) if users else None, producers_accuracy=None,
        points=sum(area.points for area in own), more_points_to_halve=None,
    )  # fmt: skip


def _seen(part: _Answered, reader: int, members: frozenset[str], unsure: bool | None) -> float:
    """Return the area that a reader sees on a slide; what nobody can tell left aside, or taken one way."""
    sizes = np.array([mm2 for mm2, _, _ in part.strata])
    mapped = np.array([float(own in members) for _, _, own in part.strata])
    hits, open_points = _hits(part, reader, members), part.hits(reader, CANNOT_TELL)
    if unsure is not None:
        hits, open_points = hits + (open_points if unsure else 0), np.zeros_like(open_points)
    return float(stratified_area(hits, open_points, part.drawn[reader], sizes, mapped).area)


def _hits(part: _Answered, reader: int, members: frozenset[str]) -> Ints:
    """Return the number of points of each stratum that a reader calls one of some classes."""
    found: Ints = np.sum([part.hits(reader, name) for name in sorted(members)], axis=0, dtype=np.int64)
    return found


def _sampled(part: _Answered, reader: int, members: frozenset[str], sizes: Any, mapped: Any) -> StratifiedArea:
    hits = _hits(part, reader, members)
    return stratified_area(hits, part.hits(reader, CANNOT_TELL), part.drawn[reader], sizes, mapped)


def _right(part: _Answered, reader: int, members: frozenset[str], sizes: Any, mapped: Any) -> float | None:
    """Return the share of what is mapped as some classes that a reader calls so."""
    told = part.drawn[reader] - part.hits(reader, CANNOT_TELL)
    known = (mapped > 0) & (told > 0)
    if not known.any():
        return None
    shares = _hits(part, reader, members)[known] / told[known]
    return float((shares * sizes[known]).sum() / sizes[known].sum())


def _more(part: _Answered, members: frozenset[str], readers: int, sizes: Any, mapped: Any) -> int | None:
    hits = np.stack([_hits(part, reader, members) for reader in range(readers)])
    not_told = np.stack([part.hits(reader, CANNOT_TELL) for reader in range(readers)])
    more = more_to_halve(hits, not_told, part.drawn[0], sizes, mapped, part.relative_u_area)
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


def _notes_of_all(design: ReferenceDesign, areas: Sequence[AdjustedArea]) -> list[str]:
    """Return the words that a reader of the row of the run needs where some slides were drawn."""
    if not design.not_drawn:
        return []
    drawn, all_slides = len(design.slides), len(design.slides) + len(design.not_drawn)
    notes = [f"the row of the run is of all {all_slides} slides, from {drawn} drawn at random; more slides narrow it"]
    unknown = [a.class_ for a in areas if a.slide_id == WHOLE_RUN and not a.ci95_low_mm2]
    if unknown:
        notes.append(
            f"{', '.join(unknown)}: the drawn slides are too unequal, or have too few answers, to say anything of the "
            "others, so the interval of the run is all that can be; draw more slides, or leave --slides out"
        )
    return notes


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
