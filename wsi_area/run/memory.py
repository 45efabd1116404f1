"""run: how much memory one task may use on this machine."""

import os

SHARE_FOR_TASKS = 0.7
"""Of the memory that is there; the rest is for the interpreter, libraries and the file cache."""


def task_memory_limit_bytes(limit_mb: int | None, worker_count: int, worker_allows_bytes: int | None = None) -> int:
    """Return what one task may use: as set, as its workers allow, or an even share of what this machine has."""
    if limit_mb is not None:
        return limit_mb << 20
    if worker_allows_bytes is not None:
        return int(SHARE_FOR_TASKS * worker_allows_bytes)
    return int(SHARE_FOR_TASKS * _memory_bytes()) // worker_count


def _memory_bytes() -> int:
    physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        with open("/sys/fs/cgroup/memory.max", encoding="ascii") as file:
            text = file.read().strip()
    except OSError:
        return physical
    return min(physical, int(text)) if text.isdigit() else physical
