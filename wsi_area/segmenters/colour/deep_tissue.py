"""segmenters: ``tissue`` on a channel of more than 8 bits: a threshold in stored units, held against stored samples."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from wsi_area.errors import SegmentationError
from wsi_area.frozen_value import frozen_value
from wsi_area.model.classes import UNSCANNED_CODE, ClassScheme
from wsi_area.model.geometry import Region
from wsi_area.model.light import Light
from wsi_area.model.pixels import ClassMap, DeepArray, MaskArray, Overview, TilePixels, TilePlace
from wsi_area.segmenters.colour.colour_rule import Feature
from wsi_area.segmenters.colour.density import MICRO
from wsi_area.segmenters.protocol import Signal

SAMPLES = 1 << 16
DeepIntensity = Literal["grey", "od"]
DEEP_SIGNALS: dict[DeepIntensity, Signal] = {
    "grey": Signal("stored_value", "stored value, 0 to 65535", 1),
    "od": Signal("od", "optical density"),
}
_LEAST_SHARE = 1e-6  # of the white: what is darker counts as 6 OD, as in 8 bits


@frozen_value
class DeepRule:
    """Which stored samples are tissue: those whose feature exceeds the threshold.

    The feature is the sample itself on a dark field (``brightness``), ``top`` less it on bright glass (``darkness``).
    """

    feature: Feature
    threshold: int  # stored units
    top: int  # the largest sample that the used bits can hold

    def is_foreground(self, deep: DeepArray) -> MaskArray:
        """Return bool (h, w), True where a stored sample is tissue.

        >>> DeepRule("darkness", 1000, 4095).is_foreground(np.array([[3094, 3095]], np.uint16)).tolist()
        [[True, False]]
        """
        if self.feature == "brightness":
            return np.asarray(deep > self.threshold)
        return np.asarray(deep.astype(np.int32) < self.top - self.threshold)


@frozen_value(eq=False)
class FittedDeepTissue:
    """The tissue segmenter made ready for a channel of more than 8 bits."""

    scheme: ClassScheme
    rule: DeepRule
    lowered_rule: DeepRule  # nearer to the background: whatever it takes is read
    intensity: DeepIntensity | None
    white: int  # stored units: what optical densities are taken against
    facts: dict[str, object]
    light: Light
    wants_spread: bool
    context_um: float = 0.0
    work_mpp: float | None = None
    working_bytes_per_px: int = 32  # mask, classes and the signal as int64, and what numpy holds between

    @property
    def signal(self) -> Signal | None:
        """Return the signal that is added up over the tissue."""
        return None if self.intensity is None else DEEP_SIGNALS[self.intensity]

    def class_map(self, pixels: TilePixels) -> ClassMap:
        """Return uint8 (h, w) of class ids, ``UNSCANNED_CODE`` where not valid."""
        return _class_map(self.rule, pixels)

    @property
    def thresholds_by_shift(self) -> Mapping[str, int]:
        """Return the threshold, and those beside it, in stored units."""
        found = self.facts.get("threshold_by_shift")
        return found if isinstance(found, Mapping) else {}

    def core_class_maps_by_shift(
        self, pixels: TilePixels, place: TilePlace, core_work_px: Region
    ) -> dict[str, ClassMap]:
        """Return uint8 (h, w) of class ids of the core with each of the thresholds, wherever it lies."""
        core = pixels.part(core_work_px.seen_from(place.work_px))
        rules = {shift: replace(self.rule, threshold=at) for shift, at in self.thresholds_by_shift.items()}
        return {shift: _class_map(rule, core) for shift, rule in rules.items()}

    def micro_signal(self, pixels: TilePixels) -> NDArray[np.int64]:
        """Return the signal of each pixel, int64 (h, w): stored values, or millionths of OD, 0 where negative."""
        deep = _samples(pixels)
        if self.intensity == "grey":
            return deep.astype(np.int64)
        share = np.maximum(np.arange(SAMPLES) / max(1, self.white), _LEAST_SHARE)
        micro_od = np.round(np.maximum(-np.log10(share), 0.0) * MICRO).astype(np.int64)
        return np.asarray(micro_od[deep])

    def may_hold_foreground(self, overview: Overview) -> MaskArray:
        """Return bool (h, w), True where the overview is more than background, or was not wholly scanned."""
        return self.lowered_rule.is_foreground(_samples(overview)) | ~overview.valid


def _class_map(rule: DeepRule, pixels: TilePixels) -> ClassMap:
    classes = rule.is_foreground(_samples(pixels)).astype(np.uint8)
    classes[~pixels.valid] = UNSCANNED_CODE
    return classes


def _samples(pixels: TilePixels | Overview) -> DeepArray:
    if pixels.deep is None:
        raise SegmentationError(
            "the threshold is one of stored samples, and these pixels have grey levels alone; please report this"
        )
    return pixels.deep
