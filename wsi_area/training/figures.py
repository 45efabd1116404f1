"""training: the figures of a training report, as PNG; matplotlib is loaded here and nowhere else."""

import io
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from wsi_area.audit.accuracy import Accuracy, ImageAgreement
from wsi_area.compute.judge.agreement import class_agreements
from wsi_area.model.classes import ClassScheme
from wsi_area.model.pixels import ClassMap
from wsi_area.training.importance import Importance

_DPI = 110
_NAMED_INSIDE = 6  # classes that a legend inside a plot has room for
_GREY, _INK, _BLUE = "#b8bcc2", "#30343a", "#3a6ea5"
_UNKNOWN_RGB = (225, 226, 229)


def calibration_png(accuracy: Accuracy) -> bytes:
    """Return the calibration curve of each class: stated probability against how often it came true."""
    figure = Figure(figsize=(4.6, 4.2), dpi=_DPI, layout="constrained")
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color=_GREY, linewidth=1, linestyle="--")
    for class_id, bins in accuracy.reliability.items():
        entry = accuracy.scheme.classes[class_id]
        if not bins.points or (class_id == 0 and len(accuracy.reliability) == 2):
            continue  # of two classes the second says it all
        stated, observed, n = zip(*bins.points, strict=True)
        sizes = 12 + 90 * np.sqrt(np.array(n) / max(n))
        axes.plot(stated, observed, color=_ink_of(entry.color_rgb), linewidth=1.3, label=entry.name)
        axes.scatter(stated, observed, s=sizes, color=_ink_of(entry.color_rgb), alpha=0.75)
    _labelled(axes, "stated probability", "share that is of the class")
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    axes.set_aspect("equal")
    _legend(figure, axes)
    return _png(figure)


def importances_png(kinds: Sequence[Importance], scales: Sequence[Importance]) -> bytes:
    """Return the worth of each kind of feature and of each scale."""
    rows = max(len(kinds), len(scales))
    figure = Figure(figsize=(8.4, 1.1 + 0.27 * rows), dpi=_DPI, layout="constrained")
    for axes, found, title in zip(figure.subplots(1, 2), (kinds, scales), ("by kind", "by scale"), strict=True):
        names = [importance.name for importance in reversed(found)]
        axes.barh(names, [100 * importance.accuracy_drop for importance in reversed(found)], color=_BLUE, height=0.62)
        axes.set_title(title, fontsize=10, color=_INK, loc="left")
        _labelled(axes, "% of the pixels that go wrong without it", "")
    return _png(figure)


def areas_png(accuracy: Accuracy) -> bytes:
    """Return found against true area, a point for each image and class but the background."""
    figure = Figure(figsize=(4.6, 4.2), dpi=_DPI, layout="constrained")
    axes = figure.subplots()
    in_mm2 = all(image.pixel_area_mm2 is not None for image in accuracy.images)
    largest = 0.0
    for entry in accuracy.scheme.classes[1:]:
        points = [
            (agreement.truth_px * pixel, agreement.predicted_px * pixel)
            for image in accuracy.images
            for pixel in ((image.pixel_area_mm2 or 1.0) if in_mm2 else 1e-6,)
            for agreement in (class_agreements(image.matrix)[entry.class_id],)
        ]
        x, y = zip(*points, strict=True)
        largest = max(largest, *x, *y)
        axes.scatter(x, y, s=16, color=_ink_of(entry.color_rgb), alpha=0.7, label=entry.name)
    axes.plot([0, 1.05 * largest], [0, 1.05 * largest], color=_GREY, linewidth=1, linestyle="--", zorder=0)
    unit = "mm²" if in_mm2 else "million px"
    _labelled(axes, f"true area, {unit}", f"found area, {unit}")
    _legend(figure, axes)
    return _png(figure)


def case_png(image: ImageAgreement, scheme: ClassScheme) -> bytes:
    """Return image, truth and finding side by side; what the finding gets wrong is outlined by its colour alone."""
    case = image.case
    if case is None:
        raise ValueError(f"no picture of {image.slide_id} was kept")
    height, width = case.truth.shape
    figure = Figure(figsize=(8.4, 8.4 / 3 * height / width + 0.35), dpi=_DPI, layout="constrained")
    panels: Mapping[str, NDArray[np.uint8]] = {
        "image": case.rgb,
        "truth": _coloured(case.truth, case.rgb, scheme),
        "found": _coloured(case.predicted, case.rgb, scheme),
    }
    for axes, (title, panel) in zip(figure.subplots(1, 3), panels.items(), strict=True):
        axes.imshow(panel, interpolation="nearest")
        axes.set_title(title, fontsize=9, color=_INK)
        axes.set_axis_off()
    return _png(figure)


def _coloured(codes: ClassMap, rgb: NDArray[np.uint8], scheme: ClassScheme) -> NDArray[np.uint8]:
    """Return the picture with its classes laid over it, grey where nothing is known."""
    table = np.full((256, 3), _UNKNOWN_RGB, np.float64)
    strength = np.full(256, 0.8)
    for entry in scheme.classes:
        table[entry.class_id] = entry.color_rgb
        strength[entry.class_id] = 0.55 if entry.class_id else 0.35
    over = strength[codes][..., None]
    return np.asarray((1 - over) * rgb + over * table[codes], np.uint8)


def _legend(figure: Figure, axes: Axes) -> None:
    """Name the classes in the plot; many of them below it, where they hide nothing."""
    handles, names = axes.get_legend_handles_labels()
    if len(names) > _NAMED_INSIDE:
        figure.set_figheight(figure.get_figheight() + 0.2 * -(-len(names) // 3))
        figure.legend(handles, names, frameon=False, loc="outside lower center", ncols=3, fontsize=7)
    elif names:
        axes.legend(handles, names, frameon=False, loc="upper left")


def _labelled(axes: Axes, x: str, y: str) -> None:
    axes.set_xlabel(x, fontsize=9, color=_INK)
    axes.set_ylabel(y, fontsize=9, color=_INK)
    axes.tick_params(labelsize=8, colors=_INK)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(_GREY)


def _ink_of(color_rgb: tuple[int, int, int]) -> tuple[float, float, float]:
    """Return a class's colour, darkened where it would not show on white."""
    dark = 0.6 if sum(color_rgb) > 600 else 1.0
    red, green, blue = (dark * c / 255 for c in color_rgb)
    return red, green, blue


def _png(figure: Figure) -> bytes:
    target = io.BytesIO()
    FigureCanvasAgg(figure).print_png(target, metadata={"Software": None})
    return target.getvalue()
