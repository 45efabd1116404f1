"""segmenters: the rule of a segmenter that judges each pixel by its colour alone; numpy only."""

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from math import ceil
from typing import Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from wsi_area.errors import SettingsError
from wsi_area.model.classes import UNSCANNED_CODE
from wsi_area.model.pixels import ClassMap, RgbArray, TilePixels

Feature = Literal["darkness", "brightness"]
"""``darkness`` is 255 - min(R, G, B): what stands out on bright glass, dark or coloured, so that pale pink
stays tissue; ``brightness`` is max(R, G, B): what stands out on a dark field."""

MAX_BANDS = 3
MICRO = 1_000_000
_LOWEST_INTENSITY = 1e-6  # scikit-image's floor for the logarithm: an intensity of 0 counts as 6 OD
UNITS_PER_MICRO_BITS = 20  # densities are whole numbers of 2^-20 micro-OD (1e-12 OD): sums round nowhere
_UNITS_PER_OD = MICRO << UNITS_PER_MICRO_BITS
_LARGEST_WEIGHTS = 80.0  # sum of the magnitudes; vectors that need more are nearly in one plane


@dataclass(frozen=True, slots=True)
class ColourRule:
    """Which class a colour belongs to, and its signal.

    Without ``stain``: 0 background, 1 foreground. With it: 0 background, 1 foreground below the first band,
    ``1 + k`` at or above the k-th band, whether or not the pixel is foreground.
    """

    feature: Feature
    threshold: int  # foreground = feature > threshold
    stain: tuple[float, float, float] | None = None  # weights of the OD of R, G, B in the stain's density
    bands_od: tuple[float, ...] = ()  # ascending

    def __post_init__(self) -> None:
        """Refuse bands that are no bands."""
        bands = self.bands_od
        if (self.stain is None) != (not bands) or len(bands) > MAX_BANDS:
            raise SettingsError(f"a stain needs 1 to {MAX_BANDS} bands, no stain none; got {len(bands)} bands")
        if self.stain is not None and sum(abs(w) for w in self.stain) > _LARGEST_WEIGHTS:
            raise SettingsError(f"stain weights {self.stain} are too large; the stain vectors are nearly in one plane")
        if any(b <= 0 for b in bands) or any(a >= b for a, b in pairwise(bands)):
            raise SettingsError(f"bands {bands} OD must be above 0 and ascending; put them in order")

    @property
    def class_count(self) -> int:
        """Return how many classes the rule writes.

        >>> ColourRule("darkness", 40).class_count
        2
        """
        return 2 + len(self.bands_od)

    @property
    def unit_tables(self) -> NDArray[np.int64]:
        """Return int64 (3, 256), read-only: what each value of R, G, B adds to the density, in units.

        A unit is 2^-20 micro-OD.
        """
        return stain_tables(self.stain or (0.0, 0.0, 0.0))

    @property
    def bands_units(self) -> tuple[int, ...]:
        """Return the least whole number of units that reaches each band.

        >>> ColourRule("darkness", 40, (1.0, 0.0, 0.0), (0.5,)).bands_units
        (524288000000,)
        """
        return tuple(ceil(Fraction(band) * _UNITS_PER_OD) for band in self.bands_od)

    def feature_of(self, rgb: RgbArray) -> NDArray[np.uint8]:
        """Return the feature, uint8 (h, w), of uint8 (h, w, 3) RGB.

        >>> ColourRule("darkness", 40).feature_of(np.array([[[255, 200, 240]]], np.uint8)).tolist()
        [[55]]
        """
        red, green, blue = rgb[..., 0], rgb[..., 1], rgb[..., 2]
        if self.feature == "brightness":
            return np.maximum(np.maximum(red, green), blue)
        return 255 - np.minimum(np.minimum(red, green), blue)

    def density_units_of(self, rgb: RgbArray) -> NDArray[np.int64]:
        """Return the density of the target stain, int64 (h, w) in units of 2^-20 micro-OD, negatives kept."""
        red, green, blue = self.unit_tables
        units: NDArray[np.int64] = red[rgb[..., 0]] + green[rgb[..., 1]] + blue[rgb[..., 2]]
        return units

    def density_of(self, rgb: RgbArray) -> NDArray[np.float64]:
        """Return the optical density (log10) of the target stain, float64 (h, w), negatives kept."""
        return self.density_units_of(rgb) / float(_UNITS_PER_OD)

    def micro_signal_of(self, rgb: RgbArray) -> NDArray[np.int64]:
        """Return the density in whole millionths of OD, int64 (h, w), rounded half up, 0 where negative."""
        half = 1 << (UNITS_PER_MICRO_BITS - 1)
        return (np.maximum(self.density_units_of(rgb), 0) + half) >> UNITS_PER_MICRO_BITS

    def class_map(self, pixels: TilePixels) -> ClassMap:
        """Return uint8 (h, w) of class ids: the rule in plain numpy, which the compiled kernel must equal.

        >>> rgb = np.array([[[250, 250, 250], [250, 90, 120]]], np.uint8)
        >>> ColourRule("darkness", 40).class_map(TilePixels(rgb, np.array([[True, True]]))).tolist()
        [[0, 1]]
        """
        classes = (self.feature_of(pixels.rgb) > self.threshold).astype(np.uint8)
        if self.stain is not None:
            units = self.density_units_of(pixels.rgb)
            for band, lowest in enumerate(self.bands_units, start=2):
                classes[units >= lowest] = band
        classes[~pixels.valid] = UNSCANNED_CODE
        return classes


@runtime_checkable
class ColourRuled(Protocol):
    """A fitted segmenter whose answer is a colour rule and nothing more: the fused kernel may run it."""

    @property
    def colour_rule(self) -> ColourRule:
        """Return the rule."""


@lru_cache(maxsize=16)
def stain_tables(stain: tuple[float, float, float]) -> NDArray[np.int64]:
    """Return int64 (3, 256), read-only: weight × OD of each channel value, in units of 2^-20 micro-OD.

    OD = -log10(max(v / 255, 1e-6)) (Beer-Lambert; the floor is scikit-image's). ``separate_stains`` divides
    by ln(1e-6), so its density × 6 is ours. In whole numbers, neither the order of adding nor the last bit
    of a platform's logarithm can move a pixel; the rounding is at most 1.5e-12 OD.

    >>> [int(v) >> 20 for v in stain_tables((1.0, 0.0, 0.0))[0, [0, 25, 255]]]
    [6000000, 1008600, 0]
    """
    intensity = np.arange(256) * (1.0 / 255.0)
    od = -np.log10(np.maximum(intensity, _LOWEST_INTENSITY))
    tables = np.round(np.outer(stain, od) * _UNITS_PER_OD).astype(np.int64)
    tables.setflags(write=False)
    return tables
