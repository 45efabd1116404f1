"""annotations: geometry that would take minutes or gigabytes is refused before it is begun, with number and remedy.

What counts is not how many bytes or points a file has: 200 000 nuclei are read in seconds, while one star of 100 000
points, or two combs, would keep a process for minutes.
"""

import time

import numpy as np
import shapely
from numpy.typing import NDArray

from wsi_area.compute.picture.outlines import touching_groups
from wsi_area.compute.picture.overlay_effort import overlay_effort
from wsi_area.errors import AnnotationError

MOST_NEAR_PAIRS = 2e8
"""Of edges in one file: some seconds to look whether they cross."""
MOST_SELF_CROSSINGS = 5e4
"""Of one outline that is to be repaired: some seconds."""
MOST_CROSSINGS = 2e5
"""Of outlines that hang together: some seconds and some hundred megabytes."""
MOST_CROSSINGS_IN_ALL = 1e6
MOST_REPAIR_S = 60.0
"""CPU seconds for all outlines that need repair."""

_FEW_POINTS = 500  # cost nothing, whatever they do
_REMEDY = "simplify it where it was drawn (QuPath: Objects, Annotations, Simplify shape), split it, or save a mask"


class RepairClock:
    """How long the repair of a file's outlines has taken; one that takes too long is refused."""

    def __init__(self) -> None:
        self._left_s = MOST_REPAIR_S
        self.repaired = 0

    def took_since(self, started_s: float) -> None:
        """Count a repair that began at a reading of ``time.thread_time``.

        Raises
        ------
        AnnotationError
            All of them took longer than ``MOST_REPAIR_S``.
        """
        self.repaired += 1
        self._left_s -= time.thread_time() - started_s
        if self._left_s < 0:
            raise AnnotationError(
                f"the repair of its first {self.repaired} outlines that cross themselves took more than "
                f"{MOST_REPAIR_S:g} CPU seconds; {_REMEDY}"
            )


def require_checkable(what: str, geometry: shapely.Geometry) -> None:
    """Refuse an outline whose edges lie near each other so often that looking at them would not end.

    Raises
    ------
    AnnotationError
        With the numbers.
    """
    points = shapely.get_num_coordinates(geometry)
    if points < _FEW_POINTS:
        return
    effort = overlay_effort(np.array([geometry], dtype=object))
    if effort.near_pairs > MOST_NEAR_PAIRS:
        raise AnnotationError(
            f"{what} has {points} points whose edges lie near each other in some {effort.near_pairs:.2g} pairs, the "
            f"limit is {MOST_NEAR_PAIRS:.2g}; {_REMEDY}"
        )
    if effort.crossings > MOST_SELF_CROSSINGS:
        raise AnnotationError(
            f"{what} has {points} points and crosses itself some {effort.crossings:.2g} times, the limit is "
            f"{MOST_SELF_CROSSINGS:.2g}; {_REMEDY}"
        )


def require_unitable(geometries: NDArray[np.object_]) -> None:
    """Refuse outlines that lie over each other so often that uniting them would not end.

    Raises
    ------
    AnnotationError
        With the numbers.
    """
    if len(geometries) < 2 or int(shapely.get_num_coordinates(geometries).sum()) < _FEW_POINTS:
        return  # one alone has been looked at by itself
    whole = overlay_effort(geometries)
    if whole.near_pairs > MOST_NEAR_PAIRS or whole.crossings > MOST_CROSSINGS_IN_ALL:
        raise AnnotationError(_too_much(len(geometries), whole.near_pairs, whole.crossings, MOST_CROSSINGS_IN_ALL))
    if whole.crossings <= MOST_CROSSINGS:
        return
    for group in touching_groups(geometries):
        if int(shapely.get_num_coordinates(geometries[group]).sum()) < _FEW_POINTS:
            continue
        effort = overlay_effort(geometries[group])
        if effort.crossings > MOST_CROSSINGS:
            raise AnnotationError(_too_much(len(group), effort.near_pairs, effort.crossings, MOST_CROSSINGS))


def _too_much(outlines: int, near_pairs: float, crossings: float, most_crossings: float) -> str:
    return (
        f"{outlines} outlines lie over each other: some {near_pairs:.2g} pairs of their edges are near (limit "
        f"{MOST_NEAR_PAIRS:.2g}) and some {crossings:.2g} cross (limit {most_crossings:.2g}); {_REMEDY}"
    )
