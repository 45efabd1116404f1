"""segmenters: the threshold between background and tissue, found once on the overview of a slide."""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from wsi_area.model.pixels import Overview
from wsi_area.segmenters.colour_rule import ColourRule, Feature
from wsi_area.segmenters.otsu import otsu_bin

Background = Literal["bright", "dark"]

FEATURES: dict[Background, Feature] = {"bright": "darkness", "dark": "brightness"}
# Otsu's threshold lies halfway to the mean tissue, which loses the pale half of it, and inside the tissue
# where there is no glass; so it may move only within these grey levels above the background. The lower
# bound is what JPEG and sensor noise of empty glass do not reach.
DEFAULT_CONTRAST: dict[Background, tuple[int, int]] = {"bright": (15, 20), "dark": (8, 40)}
# where no background is seen, its level is taken as that of clean glass, or of a dark field
NOMINAL_LEVEL: dict[Background, int] = {"bright": 15, "dark": 0}
GLASS_LOWEST = 190  # all of R, G, B of glass are at least this …
GLASS_LARGEST_CHROMA = 16  # … and no further apart than this: pale pink tissue is not glass
DARK_HIGHEST = 50  # all of R, G, B of a dark field are at most this
LEAST_BACKGROUND = 0.005  # a smaller share of the valid pixels is not taken for the background
LEAST_DARK_FIELD = 0.05  # black borders and pen smaller than this do not make a dark field
DARK_MEDIAN = 100  # with no background in sight, a median max(R, G, B) below this is a dark field


@dataclass(frozen=True, slots=True)
class Foreground:
    """Where tissue begins on one slide, and why."""

    background: Background
    level: int  # feature of the background itself
    threshold: int  # tissue = feature > threshold
    facts: dict[str, object] = field(compare=False)  # JSON-ready

    @property
    def rule(self) -> ColourRule:
        """Return the rule that tells background from tissue."""
        return ColourRule(FEATURES[self.background], self.threshold)

    def lowered_threshold(self, margin: float) -> int:
        """Return the threshold of what may hold tissue: ``margin`` of the way from background to threshold.

        >>> Foreground("bright", 12, 37, {}).lowered_threshold(0.2)
        17
        """
        return min(self.threshold, self.level + int(margin * max(0, self.threshold - self.level)))


def background_kind(overview: Overview) -> Background:
    """Return whether tissue lies on a bright or on a dark background.

    A dark field shows: at least 5 % near-black pixels and more of them than of glass; or, if neither is in
    sight, a dark picture on the whole. Black pen, dark tissue and dense stains do not reach that.

    >>> from wsi_area.model.geometry import Size
    >>> night = np.zeros((4, 4, 3), np.uint8)
    >>> background_kind(Overview(night, np.ones((4, 4), bool), Size(4, 4), None))
    'dark'
    """
    pixels = overview.rgb[overview.valid]
    if not len(pixels):
        return "bright"
    brightest = pixels.max(axis=1)
    glass = float(np.mean(_is_glass(pixels)))
    black = float(np.mean(brightest <= DARK_HIGHEST))
    if black >= LEAST_DARK_FIELD and black > glass:
        return "dark"
    return "dark" if glass < LEAST_BACKGROUND and np.median(brightest) < DARK_MEDIAN else "bright"


def fit_foreground(
    overview: Overview,
    background: Literal["auto", "bright", "dark"],
    threshold: Literal["otsu"] | int,
    contrast_min: int | None,
    contrast_max: int | None,
) -> Foreground:
    """Return where tissue begins on the slide that the overview shows.

    Parameters
    ----------
    overview
        The slide; only its valid pixels are looked at.
    background
        ``auto`` decides between the two.
    threshold
        A grey level (0..255) of the feature, or ``otsu``: Otsu's, kept ``contrast_min`` to
        ``contrast_max`` grey levels above the level of the background.
    contrast_min, contrast_max
        None for the default of the kind of background.
    """
    kind = background_kind(overview) if background == "auto" else background
    pixels = overview.rgb[overview.valid].reshape(1, -1, 3)
    feature = ColourRule(FEATURES[kind], 0).feature_of(pixels)
    histogram = np.bincount(feature.ravel(), minlength=256)
    seen = _background_level(pixels[0], feature[0], kind)
    level = NOMINAL_LEVEL[kind] if seen is None else seen
    raw = otsu_bin(histogram)
    if threshold == "otsu":
        least, most = DEFAULT_CONTRAST[kind]
        least = least if contrast_min is None else contrast_min
        most = max(least, most if contrast_max is None else contrast_max)
        used = min(max(raw, level + least), level + most, 254)
    else:
        used = threshold
    facts: dict[str, object] = {
        "background": kind,
        "background_level": seen,
        "feature": FEATURES[kind],
        "method": "otsu" if threshold == "otsu" else "fixed",
        "otsu_threshold": raw,
        "threshold": used,
        "clamped": threshold == "otsu" and used != raw,
        "histogram": [int(n) for n in histogram],
        "tissue_fraction": {
            label: _fraction_above(histogram, used * factor)
            for label, factor in (("-5%", 0.95), ("used", 1.0), ("+5%", 1.05))
        },
    }
    return Foreground(kind, level, used, facts)


def _is_glass(pixels: NDArray[np.uint8]) -> NDArray[np.bool_]:
    darkest, brightest = pixels.min(axis=1), pixels.max(axis=1)
    glass: NDArray[np.bool_] = (darkest >= GLASS_LOWEST) & (brightest - darkest <= GLASS_LARGEST_CHROMA)
    return glass


def _background_level(pixels: NDArray[np.uint8], feature: NDArray[np.uint8], kind: Background) -> int | None:
    """Return the commonest feature of what can only be background, or None if there is too little of it."""
    if kind == "bright":
        # pure white is what stitching software paints where nothing was scanned: believed if nothing else is
        candidates = feature[_is_glass(pixels)]
        scanned = candidates[candidates > 0]
        candidates = scanned if len(scanned) >= LEAST_BACKGROUND * len(feature) else candidates
    else:
        candidates = feature[feature <= DARK_HIGHEST]
    if not len(feature) or len(candidates) < LEAST_BACKGROUND * len(feature):
        return None
    return int(np.bincount(candidates).argmax())


def _fraction_above(histogram: NDArray[np.int64], threshold: float) -> float | None:
    total = int(histogram.sum())
    # feature > threshold holds for whole grey levels above the floor of the threshold
    return int(histogram[int(threshold) + 1 :].sum()) / total if total else None
