"""review: the viewer's page as one ES module and one style sheet; nothing is fetched."""

from functools import cache
from pathlib import Path

_STATIC = Path(__file__).with_name("static")
_PARTS = ("channel.js", "palette.js", "tile_source.js", "viewer.js")
_SOURCE_MAP = "//# sourceMappingURL"  # of a file that is not kept; a browser's debugger would ask for it


@cache
def page_module() -> str:
    """Return the ES module that a notebook loads: OpenSeadragon, unchanged and to itself, and the viewer after it."""
    vendored = _text("openseadragon", "openseadragon.min.js").partition(_SOURCE_MAP)[0]
    shielded = (
        "const OpenSeadragon = (() => {\n"
        "const define = undefined, module = { exports: {} };  // or it would become a global of the notebook\n"
        f"{vendored}\nreturn OpenSeadragon;\n}})();\n"
    )
    return shielded + "\n".join(_text(name) for name in _PARTS)


@cache
def page_css() -> str:
    """Return the style sheet."""
    return _text("viewer.css")


def _text(*names: str) -> str:
    return _STATIC.joinpath(*names).read_text(encoding="utf-8")
