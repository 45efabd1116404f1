"""compute: the lattice that the spots of a tissue microarray lie on: turned, sheared, bent and full of gaps; pure."""

from itertools import product

import numpy as np
from numpy.typing import NDArray

from wsi_area.compute.sections.spots import Spots
from wsi_area.frozen_value import frozen_value

Floats = NDArray[np.float64]

MAX_TURN_DEG = 20.0
"""How far rows may be turned from the horizontal, and columns from the vertical; further turns are not told apart."""
_CONE_DEG = MAX_TURN_DEG + 2.5  # of single cores, which lie beside their place
_OFF = 0.32  # of the smaller pitch: how far a core may lie from where its neighbours say
_SOLID = 0.25  # of the best covered spots' cover: others do not found the lattice


@frozen_value(eq=False)
class Lattice:
    """A lattice, and which spot lies on which of its places."""

    across_um: Floats  # (2,), from a core to the next one of its row
    down_um: Floats  # (2,), from a core to the next one of its column
    places: NDArray[np.int64]  # (n, 2), row and column of each spot, from any origin
    is_on: NDArray[np.bool_]  # (n,), False for a spot that lies on no place, or on one that another lies on
    xy_um: Floats  # (n, 2), the spots

    @property
    def turn_deg(self) -> float:
        """Return the turn of the rows in degrees, clockwise on the picture."""
        return float(np.degrees(np.arctan2(self.across_um[1], self.across_um[0])))

    def place_um(self, row: int, column: int) -> Floats:
        """Return the place where a core of a row and column should lie, by those that lie nearest to it."""
        away = np.array([row, column]) - self.places[self.is_on]
        steps = np.abs(away).sum(axis=1)
        near = steps <= max(2, int(steps.min()))
        said = self.xy_um[self.is_on] + away[:, 1:] * self.across_um + away[:, :1] * self.down_um
        return np.asarray(said[near].mean(axis=0))


def find_lattice(spots: Spots, core_um: float) -> Lattice | None:
    """Return the lattice of some spots; None where fewer than three of them, or all in one line, say nothing."""
    xy = spots.xy_um
    if len(xy) < 3:
        return None
    solid = xy[spots.cover >= _SOLID * spots.cover.max()]
    # where rows are ragged no step is common, where many cores are missing the middle one is too long: both are tried
    best: Lattice | None = None
    for across, down in product(_steps(solid, 0, core_um), _steps(solid, 1, core_um)):
        lattice = _laid(spots, across, down)
        if lattice is not None and (best is None or lattice.is_on.sum() > best.is_on.sum()):
            best = lattice
            if lattice.is_on.all():
                break
    return best


def _laid(spots: Spots, across: Floats, down: Floats) -> Lattice | None:
    """Return the lattice that begins with two steps, each made better by all spots that lie on it."""
    xy = spots.xy_um
    for _ in range(3):
        if abs(np.linalg.det(np.array([across, down]))) < 1e-9:
            return None
        places, is_on = _grown(spots, across, down)
        design = np.column_stack([places[is_on][:, ::-1], np.ones(int(is_on.sum()))])
        if np.linalg.matrix_rank(design) < 3:
            return None
        solved = np.linalg.lstsq(design, xy[is_on], rcond=None)[0]
        across, down = solved[0], solved[1]
    return Lattice(across, down, places, is_on, xy)


def _steps(xy: Floats, axis: int, core_um: float) -> tuple[Floats, ...]:
    """Return the step from a core to the next along an axis: what most cores say, and the middle of all they say."""
    away = xy[None, :, :] - xy[:, None, :]
    length = np.hypot(away[..., 0], away[..., 1])
    angle = np.degrees(np.arctan2(away[..., 1 - axis], away[..., axis]))
    length = np.where((np.abs(angle) <= _CONE_DEG) & (length >= 0.8 * core_um), length, np.inf)
    nearest = length.argmin(axis=1)
    has = np.isfinite(length.min(axis=1))
    steps: Floats = away[has, nearest[has]]
    if not len(steps):
        return ()
    apart = np.hypot(*np.moveaxis(steps[None] - steps[:, None], -1, 0))
    sizes = np.hypot(steps[:, 0], steps[:, 1])
    votes = (apart <= 0.15 * sizes[:, None]).sum(axis=1)
    best = int(np.lexsort((sizes, -votes))[0])
    most = np.median(steps[apart[best] <= 0.15 * sizes[best]], axis=0)
    return np.asarray(most), np.asarray(np.median(steps, axis=0))


def _grown(spots: Spots, across: Floats, down: Floats) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return the place of each spot, from neighbour to neighbour, so that a bent row is followed; and who is on one."""
    xy, count = spots.xy_um, len(spots.xy_um)
    to_steps = np.linalg.inv(np.column_stack([down, across]))
    most = _OFF * min(np.hypot(*across), np.hypot(*down))
    places = np.zeros((count, 2), np.int64)
    is_on = np.zeros(count, np.bool_)
    reach = 1.6 * max(np.hypot(*across), np.hypot(*down))
    middle = np.median(xy, axis=0)
    first = int(np.argmin(np.hypot(*(xy - middle).T) / np.maximum(spots.cover, 1e-9)))
    is_on[first] = True
    taken, newest = {(0, 0)}, first
    far_um = np.full(count, np.inf)  # of each spot from the nearest one that is on
    while True:
        far_um = np.minimum(far_um, np.hypot(*(xy - xy[newest]).T))
        left = np.flatnonzero(~is_on)
        far = far_um[left]
        # the nearest first; of equally near ones the better covered: a fragment comes after its core
        for spot in left[np.lexsort((-spots.cover[left], far.round(3)))]:
            place, off = _said(xy[spot], xy[is_on], places[is_on], reach, to_steps)
            if off <= most and (int(place[0]), int(place[1])) not in taken:
                places[spot], is_on[spot] = place, True
                taken.add((int(place[0]), int(place[1])))
                newest = int(spot)
                break  # what did not fit is asked again: now there is one more to say where it lies
        else:
            return places, is_on


def _said(
    spot_um: Floats, xy_um: Floats, places: NDArray[np.int64], reach_um: float, to_steps: Floats
) -> tuple[NDArray[np.int64], float]:
    """Return the place of a spot as those near it say, all together, and how far from it the spot lies, µm."""
    away = spot_um - xy_um
    far = np.hypot(away[:, 0], away[:, 1])
    near = far <= max(reach_um, float(far.min()))
    said = (places[near] + away[near] @ to_steps.T).mean(axis=0)
    place = np.rint(said).astype(np.int64)
    return place, float(np.hypot(*np.linalg.solve(to_steps, said - place)))
