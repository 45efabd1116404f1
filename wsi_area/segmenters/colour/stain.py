"""segmenters: ``stain``, which separates the stains and sorts the target stain into bands by its density."""

from dataclasses import replace
from pathlib import Path
from typing import ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

from wsi_area.compute.count.order_statistics import median
from wsi_area.errors import SegmentationError
from wsi_area.frozen_value import frozen_value
from wsi_area.model.classes import ClassScheme, TissueClass
from wsi_area.model.light import GlassRgb
from wsi_area.model.pixels import MaskArray, Overview
from wsi_area.segmenters.colour.colour_rule import ColourRule, FittedColourRule
from wsi_area.segmenters.colour.density import MICRO
from wsi_area.segmenters.colour.foreground import fit_foreground
from wsi_area.segmenters.colour.glass import GLASS_FIELD, GlassColour, GreyLevel
from wsi_area.segmenters.colour.otsu import otsu_bin
from wsi_area.segmenters.colour.stain_estimation import (
    angle_deg,
    assigned,
    estimate_stains,
    refuse_strays,
    stain_fit,
    stained_densities,
    tissue_pixels,
)
from wsi_area.segmenters.colour.stain_vectors import NAMED_VECTORS, Vector, density_weights, normalised
from wsi_area.segmenters.protocol import Signal
from wsi_area.segmenters.scheme import ClassSetting, chosen_scheme

STAIN_SCHEME = ClassScheme(
    (
        TissueClass(0, "background", (255, 255, 255)),
        TissueClass(1, "negative", (92, 124, 200), is_tissue=True),
        TissueClass(2, "weak", (246, 216, 96), is_tissue=True, is_positive=True),
        TissueClass(3, "moderate", (235, 140, 52), is_tissue=True, is_positive=True),
        TissueClass(4, "strong", (160, 40, 30), is_tissue=True, is_positive=True),
    )
)

SIGNAL = Signal("od", "optical density", MICRO)
_OD_BIN = 0.01  # OD: width of a bin of the histogram of densities, 0 to 2.56 OD
_OD_BINS = 256
_PIXELS_AT_ONCE = 1 << 14
_SAMPLE_BLOCKS = 16


def _with_positive(scheme: ClassScheme) -> ClassScheme:
    """Return a scheme of bands in which those that count as tissue are positive, whatever they are called.

    By their order they weigh 1, 2, 3 in the weighted positive area, unless the settings say otherwise.
    """
    bands = [c.class_id for c in STAIN_SCHEME.classes if c.is_positive]
    made = []
    for c in scheme.classes:
        is_positive = c.is_tissue and c.class_id in bands
        weight = bands.index(c.class_id) + 1.0 if is_positive and c.weight is None else c.weight
        made.append(replace(c, is_positive=is_positive, weight=weight))
    return ClassScheme(tuple(made))


class StainSegmenter(BaseModel):
    """Settings of the stain segmenter; a pixel at or above ``weak_od`` is positive, tissue rule or not."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    finds_tissue: ClassVar[bool] = True

    vectors: Literal["h-e-dab", "h-dab", "h-e", "macenko"] | dict[str, Vector] = Field(
        "h-dab",
        description="stain vectors by name, or 2 or 3 of your own as name = [R, G, B] in optical density; 'macenko': "
        "two, estimated once for each slide from its own tissue",
    )
    vectors_reference: Literal["h-dab", "h-e"] = Field(
        "h-dab", description="with 'macenko': the stains on the slide, which name the estimated vectors (no unit)"
    )
    macenko_fallback: bool = Field(
        False,
        description="with 'macenko': use the reference's own vectors on a slide whose vectors cannot be estimated, and "
        "record that; otherwise that slide fails (yes or no)",
    )
    target: str = Field("dab", description="stain that is measured: a name among the vectors (no unit)")
    threshold: Literal["fixed", "otsu"] = Field(
        "fixed",
        description="'fixed': the bands begin at weak_od, moderate_od, strong_od; 'otsu': the first is found "
        "once a slide and the others keep their ratio to it (no unit)",
    )
    weak_od: float = Field(0.2, gt=0, le=6, description="density at which weak begins, optical density (log10)")
    moderate_od: float = Field(0.4, gt=0, le=6, description="density at which moderate begins, optical density")
    strong_od: float = Field(0.6, gt=0, le=6, description="density at which strong begins, optical density")
    otsu_min_od: float = Field(
        0.1, gt=0, le=6, description="Otsu's first band begins at least this far above the glass, optical density"
    )
    otsu_max_od: float = Field(
        0.5, gt=0, le=6, description="Otsu's first band begins at most this far above the glass, optical density"
    )
    tissue_threshold: Literal["otsu"] | GreyLevel = Field(
        "otsu",
        description="'otsu', or the grey level (0..254) of 255 - min(R,G,B) above which a pixel is tissue",
    )
    glass: Literal["auto"] | GlassColour = GLASS_FIELD
    contrast_min: GreyLevel | None = Field(
        None, description="Otsu's tissue threshold is at least this far above the glass, grey levels"
    )
    contrast_max: GreyLevel | None = Field(
        None, description="Otsu's tissue threshold is at most this far above the glass, grey levels"
    )
    glass_margin: float = Field(
        0.2,
        ge=0,
        le=1,
        description="share of the way from glass to a threshold at which glass is read (0..1)",
    )
    classes: tuple[ClassSetting, ...] | None = Field(
        None, description="names, colours and flags of the classes 0 to 4 (no unit)"
    )

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not self.weak_od < self.moderate_od < self.strong_od:
            bands = f"{self.weak_od}, {self.moderate_od}, {self.strong_od}"
            raise ValueError(f"weak_od, moderate_od and strong_od must ascend; got {bands}")
        if self.otsu_min_od > self.otsu_max_od:
            raise ValueError(f"otsu_min_od {self.otsu_min_od} is above otsu_max_od {self.otsu_max_od}; swap them")
        return self

    @property
    def files_read(self) -> tuple[Path, ...]:
        """Return the files that the answer depends on: none."""
        return ()

    def fit(self, overview: Overview) -> FittedColourRule:
        """Return the segmenter with its thresholds for this slide."""
        scheme = _with_positive(chosen_scheme(self.classes, STAIN_SCHEME))
        # absorption needs light behind the tissue, so the background is bright whatever the picture shows
        foreground = fit_foreground(
            overview, "bright", self.tissue_threshold, self.contrast_min, self.contrast_max, glass=self.glass
        )
        light = replace(foreground.light, leans_on_glass=True)
        vectors, stain_facts = self._vectors(overview, foreground.rule, light.glass.rgb)
        weights = density_weights(vectors, self.target)
        bands_od = (self.weak_od, self.moderate_od, self.strong_od)
        fixed = replace(foreground.rule, stain=weights, bands_od=bands_od, glass=light.glass.rgb)
        seen = _LitPixels.of(overview, fixed)
        histogram, glass_od = seen.tissue_histogram(), seen.glass_od()
        otsu_od = round((otsu_bin(histogram) + 1) * _OD_BIN, 2)  # lower edge of the first bin above
        # without tissue there is nothing to fit to, and the fixed bands stand
        by_otsu = self.threshold == "otsu" and bool(histogram.any())
        bands = self._bands(otsu_od, glass_od) if by_otsu else fixed.bands_od
        rule = replace(fixed, bands_od=bands)
        facts: dict[str, object] = {
            "stain_vectors": {name: list(vector) for name, vector in vectors.items()},
            **stain_facts,
            "stain_weights": list(weights),
            "target": self.target,
            "band_method": "otsu" if by_otsu else "fixed",
            "bands_od": list(bands),
            "otsu_od": otsu_od,
            "bands_clamped": by_otsu and bands[0] != otsu_od,
            "glass_od": glass_od,
            "density_histogram": [int(n) for n in histogram],
            "density_bin_od": _OD_BIN,
            "positive_fraction": seen.positive_fraction(bands[0]),
        }
        lowered = replace(
            rule,
            threshold=foreground.lowered_threshold(self.glass_margin),
            bands_od=(min(bands[0], max(_OD_BIN, glass_od + self.glass_margin * (bands[0] - glass_od))),),
        )
        return FittedColourRule(scheme, rule, lowered, SIGNAL, foreground.facts | facts, light, foreground.wants_spread)

    @property
    def sample_blocks(self) -> int:
        """Return the number of blocks of tissue at the work pixel size that the estimate is to be made from."""
        return _SAMPLE_BLOCKS if self.vectors == "macenko" else 0

    def _vectors(
        self, overview: Overview, foreground: ColourRule, white: GlassRgb
    ) -> tuple[dict[str, Vector], dict[str, object]]:
        """Return the vectors for this slide, and for the facts where they are from and how well they fit it."""
        pixels, source = tissue_pixels(overview, foreground)
        od = stained_densities(pixels, white)
        estimate, refusal = None, None
        estimating = self.vectors == "macenko"
        reference = NAMED_VECTORS[self.vectors_reference]
        try:
            estimate = estimate_stains(od)
            if estimating:
                refuse_strays(assigned(estimate, reference), reference)
        except SegmentationError as error:
            if estimating and not self.macenko_fallback:
                raise
            refusal = str(error)
        if not estimating:
            origin = self.vectors if isinstance(self.vectors, str) else "own"
            vectors = NAMED_VECTORS[origin] if isinstance(self.vectors, str) else normalised(self.vectors)
        elif estimate is None or refusal is not None:
            origin, vectors = self.vectors_reference, reference
        else:
            origin, vectors = "macenko", assigned(estimate, reference)
        # estimated vectors are held against the published ones, fixed ones against the slide
        fit = stain_fit(od, source, vectors, estimate, refusal)
        if origin == "macenko":
            fit["angles_deg"] = {n: round(angle_deg(v, reference[n]), 3) for n, v in vectors.items()}
        return vectors, {"vectors_from": origin, "white_used": list(white), "stain_fit": fit}

    def _bands(self, otsu_od: float, glass_od: float) -> tuple[float, float, float]:
        """Return the bands with their ratios kept and the first of them where Otsu puts it, within bounds."""
        first = min(max(otsu_od, glass_od + self.otsu_min_od), glass_od + self.otsu_max_od)
        ratios = (1.0, self.moderate_od / self.weak_od, self.strong_od / self.weak_od)
        weak, moderate, strong = (round(first * ratio, 6) for ratio in ratios)
        return weak, moderate, strong


@frozen_value(eq=False)
class _LitPixels:
    """The pixels of an overview through which light came: valid, and not pure black, which was painted."""

    density: NDArray[np.float64]  # (n,) of the target stain, OD
    is_tissue: MaskArray  # (n,)

    @classmethod
    def of(cls, overview: Overview, rule: ColourRule) -> "_LitPixels":
        """Return those of an overview, by the stain and the tissue of a rule."""
        # channel by channel: numpy is ten times slower along an axis of three
        channels = np.ascontiguousarray(overview.rgb.reshape(-1, 3).T)
        lit = overview.valid.ravel() & ((channels[0] | channels[1] | channels[2]) != 0)
        pixels = channels.T if lit.all() else np.stack([channel[lit] for channel in channels]).T
        density = np.empty(len(pixels))
        for first in range(0, len(pixels), _PIXELS_AT_ONCE):  # what is needed meanwhile stays in the cache
            some = slice(first, first + _PIXELS_AT_ONCE)
            density[some] = rule.density_of(pixels[some])
        return cls(density, rule.feature_of(pixels) > rule.threshold)

    def tissue_histogram(self) -> NDArray[np.int64]:
        """Return the histogram of the density in tissue."""
        bins = self.density[self.is_tissue]  # a copy, made over in place
        bins /= _OD_BIN
        np.clip(np.floor(bins, out=bins), 0, _OD_BINS - 1, out=bins)
        return np.bincount(bins.astype(np.uint8), minlength=_OD_BINS)

    def glass_od(self) -> float:
        """Return the median density of what is no tissue, never below 0; 0 where there is none."""
        glass = self.density[~self.is_tissue]
        return max(0.0, median(glass)) if len(glass) else 0.0

    def positive_fraction(self, band_od: float) -> dict[str, float | None]:
        """Return the share at or above a band, and with that band moved by 5 %; None where there are no pixels."""
        shifts = (("-5%", 0.95), ("used", 1.0), ("+5%", 1.05))
        density = self.density
        return {s: float((density >= factor * band_od).mean()) if density.size else None for s, factor in shifts}
