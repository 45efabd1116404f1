"""annotations: EDGE in: files with what somebody drew on a slide, read into `model.drawn`; opens no slide.

Each name is loaded when it is first asked for: geometry and parsers cost nothing where nobody drew anything.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # for editors and type checkers
    from wsi_area.annotations.drawn_files import read_drawn
    from wsi_area.annotations.matching import find_for, unmatched
    from wsi_area.annotations.outline_files import OutlineFile, read_outlines
    from wsi_area.annotations.roi import region_of_interest

__all__ = ["OutlineFile", "find_for", "read_drawn", "read_outlines", "region_of_interest", "unmatched"]

_HOME = {
    "OutlineFile": "outline_files",
    "find_for": "matching",
    "read_drawn": "drawn_files",
    "read_outlines": "outline_files",
    "region_of_interest": "roi",
    "unmatched": "matching",
}


def __getattr__(name: str) -> Any:
    """Return a public name from the module it lives in (PEP 562)."""
    if name not in _HOME:
        raise AttributeError(f"module 'wsi_area.annotations' has no attribute {name!r}; it offers {', '.join(__all__)}")
    from importlib import import_module

    return getattr(import_module(f"wsi_area.annotations.{_HOME[name]}"), name)
