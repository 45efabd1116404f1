"""compute: what is to be said of a trained model on one slide: its accuracy, the glass, how the slide looks to it."""

import math
from collections.abc import Mapping
from typing import Any

from wsi_area.frozen_value import frozen_value
from wsi_area.model.finding import QaFinding

GLASS_LIMIT = 0.5
"""Share of a window of bare glass that a model must call background, where its card says that glass is background."""
SHARE_MARGIN, SHARE_MARGIN_OF_ONE = 0.06, 0.1
OD_RATIO = 1.6
"""How far beyond its training images a slide may look. With one image of each of k patients of GlaS, k from 1 to 12,
0.5 to 1.3 % of the images of the other patients are told; of two slides of another stain and inverted images all are,
but for one draw in twenty at k = 1."""


@frozen_value
class ModelSeen:
    """What a trained model said of itself, and of the slide."""

    has_accuracy: bool  # on pictures that it was not trained on
    glass_as_background: float | None = None  # share of a window of glass; None where it is not asked for
    found: Mapping[str, float] | None = None  # how the slide looks; None where it shows no tissue
    ranges: Mapping[str, tuple[float, float]] | None = None  # how training images looked; None where nobody wrote it
    groups: int = 0  # slides or patients it was trained on


def model_seen(facts: Mapping[str, Any]) -> ModelSeen | None:
    """Return the facts of a segmenter on its model, None where it has none.

    >>> model_seen({}) is None, model_seen({"trained_model": {"has_accuracy": True}})
    (True, ModelSeen(has_accuracy=True, glass_as_background=None, found=None, ranges=None, groups=0))
    """
    told = facts.get("trained_model")
    if not isinstance(told, Mapping):
        return None
    looks = told.get("appearance") or {}
    on = looks.get("trained_on") or {}
    return ModelSeen(
        has_accuracy=bool(told.get("has_accuracy")),
        glass_as_background=told.get("glass_as_background"),
        found=looks.get("found"),
        ranges=on.get("ranges"),
        groups=int(on.get("groups", 0)),
    )


def model_findings(slide_id: str, seen: ModelSeen | None) -> tuple[QaFinding, ...]:
    """Return ``ACCURACY_UNKNOWN``, ``GLASS_NOT_BACKGROUND`` and ``MODEL_UNLIKE_TRAINING`` where they apply.

    Parameters
    ----------
    slide_id
        Whose findings they are.
    seen
        None where no model was trained.
    """
    if seen is None:
        return ()
    return (*_accuracy(slide_id, seen), *_glass(slide_id, seen), *_unlike(slide_id, seen))


def _accuracy(slide_id: str, seen: ModelSeen) -> tuple[QaFinding, ...]:
    if seen.has_accuracy:
        return ()
    message = "how well this model tells its classes apart is not known: its card has no accuracy on held-out slides"
    remedy = "hold this run against slides whose truth is known: wsi-area evaluate RUN --truth …"
    return (QaFinding(slide_id, "ACCURACY_UNKNOWN", "warning", None, None, "", message, remedy),)


def _glass(slide_id: str, seen: ModelSeen) -> tuple[QaFinding, ...]:
    share = seen.glass_as_background
    if share is None or share >= GLASS_LIMIT:
        return ()
    message = f"the network calls {share:.0%} of a window of bare glass background; by its card glass is background"
    remedy = (
        "correct the order of classes, or input.scale, input.mean and input.std in the card; if the network finds "
        "another class on glass, set background_is_glass to false"
    )
    return (QaFinding(slide_id, "GLASS_NOT_BACKGROUND", "warning", share, GLASS_LIMIT, "", message, remedy),)


def _unlike(slide_id: str, seen: ModelSeen) -> tuple[QaFinding, ...]:
    """Return the quantity that lies furthest out, in units of the margin that it is given."""
    if seen.found is None or not seen.ranges:
        return ()
    outside = [
        (excess, name, limit)
        for name, (least, most) in seen.ranges.items()
        for excess, limit in [_excess(name, seen.found[name], least, most, seen.groups)]
        if excess > 0
    ]
    if not outside:
        return ()
    _, name, limit = max(outside)
    measured, (least, most) = seen.found[name], seen.ranges[name]
    others = sorted(other for _, other, _ in outside if other != name)
    message = (
        f"the tissue looks unlike what the model was trained on: {_WORDS[name]} is {measured:.3g}, its training images "
        f"have {least:.3g} to {most:.3g}, and {'at most' if limit > least else 'at least'} {limit:.3g} passes"
    )
    if others:
        message += f"; also outside: {', '.join(_WORDS[other] for other in others)}"
    remedy = "look at the class map; use a model of this stain and scanner, or train with some of these slides too"
    return (QaFinding(slide_id, "MODEL_UNLIKE_TRAINING", "warning", measured, limit, "", message, remedy),)


_WORDS = {
    "red_share_median": "red's share of the absorption (median)",
    "red_share_high": "red's share of the absorption (90th percentile)",
    "blue_share_median": "blue's share of the absorption (median)",
    "blue_share_high": "blue's share of the absorption (90th percentile)",
    "od_median": "the optical density (median)",
    "od_high": "the optical density (90th percentile)",
}


def _excess(name: str, value: float, least: float, most: float, groups: int) -> tuple[float, float]:
    """Return the distance of a value beyond its limit, in margins, and that limit; 0 or less where it passes.

    The fewer slides a model was trained on, the less their range says of others of the kind.
    """
    if name.startswith("od"):
        margin = math.log(OD_RATIO * (1 + 1 / groups))
        value, least, most = (math.log(max(number, 1e-3)) for number in (value, least, most))
    else:
        margin = SHARE_MARGIN + SHARE_MARGIN_OF_ONE / groups
    low, high = least - margin, most + margin
    excess, limit = max((low - value, low), (value - high, high))
    return excess / margin, math.exp(limit) if name.startswith("od") else limit
