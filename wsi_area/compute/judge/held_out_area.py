"""compute: by how much a trained model finds more or less area than there is, on images that it had not learnt from."""

import math
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import numpy as np

from wsi_area.frozen_value import frozen_value


@frozen_value
class HeldOutArea:
    """The segmentation term of one class: area found over true area, as the model's card has it."""

    class_name: str
    ratio: float  # of all held-out images together
    low_95: float  # of the ratio of one more slide, or patient, that is like them
    high_95: float
    groups: int  # slides or patients that were held out

    def adjusted_mm2(self, found_mm2: float) -> tuple[float, float, float]:
        """Return the area of one slide freed of the ratio, and the ends of its 95 % interval, in mm².

        >>> HeldOutArea("tumor", 2.0, 1.0, 4.0, 9).adjusted_mm2(8.0)
        (4.0, 2.0, 8.0)
        """
        return found_mm2 / self.ratio, found_mm2 / self.high_95, found_mm2 / self.low_95


def held_out_areas(facts: Mapping[str, Any]) -> dict[str, HeldOutArea]:
    """Return the term of each class that a slide's segmenter has on record; none of one without a trained model.

    The interval is that of one more group (prediction interval of the logarithm, Student's t): what a slide differs by,
    not what the mean of many is uncertain by. There is no term of fewer than 3 groups, nor of a class that one of them
    was without, in truth or on the map.

    Parameters
    ----------
    facts : mapping
        What the segmenter found while fitting; the card of its model is among them.
    """
    accuracy = _mapping(_mapping(facts.get("about")).get("accuracy"))
    images = accuracy.get("per_image")
    by_class: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(lambda: [0, 0]))
    for image in images if isinstance(images, list) else ():
        entries = _mapping(image).get("classes")
        for entry in entries if isinstance(entries, list) else ():
            told = _mapping(entry)
            name, found, true = told.get("name"), told.get("predicted_px"), told.get("truth_px")
            if isinstance(name, str) and isinstance(found, int) and isinstance(true, int):
                pair = by_class[name][str(_mapping(image).get("group"))]
                pair[0], pair[1] = pair[0] + found, pair[1] + true
    terms = (_term(name, list(pairs.values())) for name, pairs in by_class.items())
    return {term.class_name: term for term in terms if term is not None}


def _term(name: str, pairs: list[list[int]]) -> HeldOutArea | None:
    from wsi_area.compute.judge.agreement import MIN_CLUSTERS

    if len(pairs) < MIN_CLUSTERS or any(found <= 0 or true <= 0 for found, true in pairs):
        return None
    # imported here: scipy.special takes longer to load than most commands take
    from scipy.special import stdtrit

    logs = np.log([found / true for found, true in pairs])
    ratio = sum(found for found, _ in pairs) / sum(true for _, true in pairs)
    count = len(pairs)
    spread = float(np.sqrt(((logs - math.log(ratio)) ** 2).sum() / (count - 1)) * math.sqrt(1 + 1 / count))
    half = min(float(stdtrit(count - 1, 0.975)) * spread, 700.0)
    return HeldOutArea(name, ratio, ratio * math.exp(-half), ratio * math.exp(half), count)


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
