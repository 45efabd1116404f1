"""segmenters: the threshold between background and tissue of a channel of more than 8 bits, in stored units."""

from dataclasses import replace
from math import ceil
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from wsi_area.frozen_value import frozen_value
from wsi_area.model.pixels import Overview, TilePixels
from wsi_area.model.threshold import SHIFTS
from wsi_area.segmenters.colour.deep_tissue import SAMPLES, DeepRule
from wsi_area.segmenters.colour.extremes import count_extremes
from wsi_area.segmenters.colour.foreground import FREE, FULL_CONTRAST_LEVEL, Background, Foreground, background_kind
from wsi_area.segmenters.colour.otsu import otsu_bin

HOT_SHARE = 1e-4
"""Of the pixels that a threshold is fitted on: as few may stand far out, and are hot pixels of the camera."""
GREY_LEVELS = 256

Counts = NDArray[np.int64]
"""int64 (65536,): how many pixels have each stored sample."""


@frozen_value
class DeepThreshold:
    """Where tissue begins on a channel of more than 8 bits, and why."""

    foreground: Foreground  # what the 256 grey levels say of background and light
    rule: DeepRule
    level: int  # feature of the background, stored units
    facts: dict[str, object]
    wants_spread: bool

    def lowered_rule(self, margin: float) -> DeepRule:
        """Return the rule that tells what may hold tissue: ``margin`` of the way from background to threshold."""
        used = self.rule.threshold
        return replace(self.rule, threshold=min(used, self.level + int(margin * max(0, used - self.level))))


def fit_deep(
    overview: Overview, threshold: Literal["otsu"] | int, contrast: tuple[int | None, int | None], grey: Foreground
) -> DeepThreshold:
    """Return the threshold at which tissue begins on an overview with stored samples.

    On a dark field Otsu's threshold is that of the stored samples, moved by nothing but a contrast that was asked for.
    On bright glass it is held near the glass as in 8 bits. Contrast is in grey levels of the picture, a fixed
    threshold in stored units.

    Parameters
    ----------
    overview
        With its ``deep`` samples, and those of ``spread`` where the threshold is wanted at the scale of the work.
    threshold, contrast
        As in the settings; None for the default of the kind of background.
    grey
        What the 256 grey levels of the same overview say.
    """
    step, top = 1 << (overview.deep_bits - 8), (1 << overview.deep_bits) - 1
    dark = grey.background == "dark"
    on_overview, hot_px = _counts((overview,))
    at_scale, hot_at_scale = _counts(overview.spread) if overview.spread else (on_overview, hot_px)
    feature = on_overview if dark else _darkness(on_overview, top)
    fitted = at_scale if dark else _darkness(at_scale, top)
    raw = otsu_bin(fitted)
    level = _level(fitted, raw, grey, step)
    bounds = _bounds(grey, contrast, step)
    used = threshold if threshold != "otsu" else raw if bounds is None else _within(raw, level, bounds)
    facts = {
        **grey.facts,
        "feature": "stored sample" if dark else f"{top} less the stored sample",
        "background_level": level,
        "method": _method(grey, fixed=threshold != "otsu", clamped=used != raw),
        "otsu_threshold": raw,
        "threshold": used,
        "clamped": threshold == "otsu" and used != raw,
        "sample_bits": overview.deep_bits,
        "hot_px_left_out": hot_at_scale,
        "fitted_on": "work pixels" if overview.spread else "overview",
        "histogram": [int(n) for n in _binned(fitted, step)],
        "histogram_bin": step,
        "tissue_on_overview": _share_above(feature, used),
        "threshold_by_shift": _moved(fitted, used),
    }
    rule = DeepRule("brightness" if dark else "darkness", used, top)
    is_free = threshold == "otsu" and used == raw
    return DeepThreshold(grey, rule, level, facts, wants_spread=is_free and not overview.spread)


def background_of(overview: Overview) -> Background:
    """Return the background that tissue lies on, bright or dark.

    As its grey levels say, but where all of a picture lies in the upper half of its range: a dim channel on the offset
    of its camera does, and where the commonest sample lies between the darkest and the brightest tells.
    """
    seen = background_kind(count_extremes(overview))
    counts, _ = _counts((overview,))
    total, up_to = int(counts.sum()), np.cumsum(counts)
    if not total:
        return seen
    low, high = (int(np.searchsorted(up_to, share * total)) for share in (0.01, 0.999))
    if 2 * low < high:
        return seen
    common = int(counts[low : high + 1].argmax()) + low
    return "dark" if 2 * common < low + high else "bright"


def _counts(pictures: tuple[Overview | TilePixels, ...]) -> tuple[Counts, int]:
    """Return the number of each sample in pictures, hot pixels taken for the brightest that are not; and of those.

    A hot pixel is further above every square of two by two than those are above the darkest sample. They are left out
    where they are few.
    """
    counts, steady = np.zeros(SAMPLES, np.int64), 0
    for picture in pictures:
        if picture.deep is None:
            continue
        deep = np.where(picture.valid, picture.deep, np.uint16(0))
        counts += np.bincount(picture.deep[picture.valid], minlength=SAMPLES)
        if min(deep.shape) >= 2:
            down = np.minimum(deep[1:], deep[:-1])
            steady = max(steady, int(np.minimum(down[:, 1:], down[:, :-1]).max()))
    darkest = int(counts.argmax() if not counts.any() else np.flatnonzero(counts)[0])
    limit = min(2 * steady - darkest, SAMPLES - 1)
    hot_px = int(counts[limit + 1 :].sum())
    if limit <= darkest or not 0 < hot_px <= HOT_SHARE * counts.sum():
        return counts, 0
    counts[np.flatnonzero(counts[: limit + 1])[-1]] += hot_px
    counts[limit + 1 :] = 0
    return counts, hot_px


def _darkness(counts: Counts, top: int) -> Counts:
    """Return counts by ``top`` less the sample; what is brighter than ``top`` has none."""
    darkness = np.zeros_like(counts)
    darkness[: top + 1] = counts[: top + 1][::-1]
    darkness[0] += counts[top + 1 :].sum()
    return darkness


def _level(counts: Counts, raw: int, grey: Foreground, step: int) -> int:
    """Return the commonest feature of the background: of what lies below Otsu's threshold, near the glass if seen."""
    if grey.background == "bright":
        return int(counts[grey.level * step : (grey.level + 1) * step].argmax()) + grey.level * step
    return int(counts[: raw + 1].argmax())


def _bounds(grey: Foreground, contrast: tuple[int | None, int | None], step: int) -> tuple[int, int] | None:
    """Return the distance of Otsu's threshold above the background, least and most, stored units; None: it is free."""
    if contrast == FREE or (grey.background == "dark" and contrast == (None, None)):
        return None
    default = (15, 20) if grey.background == "bright" else (0, 254)
    least, most = (own if own is not None else usual for own, usual in zip(contrast, default, strict=True))
    bright = grey.background == "bright"
    share = min(1.0, (255 - grey.level) / FULL_CONTRAST_LEVEL) if bright else 1.0
    return round(least * share * step), round(max(least, most) * share * step)


def _within(raw: int, level: int, bounds: tuple[int, int]) -> int:
    return min(max(raw, level + bounds[0]), level + bounds[1], SAMPLES - 2)


def _method(grey: Foreground, *, fixed: bool, clamped: bool) -> str:
    if fixed:
        return "fixed"
    if not clamped:
        return "otsu"
    if grey.background == "dark":
        return "otsu-clamped-to-dark-field"
    return "otsu-clamped-to-nominal-glass" if grey.light.glass.source == "nominal" else "otsu-clamped-to-glass"


def _binned(counts: Counts, step: int) -> Counts:
    """Return counts by grey level, as a report draws them."""
    within = counts[: GREY_LEVELS * step].reshape(GREY_LEVELS, step).sum(axis=1)
    within[-1] += counts[GREY_LEVELS * step :].sum()
    return np.asarray(within)


def _moved(counts: Counts, used: int) -> dict[str, int]:
    """Return the threshold and those beside it, by 5 % of the distance of the two classes.

    Of the distance, as a stored sample holds the offset of the camera: 5 % of the whole may be more than all contrast.
    """
    lower, upper = _mean(counts, 0, used + 1), _mean(counts, used + 1, SAMPLES)
    reach = 0.0 if lower is None or upper is None else upper - lower
    # away from the threshold to the next whole sample: what the step comes to is never understated
    by = {name: ceil(abs(share) * reach) for name, share in SHIFTS.items()}
    return {name: max(0, used + (by[name] if share > 0 else -by[name])) for name, share in SHIFTS.items()}


def _mean(counts: Counts, first: int, past: int) -> float | None:
    part = counts[first:past]
    return float(np.arange(first, past) @ part / part.sum()) if part.any() else None


def _share_above(counts: Counts, threshold: int) -> float | None:
    total = int(counts.sum())
    return int(counts[threshold + 1 :].sum()) / total if total else None
