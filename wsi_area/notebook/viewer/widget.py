"""notebook: the viewer as a widget: an OpenSeadragon page that asks for its tiles over the widget's own channel.

No port is opened and nothing is fetched: OpenSeadragon is part of this package, and a tile is a message.
"""

import base64
import io
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from wsi_area.compute.picture.washes import WASH
from wsi_area.errors import MissingExtraError, SettingsError, WsiAreaError
from wsi_area.notebook.overlay import class_names, slide_picture
from wsi_area.notebook.plotting import plot_slide
from wsi_area.notebook.viewer.class_tiles import ClassTiles
from wsi_area.notebook.viewer.facts import last_tissue_level, page_facts
from wsi_area.notebook.viewer.grid import view_grid
from wsi_area.notebook.viewer.tissue_tiles import open_tissue
from wsi_area.results.opened_slide import OpenedSlide
from wsi_area.results.thumbnail import read_thumbnail

try:
    import anywidget
    import traitlets
    from IPython.display import display
except ImportError as error:
    raise MissingExtraError.of("the viewer", "notebook", error) from error

AT_FIRST = round(WASH / 255, 2)
"""Opacity of the classes until somebody moves the slider: as in the report."""

_STATIC = Path(__file__).with_name("static")
_PARTS = ("channel.js", "palette.js", "tile_source.js", "viewer.js")
_SOURCE_MAP = "//# sourceMappingURL"  # of a file that is not kept; a browser's debugger would ask for it

STILL_PX = (770, 528)
_DPI = 110
_NO_PICTURE = "The run kept no small picture of this slide either, so the classes lie on white."


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


class SlideViewer(anywidget.AnyWidget):
    """A slide with its classes, to pan and zoom.

    ``opacity`` (0 to 1) and ``hidden`` (names of classes) may be set and read from Python; they follow the page.
    Tiles are made while the kernel is idle: during a long cell the picture waits.
    """

    _esm = page_module()
    _css = page_css()
    facts = traitlets.Dict(read_only=True).tag(sync=True)
    opacity = traitlets.Float(AT_FIRST, min=0.0, max=1.0).tag(sync=True)
    hidden = traitlets.List(traitlets.Unicode()).tag(sync=True)

    def __init__(
        self,
        slide: OpenedSlide,
        *,
        file: str | Path | None = None,
        classes: Iterable[str] | None = None,
        opacity: float | None = None,
    ) -> None:
        """Open what a viewer of a slide needs; `wsi_area.notebook.notebook_run.NotebookSlide.view` says with what."""
        picture = slide_picture(slide)
        chosen = picture.legend if classes is None else slide_picture(slide, classes).legend
        size = slide.counted.size_l0_px
        self._slide = slide
        self._grid = view_grid(size, slide.mpp)
        self._tissue, note = open_tissue(slide, file, picture.thumbnail)
        self._classes = ClassTiles(slide, picture.legend)
        nothing = note and read_thumbnail(slide.layout) is None
        facts = page_facts(slide, self._grid, picture.legend, (note, _NO_PICTURE if nothing else ""))
        facts["last_tissue_level"] = last_tissue_level(self._grid, picture.thumbnail) if note else self._grid.last_level
        facts["still_px"] = STILL_PX
        names = class_names(slide)
        shown = {entry.code for entry in chosen}
        hidden = [names[entry.code] for entry in picture.legend if entry.code not in shown]
        super().__init__(opacity=AT_FIRST if opacity is None else opacity, hidden=hidden)
        self.set_trait("facts", facts)
        self.on_msg(self._answer)

    def __repr__(self) -> str:
        """Return the text that a notebook shows of the viewer where there is no page for it."""
        return f"<viewer of slide {self._slide.slide_id}; in a notebook with a kernel it can be panned and zoomed>"

    @traitlets.validate("hidden")
    def _known(self, proposal: Any) -> list[str]:
        names = {c["name"] for c in self.facts.get("classes", ())}
        if names and (unknown := [name for name in proposal["value"] if name not in names]):
            raise SettingsError(f"the viewer shows no class {unknown[0]!r}; it shows {', '.join(sorted(names))}")
        return list(proposal["value"])

    def _ipython_display_(self, **_options: Any) -> None:
        """Show the still picture and then the viewer, which hides the picture while a kernel answers it.

        They are two outputs because a notebook that is opened again without its kernel has no model for the viewer:
        JupyterLab then writes an error in its place and never looks at an image in the same output.
        """
        still = {
            "image/png": base64.b64encode(still_png(self._slide)).decode(),
            "text/plain": f"<slide {self._slide.slide_id} with its classes>",
        }
        display(still, raw=True)  # type: ignore[no-untyped-call]
        bundle = self._repr_mimebundle_()
        if bundle is not None:
            display(bundle[0], metadata=bundle[1], raw=True)  # type: ignore[no-untyped-call]

    def _answer(self, _widget: Any, content: Any, _buffers: Any) -> None:
        """Send the tile that the page asked for, no buffer where there is nothing to see, or why there is none."""
        if not isinstance(content, dict) or content.get("kind") not in ("tissue", "classes"):
            return
        reply = {"view": content.get("view"), "number": content.get("number")}
        try:
            tile = self._tile(content["kind"], *(int(content[key]) for key in ("level", "column", "row")))
        except WsiAreaError as error:
            self.send({**reply, "error": str(error)})
        else:
            self.send(reply, buffers=[] if tile is None else [tile])

    def _tile(self, kind: str, level: int, column: int, row: int) -> bytes | None:
        box = self._grid.tile(level, column, row)
        return self._tissue.jpeg(box) if kind == "tissue" else self._classes.png(box)


def still_png(slide: OpenedSlide) -> bytes:
    """Return the PNG of a slide with its classes, their areas and a bar of known length, as ``slide.plot()`` draws it.

    Raises
    ------
    ResultError
        The slide has no counts, or its stores cannot be read.
    """
    from matplotlib.figure import Figure  # a figure of no window: pyplot would keep it

    figure = Figure(figsize=(STILL_PX[0] / _DPI, STILL_PX[1] / _DPI), dpi=_DPI, layout="compressed")
    plot_slide(slide, figure.subplots(), overlay=True, classes=None)
    file = io.BytesIO()
    figure.savefig(file, format="png", facecolor="white")
    return file.getvalue()
