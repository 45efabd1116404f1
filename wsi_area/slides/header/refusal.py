"""slides: why OpenSlide does not open a TIFF that is stored as slides are; asked of OpenSlide itself."""

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from wsi_area.slides.header.tiff_directories import Directory

UNKNOWN_REASON = "it does not say why"
_TIMEOUT_S = 60.0
_ASK = "import sys, openslide; openslide.OpenSlide.detect_format(sys.argv[1])"
_SAID = re.compile(r"(tifflike|generic-tiff): (.*)")


def refusal_of(file: Path, directories: Sequence[Directory]) -> str:
    """Return OpenSlide's reason for not knowing a TIFF of tiles, and "" of any other file.

    OpenSlide opens every TIFF whose first picture is tiled and whose directories it can follow. A TIFF of strips is no
    slide to it, which is no damage.
    """
    if not any(each.is_tiled for top in directories for each in (top, *top.inner)):
        return ""
    return reason_in(_said_of(file))


def reason_in(messages: str) -> str:
    r"""Return the reason in what OpenSlide says while it tries one format after another.

    >>> reason_in("tifflike: Unknown type encountered: 0\naperio: Not a TIFF file\ngeneric-tiff: Not a TIFF file")
    'Unknown type encountered: 0'
    >>> reason_in("aperio: TIFF is not tiled\ngeneric-tiff: TIFF is not tiled")
    'TIFF is not tiled'
    """
    said = dict(reversed([(found[1], found[2].strip()) for found in _SAID.finditer(messages)]))
    return said.get("tifflike") or said.get("generic-tiff") or UNKNOWN_REASON


def _said_of(file: Path) -> str:
    """Return the words of OpenSlide on a file; only a process that was started for it can be told to have it say so."""
    environment = {**os.environ, "OPENSLIDE_DEBUG": "detection"}
    try:
        answered = subprocess.run(
            [sys.executable, "-c", _ASK, str(file)],
            env=environment, capture_output=True, timeout=_TIMEOUT_S, check=False, text=True, errors="replace",
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return answered.stderr
