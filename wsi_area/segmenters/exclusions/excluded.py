"""segmenters: any fitted segmenter with artefacts laid over its classes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from wsi_area.model.classes import MAX_CLASS_ID, ClassScheme
from wsi_area.model.light import Light
from wsi_area.model.pixels import ClassMap, MaskArray, Overview, TilePixels, TilePlace
from wsi_area.segmenters.colour.colour_rule import ColourRule
from wsi_area.segmenters.exclusions.absorption import Seen, White, seen_of
from wsi_area.segmenters.protocol import FittedSegmenter, KnowsLight, MovesThreshold, PlacedSegmenter, StatesMemory

_RULES_BYTES_PER_PX = 40  # measured: pen 13, fold 15, bubble 18, focus 22, and 31 where not all was scanned


class ExclusionRule(Protocol):
    """One kind of artefact, fitted to a slide; frozen and picklable."""

    @property
    def name(self) -> str:
        """Return the name of its class."""

    @property
    def only_on_tissue(self) -> bool:
        """Return whether it applies to tissue alone, or to whatever was scanned."""

    @property
    def reach_px(self) -> int:
        """Return how far round a pixel it looks, in work pixels."""

    @property
    def facts(self) -> dict[str, object]:
        """Return the limits it uses, JSON-ready."""

    def mask(self, seen: Seen) -> MaskArray:
        """Return bool (h, w), True where the artefact is; False wherever nothing stands out nearby."""


@runtime_checkable
class PlacedRule(ExclusionRule, Protocol):
    """A rule that also goes by where a tile lies."""

    def mask_at(self, seen: Seen, place: TilePlace) -> MaskArray:
        """Return what ``mask`` does, for pixels that lie at this place; asked instead of it."""


@dataclass(frozen=True, slots=True)
class ExcludedSegmenter:
    """A fitted segmenter, and what of its tissue is none that should be measured.

    Its own classes are what they would be without the exclusions. What it measures beside the classes is not
    measured: the fused kernel that adds it up sorts by colour alone.
    """

    inner: FittedSegmenter
    scheme: ClassScheme  # the inner one's, and the excluded classes
    rules: tuple[tuple[int, ExclusionRule], ...]  # class id and rule, the first wins
    foreground: ColourRule  # what stands out
    lowered: ColourRule  # what may, on the overview
    white: White
    context_um: float
    facts: dict[str, object]
    signal: None = None

    @property
    def working_bytes_per_px(self) -> int:
        """Return the most bytes held for each pixel: measured, with every rule on, or the inner segmenter's."""
        return max(_RULES_BYTES_PER_PX, self.inner.working_bytes_per_px if isinstance(self.inner, StatesMemory) else 0)

    @property
    def work_mpp(self) -> float | None:
        """Return the pixel size the inner segmenter was made for."""
        return self.inner.work_mpp

    @property
    def light(self) -> Light | None:
        """Return what the inner segmenter made of the light."""
        return self.inner.light if isinstance(self.inner, KnowsLight) else None

    def class_map(self, pixels: TilePixels) -> ClassMap:
        """Return uint8 (h, w) of class ids: the inner segmenter's, with the excluded ones over them."""
        return self._overlaid({"used": self.inner.class_map(pixels)}, pixels)["used"]

    def class_map_at(self, pixels: TilePixels, place: TilePlace) -> ClassMap:
        """Return what ``class_map`` does, for pixels that lie at this place."""
        placed = self.inner if isinstance(self.inner, PlacedSegmenter) else None
        inner = self.inner.class_map(pixels) if placed is None else placed.class_map_at(pixels, place)
        return self._overlaid({"used": inner}, pixels, place)["used"]

    @property
    def thresholds_by_shift(self) -> Mapping[str, int]:
        """Return the inner segmenter's thresholds; what is excluded goes by limits of its own."""
        return self.inner.thresholds_by_shift if isinstance(self.inner, MovesThreshold) else {}

    def class_maps_by_shift(self, pixels: TilePixels, place: TilePlace) -> Mapping[str, ClassMap]:
        """Return the inner segmenter's class maps by threshold, the same excluded classes over each."""
        if not isinstance(self.inner, MovesThreshold):
            return {}
        return self._overlaid(self.inner.class_maps_by_shift(pixels, place), pixels, place)

    def may_hold_foreground(self, overview: Overview) -> MaskArray:
        """Return bool (h, w), True where the inner segmenter must read, or something may lie on the glass."""
        inner = self.inner.may_hold_foreground(overview)
        if all(rule.only_on_tissue for _, rule in self.rules):
            return inner
        return inner | self.lowered.is_foreground(overview.rgb) | ~overview.valid

    def _overlaid(
        self, inner: Mapping[str, ClassMap], pixels: TilePixels, place: TilePlace | None = None
    ) -> dict[str, ClassMap]:
        """Return class maps of the same pixels with the excluded classes over them; each artefact is sought once."""
        seen = seen_of(pixels, self.foreground, self.white)
        if not seen.stands_out.any():
            return dict(inner)
        tissue_codes = [c.class_id for c in self.inner.scheme.classes if c.is_tissue]
        codes = np.zeros(256, np.bool_)
        codes[tissue_codes] = True
        tissue = {name: codes[classes] for name, classes in inner.items()}
        found = {name: classes.copy() for name, classes in inner.items()}
        for class_id, rule in reversed(self.rules):
            if rule.only_on_tissue and not any(is_tissue.any() for is_tissue in tissue.values()):
                continue
            mask = rule.mask_at(seen, place) if place is not None and isinstance(rule, PlacedRule) else rule.mask(seen)
            for name, classes in found.items():
                where = tissue[name] if rule.only_on_tissue else inner[name] <= MAX_CLASS_ID
                classes[mask & where] = class_id
        return found
