"""compute: whether a file may be run as a program: who owns it, and who else may write it."""

import logging
import os
import stat
from functools import cache
from pathlib import Path

_LOG = logging.getLogger(__name__)


def distrust(file: Path) -> str:
    """Return the reason why a file may hold what others put there; "" where only root or this user can have written it.

    A group that may write is believed: a lab's shared installation, made with umask 002. The folder counts too, since
    whoever may write there may put another file in the place of this one; where all may, as in /tmp, but nobody may
    take away what is another's, the file's own owner tells.

    Parameters
    ----------
    file : Path
        Or a folder in which such files are to be kept.

    Raises
    ------
    OSError
        It is not there.
    """
    return _distrust(file, is_folder=file.is_dir()) or _distrust(file.parent, is_folder=True)


def _distrust(path: Path, *, is_folder: bool) -> str:
    found = path.stat()
    if not hasattr(os, "geteuid"):
        return ""  # Windows: what lies in a user's profile is the user's
    is_sticky = is_folder and bool(found.st_mode & stat.S_ISVTX)
    if found.st_uid not in (0, os.geteuid()) and not is_sticky:
        return f"{path} belongs to another user ({found.st_uid})"
    if found.st_mode & stat.S_IWOTH and not is_sticky:
        return f"{path} can be written by everybody (mode {stat.S_IMODE(found.st_mode):04o})"
    return ""


@cache
def tell_distrust(folder: Path, why: str) -> None:
    """Say once why what lies in a folder is not loaded, and what to do."""
    _LOG.warning(
        "machine code that lies in %s is not loaded, since %s, and is compiled instead; take write permission from "
        "others there (chmod -R o-w), or set NUMBA_CACHE_DIR to a folder of your own",
        folder,
        why,
    )
