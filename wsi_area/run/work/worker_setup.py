"""run: what a worker process does first: on this machine as dask loads it, anywhere at its first task."""

import os
import signal
from functools import cache

from wsi_area.storage.processes import keep_freed_blocks, share_one_arena


def dask_setup(worker: object) -> None:
    """Leave Ctrl-C to the coordinator, which lets the running batches be committed and then ends the workers.

    The process is ours from its start: its threads share what is free.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    share_one_arena()


@cache
def keep_freed_memory() -> bool:
    """Return True if this process uses the memory of one tile for the next from now on, False if it did anyway.

    dask starts its workers with ``MALLOC_TRIM_THRESHOLD_`` set. Then glibc gives every block of a tile back to the
    system as soon as it is freed, and takes its pages anew, cleared, for the next: nearly as much CPU as decoding
    and classifying it.
    """
    return "MALLOC_TRIM_THRESHOLD_" in os.environ and keep_freed_blocks()
