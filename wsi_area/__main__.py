"""wsi_area: the program, `wsi-area` or ``python -m wsi_area``: how its process begins and ends, round the command line.

Python takes a process apart module by module before it ends, 0.013 s of CPU for what a run has loaded; the system
takes all of it back at once. `program` leaves it to the system where nothing is lost by that.
"""

import atexit
import ctypes
import gc
import os
import sys
import threading
from contextlib import suppress
from typing import NoReturn

_HOLD_NOTHING = frozenset({
    "wsi_area", "PIL", "annotated_types", "click", "cython_runtime", "google_crc32c", "imagecodecs", "jinja2",
    "llvmlite", "markupsafe", "numpy", "openslide", "openslide_bin", "pydantic", "pydantic_core", "simplejpeg",
    "tifffile", "typing_extensions", "typing_inspection", "zstandard", "_distutils_hack", "_shared_cython",
})  # fmt: skip
"""Packages that write nothing when their modules go. Of any other, a segmenter of somebody else's above all, nobody
here knows what it leaves to that moment, such as a file that is open."""


def program() -> NoReturn:
    """Run the command line, and end the process with its exit code."""
    gc.disable()  # what is loaded stays, until the command line tells the collector how to count
    from wsi_area.cli.main import main

    gc.enable()
    try:
        main()
    except SystemExit as end:
        if isinstance(end.code, int) and _holds_nothing():
            _end_at_once(end.code)
        raise
    sys.exit()


def _holds_nothing() -> bool:
    """Return True if everything that is loaded is known to write nothing when its modules go."""
    loaded = {name.partition(".")[0] for name in list(sys.modules)} - sys.stdlib_module_names - _HOLD_NOTHING
    return all(name.startswith(("_cython_", "_sysconfigdata_")) or name == "__main__" for name in loaded)


def _end_at_once(code: int) -> None:
    """End the process as Python does, up to where it takes its modules apart; return where output cannot be written."""
    wait, call = getattr(threading, "_shutdown", None), getattr(atexit, "_run_exitfuncs", None)
    if wait is None or call is None:  # another Python, which has its own way
        return
    with suppress(KeyboardInterrupt):  # whoever does not want to wait for threads need not
        wait()
    call()  # what was registered, none of it twice
    try:
        sys.stdout.flush()
        sys.stderr.flush()
        ctypes.CDLL(None).fflush(None)  # what libraries in C have printed
    except Exception:  # a pipe that is closed, another system: Python tells what there is to tell
        return
    os._exit(code)


if __name__ == "__main__":
    program()
