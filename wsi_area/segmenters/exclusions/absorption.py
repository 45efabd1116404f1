"""segmenters: how much light each colour lost, in whole numbers, against the glass of its slide."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from wsi_area.model.pixels import MaskArray, RgbArray, TilePixels
from wsi_area.segmenters.colour.colour_rule import ColourRule

White = tuple[int, int, int]
LARGEST_MILLI_OD = 2407  # of a channel: log10(255 / 1); 0 counts as 1


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """Pixels as the rules look at them."""

    rgb: RgbArray
    valid: MaskArray
    stands_out: MaskArray  # from glass, or from a dark field: bool (h, w)
    milli_od: NDArray[np.int16]  # (h, w, 3), never negative


def seen_of(pixels: TilePixels, foreground: ColourRule, white: White) -> Seen:
    """Return what the rules look at: what stands out, and what each channel lost against the glass."""
    stands_out = (foreground.feature_of(pixels.rgb) > foreground.threshold) & pixels.valid
    tables = milli_od_tables(white)
    od = np.stack([tables[channel][pixels.rgb[..., channel]] for channel in range(3)], axis=-1)
    return Seen(pixels.rgb, pixels.valid, stands_out, od)


@lru_cache(maxsize=16)
def milli_od_tables(white: White) -> NDArray[np.int16]:
    """Return int16 (3, 256), read-only: thousandths of optical density (log10) of each channel value.

    >>> milli_od_tables((240, 240, 240))[0, [255, 240, 24, 1, 0]].tolist()
    [0, 0, 1000, 2380, 2380]
    """
    values = np.maximum(np.arange(256), 1)
    od = np.stack([np.log10(channel / values) for channel in white])
    tables = np.maximum(np.round(1000 * od), 0).astype(np.int16)
    tables.setflags(write=False)
    return tables
