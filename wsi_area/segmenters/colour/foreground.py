"""segmenters: the threshold between background and tissue, found once on the overview of a slide."""

from dataclasses import field, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from wsi_area.frozen_value import frozen_value
from wsi_area.model.light import Glass, GlassRgb, Light
from wsi_area.model.pixels import Overview
from wsi_area.model.threshold import SHIFTS
from wsi_area.segmenters.colour.colour_rule import NO_TINT, ColourRule, Feature, Tint
from wsi_area.segmenters.colour.extremes import Extremes, count_extremes, feature_histogram
from wsi_area.segmenters.colour.glass import (
    GLASS_LARGEST_CHROMA,
    GLASS_LOWEST,
    LEAST_BACKGROUND,
    NOMINAL_GLASS,
    REACH,
    find_glass,
    is_clean,
)
from wsi_area.segmenters.colour.otsu import otsu_bin

Background = Literal["bright", "dark"]

FEATURES: dict[Background, Feature] = {"bright": "darkness", "dark": "brightness"}
# Otsu's threshold lies halfway to the mean tissue, which loses the pale half of it, and inside the tissue
# where there is no glass; so it may move only within these grey levels above the background. The lower
# bound is what JPEG and sensor noise of empty glass do not reach.
DEFAULT_CONTRAST: dict[Background, tuple[int, int]] = {"bright": (15, 20), "dark": (8, 40)}
FREE = (0, 254)  # bounds of Otsu's threshold that bind nothing
FULL_CONTRAST_LEVEL = 200  # of glass, grey levels; on darker glass the same tissue stands out less, in proportion
NOMINAL_DARK_LEVEL = 0  # of a dark field, where none is seen
DARK_HIGHEST = 50  # all of R, G, B of a dark field are at most this
LEAST_DARK_FIELD = 0.05  # black borders and pen smaller than this do not make a dark field
LEAST_PAINTED = 0.001  # of the valid pixels, pure black: below it nobody painted, and every pixel is what was seen
LEAST_SCANNED_GLASS = 0.05  # of what is not pure black: with that much glass the black of a bright slide was painted
DARK_MEDIAN = 100  # with no background in sight, a median max(R, G, B) below this is a dark field


@frozen_value
class Foreground:
    """Where tissue begins on one slide, and why."""

    background: Background
    level: int  # feature of the background itself
    threshold: int  # tissue = feature > threshold
    tint: Tint  # of the glass, which the feature is taken without
    light: Light
    facts: dict[str, object] = field(compare=False)  # JSON-ready
    wants_spread: bool = False  # Otsu's own threshold, of the pixels of the overview: the scale of the work may move it

    @property
    def rule(self) -> ColourRule:
        """Return the rule that tells background from tissue."""
        return ColourRule(FEATURES[self.background], self.threshold, tint=self.tint)

    def lowered_rule(self, margin: float) -> ColourRule:
        """Return the rule that tells what may hold tissue."""
        return replace(self.rule, threshold=self.lowered_threshold(margin))

    def lowered_threshold(self, margin: float) -> int:
        """Return the threshold of what may hold tissue: ``margin`` of the way from background to threshold.

        >>> light = Light(Glass((243, 243, 243), "seen"), True)
        >>> Foreground("bright", 12, 37, NO_TINT, light, {}).lowered_threshold(0.2)
        17
        """
        return min(self.threshold, self.level + int(margin * max(0, self.threshold - self.level)))


def background_kind(extremes: Extremes) -> Background:
    """Return the background that tissue lies on, bright or dark.

    A dark field shows: at least 5 % near-black pixels and more of them than of glass; or, if neither is in
    sight, a dark picture on the whole. Black pen, dark tissue and dense stains do not reach that, nor does any
    amount of pure black round glass that was scanned: that was painted.

    >>> night = np.zeros((256, 256), np.int64)
    >>> night[0, 0] = 16
    >>> background_kind(night)
    'dark'
    """
    brightest = feature_histogram(extremes, "brightness")
    total = int(brightest.sum())
    if not total:
        return "bright"
    glass_px = int(extremes[_GLASS].sum())
    glass = glass_px / total
    black_px = int(brightest[: DARK_HIGHEST + 1].sum())
    black = black_px / total
    # pure black, which a dark field may be, and which software paints round what it scanned of a bright one
    painted_px = int(extremes[0, 0])
    if glass_px >= LEAST_SCANNED_GLASS * (total - painted_px) and glass_px > black_px - painted_px:
        return "bright"
    if black >= LEAST_DARK_FIELD and black > glass:
        return "dark"
    return "dark" if glass < LEAST_BACKGROUND and _median(brightest) < DARK_MEDIAN else "bright"


def fit_foreground(
    overview: Overview,
    background: Literal["auto", "bright", "dark"],
    threshold: Literal["otsu"] | int,
    contrast_min: int | None = None,
    contrast_max: int | None = None,
    *,
    black_is_painted: bool = True,
    glass: Literal["auto"] | GlassRgb = "auto",
) -> Foreground:
    """Return the threshold at which tissue begins on a slide.

    Parameters
    ----------
    overview
        The slide; what it says of its glass is believed, else the glass is looked for. Otsu's threshold is that of
        its ``spread``, pixels of the size that it is for, where there is one.
    background
        ``auto`` decides between the two.
    threshold
        A grey level (0..255) of the feature, of pixels as they are; or ``otsu``: Otsu's, of pixels without the tint of
        the glass, kept ``contrast_min`` to ``contrast_max`` grey levels above the level of the background. On glass
        darker than ``FULL_CONTRAST_LEVEL`` these are less, in proportion, as the contrast of tissue is.
    contrast_min, contrast_max
        None for the default of the kind of background; 0 and 254 leave Otsu's threshold free, and the tint alone.
    black_is_painted
        Whether pure black of a bright slide was painted by software, and says nothing of the tissue.
    glass
        Its colour, or ``auto``: the slide's own.
    """
    extremes = count_extremes(overview)
    kind_seen = background_kind(extremes)
    kind = kind_seen if background == "auto" else background
    bounds = _contrast(kind, contrast_min, contrast_max)
    light = _light(overview, kind, glass, leans=threshold == "otsu" and (bounds != FREE or glass != "auto"))
    tint = _tint(light.glass) if light.leans_on_glass else NO_TINT
    if tint != NO_TINT:
        extremes = count_extremes(overview, tint)
    painted = painted_share(extremes) if kind == "bright" and black_is_painted else 0.0
    if painted:
        extremes = extremes.copy()
        extremes[0, 0] = 0
    on_overview = histogram = feature_histogram(extremes, FEATURES[kind])
    if threshold == "otsu" and overview.spread:
        at_scale = np.sum([count_extremes(block, tint) for block in overview.spread], axis=0)
        if painted:
            at_scale[0, 0] = 0
        histogram = feature_histogram(at_scale, FEATURES[kind])
    seen = _background_level(extremes, kind, light.glass)
    level = seen if seen is not None else 255 - light.glass.level if kind == "bright" else NOMINAL_DARK_LEVEL
    raw = otsu_bin(histogram)
    used = _kept_near(raw, level, kind, bounds) if threshold == "otsu" else threshold
    # 5 % of the threshold as it is on bright glass: what dim glass is darker is no part of it
    above = used - max(0, level - (255 - FULL_CONTRAST_LEVEL)) if light.leans_on_glass else used
    facts: dict[str, object] = {
        "background": kind,
        "background_seen": kind_seen,
        "background_level": seen,
        "feature": FEATURES[kind],
        "method": _method(threshold, kind, light.glass, clamped=used != raw),
        "otsu_threshold": raw,
        "threshold": used,
        "clamped": threshold == "otsu" and used != raw,
        "painted_black_fraction": painted,
        "fitted_on": "work pixels" if histogram is not on_overview else "overview",
        "histogram": [int(n) for n in histogram],
        "tissue_on_overview": _fraction_above(on_overview, used),
        "threshold_by_shift": {shift: int(used + share * above) for shift, share in SHIFTS.items()},
    }
    if tint != NO_TINT:
        facts["tint"] = list(tint)
    is_free = threshold == "otsu" and used == raw
    return Foreground(kind, level, used, tint, light, facts, wants_spread=is_free and not overview.spread)


def _light(overview: Overview, kind: Background, glass: Literal["auto"] | GlassRgb, *, leans: bool) -> Light:
    """Return the light of a slide: the glass that was given, its own, or nominal glass."""
    if glass != "auto":
        return Light(Glass(glass, "given"), leans_on_glass=leans and kind == "bright")
    if kind == "dark":
        return Light(Glass(NOMINAL_GLASS, "nominal"), leans_on_glass=False)
    return Light(overview.glass or find_glass(overview), leans_on_glass=leans)


def _tint(glass: Glass) -> Tint:
    """Return the grey levels by which R, G and B of the glass exceed its darkest channel.

    None for clean glass, whose channels differ by no more than the white balance of scanners leaves; all of it where
    they differ twice as much, and in proportion between.

    >>> [_tint(Glass(rgb, "seen")) for rgb in ((225, 175, 148), (246, 243, 243), (224, 216, 200))]
    [(77, 27, 0), (0, 0, 0), (12, 8, 0)]
    """
    over = [level - glass.level for level in glass.rgb]
    share = min(1.0, max(0.0, max(over) / GLASS_LARGEST_CHROMA - 1))
    red, green, blue = (round(share * levels) for levels in over)
    return red, green, blue


def _method(threshold: Literal["otsu"] | int, kind: Background, glass: Glass, *, clamped: bool) -> str:
    """Return the name of what made the threshold."""
    if threshold != "otsu":
        return "fixed"
    if not clamped:
        return "otsu"
    if kind == "dark":
        return "otsu-clamped-to-dark-field"
    return "otsu-clamped-to-nominal-glass" if glass.source == "nominal" else "otsu-clamped-to-glass"


def _contrast(kind: Background, contrast_min: int | None, contrast_max: int | None) -> tuple[int, int]:
    """Return the least and the most grey levels between the background and Otsu's threshold."""
    least, most = DEFAULT_CONTRAST[kind]
    least = least if contrast_min is None else contrast_min
    return least, max(least, most if contrast_max is None else contrast_max)


def _kept_near(raw: int, level: int, kind: Background, bounds: tuple[int, int]) -> int:
    """Return Otsu's threshold, or the nearest to it that lies as far above the background as it may."""
    share = min(1.0, (255 - level) / FULL_CONTRAST_LEVEL) if kind == "bright" and bounds != FREE else 1.0
    least, most = (round(bound * share) for bound in bounds)
    return min(max(raw, level + least), level + most, 254)


def painted_share(extremes: Extremes) -> float:
    """Return the share of a bright slide that is pure black, which no light through glass is; 0 below a thousandth.

    >>> extremes = np.zeros((256, 256), np.int64)
    >>> extremes[0, 0], extremes[240, 244] = 1, 3
    >>> painted_share(extremes)
    0.25
    """
    total, black = int(extremes.sum()), int(extremes[0, 0])
    return black / total if total and black >= LEAST_PAINTED * total else 0.0


def _glass_pairs() -> NDArray[np.bool_]:
    """Return bool (256, 256): which darkest and brightest channel glass may have."""
    darkest, brightest = np.ogrid[:256, :256]
    return np.asarray((darkest >= GLASS_LOWEST) & (brightest - darkest <= GLASS_LARGEST_CHROMA))


_GLASS = _glass_pairs()


def _median(histogram: NDArray[np.int64]) -> float:
    """Return the median of a histogram that is not empty; between two values, their mean."""
    up_to, total = np.cumsum(histogram), int(histogram.sum())
    lower, upper = np.searchsorted(up_to, [(total - 1) // 2, total // 2], side="right")
    return (int(lower) + int(upper)) / 2


def _background_level(extremes: Extremes, kind: Background, glass: Glass) -> int | None:
    """Return the commonest feature of what can only be background, or None if there is too little of it."""
    total = int(extremes.sum())
    if kind == "dark":
        candidates = feature_histogram(extremes, "brightness")[: DARK_HIGHEST + 1]
    elif glass.source == "nominal":
        return None
    elif glass.source == "seen" and is_clean(glass.rgb):
        candidates = feature_histogram(np.where(_GLASS, extremes, 0), "darkness")
        # pure white is what stitching software paints where nothing was scanned: believed if nothing else is
        if int(candidates[1:].sum()) >= LEAST_BACKGROUND * total:
            candidates = np.concatenate([[0], candidates[1:]])
    else:
        darkness = feature_histogram(extremes, "darkness")
        at = 255 - glass.level
        candidates = np.zeros_like(darkness)
        near = slice(max(0, at - REACH), at + REACH + 1)  # the darkest channel is darker than its median, by the noise
        candidates[near] = darkness[near]
    if not total or int(candidates.sum()) < LEAST_BACKGROUND * total:
        return None
    return int(candidates.argmax())


def _fraction_above(histogram: NDArray[np.int64], threshold: float) -> float | None:
    total = int(histogram.sum())
    # feature > threshold holds for whole grey levels above the floor of the threshold
    return int(histogram[int(threshold) + 1 :].sum()) / total if total else None
