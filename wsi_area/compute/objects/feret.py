"""compute: the largest extent of an object, over the corners of its pixels; pure.

The largest distance of two points of a set is one of two corners of its convex hull, so the hull is all that
a part needs to send; and since its coordinates are whole numbers, it is the same however the object was cut.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from wsi_area.compute.machine_code import call_native
from wsi_area.compute.native import Native
from wsi_area.compute.objects.part_columns import BOTTOM, TOP
from wsi_area.compute.objects.parts_kernels import outline_rows
from wsi_area.compute.objects.run_lengths import BoxRuns
from wsi_area.frozen_value import frozen_value
from wsi_area.model.calibration import Mpp

_COMPILED = "wsi_area.compute.objects.compiled_hulls"
_ARGUMENTS = {
    "hull_parts": "int64* int64* int64* int64 int32* int32* int64 int64* int64 int64* int64 double double uint8* "
    "int64* int64 double* int64* int64* int64* int64",
    "measure_hulls": "int64* int64 int64* int64* int64 double double int64* int64 double*",
}
NATIVE = tuple(Native(_COMPILED, name, arguments) for name, arguments in _ARGUMENTS.items())


@frozen_value(eq=False)
class PartHulls:
    """Convex hulls of parts, level-0 px: those of part ``n`` are ``[starts[n], starts[n + 1])``."""

    extents_um: NDArray[np.float64]  # (n,); 0 for the parts whose hull is kept instead
    starts: NDArray[np.int64]  # (n + 1,)
    x_l0_px: NDArray[np.int64]
    y_l0_px: NDArray[np.int64]

    def of(self, chosen: NDArray[np.bool_]) -> "PartHulls":
        """Return the hulls of some parts, which must be all that have any."""
        counts = np.diff(self.starts)[chosen]
        return PartHulls(self.extents_um[chosen], np.append(0, np.cumsum(counts)), self.x_l0_px, self.y_l0_px)


def part_hulls(
    runs: BoxRuns,
    x_edges_l0_px: NDArray[np.int64],
    y_edges_l0_px: NDArray[np.int64],
    numbers: NDArray[np.int32],
    integers: NDArray[np.int64],
    wanted: NDArray[np.bool_],
    unfinished: NDArray[np.bool_],
    mpp: Mpp | None,
) -> PartHulls:
    """Return the largest extents of the wanted parts of a box, and the hulls of those that go on beyond it.

    Parameters
    ----------
    runs, x_edges_l0_px, y_edges_l0_px
        The box, and the level-0 edges of its columns and rows.
    numbers, integers
        The parts, as `wsi_area.compute.objects.components.find_parts` numbers them.
    wanted, unfinished
        bool (n,): parts to measure, and parts whose hull is needed because they may go on beyond the box.
    mpp
        µm per level-0 pixel; without it extents are in level-0 px.
    """
    tops = integers[:, TOP].copy()
    row_counts = np.where(wanted, integers[:, BOTTOM] - tops, 0)
    offsets = np.where(wanted, np.cumsum(row_counts) - row_counts, -1)
    lefts = np.full(int(row_counts.sum()), np.iinfo(np.int32).max, np.int32)
    rights = np.zeros(len(lefts), np.int32)
    outline_rows(runs, numbers, tops, offsets, lefts, rights)
    room = int((2 * row_counts + 2)[wanted & unfinished].sum())
    extents_um2, starts = np.zeros(len(tops)), np.zeros(len(tops) + 1, np.int64)
    x, y = np.empty(room, np.int64), np.empty(room, np.int64)
    rows_most = int(row_counts.max(initial=0))
    _call(
        "hull_parts", tops, offsets, row_counts, len(tops), lefts, rights, len(lefts), x_edges_l0_px, runs.width_px,
        y_edges_l0_px, runs.height_px, *_um(mpp), unfinished, np.empty(6 * rows_most + 6, np.int64), rows_most,
        extents_um2, starts, x, y, room,
    )  # fmt: skip
    return PartHulls(np.sqrt(extents_um2), starts, x[: starts[-1]].copy(), y[: starts[-1]].copy())


def merged_extents_um(
    groups: NDArray[np.int64], count: int, x_l0_px: NDArray[np.int64], y_l0_px: NDArray[np.int64], mpp: Mpp | None
) -> NDArray[np.float64]:
    """Return the largest extent of each group of points, µm (level-0 px without a pixel size), float64 (count,).

    >>> of_one_group = np.zeros(3, np.int64)
    >>> merged_extents_um(of_one_group, 1, np.array([0, 3, 1]), np.array([0, 4, 1]), Mpp(0.5, 0.5)).tolist()
    [2.5]
    """
    order = np.lexsort((x_l0_px, y_l0_px, groups))
    starts = np.searchsorted(groups[order], np.arange(count + 1)).astype(np.int64)
    extents_um2 = np.zeros(count)
    points_most = int(np.diff(starts).max(initial=0))
    _call(
        "measure_hulls", starts, count, x_l0_px[order], y_l0_px[order], len(order), *_um(mpp),
        np.empty(7 * points_most, np.int64), points_most, extents_um2,
    )  # fmt: skip
    return np.sqrt(extents_um2)


def _call(name: str, *values: Any) -> None:
    call_native(_COMPILED, name, _ARGUMENTS[name], *values)


def _um(mpp: Mpp | None) -> tuple[float, float]:
    return (1.0, 1.0) if mpp is None else (mpp.x, mpp.y)
