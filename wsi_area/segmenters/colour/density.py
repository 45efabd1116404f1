"""segmenters: the density of a stain as whole numbers, wide and exact, or narrow and proven; numpy only."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from wsi_area.frozen_value import frozen_value
from wsi_area.model.light import GlassRgb

MICRO = 1_000_000
UNITS_PER_MICRO_BITS = 20  # densities are whole numbers of 2^-20 micro-OD (1e-12 OD): sums round nowhere
UNITS_PER_OD = MICRO << UNITS_PER_MICRO_BITS
COMPACT_BITS = 5  # compact densities are whole numbers of 2^-5 micro-OD (3e-8 OD), and fit into 32 bits
FLAG_BITS = 2  # a look-up of the kernel holds the density above and the number of foreground channels, 0 to 3, below
PIECE_PX = 256  # pixels that the kernel works on at once: their samples and densities stay in the nearest cache
PATCH_FIELDS = 7  # what the kernel is told of each patch of a tile: compiled.classify_patches has them
_COMPACT_LARGEST = (1 << 24) - (1 << 10)  # micro-OD: the signal of 256 pixels, and two bits more, fit as well
_LOWEST_INTENSITY = 1e-6  # scikit-image's floor for the logarithm: an intensity of 0 counts as 6 OD
_TRIES = 64
GREY_MICRO_SCALE = 50_000  # whole numbers per grey level of an integrated grey value: all 255 stay compact
Stain = tuple[float, float, float]
WHITE: GlassRgb = (255, 255, 255)
"""What optical densities are taken against where nobody looked for the glass."""
EVEN_STAIN: Stain = (1 / 3, 1 / 3, 1 / 3)
"""The mean optical density of R, G and B: what absorbs, whatever its colour."""


@frozen_value(eq=False)
class Lookups:
    """What each value of R, G, B adds to the density, and where the bands begin, in one unit.

    A colour reaches a band by these exactly if it does by ``stain_tables``.
    """

    tables: NDArray[np.int32] | NDArray[np.int64]  # (3, 256), read-only
    bands: tuple[int, ...]  # ascending
    micro_bits: int  # a unit is 2^-micro_bits micro-OD


@lru_cache(maxsize=16)
def stain_tables(stain: Stain, glass: GlassRgb = WHITE) -> NDArray[np.int64]:
    """Return int64 (3, 256), read-only: weight × OD of each channel value, in units of 2^-20 micro-OD.

    OD = -log10(max(v / glass, 1e-6)), channel by channel, negative where a pixel is brighter than the glass
    (Beer-Lambert; the floor is scikit-image's). ``separate_stains`` takes 255 for the glass and divides
    by ln(1e-6), so with white glass its density × 6 is ours. In whole numbers, neither the order of adding nor the
    last bit of a platform's logarithm can move a pixel; the rounding is at most 1.5e-12 OD.

    >>> [int(v) >> 20 for v in stain_tables((1.0, 0.0, 0.0))[0, [0, 25, 255]]]
    [6000000, 1008600, 0]
    >>> [int(v) >> 20 for v in stain_tables((1.0, 0.0, 0.0), (240, 240, 240))[0, [24, 240]]]
    [1000000, 0]
    """
    intensity = np.arange(256) * (1.0 / np.array(glass, np.float64))[:, None]
    od = -np.log10(np.maximum(intensity, _LOWEST_INTENSITY))
    tables = np.round(np.array(stain)[:, None] * od * UNITS_PER_OD).astype(np.int64)
    tables.setflags(write=False)
    return tables


@lru_cache(maxsize=1)
def grey_tables() -> NDArray[np.int64]:
    """Return int64 (3, 256), read-only: a third of each channel value, so that R, G and B add up to their mean.

    In 2^-20 of 1 / ``GREY_MICRO_SCALE`` grey levels.

    >>> [int(v) >> 20 for v in 3 * grey_tables()[0, [1, 255]]]
    [50000, 12750000]
    """
    values = np.arange(256) * (GREY_MICRO_SCALE << UNITS_PER_MICRO_BITS) / 3
    tables = np.tile(np.ceil(values).astype(np.int64), (3, 1))
    tables.setflags(write=False)
    return tables


@lru_cache(maxsize=1)
def grey_lookups() -> Lookups:
    """Return the look-ups of the mean grey value, which no band divides."""
    return Lookups(_rounded(grey_tables(), 0), (), COMPACT_BITS)


@lru_cache(maxsize=16)
def lookups_for(stain: Stain, bands: tuple[int, ...], glass: GlassRgb = WHITE) -> Lookups:
    """Return the look-ups of a stain with bands in units of 2^-20 micro-OD: compact if that moves no colour.

    Vector code is twice as fast on 32 bits. Rounding to them moves a colour by less than 1e-7 OD; whether that
    takes any of the 2^24 across a band is tried out, and if so, another way of rounding.

    >>> lookups_for((1.0, 0.0, 0.0), (100_000 << 20,)).tables.dtype
    dtype('int32')
    """
    wide = stain_tables(stain, glass)
    if max(_largest(wide), _largest(-wide)) <= _COMPACT_LARGEST << UNITS_PER_MICRO_BITS:
        crossings = [_Crossing.of(wide, band) for band in bands]
        for attempt in range(_TRIES):
            tables = _rounded(wide, attempt)
            found = [crossing.level_in(tables) for crossing in crossings]
            compact = tuple(level for level in found if level is not None)
            if len(compact) == len(bands):
                return Lookups(tables, compact, COMPACT_BITS)
    return Lookups(wide, bands, UNITS_PER_MICRO_BITS)


def _largest(tables: NDArray[np.int64]) -> int:
    return int(tables.max(axis=1).sum())


def _rounded(wide: NDArray[np.int64], attempt: int) -> NDArray[np.int32]:
    """Return the tables in compact units, rounded; each attempt moves what one channel gains to the others."""
    bits = UNITS_PER_MICRO_BITS - COMPACT_BITS
    red, green = attempt * 0.755 % 1, attempt * 0.57 % 1  # spread evenly over the square (Roberts' sequence)
    offset = np.array([[red], [green], [-red - green]]) * (1 << bits) + (1 << bits - 1)
    tables = ((wide + offset.astype(np.int64)) >> bits).astype(np.int32)
    tables.setflags(write=False)
    return tables


@frozen_value(eq=False)
class _Crossing:
    """Where a band lies among the 256 blues of each red and green: blue is sorted by what it adds."""

    blues: NDArray[np.intp]  # (256,), ascending by what they add
    below: NDArray[np.intp]  # (256, 256) of red, green: how many blues stay below the band

    @classmethod
    def of(cls, wide: NDArray[np.int64], band: int) -> "_Crossing":
        blues = np.argsort(wide[2], kind="stable")
        missing = band - (wide[0][:, None] + wide[1])
        return cls(blues, np.searchsorted(wide[2][blues], missing))

    def level_in(self, tables: NDArray[np.int32]) -> int | None:
        """Return a number that the same colours reach in ``tables``, or None if there is none."""
        # rounding keeps the order of the blues: of one red and green, those on either side of the band are nearest
        blue = tables[2][self.blues].astype(np.int64)
        red_green = tables[0][:, None] + tables[1]
        highest_below = (red_green + np.concatenate([[-(1 << 40)], blue])[self.below]).max()
        lowest_above = (red_green + np.concatenate([blue, [1 << 40]])[self.below]).min()
        if highest_below >= lowest_above:
            return None
        # a band that no colour reaches begins above all of them
        return int(min(lowest_above, np.int64(_COMPACT_LARGEST << COMPACT_BITS) + (1 << COMPACT_BITS)))
