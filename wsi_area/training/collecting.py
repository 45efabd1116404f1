"""training: from images to training pixels: every image read once, block by block, few pixels kept."""

import logging
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from wsi_area.errors import CountMismatchError, SettingsError
from wsi_area.frozen_value import frozen_value
from wsi_area.model.geometry import Region
from wsi_area.segmenters.pixels.balance import ColourBalance
from wsi_area.segmenters.pixels.feature_set import FeatureSet
from wsi_area.segmenters.pixels.features import features_at
from wsi_area.training.blocks import Block, TruthRule, blocks_of, used_l0_px
from wsi_area.training.material import TrainingImage, within_bounds_l0_px
from wsi_area.training.sampling import Reservoir, Sampled, gathered
from wsi_area.training.settings import TrainSettings

_LOG = logging.getLogger(__name__)

_VARIANTS = 2  # beside the slide's own colours: two thirds of the training pixels
_CHANNEL_SHARE = 2 / 3  # of the jitter that each channel has for itself
_JITTER_STREAM = 1  # sets these draws apart from those of the pixels


@frozen_value(eq=False)
class Collected:
    """The training pixels, and what they were taken from."""

    sampled: Sampled
    used_l0_px: tuple[Region | None, ...]  # for each image the box round every pixel that had any influence
    labelled_work_px: tuple[dict[int, int], ...]  # for each image class id → labelled work px


def collect(
    images: Sequence[TrainingImage], rule: TruthRule, features: FeatureSet, settings: TrainSettings
) -> Collected:
    """Return the training pixels of all images.

    Each image and each of its classes has an equal share of ``settings.samples``; what a class does not fill is not
    given to another.

    Raises
    ------
    SettingsError
        If no pixel has a known class.
    """
    share = max(1, settings.samples // (len(images) * len(set(rule.ids.values()))))
    reservoirs: dict[tuple[int, int], Reservoir] = {}
    used: list[Region | None] = []
    for number, image in enumerate(images):
        used.append(
            _collect_image(number, image, rule, features, settings.seed, settings.stain_jitter, share, reservoirs)
        )
        seen = {c: r.seen_px for (i, c), r in reservoirs.items() if i == number}
        _LOG.info("%s: labelled work px by class id: %s", image.info.slide_id, seen)
    if not reservoirs:
        raise SettingsError("no pixel has a known class; do the drawings lie on these slides, and inside --within?")
    labelled = tuple({c: r.seen_px for (i, c), r in sorted(reservoirs.items()) if i == n} for n in range(len(images)))
    sampled = gathered(reservoirs, equal_priors=settings.priors == "equal")
    return Collected(sampled, tuple(used), labelled)


def _collect_image(
    number: int,
    image: TrainingImage,
    rule: TruthRule,
    features: FeatureSet,
    seed: int,
    jitter: float,
    share: int,
    reservoirs: dict[tuple[int, int], Reservoir],
) -> Region | None:
    """Offer every labelled pixel of an image to its reservoir; return the box round all that was looked at."""
    used: Region | None = None
    own = replace(features, work_mpp_um=image.work_mpp_um)
    for block in blocks_of(image, rule):
        box = used_l0_px(image, block, block.pixels.valid)
        if box is None:
            continue
        used = box if used is None else _around(used, box)
        _require_within(image, used)
        rng = np.random.default_rng([seed, number, block.number])
        balances = _varied(image, jitter, [seed, number, block.number])  # the same for each class
        for class_id in sorted(set(rule.ids.values())):
            rows, cols = np.nonzero(block.truth == class_id)
            if len(rows):
                reservoir = reservoirs.setdefault((number, class_id), Reservoir(share, len(own.names)))
                _offer(reservoir, rng.random(len(rows)), block, own, balances, rows, cols)
    return used


def _varied(image: TrainingImage, jitter: float, seed: Sequence[int]) -> tuple[ColourBalance | None, ...]:
    """Return the colour balance of an image, and where stains are to vary some more beside it, drawn with the seed.

    A varied one has stain strengths that another slide could have: all channels together, and a little each.
    """
    if image.balance is None or jitter == 0:
        return (image.balance,)
    random = np.random.default_rng([*seed, _JITTER_STREAM])
    varied = []
    for _ in range(_VARIANTS):
        factors = np.exp(random.normal(0, jitter) + random.normal(0, _CHANNEL_SHARE * jitter, 3))
        red, green, blue = (float(gain * factor) for gain, factor in zip(image.balance.gain, factors, strict=True))
        varied.append(ColourBalance((red, green, blue)))
    return (image.balance, *varied)


def _offer(
    reservoir: Reservoir,
    keys: "np.ndarray[tuple[int], np.dtype[np.float64]]",
    block: Block,
    features: FeatureSet,
    balances: Sequence[ColourBalance | None],
    rows: "np.ndarray[tuple[int], np.dtype[np.intp]]",
    cols: "np.ndarray[tuple[int], np.dtype[np.intp]]",
) -> None:
    chosen = reservoir.worth_computing(keys)
    if not len(chosen):
        return
    top, left = block.core[0].start, block.core[1].start
    origin = block.place.work_px.x_px, block.place.work_px.y_px
    found = np.empty((len(chosen), len(features.names)), np.float32)
    for number, balance in enumerate(balances):
        some = chosen[number :: len(balances)]
        if len(some):
            found[number :: len(balances)] = features_at(
                block.pixels.rgb, block.pixels.valid, features, rows[some] + top, cols[some] + left, origin, balance
            )
    reservoir.take(keys[chosen], found)


def _around(one: Region, other: Region) -> Region:
    left, top = min(one.x_px, other.x_px), min(one.y_px, other.y_px)
    right, bottom = max(one.right_px, other.right_px), max(one.bottom_px, other.bottom_px)
    return Region(left, top, right - left, bottom - top)


def _require_within(image: TrainingImage, used: Region) -> None:
    """Make sure that nothing beyond ``within`` was looked at, down to the edge of one work pixel."""
    if image.within is None:
        return
    level = image.info.levels[image.plan.level]
    left, top, right, bottom = within_bounds_l0_px(image.within)
    x_slack, y_slack = (factor * image.plan.reduce_factor for factor in (level.downsample_x, level.downsample_y))
    inside = (
        used.x_px >= left - x_slack
        and used.y_px >= top - y_slack
        and used.right_px <= right + x_slack
        and used.bottom_px <= bottom + y_slack
    )
    if not inside:
        raise CountMismatchError(
            f"{image.info.slide_id}: pixels in {used} had a part in training, but --within ends at x {left:.0f} to "
            f"{right:.0f}, y {top:.0f} to {bottom:.0f}; please report this"
        )
