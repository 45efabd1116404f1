"""segmenters: any fitted segmenter with artefacts laid over its classes."""

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np

from wsi_area.frozen_value import frozen_value
from wsi_area.model.classes import MAX_CLASS_ID, ClassScheme
from wsi_area.model.geometry import Region, Size
from wsi_area.model.light import Light
from wsi_area.model.pixels import ClassMap, MaskArray, Overview, TilePixels, TilePlace
from wsi_area.segmenters.colour.colour_rule import ColourRule
from wsi_area.segmenters.core import core_class_map
from wsi_area.segmenters.exclusions.absorption import Seen, White, seen_of
from wsi_area.segmenters.exclusions.windows import box_of
from wsi_area.segmenters.protocol import FittedSegmenter, KnowsLight, MovesThreshold, StatesMemory

_RULES_BYTES_PER_PX = 40  # measured: pen 13, fold 15, bubble 18, focus 22, and 31 where not all was scanned


class ExclusionRule(Protocol):
    """One kind of artefact, fitted to a slide; frozen and picklable."""

    @property
    def name(self) -> str:
        """Return the name of its class."""

    @property
    def only_on_tissue(self) -> bool:
        """Return True if it applies to tissue alone, False if to whatever was scanned."""

    @property
    def reach_px(self) -> int:
        """Return the distance that it looks round a pixel, in work pixels."""

    @property
    def facts(self) -> dict[str, object]:
        """Return the limits it uses, JSON-ready."""

    def mask(self, seen: Seen, place: TilePlace | None = None) -> MaskArray:
        """Return bool (h, w), True where the artefact is; False wherever nothing stands out nearby.

        A rule that also goes by where the pixels lie is told their place, if it is known.
        """


@frozen_value
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
        """Return the light that the inner segmenter found."""
        return self.inner.light if isinstance(self.inner, KnowsLight) else None

    def class_map(self, pixels: TilePixels) -> ClassMap:
        """Return uint8 (h, w) of class ids: the inner segmenter's, with the excluded ones over them."""
        height, width = pixels.valid.shape
        return self._overlaid({"used": self.inner.class_map(pixels)}, pixels, None, Region(0, 0, width, height))["used"]

    def class_map_at(self, pixels: TilePixels, place: TilePlace) -> ClassMap:
        """Return the class map, as ``class_map`` does, of pixels that lie at this place."""
        return self.core_class_map_at(pixels, place, place.work_px)

    def core_class_map_at(self, pixels: TilePixels, place: TilePlace, core_work_px: Region) -> ClassMap:
        """Return the part of ``class_map_at`` that lies in the core; no rule looks farther round it than it must."""
        inner = {"used": core_class_map(self.inner, pixels, place, core_work_px)}
        return self._overlaid(inner, pixels, place, core_work_px.seen_from(place.work_px))["used"]

    @property
    def thresholds_by_shift(self) -> Mapping[str, int]:
        """Return the inner segmenter's thresholds; what is excluded goes by limits of its own."""
        return self.inner.thresholds_by_shift if isinstance(self.inner, MovesThreshold) else {}

    def core_class_maps_by_shift(
        self, pixels: TilePixels, place: TilePlace, core_work_px: Region
    ) -> Mapping[str, ClassMap]:
        """Return the inner segmenter's class maps by threshold, the same excluded classes over each."""
        if not isinstance(self.inner, MovesThreshold):
            return {}
        inner = self.inner.core_class_maps_by_shift(pixels, place, core_work_px)
        return self._overlaid(inner, pixels, place, core_work_px.seen_from(place.work_px))

    def may_hold_foreground(self, overview: Overview) -> MaskArray:
        """Return bool (h, w), True where the inner segmenter must read, or something may lie on the glass."""
        inner = self.inner.may_hold_foreground(overview)
        if all(rule.only_on_tissue for _, rule in self.rules):
            return inner
        return inner | self.lowered.is_foreground(overview.rgb) | ~overview.valid

    def _overlaid(
        self, inner: Mapping[str, ClassMap], pixels: TilePixels, place: TilePlace | None, core_px: Region
    ) -> dict[str, ClassMap]:
        """Return class maps of a core with the excluded classes over them; each artefact is sought once."""
        seen = seen_of(pixels, self.foreground, self.white)
        if not seen.stands_out.any():
            return dict(inner)
        tissue_ids = [c.class_id for c in self.inner.scheme.classes if c.is_tissue]
        tissue = {name: _is_one_of(classes, tissue_ids) for name, classes in inner.items()}
        all_px = Region(0, 0, core_px.width_px, core_px.height_px)
        tissue_px = box_of(np.logical_or.reduce(list(tissue.values())))
        found = dict(inner)
        for class_id, rule in reversed(self.rules):
            wanted_px = tissue_px if rule.only_on_tissue else all_px
            if wanted_px is None:
                continue
            mask = _mask_in(wanted_px.moved(core_px.x_px, core_px.y_px), rule, seen, place)
            if not mask.any():
                continue
            for name, classes in inner.items():
                if found[name] is classes:  # a copy where something is laid over it, which is seldom
                    found[name] = classes.copy()
                of = wanted_px.slices
                where = tissue[name][of] if rule.only_on_tissue else classes[of] <= MAX_CLASS_ID
                np.copyto(found[name][of], np.uint8(class_id), where=mask & where)
        return found


def _is_one_of(classes: ClassMap, class_ids: Sequence[int]) -> MaskArray:
    """Return bool (h, w), True where a class map has one of some classes."""
    found = np.zeros(classes.shape, np.bool_)
    for class_id in class_ids:
        found |= classes == class_id
    return found


def _mask_in(wanted_px: Region, rule: ExclusionRule, seen: Seen, place: TilePlace | None) -> MaskArray:
    """Return the answer of a rule for a box of the pixels that are seen, shown no more than it must be."""
    height, width = seen.valid.shape
    shown_px = wanted_px.grown(rule.reach_px, Size(width, height))
    mask = rule.mask(seen.part(shown_px), None if place is None else place.part(shown_px))
    return mask[wanted_px.seen_from(shown_px).slices]
