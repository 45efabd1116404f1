"""storage: the memory of this process that is free: one arena for all threads, given back between the stages of a run.

glibc gives each thread an arena of its own, and what is free at the end of it stays with the process: ``malloc_trim``
cuts the end off the first arena alone. So each stage of a run began on top of what the threads of others had used,
which was 45 to 50 MiB on a slide of 40 960 × 40 960 px, more with every further thread.
"""

import ctypes
import os
import sys
from contextlib import suppress

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8  # of glibc's mallopt
_KEPT_BYTES = 32 << 20
"""A freed block up to this size is used again, twice that stays with the process: what glibc comes to by itself."""


def share_one_arena() -> bool:
    """Return True if all threads take memory of one arena from now on; for a process that is ours, before it has any.

    False, and nothing is changed, where the user has told glibc how many, or where the C library is another.
    """
    if "MALLOC_ARENA_MAX" in os.environ or "glibc.malloc.arena_max" in os.environ.get("GLIBC_TUNABLES", ""):
        return False
    return _told_malloc((_ARENA_MAX, 1))


def keep_freed_blocks() -> bool:
    """Return True if blocks that are freed are used again from now on; False where the C library is another."""
    return _told_malloc((_MMAP_THRESHOLD, _KEPT_BYTES), (_TRIM_THRESHOLD, 2 * _KEPT_BYTES))


def _told_malloc(*options: tuple[int, int]) -> bool:
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, TypeError, OSError):  # macOS, Windows, musl
        return False
    return all(mallopt(option, value) for option, value in options)


def give_back_memory() -> None:
    """Give memory that is free back to the system, where the C library (glibc) or that of tables would keep it."""
    pool = getattr(sys.modules.get("pyarrow"), "default_memory_pool", None)
    if pool is not None:  # it is not loaded for this, and another thread may have loaded half of it
        pool().release_unused()
    with suppress(AttributeError, TypeError, OSError):  # another C library
        ctypes.CDLL(None).malloc_trim(0)
