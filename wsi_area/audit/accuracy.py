"""audit: how well class maps agree with the truth, image by image and pooled; training and evaluation report it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wsi_area.compute.judge.agreement import (
    RATIOS,
    ClassAgreement,
    Intervals,
    class_agreements,
    cluster_intervals,
    kappa,
)
from wsi_area.compute.judge.held_out_area import HeldOutArea
from wsi_area.compute.judge.reliability import Reliability
from wsi_area.frozen_value import frozen_value
from wsi_area.model.classes import ClassScheme
from wsi_area.model.pixels import ClassMap, RgbArray
from wsi_area.model.uncertainty.reference_score import AdjustedArea

Ints = NDArray[np.int64]


@frozen_value(eq=False)
class Case:
    """A small picture of one image: what is there, what is true, what was found."""

    rgb: RgbArray
    truth: ClassMap
    predicted: ClassMap
    step: int  # work px between two pixels of the picture


@frozen_value(eq=False)
class ImageAgreement:
    """One image or slide."""

    slide_id: str
    group: str
    matrix: Ints  # level-0 px by true and predicted class
    left_out_l0_px: Mapping[str, int]  # why → level-0 px that are in no cell of the matrix
    pixel_area_mm2: float | None
    reliability: Mapping[int, Reliability]  # class id → bins; empty where no probabilities were at hand
    case: Case | None = None
    held_out: Mapping[str, HeldOutArea] = field(default_factory=dict)  # the model's own term, by class
    points: Mapping[str, AdjustedArea] = field(default_factory=dict)  # of a reference sample of this slide, by class

    @property
    def score(self) -> float:
        """Return the mean Dice of the classes that are there in truth, 0 where none is: for the order of cases."""
        found = [a.dice for a in class_agreements(self.matrix) if a.truth_px and a.dice is not None]
        return sum(found) / len(found) if found else 0.0


@dataclass(frozen=True, eq=False)
class Accuracy:
    """Many images, pooled pixel by pixel."""

    scheme: ClassScheme
    images: tuple[ImageAgreement, ...]
    seed: int

    @cached_property
    def matrix(self) -> Ints:
        """Return the confusion matrix of all images, int64 level-0 px, rows true, columns predicted."""
        k = len(self.scheme.classes)
        return np.sum([image.matrix for image in self.images], axis=0, dtype=np.int64).reshape(k, k)

    @cached_property
    def agreements(self) -> tuple[ClassAgreement, ...]:
        """Return the agreement of each class."""
        return class_agreements(self.matrix)

    @cached_property
    def intervals(self) -> Intervals:
        """Return the 95 % intervals; what is drawn with replacement is the group (slide, patient)."""
        by_group: dict[str, Ints] = {}
        for image in self.images:
            by_group[image.group] = by_group.get(image.group, np.zeros_like(image.matrix)) + image.matrix
        return cluster_intervals(list(by_group.values()), self.seed)

    @property
    def kappa(self) -> float | None:
        """Return Cohen's kappa."""
        return kappa(self.matrix)

    @property
    def groups(self) -> int:
        """Return the number of groups."""
        return len({image.group for image in self.images})

    @cached_property
    def left_out_l0_px(self) -> dict[str, int]:
        """Return the level-0 px that were not compared, by the reason."""
        total: dict[str, int] = {}
        for image in self.images:
            for why, n in image.left_out_l0_px.items():
                total[why] = total.get(why, 0) + n
        return total

    @cached_property
    def reliability(self) -> dict[int, Reliability]:
        """Return the reliability bins of each class."""
        total: dict[int, Reliability] = {}
        for image in self.images:
            for class_id, bins in image.reliability.items():
                total[class_id] = total.get(class_id, Reliability()) + bins
        return total

    def ranked(self) -> tuple[ImageAgreement, ...]:
        """Return the images, best first."""
        return tuple(sorted(self.images, key=lambda image: (-image.score, image.slide_id)))

    def document(self) -> dict[str, Any]:
        """Return everything that was measured as plain JSON values."""
        names = [c.name for c in self.scheme.classes]
        return {
            "unit": "level-0 px",
            "images": len(self.images),
            "groups": self.groups,
            "confusion": {"classes": names, "rows_true_columns_predicted": self.matrix.tolist()},
            "kappa": self.kappa,
            "classes": [self._class(k) for k in range(len(names))],
            "interval_reason": self.intervals.reason or None,
            "left_out_l0_px": self.left_out_l0_px,
            "per_image": [_image(image, names) for image in self.images],
        }

    def _class(self, class_id: int) -> dict[str, Any]:
        agreement = self.agreements[class_id]
        bins = self.reliability.get(class_id)
        intervals = {f"{ratio}_ci95": _listed(self.intervals.of(class_id, ratio)) for ratio in RATIOS}
        return {
            "id": class_id,
            "name": self.scheme.classes[class_id].name,
            **_ratios(agreement),
            **intervals,
            "calibration_error": None if bins is None else bins.expected_error,
            "calibration_points": None if bins is None else [list(point) for point in bins.points],
        }


def _ratios(agreement: ClassAgreement) -> dict[str, Any]:
    pixels = {"truth_px": agreement.truth_px, "predicted_px": agreement.predicted_px, "common_px": agreement.common_px}
    return {**pixels, **{ratio: getattr(agreement, ratio) for ratio in RATIOS}}


def _listed(interval: tuple[float, float] | None) -> list[float] | None:
    return None if interval is None else list(interval)


@frozen_value
class FreedArea:
    """An area freed of what the map has wrong, with the ends of its 95 % interval, in mm²."""

    area_mm2: float
    low_mm2: float
    high_mm2: float
    source: str


def freed_area(image: ImageAgreement, name: str, found_mm2: float | None) -> FreedArea | None:
    """Return the area of a class as reference points of the slide have it, else as the model's held-out images do.

    None where there is neither.
    """
    if (sampled := image.points.get(name)) is not None:
        ends = (sampled.ci95_low_mm2, sampled.ci95_high_mm2)
        return FreedArea(sampled.adjusted_mm2, *ends, f"{sampled.points} reference points of the slide")
    term = image.held_out.get(name)
    if term is None or found_mm2 is None:
        return None
    return FreedArea(*term.adjusted_mm2(found_mm2), f"{term.groups} held-out groups of the model")


def _adjusted(image: ImageAgreement, name: str, found_mm2: float | None) -> dict[str, Any]:
    """Return the freed area and the model's own ratio; nothing of what is not known."""
    freed, term = freed_area(image, name, found_mm2), image.held_out.get(name)
    told: dict[str, Any] = {}
    if term is not None:
        told = {
            "held_out_area_ratio": term.ratio,
            "held_out_area_ratio_ci95": [term.low_95, term.high_95],
            "held_out_groups": term.groups,
        }
    if freed is not None:
        told |= {
            "adjusted_mm2": freed.area_mm2,
            "adjusted_ci95_mm2": [freed.low_mm2, freed.high_mm2],
            "adjusted_from": freed.source,
        }
    return told


def _image(image: ImageAgreement, names: Sequence[str]) -> dict[str, Any]:
    pixel = image.pixel_area_mm2
    classes = []
    for name, agreement in zip(names, class_agreements(image.matrix), strict=True):
        areas = {
            "truth_mm2": None if pixel is None else agreement.truth_px * pixel,
            "predicted_mm2": None if pixel is None else agreement.predicted_px * pixel,
        }
        classes.append({"name": name, **_ratios(agreement), **areas, **_adjusted(image, name, areas["predicted_mm2"])})
    return {
        "id": image.slide_id,
        "group": image.group,
        "classes": classes,
        "left_out_l0_px": dict(image.left_out_l0_px),
    }
