"""segmenters: what was taken for tissue and is glass in the shade: a coverslip's edge, an unlit rim; numpy only."""

import numpy as np
from numpy.typing import NDArray

from wsi_area.model.light import GlassRgb
from wsi_area.model.pixels import MaskArray, RgbArray

BLOCKS = 64  # along the longer side
MOST_SPREAD = 6.0  # grey levels: standard deviation of a channel within a block; tissue is a texture
MOST_COLOUR = 0.03  # of its level: so much may the channels of a block differ from the glass's, as its noise does
LEAST_COLOUR_LEVELS = 3.0  # grey levels, where next to nothing is lit
MOSTLY = 0.9  # of the pixels of a block
BLACKEST = 8  # grey levels: where software painted black, so dark is what it painted, and no class of tissue
LEAST_PAINTED = 0.001  # of what was scanned, pure black: below it nobody painted
LEAST_BLOCKS = 8


def shade_share(rgb: RgbArray, wanted: MaskArray, taken: MaskArray, glass: GlassRgb) -> float:
    """Return the share of what was taken for tissue that is flat and has the colour of the glass, only darker.

    Stain has a colour, and cells have a texture: on the overviews of real slides there is none of it. A grey picture
    has no colour to tell them by, and 0 is returned.

    Parameters
    ----------
    rgb : uint8 (h, w, 3), the overview's frame
    wanted : bool (h, w)
        True where it was scanned.
    taken : bool (h, w)
        True where it was taken for tissue.
    glass
        Colour of the glass.
    """
    side = max(1, -(-max(wanted.shape) // BLOCKS))
    brightest = np.maximum(np.maximum(rgb[..., 0], rgb[..., 1]), rgb[..., 2])
    if np.count_nonzero(wanted & (brightest == 0)) >= max(1, LEAST_PAINTED * np.count_nonzero(wanted)):
        wanted = wanted & (brightest > BLACKEST)
    taken = taken & wanted
    taken_px = int(np.count_nonzero(taken))
    if side < 2 or not taken_px or _is_grey(rgb):
        return 0.0
    whole = _mean_of(taken, side) >= MOSTLY
    channels = [np.ascontiguousarray(rgb[..., channel]) for channel in range(3)]
    mean = np.stack([_mean_of(channel, side) for channel in channels], axis=-1)
    square = np.stack([_mean_of(np.multiply(c, c, dtype=np.uint16), side) for c in channels], axis=-1)
    spread = np.sqrt(np.maximum(square - mean**2, 0)).max(axis=-1)
    of_glass = mean / np.maximum(np.array(glass, np.float64), 1)
    colour = (of_glass.max(axis=-1) - of_glass.min(axis=-1)) * max(glass)
    is_grey = colour <= np.maximum(LEAST_COLOUR_LEVELS, MOST_COLOUR * mean.mean(axis=-1))
    shade = whole & is_grey & (spread <= MOST_SPREAD)
    blocks = int(np.count_nonzero(shade))
    return min(1.0, blocks * side**2 / taken_px) if blocks >= LEAST_BLOCKS else 0.0


def _is_grey(rgb: RgbArray) -> bool:
    """Return True if a picture has one channel, shown three times."""
    red, green, blue = (rgb[..., channel] for channel in range(3))
    return bool((red == green).all() and (green == blue).all())


def _mean_of(values: NDArray[np.uint8 | np.uint16 | np.bool_], side: int) -> NDArray[np.float64]:
    """Return the mean of each whole block of a picture of one channel."""
    rows, columns = values.shape[0] // side, values.shape[1] // side
    lines = values[: rows * side, : columns * side].reshape(rows, side, columns * side)
    down = lines.sum(axis=1, dtype=np.uint32)  # whole rows add up fast, and exactly
    return np.asarray(down.reshape(rows, columns, side).sum(axis=2, dtype=np.uint64) / float(side * side))
