"""audit: reference points drawn over the slides of a run, stratified by what the map says."""

import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import count

from wsi_area.audit.reference.slide_strata import SlideStrata, slide_strata
from wsi_area.compute.reference.allocation import allocated
from wsi_area.compute.reference.drawn_slides import MIN_SLIDES
from wsi_area.errors import ResultError, SettingsError
from wsi_area.frozen_value import frozen_value
from wsi_area.model.json_tree import json_digest
from wsi_area.model.uncertainty.reference_design import (
    By,
    DesignClass,
    DesignPoint,
    DesignSlide,
    DesignStratum,
    ReferenceDesign,
    Zone,
)
from wsi_area.results.opened_run import OpenedRun
from wsi_area.results.opened_slide import OpenedSlide

ZONES: tuple[Zone, Zone] = ("inside", "boundary")
_TRIES = 20  # candidates for each point where points must lie apart


@frozen_value
class DrawRules:
    """What somebody asks of a draw."""

    name: str
    points: int
    seed: int
    by: By
    boundary_um: float
    min_distance_um: float
    points_in: Mapping[str, int]  # of a class, instead of what its size and the floor would give
    slides: int | None = None  # so many of the run, drawn at random; None: all

    @property
    def each_slide_alone(self) -> bool:
        """Return True if each slide has points and strata of its own."""
        return self.by == "slide" or self.slides is not None


@frozen_value
class _Cell:
    """One stratum on one slide."""

    of: SlideStrata
    number: int
    stratum: DesignStratum


def drawn_design(run: OpenedRun, rules: DrawRules) -> ReferenceDesign:
    """Return the points of a draw; every level-0 pixel of a stratum has the same chance.

    The same run, seed and rules draw the same points, whatever the tile size.

    Raises
    ------
    SettingsError
        There are no such classes, or not so many points lie so far apart.
    ResultError
        No slide of the run can have points.
    """
    able, left_out = _able(run)
    chosen = _chosen(able, rules)
    slides, lost = _slides(run, chosen, rules.boundary_um)
    left_out |= lost
    if rules.slides is not None and len(slides) < MIN_SLIDES:
        raise ResultError(f"{len(slides)} of the drawn slides can have points, {MIN_SLIDES} are needed: {left_out}")
    cells: dict[str, list[_Cell]] = defaultdict(list)
    for of in slides:
        for cell in _cells(of, rules.each_slide_alone):
            cells[cell.stratum.drawn_with].append(cell)
    numbers = _numbers(cells, rules)
    told = _located(cells, numbers, rules)
    random.Random(f"{rules.seed} order").shuffle(told)
    digest = json_digest([rules.seed, run.run_record.config_hash, [point for point, _ in told]])[:6]
    width = max(3, len(str(len(told))))
    points = tuple(
        DesignPoint(
            point_id=f"p{digest}-{n:0{width}}", slide_id=stratum.slide_id, x_px=x, y_px=y,
            class_name=stratum.class_name, zone=stratum.zone,
        )
        for n, ((_, x, y), stratum) in zip(count(1), told, strict=False)
    )  # fmt: skip
    return ReferenceDesign(
        name=rules.name,
        seed=rules.seed,
        by=rules.by,
        points_asked=rules.points,
        boundary_um=rules.boundary_um,
        min_distance_um=rules.min_distance_um,
        slides=tuple(design_slide(of.slide) for of in slides),
        not_drawn=tuple(told for name, told in able.items() if name not in chosen),
        left_out=left_out,
        strata=tuple(cell.stratum for group in cells.values() for cell in group),
        points=points,
    )


def design_slide(slide: OpenedSlide) -> DesignSlide:
    """Return a counted slide as a draw remembers it.

    Raises
    ------
    ResultError
        It was not counted whole, or has no pixel size.
    """
    counted = slide.counted
    if counted.is_estimate:
        raise ResultError(
            f"{slide.slide_id} was estimated from a sample of its tiles, so there is no whole map to draw points by; "
            "measure it without --estimate"
        )
    pixel, u = counted.calibration.pixel_area_mm2, counted.calibration.relative_u_area
    if pixel is None or u is None:
        raise ResultError(f"{slide.slide_id} has no pixel size, so its points would make no mm²; give it --mpp")
    classes = tuple(DesignClass(name=c.name, n_px=c.n_px) for c in counted.classes)
    return DesignSlide(
        slide_id=slide.slide_id, key=counted.key, pixel_area_mm2=pixel, relative_u_area=u, classes=classes
    )


def _able(run: OpenedRun) -> tuple[dict[str, DesignSlide], dict[str, str]]:
    """Return the slides that can have points, and why others cannot."""
    found, left_out = {}, {}
    for slide_id in run.run_record.slides_planned:
        slide = run.get(slide_id)
        try:
            if slide is None:
                raise ResultError(f"{slide_id} failed in this run")
            found[slide_id] = design_slide(slide)
        except ResultError as error:
            left_out[slide_id] = str(error)
    if not found:
        raise ResultError(f"{run.layout.root}: no slide can have points: {'; '.join(left_out.values())}")
    return found, left_out


def _chosen(able: Mapping[str, DesignSlide], rules: DrawRules) -> list[str]:
    """Return the slides to draw points on, in the order of the run."""
    if rules.slides is None or rules.slides == len(able):
        return list(able)
    if rules.by == "slide":
        raise SettingsError("--slides draws some slides for an area of all: it goes with --by run")
    if not MIN_SLIDES <= rules.slides <= len(able):
        raise SettingsError(
            f"--slides {rules.slides}: {len(able)} slides of the run can have points, and {MIN_SLIDES} at least are "
            "needed to say anything of the others; give a number between, or leave it out"
        )
    drawn = set(random.Random(f"{rules.seed} slides").sample(sorted(able), rules.slides))
    return [name for name in able if name in drawn]


def _slides(run: OpenedRun, names: Sequence[str], boundary_um: float) -> tuple[list[SlideStrata], dict[str, str]]:
    """Return the strata of slides, and why others have none."""
    found, left_out = [], {}
    for name in names:
        try:
            found.append(slide_strata(run[name], boundary_um))
        except ResultError as error:
            left_out[name] = str(error)
    if not found:
        raise ResultError(f"{run.layout.root}: no slide can have points: {'; '.join(left_out.values())}")
    return found, left_out


def _cells(of: SlideStrata, each_slide_alone: bool) -> list[_Cell]:
    slide = of.slide
    # over a run, pixels are drawn together where they are of one size, to 1 %, so that a share of them is one of area
    pixel = slide.counted.calibration.pixel_area_mm2
    group = slide.slide_id if each_slide_alone else f"pixels of {pixel:.3g} mm²"
    cells = []
    for number, n_px in enumerate(of.sizes_px):
        class_name, zone = slide.counted.classes[number // 2].name, ZONES[number % 2]
        if n_px:
            stratum = DesignStratum(
                slide_id=slide.slide_id, drawn_with=f"{group}: {class_name}, {zone}", class_name=class_name,
                zone=zone, n_px=n_px,
            )  # fmt: skip
            cells.append(_Cell(of, number, stratum))
    return cells


def _numbers(cells: Mapping[str, Sequence[_Cell]], rules: DrawRules) -> dict[str, int]:
    """Return the number of points of each group of strata."""
    groups: dict[str, list[str]] = defaultdict(list)
    for name, group in cells.items():
        groups[group[0].stratum.slide_id if rules.each_slide_alone else ""].append(name)
    known = {group[0].stratum.class_name for group in cells.values()}
    if strange := sorted(set(rules.points_in) - known):
        raise SettingsError(f"--points-in: the map has no {', '.join(strange)}; it has {', '.join(sorted(known))}")
    numbers: dict[str, int] = {}
    points = rules.points if rules.slides is None else max(1, rules.points // len(groups))
    for names in groups.values():
        sizes = [sum(cell.stratum.n_px for cell in cells[name]) for name in names]
        numbers |= dict(zip(names, allocated(sizes, points), strict=True))
        for class_name, wanted in rules.points_in.items():
            own = [n for n, name in enumerate(names) if cells[name][0].stratum.class_name == class_name]
            shared = allocated([sizes[n] for n in own], wanted)
            numbers |= dict(zip([names[n] for n in own], shared, strict=True))
    return numbers


_Located = tuple[tuple[str, int, int], DesignStratum]


def _located(cells: Mapping[str, Sequence[_Cell]], numbers: Mapping[str, int], rules: DrawRules) -> list[_Located]:
    """Return the places of the points, stratum by stratum."""
    tries = _TRIES if rules.min_distance_um else 1
    orders: dict[str, list[tuple[_Cell, int]]] = {}
    wanted: dict[int, dict[int, list[int]]] = defaultdict(lambda: defaultdict(list))
    slides = {id(cell.of): cell.of for group in cells.values() for cell in group}
    for name, group in cells.items():
        total = sum(cell.stratum.n_px for cell in group)
        many = min(total, tries * numbers[name])
        orders[name] = [_owner(group, n) for n in random.Random(f"{rules.seed} {name}").sample(range(total), many)]
        for cell, rank in orders[name]:
            wanted[id(cell.of)][cell.number].append(rank)
    places = {key: slides[key].places(dict(ranks)) for key, ranks in wanted.items()}
    kept: list[_Located] = []
    near: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for name, order in orders.items():
        before = len(kept)
        for cell, rank in order:
            if len(kept) - before == numbers[name]:
                break
            x, y = places[id(cell.of)][cell.number, rank]
            if _is_apart(cell, x, y, near, rules.min_distance_um):
                kept.append(((cell.stratum.slide_id, x, y), cell.stratum))
        if len(kept) - before < numbers[name]:
            raise SettingsError(
                f"{name}: of {len(order)} places {len(kept) - before} lie {rules.min_distance_um:g} µm from all other "
                f"points, and {numbers[name]} are wanted; give a smaller --min-distance-um, or fewer --points"
            )
    return kept


def _owner(group: Sequence[_Cell], number: int) -> tuple[_Cell, int]:
    for cell in group:
        if number < cell.stratum.n_px:
            return cell, number
        number -= cell.stratum.n_px
    raise AssertionError("the number is within the sum")


def _is_apart(cell: _Cell, x: int, y: int, near: dict[str, list[tuple[float, float]]], least_um: float) -> bool:
    if not least_um:
        return True
    mpp = cell.of.slide.mpp
    assert mpp is not None, "slides without a pixel size are left out"
    at, others = (x * mpp.x, y * mpp.y), near[cell.stratum.slide_id]
    if any((at[0] - a) ** 2 + (at[1] - b) ** 2 < least_um**2 for a, b in others):
        return False
    others.append(at)
    return True
