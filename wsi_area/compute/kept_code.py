"""compute: code that was compiled once, kept on disk for the processes that follow: where, and what of it is believed.

A file holds the layout, a digest of all that the code depends on, a digest of the code, and the code. Whatever else is
there is not run.
"""

import hashlib
import logging
import os
import sys
import tempfile
from contextlib import suppress
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from uuid import uuid4

from wsi_area.compute.trusted_file import distrust, tell_distrust

_LOG = logging.getLogger(__name__)
_LAYOUT = b"wsi-area object code 1\n"  # another layout is not read
KEY_ENDS = len(_LAYOUT) + hashlib.sha256().digest_size
"""In a file: the byte at which the digest of what the code depends on has ended."""


def place_for(module: str) -> Path | None:
    """Return the folder in which the code of a module is kept: the first that can be written; None where none can."""
    return next((place for place in places_for(module) if _can_be_written(place) and not distrust(place)), None)


def no_place() -> str:
    """Return the reason why `place_for` finds no folder: the same for every module."""
    chosen = os.environ.get("NUMBA_CACHE_DIR")
    return f"not in NUMBA_CACHE_DIR, {chosen}" if chosen else "neither beside the package nor in the user's cache"


@cache
def tell_not_kept(why: str) -> None:
    """Say once for all functions why their machine code is not kept, and what to do."""
    _LOG.warning(
        "machine code cannot be kept on disk (%s), so every process makes it anew; set NUMBA_CACHE_DIR to a folder "
        "that can be written by you alone",
        why,
    )


def source_of(module: str) -> Path:
    """Return the file that a module is made from; it need not be loaded."""
    found = find_spec(module)
    if found is None or found.origin is None:
        raise ImportError(f"no source of {module}; reinstall wsi-area")
    return Path(found.origin)


def places_for(module: str) -> list[Path]:
    """Return the folders in which the code of a module may lie, in numba's own order."""
    chosen = os.environ.get("NUMBA_CACHE_DIR")
    if chosen:
        return [Path(chosen)]
    user_cache = os.environ.get("LOCALAPPDATA" if sys.platform == "win32" else "XDG_CACHE_HOME")
    places = [source_of(module).parent / "__pycache__"]
    with suppress(RuntimeError):  # a user without a home
        places.append((Path(user_cache) if user_cache else Path.home() / ".cache") / "wsi-area")
    return places


def _can_be_written(place: Path) -> bool:
    try:
        place.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=place):
            return True
    except OSError:
        return False


def read_code(file: Path, key: bytes) -> bytes | None:
    """Return the code in a file; None where there is none, or another's, or not all of it."""
    try:
        if why := distrust(file):
            tell_distrust(file.parent, why)
            return None
        content = file.read_bytes()
    except OSError:
        return None
    code = content[KEY_ENDS + hashlib.sha256().digest_size :]
    whole = _LAYOUT + key + hashlib.sha256(code).digest() + code
    if content != whole:
        _LOG.warning("%s is damaged or of another version; it is made anew", file)
        return None
    return code


def write_code(file: Path, key: bytes, code: bytes) -> None:
    """Write a file that others see whole or not at all."""
    unfinished = file.with_name(f"{file.name}.{uuid4().hex}")  # not tempfile's: others may read it
    try:
        unfinished.write_bytes(_LAYOUT + key + hashlib.sha256(code).digest() + code)
        unfinished.replace(file)
    finally:
        unfinished.unlink(missing_ok=True)
