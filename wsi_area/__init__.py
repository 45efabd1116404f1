"""wsi_area: tumour burden in mm² from whole-slide images; counts that add up, a pixel size with its origin.

The face: a few names, each loaded when it is first asked for, so that ``import wsi_area`` costs nothing.
"""

from typing import TYPE_CHECKING, Any

from wsi_area.errors import WsiAreaError
from wsi_area.version import __version__

if TYPE_CHECKING:  # for editors and type checkers; at run time the names below are loaded on demand
    from wsi_area.audit.pairing import change_between
    from wsi_area.compute.calibration.calibrate import calibrate
    from wsi_area.inputs.collect import SlideInput, collect_slides
    from wsi_area.measuring.measure import measure
    from wsi_area.model.calibration import Calibration, Mpp, MppCandidate
    from wsi_area.model.slide import SlideInfo
    from wsi_area.notebook.notebook_run import open_run
    from wsi_area.results.opened_run import OpenedRun
    from wsi_area.results.opened_slide import OpenedSlide
    from wsi_area.run.pipeline import run_slides
    from wsi_area.run.run_document import RunOutcome
    from wsi_area.settings.run_settings import RunSettings
    from wsi_area.settings.run_settings import load as load_settings
    from wsi_area.slides import inspect

__all__ = [
    "Calibration",
    "Mpp",
    "MppCandidate",
    "OpenedRun",
    "OpenedSlide",
    "RunOutcome",
    "RunSettings",
    "SlideInfo",
    "SlideInput",
    "WsiAreaError",
    "__version__",
    "calibrate",
    "change_between",
    "collect_slides",
    "inspect",
    "load_settings",
    "measure",
    "open_run",
    "run_slides",
]

_HOME = {
    "Calibration": "wsi_area.model.calibration",
    "Mpp": "wsi_area.model.calibration",
    "MppCandidate": "wsi_area.model.calibration",
    "OpenedRun": "wsi_area.results.opened_run",
    "OpenedSlide": "wsi_area.results.opened_slide",
    "RunOutcome": "wsi_area.run.run_document",
    "RunSettings": "wsi_area.settings.run_settings",
    "SlideInfo": "wsi_area.model.slide",
    "SlideInput": "wsi_area.inputs.collect",
    "calibrate": "wsi_area.compute.calibration.calibrate",
    "change_between": "wsi_area.audit.pairing",
    "collect_slides": "wsi_area.inputs.collect",
    "inspect": "wsi_area.slides",
    "load_settings": "wsi_area.settings.run_settings:load",
    "measure": "wsi_area.measuring.measure",
    "open_run": "wsi_area.notebook.notebook_run",
    "run_slides": "wsi_area.run.pipeline",
}


def __dir__() -> list[str]:
    """Return the public names, and no room or helper that happens to be loaded."""
    return list(__all__)


def __getattr__(name: str) -> Any:
    """Return a public name from the room it lives in (PEP 562)."""
    if name not in _HOME:
        raise AttributeError(f"module 'wsi_area' has no attribute {name!r}; it offers {', '.join(__all__)}")
    from importlib import import_module

    room, _, name_there = _HOME[name].partition(":")
    return getattr(import_module(room), name_there or name)
