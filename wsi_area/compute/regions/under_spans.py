"""compute: what lies under runs of pixels of a box, and which of the foci found there hang together; compiled."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from wsi_area.compute.machine_code import address_of, native_function
from wsi_area.compute.native import Native
from wsi_area.model.pixels import ClassMap

Ints = NDArray[np.int64]
_COMPILED = "wsi_area.compute.regions.compiled_spans"
_ARGUMENTS = {
    "tally_spans": "uint8* int64 int64 uint8* uint8* int64* int64* int32* int64 int64* int64 int64 int64*",
    "tally_tissue": "uint8* int64 int64 uint8* uint32* int32* int64 int64* int64 int64",
    "sum_signal": "uint8* int64 int64 uint8* int32* int64* int64* int32* int64 int64* int64 int64",
    "focus_runs": "uint8* int64 int64 uint8* int32* int64 int64* int64",
    "join_focus_runs": "int64* int64 int64* int64*",
}
NATIVE = tuple(Native(_COMPILED, name, arguments) for name, arguments in _ARGUMENTS.items())


def counts_under(
    class_map: ClassMap,
    of_code: NDArray[np.uint8],
    in_focus: NDArray[np.uint8],
    edges_l0_px: tuple[Ints, Ints],
    spans: NDArray[np.int32],
    shape: tuple[int, int],
) -> tuple[Ints, Ints]:
    """Return the level-0 pixels under runs by region and group, and the runs of foci there, int64 (k, 4).

    Parameters
    ----------
    class_map : uint8 (h, w), contiguous
    of_code, in_focus : uint8 (256,)
        The group of each code, and whether it belongs to a focus.
    edges_l0_px : int64 (w + 1,), (h + 1,)
        Level-0 edges of the columns and rows.
    spans : int32 (4, n), contiguous
        Region, row, first column and the one behind the last of each run; a run of a focus is told in the same way.
    shape
        How many regions and groups there are.
    """
    counts, runs = np.zeros(shape, np.int64), np.zeros(1, np.int64)
    x_edges, y_edges = (np.ascontiguousarray(edges, np.int64) for edges in edges_l0_px)
    box, under = (address_of(class_map), *class_map.shape), (address_of(spans), spans.shape[1])
    _native("tally_spans")(
        *box, address_of(of_code), address_of(in_focus), address_of(x_edges), address_of(y_edges), *under,
        address_of(counts), *shape, address_of(runs),
    )  # fmt: skip
    found = np.empty((int(runs[0]), 4), np.int64)
    _native("focus_runs")(*box, address_of(in_focus), *under, address_of(found), len(found))
    return counts, found


def tissue_under(
    class_map: ClassMap,
    of_code: NDArray[np.uint8],
    tissue_l0_px: NDArray[np.uint32],
    spans: NDArray[np.int32],
    shape: tuple[int, int],
) -> Ints:
    """Return the level-0 pixels of tissue under runs by region and group; parameters as `counts_under`."""
    sums, tissue = np.zeros(shape, np.int64), np.ascontiguousarray(tissue_l0_px, np.uint32)
    _native("tally_tissue")(
        address_of(class_map), *class_map.shape, address_of(of_code), address_of(tissue), address_of(spans),
        spans.shape[1], address_of(sums), *shape,
    )  # fmt: skip
    return sums


def signal_under(
    class_map: ClassMap,
    of_code: NDArray[np.uint8],
    signal: NDArray[np.int32],
    edges_l0_px: tuple[Ints, Ints],
    spans: NDArray[np.int32],
    shape: tuple[int, int],
) -> Ints:
    """Return the signal under runs by region and group, in whole steps × level-0 px; parameters as `counts_under`."""
    sums, of_pixel = np.zeros(shape, np.int64), np.ascontiguousarray(signal, np.int32)
    x_edges, y_edges = (np.ascontiguousarray(edges, np.int64) for edges in edges_l0_px)
    _native("sum_signal")(
        address_of(class_map), *class_map.shape, address_of(of_code), address_of(of_pixel), address_of(x_edges),
        address_of(y_edges), address_of(spans), spans.shape[1], address_of(sums), *shape,
    )  # fmt: skip
    return sums


def parts_of(found: Ints) -> tuple[Ints, int]:
    """Return the part that each run of foci belongs to, numbered from 0, and how many there are.

    Parameters
    ----------
    found : int64 (k, 4)
        Runs, by region, row and column; of two regions they never join.
    """
    runs, parts, count = np.ascontiguousarray(found), np.empty(len(found), np.int64), np.zeros(1, np.int64)
    _native("join_focus_runs")(address_of(runs), len(runs), address_of(parts), address_of(count))
    return parts, int(count[0])


def _native(name: str) -> Any:
    return native_function(_COMPILED, name, _ARGUMENTS[name])
