"""compute: a box of a class map as runs of one code, row by row; pure, and exact both ways."""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wsi_area.compute.machine_code import call_native
from wsi_area.compute.native import Native
from wsi_area.frozen_value import frozen_value
from wsi_area.model.classes import BACKGROUND_ID
from wsi_area.model.pixels import ClassMap

CODES = 256

_COMPILED = "wsi_area.compute.objects.compiled_runs"
_ARGUMENTS = {
    "count_runs": "uint8* int64 int64 int64*",
    "fill_runs": "uint8* int64 int64 int64 int32* uint8*",
    "paint_runs": "int64* int64 int32* uint8* int64 int64 uint8*",
    "tally_runs": "int64* int64 int32* uint8* int64 int64 int64 int64* int64* int64 int64 int64*",
}
NATIVE = tuple(Native(_COMPILED, name, arguments) for name, arguments in _ARGUMENTS.items())


@frozen_value(eq=False)
class BoxRuns:
    """A box of a class map: each row is a list of runs that cover it from its first column to its last."""

    width_px: int
    row_starts: NDArray[np.int64]  # (h + 1,), where each row's runs begin in the lists below
    starts: NDArray[np.int32]  # (n,), the first column of each run
    codes: NDArray[np.uint8]  # (n,)

    @property
    def height_px(self) -> int:
        """Return the number of rows."""
        return len(self.row_starts) - 1

    def recoded(self, codes: NDArray[np.uint8]) -> "BoxRuns":
        """Return the same runs with other codes; neighbours may have the same code then."""
        return replace(self, codes=codes)


def runs_of(class_map: ClassMap) -> BoxRuns:
    """Return a class map, uint8 (h, w), as runs.

    >>> runs = runs_of(np.array([[1, 1, 0], [2, 2, 2]], np.uint8))
    >>> runs.row_starts.tolist(), runs.starts.tolist(), runs.codes.tolist()
    ([0, 2, 3], [0, 2, 0], [1, 0, 2])
    """
    class_map = np.ascontiguousarray(class_map)
    row_starts = np.empty(class_map.shape[0] + 1, np.int64)
    _call("count_runs", class_map, *class_map.shape, row_starts)
    starts, codes = np.empty(row_starts[-1], np.int32), np.empty(row_starts[-1], np.uint8)
    _call("fill_runs", class_map, *class_map.shape, len(starts), starts, codes)
    return BoxRuns(class_map.shape[1], row_starts, starts, codes)


def background_runs(height_px: int, width_px: int) -> BoxRuns:
    """Return a box of nothing but background, for which no pixel need be looked at.

    >>> class_map_of(background_runs(2, 3)).tolist()
    [[0, 0, 0], [0, 0, 0]]
    """
    rows = np.arange(height_px + 1, dtype=np.int64)
    return BoxRuns(width_px, rows, np.zeros(height_px, np.int32), np.full(height_px, BACKGROUND_ID, np.uint8))


def class_map_of(runs: BoxRuns) -> ClassMap:
    """Return uint8 (h, w), the class map that the runs describe."""
    class_map = np.empty((runs.height_px, runs.width_px), np.uint8)
    _call(
        "paint_runs", runs.row_starts, runs.height_px, runs.starts, runs.codes, len(runs.codes), runs.width_px,
        class_map,
    )  # fmt: skip
    return class_map


def tally_tiles(
    runs: BoxRuns, tile_px: int, x_edges_l0_px: NDArray[np.int64], y_edges_l0_px: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return the level-0 pixels of each code, tile by tile, int64 (tile rows, tile columns, 256).

    Parameters
    ----------
    runs
        A box that begins where a tile begins.
    tile_px
        Edge of a tile, work px.
    x_edges_l0_px, y_edges_l0_px
        int64 (w + 1,) and (h + 1,): the level-0 edges of the box's columns and rows.

    >>> counts = tally_tiles(runs_of(np.array([[1, 1, 0]], np.uint8)), 2, np.array([0, 4, 8, 11]), np.array([0, 5]))
    >>> counts[0, :, :2].tolist()
    [[0, 40], [15, 0]]
    """
    counts = np.zeros((-(-runs.height_px // tile_px), -(-runs.width_px // tile_px), CODES), np.int64)
    _call(
        "tally_runs", runs.row_starts, runs.height_px, runs.starts, runs.codes, len(runs.codes), runs.width_px, tile_px,
        x_edges_l0_px, y_edges_l0_px, *counts.shape[:2], counts,
    )  # fmt: skip
    return counts


def _call(name: str, *values: Any) -> None:
    call_native(_COMPILED, name, _ARGUMENTS[name], *values)
