"""storage: the processes of this machine: their numbers, whether they run, the cores and the memory that they have."""

import ctypes
import os
import socket
import sys
import uuid
from contextlib import suppress
from pathlib import Path

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8  # of glibc's mallopt
_KEPT_BYTES = 32 << 20
"""A freed block up to this size is used again, twice that stays with the process: what glibc comes to by itself."""


def this_machine() -> str:
    """Return by what processes are told apart by their numbers: the machine's boot, and the namespace of its ids."""
    with suppress(OSError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{socket.gethostname()} {boot} {os.readlink('/proc/self/ns/pid')}"
    return f"{socket.gethostname()} {uuid.getnode()}"


def usable_cores() -> int:
    """Return the number of cores that this process may use, which a scheduler may have made fewer than there are."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def share_one_arena() -> bool:
    """Return True if all threads take memory of one arena from now on; for a process that is ours, before it has any.

    glibc gives each thread an arena of its own, and what is free at the end of it stays with the process:
    ``malloc_trim`` cuts the end off the first arena alone. So each stage of a run would begin on top of what threads
    had used before. False, and nothing is changed, where the user has told glibc how many, or where the C
    library is another.
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


def is_running(pid: int) -> bool:
    """Return True if a process of this machine is running, whoever's it is.

    >>> is_running(os.getpid())
    True
    """
    try:
        os.kill(pid, 0)  # which sends nothing
    except ProcessLookupError:
        return False
    except PermissionError:
        return True  # somebody else's
    return True
