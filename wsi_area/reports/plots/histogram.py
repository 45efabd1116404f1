"""reports: the histogram that a threshold was found on, with the threshold drawn; pure."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import log1p
from typing import Any, TypeGuard

from wsi_area.frozen_value import frozen_value
from wsi_area.results.tables.quantity import grouped

WIDTH, HEIGHT = 340.0, 155.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 8.0, 332.0, 34.0, 122.0


@frozen_value
class Line:
    """A value marked on the axis."""

    x: float
    text: str
    is_main: bool
    row: int  # of its label, so that two labels do not meet
    at_end: bool  # the label ends at the line


@frozen_value
class Histogram:
    """Bars as one outline, those above the first main line apart."""

    title: str
    axis: str
    below: str  # SVG path
    above: str
    lines: tuple[Line, ...]
    ticks: tuple[tuple[float, str], ...]
    description: str
    why: str = ""  # the threshold is not the one that the method gave


def histograms(facts: Mapping[str, Any]) -> tuple[Histogram, ...]:
    """Return the histograms that a segmenter left in its facts: of its feature, and of a stain's density."""
    found = []
    counts, threshold = facts.get("histogram"), facts.get("threshold")
    if _is_counts(counts) and isinstance(threshold, int | float):
        lines = [(float(threshold), "threshold", True)]
        if facts.get("clamped") and isinstance(facts.get("otsu_threshold"), int | float):
            lines.append((float(facts["otsu_threshold"]), "Otsu's", False))
        if isinstance(facts.get("background_level"), int | float):
            lines.append((float(facts["background_level"]), "background", False))
        width = facts.get("histogram_bin")
        axis = f"{facts.get('feature', 'feature')}{', grey levels' if width is None else ''}"
        plot = _histogram("Threshold of tissue", axis, counts, float(width or 1), lines)
        found.append(replace(plot, why=_why_not_otsu(facts)))
    density, width = facts.get("density_histogram"), facts.get("density_bin_od")
    bands = facts.get("bands_od")
    if _is_counts(density) and isinstance(width, int | float) and isinstance(bands, list) and bands:
        lines = [(float(band), "from", True) for band in bands]
        if facts.get("band_method") == "otsu" and isinstance(facts.get("otsu_od"), int | float):
            lines.append((float(facts["otsu_od"]), "Otsu's", False))
        axis = f"density of {facts.get('target', 'the stain')} in tissue, OD"
        found.append(_histogram("Bands of the stain", axis, density, float(width), lines))
    return tuple(found)


def _why_not_otsu(facts: Mapping[str, Any]) -> str:
    """Return the reason why the threshold is not Otsu's though that was asked for; else empty."""
    otsu, used, level = facts.get("otsu_threshold"), facts["threshold"], facts.get("background_level")
    if not facts.get("clamped") or not isinstance(otsu, int | float):
        return ""
    near = f"{grouped(used - level)} above the background" if isinstance(level, int | float) else "the limit"
    bound, key = (
        (f"beyond {near} faint tissue would be lost", "contrast_max")
        if otsu > used
        else (f"below {near} bare glass would count", "contrast_min")
    )
    return f"Otsu's method gives {grouped(otsu)}; {bound}, so {grouped(used)} was used ({key})."


def _is_counts(counts: Any) -> TypeGuard[list[int]]:
    return isinstance(counts, list) and len(counts) > 1 and all(isinstance(n, int) for n in counts) and sum(counts) > 0


def _histogram(
    title: str, axis: str, counts: Sequence[int], bin_width: float, marked: Sequence[tuple[float, str, bool]]
) -> Histogram:
    """Return a histogram from 0 to the last bin that holds anything, or to the last mark."""
    last = max(index for index, n in enumerate(counts) if n)
    bins = min(len(counts), max(last + 2, *(int(value / bin_width) + 2 for value, _, _ in marked)))
    unit = (_RIGHT - _LEFT) / bins
    cut = min(value for value, _, is_main in marked if is_main)
    # a grey level is in the class above where it exceeds the threshold; a density where it reaches the band
    first_above = int(cut) + 1 if bin_width == 1.0 else round(cut / bin_width)
    heights = [log1p(n) / log1p(max(counts)) * (_BOTTOM - _TOP) for n in counts[:bins]]
    line_at = [_LEFT + unit * _edge(value, bin_width, is_main) for value, _, is_main in marked]
    texts = [f"{name} {grouped(value)}" for value, name, _ in marked]
    return Histogram(
        title,
        axis,
        _outline(heights, 0, min(first_above, bins), unit),
        _outline(heights, min(first_above, bins), bins, unit),
        _lines(line_at, texts, [is_main for *_, is_main in marked]),
        _ticks(bins, bin_width, unit),
        f"{title}: {', '.join(texts)}; bar heights are logarithms of the counts",
    )


def _edge(value: float, bin_width: float, is_threshold: bool) -> float:
    """Return the place of a value on the axis, in bins: a grey level is a whole bin, and a threshold its upper edge."""
    if bin_width != 1.0:
        return value / bin_width
    return value + (1.0 if is_threshold else 0.5)


def _outline(heights: Sequence[float], first: int, past: int, unit: float) -> str:
    if past <= first:
        return ""
    points = [f"M{_LEFT + first * unit:.1f} {_BOTTOM:.1f}"]
    for index in range(first, past):
        points.append(f"V{_BOTTOM - heights[index]:.1f}H{_LEFT + (index + 1) * unit:.1f}")
    return "".join([*points, f"V{_BOTTOM:.1f}Z"])


def _lines(places: Sequence[float], texts: Sequence[str], is_main: Sequence[bool]) -> tuple[Line, ...]:
    """Return the marks from left to right, each label on the first row where it has room."""
    ends = [float("-inf")] * 3
    lines = []
    for x, text, main in sorted(zip(places, texts, is_main, strict=True)):
        width = 5.6 * len(text)
        at_end = x + width > WIDTH
        start = x - width if at_end else x
        row = next((r for r, end in enumerate(ends) if start > end + 6), len(ends) - 1)
        ends[row] = max(ends[row], start + width)
        lines.append(Line(round(x, 1), text, main, row, at_end))
    return tuple(lines)


def _ticks(bins: int, bin_width: float, unit: float) -> tuple[tuple[float, str], ...]:
    span = bins * bin_width
    step = next(
        s for s in (0.1, 0.2, 0.25, 0.5, 1, 2, 5, 10, 25, 50, 100, 250, 1000, 2500, 10_000, 25_000) if span / s <= 6
    )
    values = [round(k * step, 6) for k in range(int(span / step) + 1)]
    return tuple((round(_LEFT + unit * _edge(v, bin_width, False), 1), grouped(v)) for v in values)
