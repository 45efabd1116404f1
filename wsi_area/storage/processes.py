"""storage: the processes of this machine: their numbers, whether they run, the cores and the memory that they have."""

import os
import socket
import uuid
from contextlib import suppress
from pathlib import Path


def this_machine() -> str:
    """Return by what processes are told apart by their numbers: the machine's boot, and the namespace of its ids."""
    with suppress(OSError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{socket.gethostname()} {boot} {os.readlink('/proc/self/ns/pid')}"
    return f"{socket.gethostname()} {uuid.getnode()}"


def usable_cores() -> int:
    """Return the number of cores that this process may use, which a scheduler may have made fewer than there are."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


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
