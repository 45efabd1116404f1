"""compute: the kernels of parts, called with arrays; what they hold and mean stands in ``compiled_parts``."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from wsi_area.compute.machine_code import call_native
from wsi_area.compute.native import Native
from wsi_area.compute.objects.run_lengths import BoxRuns

Numbers = NDArray[np.int32]
"""int32 (n,): the part that each run belongs to, from 1 in reading order; 0 for none."""

_COMPILED = "wsi_area.compute.objects.compiled_parts"
_FROZEN = ("wsi_area.compute.objects.part_columns",)
_RUNS = "int64* int64 int32* uint8*"  # where rows start, rows, where runs start, their codes
_ARGUMENTS = {
    "join_pairs": "int64* int64* int64 int64* int64",
    "join_runs": f"{_RUNS} int64 int64 uint8* uint8* int32* int64*",
    "sum_parts": f"{_RUNS} int32* int64 int64 int64* int64* uint8* int64 int64* uint8* uint8*",
    "mark_touching": f"{_RUNS} int32* int64 int64 int64 int64 int64 uint8*",
    "count_contacts": f"{_RUNS} int32* int64 int64 int64* int64 int64 int64*",
    "outline_rows": "int64* int64 int32* int32* int64 int64 int64* int64* int64 int32* int32* int64",
}
NATIVE = tuple(Native(_COMPILED, name, arguments, _FROZEN) for name, arguments in _ARGUMENTS.items())


def join_pairs(one: NDArray[np.int64], other: NDArray[np.int64], parts: int) -> NDArray[np.int64]:
    """Return for each part the first of those that it is joined to, int64 (parts,).

    >>> join_pairs(np.array([3, 1]), np.array([1, 4]), 5).tolist()
    [0, 1, 2, 1, 1]
    """
    first = np.empty(parts, np.int64)
    _call("join_pairs", one, other, len(one), first, parts)
    return first


def join_runs(runs: BoxRuns, kinds: NDArray[np.uint8], reach: NDArray[np.uint8]) -> tuple[Numbers, int]:
    """Return the part of each run, and how many parts there are.

    Parameters
    ----------
    runs
        A box of a class map.
    kinds
        uint8 (256,): what each code belongs to, 0 for nothing.
    reach
        uint8 by kind: 1 where pixels join at corners, too.
    """
    numbers, count, of_kind = np.empty(len(runs.codes), np.int32), np.zeros(1, np.int64), np.zeros(256, np.uint8)
    of_kind[: len(reach)] = reach
    _call("join_runs", *_of(runs), len(runs.codes), runs.width_px, kinds, of_kind, numbers, count)
    return numbers, int(count[0])


def sum_parts(
    runs: BoxRuns,
    numbers: Numbers,
    edges_l0_px: tuple[NDArray[np.int64], NDArray[np.int64]],
    mark_of_code: NDArray[np.uint8],
    integers: NDArray[np.int64],
    marks: NDArray[np.uint8],
    first_codes: NDArray[np.uint8],
) -> None:
    """Write the integers of each part, the marks of the codes that it holds, and the code it begins with."""
    _call(
        "sum_parts", *_of(runs), numbers, len(numbers), runs.width_px, *edges_l0_px, mark_of_code, len(marks), integers,
        marks, first_codes,
    )  # fmt: skip


def mark_touching(runs: BoxRuns, numbers: Numbers, code: int, mark: int, marks: NDArray[np.uint8]) -> None:
    """Add a mark to each part that has a pixel of a code beside it or at a corner."""
    _call("mark_touching", *_of(runs), numbers, len(numbers), runs.width_px, code, mark, len(marks), marks)


def count_contacts(
    runs: BoxRuns, numbers: Numbers, column_of_code: NDArray[np.int64], contacts: NDArray[np.int64]
) -> None:
    """Add the pairs of neighbouring pixels (no corners) of each part and each code outside it, by its column."""
    _call(
        "count_contacts", *_of(runs), numbers, len(numbers), runs.width_px, column_of_code, *contacts.shape, contacts
    )  # fmt: skip


def outline_rows(
    runs: BoxRuns,
    numbers: Numbers,
    tops: NDArray[np.int64],
    offsets: NDArray[np.int64],
    lefts: NDArray[np.int32],
    rights: NDArray[np.int32],
) -> None:
    """Write the first and the last column of each part in each of its rows; of parts with an offset below 0, none."""
    _call(
        "outline_rows", runs.row_starts, runs.height_px, runs.starts, numbers, len(numbers), runs.width_px, tops,
        offsets, len(tops), lefts, rights, len(lefts),
    )  # fmt: skip


def _of(runs: BoxRuns) -> tuple[Any, ...]:
    return runs.row_starts, runs.height_px, runs.starts, runs.codes


def _call(name: str, *values: Any) -> None:
    call_native(_COMPILED, name, _ARGUMENTS[name], *values, frozen=_FROZEN)
