"""notebook: slides, tiles and disagreements on matplotlib axes, with a bar of known length; no window is needed."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from wsi_area.compute.picture.scale_bar import scale_bar
from wsi_area.errors import MissingExtraError
from wsi_area.model.calibration import Mpp
from wsi_area.notebook.overlay import Entry, slide_picture
from wsi_area.results.opened_slide import OpenedSlide
from wsi_area.results.shown_regions import shown_regions

try:
    import matplotlib.pyplot as plt
    from matplotlib.patches import Patch, Rectangle
    from matplotlib.patheffects import withStroke
except ImportError as error:
    raise MissingExtraError.of("a plot", "notebook", error) from error

_INK, _HALO = "black", "white"
_DIFFERENT_RGB = (213, 94, 0)  # vermillion: seen by whoever sees colours differently, and rare in stained tissue


def plot_slide(slide: OpenedSlide, ax: Any, *, overlay: bool, classes: Iterable[str] | None) -> Any:
    """Return axes with a slide's picture, its classes, a legend with areas, and a bar."""
    picture = slide_picture(slide, classes)
    axes = _new_axes() if ax is None else ax
    place = _Place(slide.mpp)
    extent = place.extent(0, 0, *picture.thumbnail.frame.reach_l0_px)
    axes.imshow(picture.thumbnail.rgb, extent=extent, interpolation="antialiased")
    if overlay:
        axes.imshow(picture.overlay(), extent=extent, interpolation="nearest")
        _legend(axes, picture.legend)
        _outline_regions(axes, place, slide)
    width, height = slide.counted.width_px, slide.counted.height_px
    _frame(axes, place, (0, 0, width, height), slide.slide_id)
    return axes


def plot_tile(tile: Any, ax: Any, *, overlay: bool) -> Any:
    """Return axes with the pixels of a tile (a `TileView`) and its classes, where it lies on its slide."""
    axes = _new_axes() if ax is None else ax
    place = _Place(tile.mpp)
    box = tile.region_l0_px
    extent = place.extent(box.x_px, box.y_px, box.right_px, box.bottom_px)
    axes.imshow(np.where(tile.valid[..., None], tile.rgb, 226).astype(np.uint8), extent=extent, interpolation="nearest")
    if overlay:
        axes.imshow(tile.overlay(), extent=extent, interpolation="nearest")
        _legend(axes, tile.legend)
    title = f"{tile.slide_id}, tile row {tile.row}, col {tile.col}"
    _frame(axes, place, (box.x_px, box.y_px, box.right_px, box.bottom_px), title)
    return axes


def plot_disagreement(found: Any, slide: OpenedSlide, ax: Any) -> Any:
    """Return axes with a slide in grey and, over it, where two runs (a `Disagreement`) give other classes."""
    axes = _new_axes() if ax is None else ax
    place = _Place(slide.mpp)
    picture = slide_picture(slide, ())
    extent = place.extent(0, 0, *picture.thumbnail.frame.reach_l0_px)
    grey = picture.thumbnail.rgb.mean(axis=-1)
    axes.imshow(0.5 * (255 + grey), extent=extent, cmap="gray", vmin=0, vmax=255, interpolation="antialiased")
    rows, columns = found.share.shape
    shade = np.zeros((rows, columns, 4))
    shade[..., :3] = np.array(_DIFFERENT_RGB) / 255
    shade[..., 3] = np.where(found.differs, 0.35 + 0.65 * found.share, 0)  # the least of it can still be seen
    extent = place.extent(0, 0, columns * found.box_l0_px, rows * found.box_l0_px)
    axes.imshow(shade, extent=extent, interpolation="nearest")
    _legend(axes, [Entry(1, "another class:\n" + found.text.replace(", ", ",\n"), _DIFFERENT_RGB)])
    width, height = slide.counted.width_px, slide.counted.height_px
    _frame(axes, place, (0, 0, width, height), f"{slide.slide_id}: where the runs differ")
    return axes


def _outline_regions(axes: Any, place: "_Place", slide: OpenedSlide) -> None:
    """Draw the regions with their names, drawn or found; with dashes where one has a status."""
    for region in shown_regions(slide.layout, slide.counted):
        row, rings = region.row, region.rings
        for ring in () if region.is_class else rings:
            style = "-" if row.status == "complete" else "--"
            axes.plot(ring[:, 0] * place.x, ring[:, 1] * place.y, color=_INK, linewidth=0.8, linestyle=style, zorder=4)
        points = np.concatenate(rings)
        (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0)
        is_core = region.is_found and row.region_class == "core"
        axes.text(
            (left + right) / 2 * place.x, ((top + bottom) / 2 if is_core else top) * place.y, region.label,
            ha="center", va="center" if is_core else "bottom", fontsize=7, color=_INK, parse_math=False,
            path_effects=[withStroke(linewidth=2, foreground=_HALO)], zorder=5, clip_on=True,
        )  # fmt: skip


class _Place:
    """The frame of the axes: mm of the slide, or its level-0 pixels where no pixel size is known."""

    def __init__(self, mpp: Mpp | None) -> None:
        self.mpp = mpp
        self.x, self.y = (1.0, 1.0) if mpp is None else (mpp.x / 1000, mpp.y / 1000)

    def extent(self, left: float, top: float, right: float, bottom: float) -> tuple[float, float, float, float]:
        """Return the extent, as imshow calls it, of a box of level-0 pixels."""
        return left * self.x, right * self.x, bottom * self.y, top * self.y


def _new_axes() -> Any:
    return plt.subplots(figsize=(7, 6), layout="compressed")[1]


def _frame(axes: Any, place: _Place, box_l0_px: tuple[float, float, float, float], title: str) -> None:
    """Cut the axes to a box of level-0 pixels, and draw the bar and the title."""
    left, right, bottom, top = place.extent(*box_l0_px)
    axes.set(xlim=(left, right), ylim=(bottom, top), xticks=[], yticks=[], aspect="equal")
    # parse_math: a slide's name is somebody else's text, and $ would make a formula of it
    axes.set_title(title if place.mpp is not None else f"{title} (in pixels: no pixel size)", parse_math=False)
    if place.mpp is None:
        return
    bar = scale_bar(box_l0_px[2] - box_l0_px[0], place.mpp)
    width, height, length_mm = right - left, bottom - top, bar.length_um / 1000
    x, y = left + 0.04 * width, bottom - 0.05 * height
    line = Rectangle(
        (x, y), length_mm, 0.012 * height, facecolor=_INK, edgecolor=_HALO, linewidth=1, gid="scale-bar", zorder=5
    )
    axes.add_patch(line)
    effects = [withStroke(linewidth=3, foreground=_HALO)]
    middle = x + length_mm / 2
    axes.text(middle, y - 0.01 * height, bar.text, ha="center", va="bottom", color=_INK, path_effects=effects, zorder=5)


def _legend(axes: Any, entries: Iterable[Entry]) -> None:
    handles = [
        Patch(facecolor=[c / 255 for c in entry.color_rgb], edgecolor="0.3", label=entry.text) for entry in entries
    ]
    if handles:
        axes.legend(handles=handles, loc="upper left", bbox_to_anchor=(1.01, 1.0), borderaxespad=0, frameon=False)
