"""reports: how a number is spread over the slides of a run, and which of them stand apart; pure."""

import math
from collections.abc import Sequence
from statistics import fmean, median

from wsi_area.frozen_value import frozen_value
from wsi_area.results.tables.quantity import grouped

WIDTH, _LEFT, _RIGHT = 340.0, 12.0, 328.0  # of the drawing, in its own units
_DOT = 7.0  # diameter
_TALLEST = 84.0  # of a stack; dots of a taller one overlap
_NAMED = 12  # slides that stand apart, in words
_LEAST_SLIDES = 5  # fewer have no spread to stand apart from
_CUT = 3.5
_LEAST_DIFFERENCE = 0.01  # of the median: a difference that only rounding made is none
_LEAST_STEP = 1e-290  # between ticks: below it powers of ten lose their digits
_LOG_FROM = 20.0  # largest / smallest from which a logarithmic axis is drawn

OUTLIER_RULE = (
    "A slide stands apart where it lies more than 3.5 robust standard deviations (1.4826 × the median absolute "
    "deviation) from the median, and more than 1 % of it; where more than half the slides agree, 1.2533 × the mean "
    "absolute deviation takes its place. On a logarithmic axis the logarithms are compared. Judged from 5 slides on. "
    "An outlier is a slide to look at, not a fault."
)
"""Iglewicz and Hoaglin (1993), How to Detect and Handle Outliers, section 3.2 (modified z-score)."""


@frozen_value
class Value:
    """One slide's number."""

    slide: str
    anchor: str
    value: float
    is_bound: bool = False  # of an incomplete slide: a lower bound, shown but not judged by


@frozen_value
class Dot:
    """Where a slide is drawn."""

    x: float
    y: float
    of: Value
    text: str
    is_outlier: bool


@frozen_value
class Tick:
    """A number on the axis."""

    x: float
    text: str


@frozen_value
class StripPlot:
    """One dot a slide along an axis; those that would meet are stacked."""

    title: str
    unit: str
    is_log: bool
    height: float
    dots: tuple[Dot, ...]
    ticks: tuple[Tick, ...]
    median_x: float
    median_text: str

    @property
    def outliers(self) -> tuple[Dot, ...]:
        """Return the dots that stand apart, smallest first."""
        return tuple(sorted((d for d in self.dots if d.is_outlier), key=lambda d: d.of.value))

    @property
    def named(self) -> tuple[Dot, ...]:
        """Return those of them that are named below the plot: the furthest from the median."""
        far = sorted(self.outliers, key=lambda d: -abs(d.x - self.median_x))[:_NAMED]
        return tuple(d for d in self.outliers if d in far)


def outliers(values: Sequence[float]) -> list[bool]:
    """Return the values that stand apart, by `OUTLIER_RULE`.

    >>> outliers([1.0, 1.1, 0.9, 1.05, 9.0])
    [False, False, False, False, True]
    >>> outliers([0.25, 0.25, 0.25, 0.25, 0.5])
    [False, False, False, False, True]
    >>> outliers([1.0, 9.0])
    [False, False]
    """
    if len(values) < _LEAST_SLIDES:
        return [False] * len(values)
    middle = median(values)
    away = [abs(value - middle) for value in values]
    spread = 1.4826 * median(away) or 1.2533 * fmean(away)
    least = _LEAST_DIFFERENCE * abs(middle)
    return [spread > 0 and d > _CUT * spread and d > least for d in away]


def strip_plot(title: str, unit: str, values: Sequence[Value]) -> StripPlot | None:
    """Return the plot of a number over the slides that have it; None where none has."""
    if not values:
        return None
    numbers = [v.value for v in values]
    is_log = min(numbers) > 0 and max(numbers) / min(numbers) >= _LOG_FROM
    scaled = [math.log10(n) if is_log else n for n in numbers]
    judged = [s for s, v in zip(scaled, values, strict=True) if not v.is_bound] or scaled
    apart = iter(outliers(judged))
    is_apart = [False if v.is_bound and judged is not scaled else next(apart) for v in values]
    ticks = _log_ticks(scaled) if is_log else _ticks(scaled)
    low, high = min(*scaled, *ticks), max(*scaled, *ticks)
    place = _Axis(low, high)
    heights = _stacked([place.x(s) for s in scaled])
    tallest = max(heights)
    step = min(_DOT, _TALLEST / max(1, tallest))
    dots = tuple(
        Dot(
            place.x(s),
            round(10 + (tallest - h) * step, 2),
            v,
            f"{v.slide}: {grouped(float(f'{v.value:.4g}'))} {unit}",
            a,
        )
        for s, h, v, a in zip(scaled, heights, values, is_apart, strict=True)
    )
    middle = median(judged)
    return StripPlot(
        title,
        unit,
        is_log,
        round(10 + tallest * step + 30, 2),
        dots,
        tuple(Tick(place.x(t), grouped(round(10**t, 12) if is_log else t)) for t in ticks),
        place.x(middle),
        grouped(float(f"{10**middle if is_log else middle:.4g}")),
    )


@frozen_value
class _Axis:
    low: float
    high: float

    def x(self, scaled: float) -> float:
        share = (scaled - self.low) / (self.high - self.low) if self.high > self.low else 0.5
        return round(_LEFT + _DOT / 2 + share * (_RIGHT - _LEFT - _DOT), 2)


def _ticks(values: Sequence[float]) -> list[float]:
    """Return two to six round numbers, from at or below the least value to at or above the largest."""
    low, high = min(values), max(values)
    if low == high:
        return [low]
    raw = (high - low) / 4
    if raw < _LEAST_STEP:
        return [low, high]
    exponent = math.floor(math.log10(raw))
    step = next(s * 10.0**exponent for s in (1, 2, 5, 10) if s * 10.0**exponent >= raw * 0.999)
    first, last = math.floor(low / step), math.ceil(high / step)
    return [round(k * step, -exponent) for k in range(first, last + 1)]


def _log_ticks(values: Sequence[float]) -> list[float]:
    first, last = math.floor(min(values)), math.ceil(max(values))
    every = -(-(last - first) // 5) or 1
    return [float(k) for k in range(first, last + every, every)]


def _stacked(places: Sequence[float]) -> list[int]:
    """Return the height at which each dot must be stacked so that none lies on another; in the order of the axis."""
    heights = [0] * len(places)
    tops: list[list[float]] = []  # by height, the places taken
    for index in sorted(range(len(places)), key=lambda i: (places[i], i)):
        height = next((h for h, taken in enumerate(tops) if places[index] - taken[-1] >= _DOT), len(tops))
        if height == len(tops):
            tops.append([])
        tops[height].append(places[index])
        heights[index] = height
    return heights
