"""compute: the cores of a tissue microarray: which of them is which, where it lies, and whether it is whole; pure."""

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from wsi_area.compute.sections.boxes import TissueBoxes
from wsi_area.compute.sections.lattice import Lattice, find_lattice
from wsi_area.compute.sections.spots import Spots, disc_cover, disc_is_cut, find_spots, largest_part
from wsi_area.frozen_value import frozen_value

Floats = NDArray[np.float64]
CoreStatus = Literal["complete", "broken", "missing", "cut", "extra", "unplaced"]

_IN_PARTS = 0.75
"""Of a core's tissue: where its largest part has less, it is broken."""
_MOST_EXTRA = 0.1
"""Cores beside the map, over those on it, that may be strays; more say that the map lies wrongly, or is of sectors."""


@frozen_value
class MapCore:
    """One core as the map of the array has it, or as a corrected grid has it."""

    row: int  # from 1
    column: int  # from 1
    name: str
    patient: str = ""
    xy_l0_px: tuple[float, float] | None = None  # its centre, where somebody said it


@frozen_value
class Core:
    """One core of a slide."""

    row: int | None  # None: not known, or beside the grid
    column: int | None
    name: str
    patient: str
    status: CoreStatus
    x_um: float  # its centre, from the slide's origin
    y_um: float


@frozen_value
class CoreGrid:
    """The cores of a slide, and what must be said of how they were found."""

    cores: tuple[Core, ...]
    doubt: str = ""  # why no core is named, or why the names may be wrong; "" where nothing speaks against them
    turn_deg: float | None = None


@frozen_value
class CoreLimits:
    """Of what size cores are, and when one is whole."""

    core_um: float
    broken_pct: float  # tissue in percent of the nominal core below which it is broken
    missing_pct: float


def core_name(row: int, column: int) -> str:
    """Return the usual name of a core: the row as letters, the column as a number.

    >>> core_name(1, 1), core_name(26, 12), core_name(27, 3)
    ('A1', 'Z12', 'AA3')
    """
    letters = ""
    while row:
        row, letter = divmod(row - 1, 26)
        letters = chr(65 + letter) + letters
    return f"{letters}{column}"


def full_map(rows: int, columns: int) -> tuple[MapCore, ...]:
    """Return a map with a core at every place."""
    return tuple(MapCore(r, c, core_name(r, c)) for r in range(1, rows + 1) for c in range(1, columns + 1))


def find_cores(boxes: TissueBoxes, wanted: Sequence[MapCore], limits: CoreLimits) -> CoreGrid:
    """Return the cores of a slide, each that the map has and each that it has not.

    Parameters
    ----------
    boxes
        The tissue of the slide.
    wanted
        The cores that the array has; none: as many rows and columns as are found.
    limits
        Of what size cores are, and when one is whole.
    """
    spots = find_spots(boxes, limits.core_um)
    lattice = find_lattice(spots, limits.core_um)
    if lattice is None:
        told = (
            f"{len(spots.xy_um)} places look like cores of {limits.core_um:g} µm, too few to say which row and column "
            "each is in"
        )
        return CoreGrid(tuple(_unplaced(boxes, spots, limits)), told)
    on = {(int(r), int(c)): n for n, (r, c) in enumerate(lattice.places) if lattice.is_on[n]}
    first_row, first_column = (min(place[axis] for place in on) for axis in (0, 1))
    if not wanted:
        rows, columns = (
            max(place[axis] for place in on) - low + 1 for axis, low in ((0, first_row), (1, first_column))
        )
        wanted = full_map(rows, columns)
        offset: tuple[int, int] | None = first_row - 1, first_column - 1
        doubt = ""
    else:
        offset, doubt = _offset(on, {(core.row, core.column) for core in wanted})
    if offset is None:
        return CoreGrid(tuple(_unplaced(boxes, spots, limits)), doubt, lattice.turn_deg)
    named = [_placed(boxes, core, lattice, on, offset, limits) for core in wanted]
    used = {on[place] for core in wanted if (place := (core.row + offset[0], core.column + offset[1])) in on}
    extra = [
        Core(None, None, f"extra {k}", "", "extra", *map(float, spots.xy_um[n]))
        for k, n in enumerate(_whole_spots(boxes, spots, used, named, limits), 1)
    ]
    if not doubt and len(extra) > max(2, _MOST_EXTRA * len(used)):
        doubt = (
            f"{len(extra)} places look like cores and are on no place of the map, beside {len(used)} that are: the "
            "names may be those of other cores"
        )
    return CoreGrid((*named, *extra), doubt, lattice.turn_deg)


def given_cores(boxes: TissueBoxes, given: Sequence[MapCore], limits: CoreLimits) -> CoreGrid:
    """Return the cores of a slide whose centres somebody said; every one must have its centre."""
    mpp = boxes.mpp
    cores = []
    for core in given:
        assert core.xy_l0_px is not None  # see above
        centre = np.array([core.xy_l0_px[0] * mpp.x, core.xy_l0_px[1] * mpp.y])
        cores.append(_core(boxes, core, centre, limits))
    return CoreGrid(tuple(cores))


def core_status(cover_pct: float, part: float, limits: CoreLimits) -> CoreStatus:
    """Return True if a core is there and whole.

    >>> [core_status(pct, part, CoreLimits(1000, 50, 5)) for pct, part in ((90, 1), (90, 0.5), (49, 1), (4, 1))]
    ['complete', 'broken', 'broken', 'missing']
    """
    if cover_pct < limits.missing_pct:
        return "missing"
    return "broken" if cover_pct < limits.broken_pct or part < _IN_PARTS else "complete"


def _core(boxes: TissueBoxes, core: MapCore, centre_um: Floats, limits: CoreLimits) -> Core:
    cover, part = (of(boxes, centre_um, limits.core_um) for of in (disc_cover, largest_part))
    status = core_status(100 * cover, part, limits)
    if status != "complete" and disc_is_cut(boxes, centre_um, limits.core_um):
        status = "cut"  # what was not measured may have been the rest of it
    return Core(core.row, core.column, core.name, core.patient, status, float(centre_um[0]), float(centre_um[1]))


def _placed(
    boxes: TissueBoxes,
    core: MapCore,
    lattice: Lattice,
    on: Mapping[tuple[int, int], int],
    offset: tuple[int, int],
    limits: CoreLimits,
) -> Core:
    place = core.row + offset[0], core.column + offset[1]
    spot = on.get(place)
    centre = lattice.place_um(*place) if spot is None else lattice.xy_um[spot]
    return _core(boxes, core, centre, limits)


def _whole_spots(
    boxes: TissueBoxes, spots: Spots, used: set[int], named: Sequence[Core], limits: CoreLimits
) -> list[int]:
    """Return the spots that no core of the map has, and that are whole; none that lies in a core's own disc."""
    centres = np.array([[core.x_um, core.y_um] for core in named]).reshape(-1, 2)
    found = []
    for n in sorted(set(range(len(spots.xy_um))) - used, key=lambda n: (spots.xy_um[n, 1], spots.xy_um[n, 0])):
        away = np.hypot(*(centres - spots.xy_um[n]).T)
        if 100 * spots.cover[n] >= limits.broken_pct and (away >= 0.9 * limits.core_um).all():
            found.append(n)
    return found


def _unplaced(boxes: TissueBoxes, spots: Spots, limits: CoreLimits) -> list[Core]:
    order = np.lexsort((spots.xy_um[:, 0], spots.xy_um[:, 1])) if len(spots.xy_um) else np.empty(0, np.intp)
    return [Core(None, None, f"core {k}", "", "unplaced", *map(float, spots.xy_um[n])) for k, n in enumerate(order, 1)]


def _offset(on: Mapping[tuple[int, int], int], wanted: set[tuple[int, int]]) -> tuple[tuple[int, int] | None, str]:
    """Return the offset of a row and column of the map to their place on the lattice; None where it is unsure.

    The map lies where most of its places have a core and most cores a place. Where it lies equally well elsewhere, no
    name is sure; where it would lie better turned or mirrored, that is said.
    """
    best, ways, next_best = _fits(on, wanted)
    if len(ways) > 1:
        return None, (
            f"the map of {len(wanted)} cores fits on the {len(on)} cores found in {len(ways)} ways, each with {best} "
            "of them on a place, so no core has its name"
        )
    rows, columns = max(r for r, _ in wanted) + 1, max(c for _, c in wanted) + 1
    turned = {
        "turned by 180°": {(rows - r, columns - c) for r, c in wanted},
        "mirrored left to right": {(r, columns - c) for r, c in wanted},
        "mirrored top to bottom": {(rows - r, c) for r, c in wanted},
    }
    unsure = "the names may be those of other cores"
    for how, other in turned.items():
        found, _, _ = _fits(on, other)
        if found > best:
            return ways[
                0
            ], f"{best} of the {len(on)} cores found lie on a place of the map; {how} it would be {found}: {unsure}"
    if best - next_best == 1:
        return ways[0], (
            f"{best} of the {len(on)} cores found lie on a place of the map; moved by a row or a column it would be "
            f"{next_best}, so that where it lies rests on one core: {unsure}"
        )
    return ways[0], ""


def _fits(on: Mapping[tuple[int, int], int], wanted: set[tuple[int, int]]) -> tuple[int, list[tuple[int, int]], int]:
    """Return on how many cores a map lies at best, by which offsets it does, and on how many it lies otherwise."""
    votes: dict[tuple[int, int], int] = {}
    for row, column in on:
        for r, c in wanted:
            votes[row - r, column - c] = votes.get((row - r, column - c), 0) + 1
    best = max(votes.values())
    others = (count for count in votes.values() if count < best)
    return best, sorted(offset for offset, count in votes.items() if count == best), max(others, default=0)
