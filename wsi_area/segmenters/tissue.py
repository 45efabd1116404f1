"""segmenters: ``tissue``, which tells glass from tissue, or a dark field from what glows on it."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from wsi_area.model.classes import ClassScheme, TissueClass
from wsi_area.model.pixels import Overview
from wsi_area.segmenters.colour_rule import ColourRule
from wsi_area.segmenters.extremes import count_extremes
from wsi_area.segmenters.fitted import FittedColourRule
from wsi_area.segmenters.foreground import fit_foreground
from wsi_area.segmenters.scheme import ClassSetting, chosen_scheme

GreyLevel = Annotated[int, Field(ge=0, le=254)]

TISSUE_SCHEME = ClassScheme(
    (
        TissueClass(0, "background", (255, 255, 255)),
        TissueClass(1, "tissue", (214, 96, 156), is_tissue=True),
    )
)


class TissueSegmenter(BaseModel):
    """Settings of the tissue segmenter: one threshold for each slide, on darkness or on brightness."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    background: Literal["auto", "bright", "dark"] = Field(
        "auto", description="what tissue lies on: bright glass or a dark field (no unit)"
    )
    threshold: Literal["otsu"] | GreyLevel = Field(
        "otsu",
        description="'otsu', or the grey level (0..254) of 255 - min(R,G,B), on a dark field of max(R,G,B), "
        "above which a pixel is tissue",
    )
    contrast_min: GreyLevel | None = Field(
        None, description="Otsu's threshold is at least this far above the background, grey levels"
    )
    contrast_max: GreyLevel | None = Field(
        None, description="Otsu's threshold is at most this far above the background, grey levels"
    )
    glass_margin: float = Field(
        0.2,
        ge=0,
        le=1,
        description="share of the way from background to threshold at which glass is read (0..1)",
    )
    classes: tuple[ClassSetting, ...] | None = Field(
        None, description="names, colours and flags of the classes 0 and 1 (no unit)"
    )

    def fit(self, overview: Overview) -> FittedColourRule:
        """Return the segmenter with its threshold for this slide."""
        foreground = fit_foreground(
            count_extremes(overview), self.background, self.threshold, self.contrast_min, self.contrast_max
        )
        rule = foreground.rule
        return FittedColourRule(
            scheme=chosen_scheme(self.classes, TISSUE_SCHEME),
            colour_rule=rule,
            lowered_rule=ColourRule(rule.feature, foreground.lowered_threshold(self.glass_margin)),
            signal=None,
            facts=foreground.facts,
        )
