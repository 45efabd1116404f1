"""What work has in memory at most, by Python's own account: numpy's arrays are in it, what libraries take is not."""

import tracemalloc
from collections.abc import Callable
from typing import TypeVar

_Result = TypeVar("_Result")


def with_peak_bytes(work: Callable[[], _Result]) -> tuple[_Result, int]:
    """Return what some work comes to, and the most bytes that it had at once besides what was there before."""
    tracemalloc.start()
    try:
        result = work()
        return result, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
