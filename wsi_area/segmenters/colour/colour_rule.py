"""segmenters: the rule of a segmenter that judges each pixel by its colour alone; numpy only."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from math import ceil
from typing import Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from wsi_area.errors import SettingsError
from wsi_area.frozen_value import frozen_value
from wsi_area.model.classes import UNSCANNED_CODE, ClassScheme
from wsi_area.model.geometry import Region
from wsi_area.model.light import GlassRgb, Light
from wsi_area.model.pixels import ClassMap, MaskArray, Overview, RgbArray, TilePixels, TilePlace
from wsi_area.segmenters.colour.density import (
    EVEN_STAIN,
    UNITS_PER_OD,
    WHITE,
    Lookups,
    grey_lookups,
    grey_tables,
    lookups_for,
    stain_tables,
)
from wsi_area.segmenters.protocol import Signal

Feature = Literal["darkness", "brightness"]
"""``darkness`` is 255 - min(R, G, B): what stands out on bright glass, dark or coloured, so that pale pink
stays tissue; ``brightness`` is max(R, G, B): what stands out on a dark field. Of tinted glass the tint is taken away
first: what a channel has too much of, to no less than 0."""

Tint = tuple[int, int, int]
NO_TINT: Tint = (0, 0, 0)

Intensity = Literal["grey", "od"]
"""What is added up of a foreground without a stain: the mean of R, G and B, or of their optical densities."""

MAX_BANDS = 3
_LARGEST_WEIGHTS = 80.0  # sum of the magnitudes; vectors that need more are nearly in one plane


@frozen_value
class ColourRule:
    """Which class a colour belongs to, and its signal.

    Without ``stain``: 0 background, 1 foreground. With it: 0 background, 1 foreground below the first band,
    ``1 + k`` at or above the k-th band, whether or not the pixel is foreground.
    """

    feature: Feature
    threshold: int  # foreground = feature > threshold
    stain: tuple[float, float, float] | None = None  # weights of the OD of R, G, B in the stain's density
    bands_od: tuple[float, ...] = ()  # ascending
    intensity: Intensity | None = None  # the signal where there is no stain
    tint: Tint = NO_TINT  # grey levels that the glass has too much of in R, G and B; counts for darkness alone
    glass: GlassRgb = WHITE  # what optical densities are taken against

    def __post_init__(self) -> None:
        """Refuse bands that are no bands."""
        bands = self.bands_od
        if (self.stain is None) != (not bands) or len(bands) > MAX_BANDS:
            raise SettingsError(f"a stain needs 1 to {MAX_BANDS} bands, no stain none; got {len(bands)} bands")
        if self.stain is not None and self.intensity is not None:
            raise SettingsError(f"a rule with a stain adds up its density, not also {self.intensity}; leave one out")
        if self.stain is not None and sum(abs(w) for w in self.stain) > _LARGEST_WEIGHTS:
            raise SettingsError(f"stain weights {self.stain} are too large; the stain vectors are nearly in one plane")
        if any(b <= 0 for b in bands) or any(a >= b for a, b in pairwise(bands)):
            raise SettingsError(f"bands {bands} OD must be above 0 and ascending; put them in order")

    @property
    def class_count(self) -> int:
        """Return the number of classes that the rule writes.

        >>> ColourRule("darkness", 40).class_count
        2
        """
        return 2 + len(self.bands_od)

    @property
    def unit_tables(self) -> NDArray[np.int64]:
        """Return int64 (3, 256), read-only: what each value of R, G, B adds to the density, in units.

        A unit is 2^-20 micro-OD, or 2^-20 of the least step of a grey value.
        """
        return grey_tables() if self.intensity == "grey" else stain_tables(self._weights, self.glass)

    @property
    def _weights(self) -> tuple[float, float, float]:
        return EVEN_STAIN if self.intensity == "od" else self.stain or (0.0, 0.0, 0.0)

    @property
    def bands_units(self) -> tuple[int, ...]:
        """Return the least whole number of units that reaches each band.

        >>> ColourRule("darkness", 40, (1.0, 0.0, 0.0), (0.5,)).bands_units
        (524288000000,)
        """
        return tuple(ceil(Fraction(band) * UNITS_PER_OD) for band in self.bands_od)

    @property
    def lookups(self) -> Lookups:
        """Return the narrowest look-ups that sort every colour as ``unit_tables`` and ``bands_units`` do."""
        return grey_lookups() if self.intensity == "grey" else lookups_for(self._weights, self.bands_units, self.glass)

    def feature_of(self, rgb: RgbArray) -> NDArray[np.uint8]:
        """Return the feature, uint8 (h, w), of uint8 (h, w, 3) RGB.

        >>> ColourRule("darkness", 40).feature_of(np.array([[[255, 200, 240]]], np.uint8)).tolist()
        [[55]]
        """
        if self.feature == "brightness":
            return np.maximum(np.maximum(rgb[..., 0], rgb[..., 1]), rgb[..., 2])
        red, green, blue = untinted(rgb, self.tint)
        return 255 - np.minimum(np.minimum(red, green), blue)

    @property
    def is_foreground_value(self) -> NDArray[np.bool_]:
        """Return bool (3, 256), True where a value of R, G or B alone makes a pixel foreground.

        >>> rule = ColourRule("darkness", 40, tint=(5, 0, 0))
        >>> [int(of_channel.argmin()) for of_channel in rule.is_foreground_value]
        [220, 215, 215]
        """
        value = np.arange(256)
        if self.feature == "brightness":
            return np.tile(value > self.threshold, (3, 1))
        return np.stack([value - tint < 255 - self.threshold for tint in self.tint])

    def density_units_of(self, rgb: RgbArray) -> NDArray[np.int64]:
        """Return the density of the target stain, int64 (h, w) in units of 2^-20 micro-OD, negatives kept."""
        units: NDArray[np.int64]
        units, *others = (table.take(rgb[..., channel]) for channel, table in enumerate(self.unit_tables))
        for of_channel in others:
            units += of_channel
        return units

    def density_of(self, rgb: RgbArray) -> NDArray[np.float64]:
        """Return the optical density (log10) of the target stain, float64 (h, w), negatives kept."""
        return self.density_units_of(rgb) / float(UNITS_PER_OD)

    def micro_signal_of(self, rgb: RgbArray) -> NDArray[np.int64]:
        """Return the density in whole millionths of OD, int64 (h, w), rounded half up, 0 where negative.

        By the same look-ups as the compiled kernel, so that both add up the same whole numbers. What is counted
        as background adds nothing to any signal, whatever its density.
        """
        lookups = self.lookups
        red, green, blue = lookups.tables.astype(np.int64)
        units: NDArray[np.int64] = red[rgb[..., 0]] + green[rgb[..., 1]] + blue[rgb[..., 2]]
        return (np.maximum(units, 0) + (1 << (lookups.micro_bits - 1))) >> lookups.micro_bits

    def is_foreground(self, rgb: RgbArray) -> NDArray[np.bool_]:
        """Return bool (h, w), True where a colour's class is not 0; looks up only densities that can matter.

        >>> ColourRule("darkness", 40, (1.0, 0.0, 0.0), (0.3,)).is_foreground(
        ...     np.array([[[255, 255, 255], [250, 90, 120]]], np.uint8)
        ... ).tolist()
        [[False, True]]
        """
        foreground: NDArray[np.bool_] = self.feature_of(rgb) > self.threshold
        if self.stain is None:
            return foreground
        least = np.iinfo(np.int64).min >> 2
        most = np.where(self.is_foreground_value, least, self.unit_tables).max(axis=1)  # of what is not foreground
        if self.feature == "brightness" or int(most.sum()) >= self.bands_units[0]:
            undecided = ~foreground
            foreground[undecided] = self.density_units_of(rgb[undecided]) >= self.bands_units[0]
        return foreground

    def class_map(self, pixels: TilePixels) -> ClassMap:
        """Return uint8 (h, w) of class ids: the rule in plain numpy, which the compiled kernel must equal.

        >>> rgb = np.array([[[250, 250, 250], [250, 90, 120]]], np.uint8)
        >>> ColourRule("darkness", 40).class_map(TilePixels(rgb, np.array([[True, True]]))).tolist()
        [[0, 1]]
        """
        (classes,) = self.class_maps_at(pixels, (self.threshold,))
        return classes

    def class_maps_at(self, pixels: TilePixels, thresholds: Iterable[int]) -> tuple[ClassMap, ...]:
        """Return uint8 (h, w) of class ids for each threshold in place of the rule's own; densities are had once."""
        feature = self.feature_of(pixels.rgb)
        units = None if self.stain is None else self.density_units_of(pixels.rgb)
        maps = []
        for threshold in thresholds:
            classes = (feature > threshold).astype(np.uint8)
            if units is not None:
                for band, lowest in enumerate(self.bands_units, start=2):
                    classes[units >= lowest] = band
            classes[~pixels.valid] = UNSCANNED_CODE
            maps.append(classes)
        return tuple(maps)


def untinted(rgb: RgbArray, tint: Tint) -> list[NDArray[np.uint8]]:
    """Return R, G and B, uint8 (h, w) each, without what the glass has too much of.

    >>> [int(channel[0, 0]) for channel in untinted(np.array([[[225, 175, 3]]], np.uint8), (61, 11, 9))]
    [164, 164, 0]
    """
    channels = (rgb[..., channel] for channel in range(3))
    return [np.maximum(c, np.uint8(t)) - np.uint8(t) if t else c for c, t in zip(channels, tint, strict=True)]


@runtime_checkable
class ColourRuled(Protocol):
    """A fitted segmenter whose answer is a colour rule and nothing more: the fused kernel may run it."""

    @property
    def colour_rule(self) -> ColourRule:
        """Return the rule."""


@frozen_value
class FittedColourRule:
    """A colour rule with its classes, and a second, more generous rule for what must be read."""

    scheme: ClassScheme
    colour_rule: ColourRule
    lowered_rule: ColourRule  # with thresholds nearer to the background: whatever is not class 0 is read
    signal: Signal | None
    facts: dict[str, object]
    light: Light | None = None
    wants_spread: bool = False  # see `WantsSpread`
    context_um: float = 0.0  # a colour needs no neighbours
    work_mpp: float | None = None

    def class_map(self, pixels: TilePixels) -> ClassMap:
        """Return uint8 (h, w) of class ids, ``UNSCANNED_CODE`` where not valid."""
        return self.colour_rule.class_map(pixels)

    @property
    def thresholds_by_shift(self) -> Mapping[str, int]:
        """Return the threshold of the foreground, and those beside it."""
        found = self.facts.get("threshold_by_shift")
        return found if isinstance(found, Mapping) else {}

    @property
    def rules_by_shift(self) -> dict[str, ColourRule]:
        """Return the rule with each of the thresholds."""
        return {shift: replace(self.colour_rule, threshold=t) for shift, t in self.thresholds_by_shift.items()}

    def core_class_maps_by_shift(
        self, pixels: TilePixels, place: TilePlace, core_work_px: Region
    ) -> dict[str, ClassMap]:
        """Return uint8 (h, w) of class ids of the core with each of the thresholds, wherever it lies."""
        moved, core = self.thresholds_by_shift, pixels.part(core_work_px.seen_from(place.work_px))
        return dict(zip(moved, self.colour_rule.class_maps_at(core, moved.values()), strict=True))

    def may_hold_foreground(self, overview: Overview) -> MaskArray:
        """Return bool (h, w), True where the overview is more than background by the lowered thresholds.

        Boxes that are not valid are True too: up to half of each was scanned, and only reading tells.
        """
        return self.lowered_rule.is_foreground(overview.rgb) | ~overview.valid
