"""segmenters: the fitted form of every segmenter that is a colour rule."""

from dataclasses import dataclass

from wsi_area.model.classes import ClassScheme
from wsi_area.model.light import Light
from wsi_area.model.pixels import ClassMap, MaskArray, Overview, TilePixels
from wsi_area.segmenters.colour.colour_rule import ColourRule
from wsi_area.segmenters.protocol import Signal


@dataclass(frozen=True, slots=True)
class FittedColourRule:
    """A colour rule with its classes, and a second, more generous rule for what must be read."""

    scheme: ClassScheme
    colour_rule: ColourRule
    lowered_rule: ColourRule  # with thresholds nearer to the background: whatever is not class 0 is read
    signal: Signal | None
    facts: dict[str, object]
    light: Light | None = None
    context_um: float = 0.0  # a colour needs no neighbours
    work_mpp: float | None = None

    def class_map(self, pixels: TilePixels) -> ClassMap:
        """Return uint8 (h, w) of class ids, ``UNSCANNED_CODE`` where not valid."""
        return self.colour_rule.class_map(pixels)

    def may_hold_foreground(self, overview: Overview) -> MaskArray:
        """Return bool (h, w), True where the overview is more than background by the lowered thresholds.

        Boxes that are not valid are True too: up to half of each was scanned, and only reading tells.
        """
        return self.lowered_rule.is_foreground(overview.rgb) | ~overview.valid
