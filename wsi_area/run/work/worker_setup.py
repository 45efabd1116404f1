"""run: what a worker process does first: on this machine as dask loads it, anywhere at its first task."""

import ctypes
import os
import signal
from functools import cache

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # of glibc's mallopt
_KEPT_BYTES = 32 << 20
"""A freed block up to this size is used again, twice that stays with the process: what glibc comes to by itself."""


def dask_setup(worker: object) -> None:
    """Leave Ctrl-C to the coordinator, which lets the running batches be committed and then ends the workers."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@cache
def keep_freed_memory() -> bool:
    """Return True if this process uses the memory of one tile for the next from now on, False if it did anyway.

    dask starts its workers with ``MALLOC_TRIM_THRESHOLD_`` set. Then glibc gives every block of a tile back to the
    system as soon as it is freed, and takes its pages anew, cleared, for the next: nearly as much CPU as decoding
    and classifying it.
    """
    if "MALLOC_TRIM_THRESHOLD_" not in os.environ:
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):  # not glibc: nothing read the variable
        return False
    return bool(mallopt(_MMAP_THRESHOLD, _KEPT_BYTES)) and bool(mallopt(_TRIM_THRESHOLD, 2 * _KEPT_BYTES))
