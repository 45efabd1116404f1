"""run: what is settled of a slide's light before its tiles: what software filled in, and the glass."""

from dataclasses import replace

from wsi_area.model.light import Light
from wsi_area.model.pixels import MaskArray, Overview
from wsi_area.segmenters.colour.colour_rule import ColourRuled
from wsi_area.segmenters.colour.fills import Fills, find_fills
from wsi_area.segmenters.colour.glass_shade import shade_share
from wsi_area.segmenters.colour.tissue_like import tissue_like_share
from wsi_area.segmenters.exclusions.settings import ExclusionSettings
from wsi_area.segmenters.protocol import FittedSegmenter, KnowsLight
from wsi_area.settings.run_settings import RunSettings

NEXT_TO_ALL = 0.9
"""Share of the overview: where more may be tissue, it is asked whether it has the colours of tissue."""


def fills_of(settings: RunSettings, exclusions: ExclusionSettings, overview: Overview) -> Fills | None:
    """Return the parts that software filled in of a bright slide; in another picture one colour may be the ground."""
    is_glass = settings.calibration.profile == "glass" and settings.segmenter.own.get("background") != "dark"
    return find_fills(overview) if is_glass and exclusions.unscanned_fill == "auto" else None


def without_fills(overview: Overview, fills: Fills) -> Overview:
    """Return an overview on which what was filled has no say."""
    return replace(overview, valid=overview.valid & ~fills.mask, glass=fills.glass)


def with_seen_glass(lit: Overview, fitted: FittedSegmenter) -> Overview:
    """Return an overview that says what glass a segmenter has seen on it, so that nobody looks for it again."""
    light = fitted.light if isinstance(fitted, KnowsLight) else None
    return lit if light is None or light.glass.source != "seen" else replace(lit, glass=light.glass)


def light_of(fitted: FittedSegmenter, overview: Overview, lit: Overview, foreground: MaskArray) -> Light | None:
    """Return the light of a slide, with how much of its tissue is glass in the shade.

    Where next to all of it must be read, also with what that is made of. ``lit`` is the overview on which what was
    filled is not valid.
    """
    light = fitted.light if isinstance(fitted, KnowsLight) else None
    if light is None or not overview.valid.any():
        return light
    ruled = getattr(fitted, "inner", fitted)  # exclusions lie round it
    if light.leans_on_glass and light.glass.source != "nominal" and isinstance(ruled, ColourRuled):
        taken = ruled.colour_rule.is_foreground(lit.rgb)
        light = replace(light, shade=shade_share(lit.rgb, lit.valid, taken, light.glass.rgb))
    if float(foreground[overview.valid].mean()) < NEXT_TO_ALL:
        return light
    return replace(light, tissue_like=tissue_like_share(overview))
