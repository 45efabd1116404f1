"""segmenters: ``tissue``, which tells glass from tissue, or a dark field from what glows on it."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from wsi_area.errors import SettingsError
from wsi_area.model.classes import ClassScheme, TissueClass
from wsi_area.model.pixels import Overview
from wsi_area.segmenters.colour.colour_rule import FittedColourRule
from wsi_area.segmenters.colour.deep_threshold import background_of, fit_deep
from wsi_area.segmenters.colour.deep_tissue import FittedDeepTissue
from wsi_area.segmenters.colour.density import GREY_MICRO_SCALE
from wsi_area.segmenters.colour.foreground import Foreground, fit_foreground
from wsi_area.segmenters.colour.glass import GLASS_FIELD, GlassColour, GreyLevel
from wsi_area.segmenters.protocol import Signal
from wsi_area.segmenters.scheme import ClassSetting, chosen_scheme

SampleLevel = Annotated[int, Field(ge=0, le=65_534)]

TISSUE_SCHEME = ClassScheme(
    (
        TissueClass(0, "background", (255, 255, 255)),
        TissueClass(1, "tissue", (214, 96, 156), is_tissue=True),
    )
)

SIGNALS: dict[str, Signal | None] = {
    "none": None,
    "grey": Signal("grey", "grey level, 0 to 255", GREY_MICRO_SCALE),
    "od": Signal("od", "optical density"),
}


class TissueSegmenter(BaseModel):
    """Settings of the tissue segmenter: one threshold for each slide, on darkness or on brightness."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    finds_tissue: ClassVar[bool] = True

    background: Literal["auto", "bright", "dark"] = Field(
        "auto", description="what tissue lies on: bright glass or a dark field (no unit)"
    )
    threshold: Literal["otsu"] | GreyLevel = Field(
        "otsu",
        description="'otsu', or the grey level (0..254) of 255 - min(R,G,B), on a dark field of max(R,G,B), "
        "above which a pixel is tissue",
    )
    stored_threshold: SampleLevel | None = Field(
        None,
        description="instead of threshold, for a channel of more than 8 bits: the stored value (0..65534) above which "
        "a pixel is tissue; on bright glass the largest of the used bits less the stored value",
    )
    glass: Literal["auto"] | GlassColour = GLASS_FIELD
    contrast_min: GreyLevel | None = Field(
        None, description="Otsu's threshold is at least this far above the background, grey levels"
    )
    contrast_max: GreyLevel | None = Field(
        None, description="Otsu's threshold is at most this far above the background, grey levels"
    )
    black_is_painted: bool = Field(
        True,
        description="pure black on a bright background was painted by software and has no say in the threshold; "
        "no: it is dark (yes or no)",
    )
    signal: Literal["none", "grey", "od"] = Field(
        "none",
        description="what is added up over the tissue: the mean grey value of R, G and B (0..255), of more than "
        "8 bits the stored value; their mean optical density; or nothing",
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

    @property
    def files_read(self) -> tuple[Path, ...]:
        """Return the files that the answer depends on: none."""
        return ()

    def fit(self, overview: Overview) -> FittedColourRule | FittedDeepTissue:
        """Return the segmenter with its threshold for this slide; by stored samples where it has more than 8 bits.

        Raises
        ------
        SettingsError
            A stored threshold is given, and the slide has grey levels alone.
        """
        return self.fit_colours(overview) if overview.deep is None else self._fit_deep(overview)

    def _fit_deep(self, overview: Overview) -> FittedDeepTissue:
        seen = background_of(overview)
        kind = seen if self.background == "auto" else self.background
        grey = self._foreground(replace(overview, spread=()), kind, "otsu")
        grey.facts["background_seen"] = seen
        fitted = fit_deep(
            overview, self._threshold_of(overview.deep_bits), (self.contrast_min, self.contrast_max), grey
        )
        white = (grey.light.glass.level if grey.light.leans_on_glass else 255) + 1 << overview.deep_bits - 8
        return FittedDeepTissue(
            scheme=chosen_scheme(self.classes, TISSUE_SCHEME),
            rule=fitted.rule,
            lowered_rule=fitted.lowered_rule(self.glass_margin),
            intensity=None if self.signal == "none" else self.signal,
            white=white - 1,
            facts=fitted.facts,
            light=grey.light,
            wants_spread=fitted.wants_spread,
        )

    def _threshold_of(self, bits: int) -> Literal["otsu"] | int:
        """Return the threshold in stored units: what exceeds a grey level exceeds the last sample that has it."""
        if self.stored_threshold is not None:
            return self.stored_threshold
        return "otsu" if self.threshold == "otsu" else ((self.threshold + 1) << bits - 8) - 1

    def _foreground(
        self, overview: Overview, background: Literal["auto", "bright", "dark"], threshold: Literal["otsu"] | int
    ) -> Foreground:
        return fit_foreground(
            overview,
            background,
            threshold,
            self.contrast_min,
            self.contrast_max,
            black_is_painted=self.black_is_painted,
            glass=self.glass,
        )

    def fit_colours(self, overview: Overview) -> FittedColourRule:
        """Return the segmenter with its threshold in the 256 grey levels of this slide.

        Raises
        ------
        SettingsError
            A stored threshold is given, which they do not have.
        """
        if self.stored_threshold is not None:
            raise SettingsError(
                f"segmenter.stored_threshold is {self.stored_threshold}, a stored value of more than 8 bits; "
                "this slide has 8: give segmenter.threshold, a grey level from 0 to 254, or otsu"
            )
        foreground = self._foreground(overview, self.background, self.threshold)
        rule = replace(foreground.rule, intensity=None if self.signal == "none" else self.signal)
        if self.signal == "od" and foreground.light.leans_on_glass:
            rule = replace(rule, glass=foreground.light.glass.rgb)
        return FittedColourRule(
            scheme=chosen_scheme(self.classes, TISSUE_SCHEME),
            colour_rule=rule,
            lowered_rule=foreground.lowered_rule(self.glass_margin),
            signal=SIGNALS[self.signal],
            facts=foreground.facts,
            light=foreground.light,
            wants_spread=foreground.wants_spread,
        )
