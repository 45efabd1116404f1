"""storage: files and folders that a living process holds, so that what a killed one left can be told.

The system lets go of a lock when a process ends, however it ends. Numbers of processes would not do: a container counts
its own, and to another on the same machine they are nobody's.
"""

import fcntl
import os
import time
from contextlib import suppress
from pathlib import Path

DEAD_AFTER_S = 86_400.0
"""Seconds after which what lies there is nobody's, on a file system that does not say whether somebody holds it."""


def made_and_held(place: Path, *, is_folder: bool, mode: int = 0o777) -> int:
    """Return the descriptor that holds a new file or folder; made anew if it was taken for a dead one before that.

    Parameters
    ----------
    place, is_folder
        What is made.
    mode : int
        Who may enter a folder, less what the process never grants.

    Raises
    ------
    OSError
    """
    while True:
        place.mkdir(mode) if is_folder else place.touch()
        descriptor = os.open(place, os.O_RDONLY if is_folder else os.O_RDWR)
        with suppress(OSError):  # a file system without locks: its age tells
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        if place.exists():
            return descriptor
        os.close(descriptor)


def is_nobodys(place: Path) -> bool:
    """Return True if no living process holds a file or folder.

    Raises
    ------
    OSError
    """
    descriptor = os.open(place, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return time.time() - place.stat().st_mtime > DEAD_AFTER_S
    finally:
        os.close(descriptor)
    return True
