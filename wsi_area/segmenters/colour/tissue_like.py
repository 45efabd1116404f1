"""segmenters: how much of a picture has the colours of stained tissue, whatever glass it lies on; numpy only."""

import numpy as np

from wsi_area.model.pixels import Overview
from wsi_area.segmenters.colour.glass import NOMINAL_GLASS

LEAST_OD = 0.08  # of the most absorbed channel: what is paler has no colour to speak of
LEAST_GREEN_SHARE = 0.7  # of the most absorbed: haematoxylin, eosin, DAB have 1, 1, 0.73; yellowed glass 0.3 to 0.65
LEAST_CHROMA = 0.3  # most less least absorbed, as a share of the most: grey glass and dim light have next to none


def tissue_like_share(overview: Overview) -> float | None:
    """Return the share of the scanned pixels with the colours of stained tissue, None where nothing was scanned.

    Every stain of histology absorbs green at least about as much as red and blue (see ``exclusions.pen``); yellowed
    glass absorbs blue most, and a dim lamp all three alike.

    >>> from wsi_area.model.geometry import Size
    >>> rgb = np.array([[(190, 110, 170), (120, 80, 50), (182, 182, 182), (238, 224, 190)]], np.uint8)
    >>> tissue_like_share(Overview(rgb, np.ones((1, 4), bool), Size(4, 1), None))
    0.5
    """
    pixels = overview.rgb[overview.valid]
    if not len(pixels):
        return None
    table = np.log10(NOMINAL_GLASS[0] / np.maximum(np.arange(256), 1)).astype(np.float32)
    red, green, blue = (table[pixels[:, channel]] for channel in range(3))
    most, least = np.maximum(np.maximum(red, green), blue), np.minimum(np.minimum(red, green), blue)
    coloured = (most >= LEAST_OD) & (most - np.maximum(least, 0) >= LEAST_CHROMA * most)
    return float((coloured & (green >= LEAST_GREEN_SHARE * most)).mean())
