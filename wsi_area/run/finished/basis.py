"""run: everything that the result of a slide rests on, as far as that is known before the slide is opened.

What is drawn up here costs some milliseconds. Preparing a slide costs a hundred times as much, and can only come to the
same where all of this is the same.
"""

import os
from collections.abc import Iterator
from dataclasses import asdict
from functools import cache
from pathlib import Path

from wsi_area.errors import WsiAreaError
from wsi_area.frozen_value import frozen_value
from wsi_area.inputs.collect import SlideInput
from wsi_area.inputs.named_files import named_files_digest
from wsi_area.model.documented import SCHEMA_VERSION
from wsi_area.model.json_tree import json_digest
from wsi_area.run.continuation import MEASUREMENT_VERSION
from wsi_area.run.run_document import package_versions
from wsi_area.segmenters.registry import segmenter_package
from wsi_area.settings.run_settings import RunSettings
from wsi_area.slides.header.fingerprint import fingerprint
from wsi_area.storage.place import is_object
from wsi_area.version import __version__

_ABOUT_THE_WORK = {"run", "cluster", "tls", "storage"}
"""Sections of the settings that say who does the work; the others stand in a result, or decide what it says."""


@frozen_value
class Basis:
    """What the result of a slide rests on, part by part, each as a digest."""

    asked: str  # the slide as it was asked for: path, id, pixel size given, drawings, settings of its own
    settings: str  # all that can change a number or a finding, and which lane reads
    program: str  # versions of this program and of the packages that decode and count
    slide_file: str  # size, times and samples of the slide's file and of those that belong to it
    named_files: str  # what drawings, models and maps hold

    @property
    def parts(self) -> dict[str, str]:
        """Return each part by its name."""
        return asdict(self)


def basis_of(slide: SlideInput, settings: RunSettings) -> Basis | None:
    """Return the basis on which a result of this slide will rest; None where that cannot be said without opening it.

    Parameters
    ----------
    slide : SlideInput
    settings : RunSettings
        Those that the slide is measured with.
    """
    if is_object(slide.path):
        return None
    try:
        named = named_files_digest(slide, settings)
        if named is None:
            return None
        return Basis(
            asked=json_digest(repr(slide)),
            settings=json_digest(
                {name: part for name, part in settings.canonical().items() if name not in _ABOUT_THE_WORK}
            ),
            program=json_digest(_program(settings)),
            slide_file=_file_digest(Path(slide.path)),
            named_files=named,
        )
    except (OSError, WsiAreaError, ValueError, TypeError):  # whoever prepares the slide says what is wrong
        return None


def _program(settings: RunSettings) -> list[object]:
    packages = [segmenter_package(settings.segmenter.name), segmenter_package(settings.tissue.name)]
    return [__version__, MEASUREMENT_VERSION, SCHEMA_VERSION, code_digest(), package_versions(), packages]


@cache
def code_digest() -> str:
    """Return the digest of this program's own files, by names, sizes and times: a version can be edited in its place.

    Found once in a process, which goes on with the code that it has loaded.
    """
    return json_digest(sorted(_modules(str(Path(__file__).parents[2]), "")))


def _modules(folder: str, place: str) -> Iterator[tuple[str, int, int]]:
    """Yield place, size in bytes and time of each module in a folder and in those below it."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.endswith(".py"):
                told = entry.stat()
                yield f"{place}{entry.name}", told.st_size, told.st_mtime_ns
            elif entry.name != "__pycache__" and entry.is_dir():
                yield from _modules(entry.path, f"{place}{entry.name}/")


def _file_digest(path: Path) -> str:
    """Return the digest of a slide's file; of its times also the one that nobody can set back."""
    return json_digest([fingerprint(path, None), path.stat().st_ctime_ns])
