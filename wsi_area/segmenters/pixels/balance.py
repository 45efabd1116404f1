"""segmenters: the stain strength of one slide, found once on its overview and taken out before any pixel feature."""

import numpy as np
from numpy.typing import NDArray

from wsi_area.frozen_value import frozen_value
from wsi_area.model.pixels import Overview

_BALANCE_OD = (0.30, 0.45, 0.25)  # nominal mean of tissue in R, G, B: any would do, as long as it never changes
_BALANCE_LEAST_OD, _BALANCE_LEAST_PX, _BALANCE_RANGE = 0.1, 64, (0.25, 4.0)


@frozen_value
class ColourBalance:
    """The stain strength of one slide, taken out before any feature: optical density × ``gain`` of R, G, B.

    Found once for a slide (``colour_balance``), never for a tile.
    """

    gain: tuple[float, float, float] = (1.0, 1.0, 1.0)

    @property
    def tables(self) -> NDArray[np.float32]:
        """Return float32 (3, 256): optical density (log10) × gain of each value of R, G, B; 0 counts as 1.

        >>> ColourBalance((1.0, 2.0, 1.0)).tables[:2, 255].tolist()
        [0.0, 0.0]
        """
        od = -np.log10(np.maximum(np.arange(256, dtype=np.float64), 1.0) / 255.0)
        # rounded, so that the last bit of a platform's logarithm cannot move a pixel
        return np.round(np.outer(self.gain, od) + 0.0, 6).astype(np.float32)


def colour_balance(overview: Overview) -> ColourBalance:
    """Return the gains that give the tissue of a slide its nominal mean optical density in R, G and B.

    Tissue is what is darker than ``_BALANCE_LEAST_OD``. A slide that shows next to none keeps its colours.
    """
    seen = overview.rgb[overview.valid]
    od = ColourBalance().tables.astype(np.float64)
    densities = np.stack([od[channel][seen[:, channel]] for channel in range(3)])
    tissue = densities[:, densities.mean(axis=0) > _BALANCE_LEAST_OD]
    if tissue.shape[1] < _BALANCE_LEAST_PX:
        return ColourBalance()
    low, high = _BALANCE_RANGE
    gains = np.clip(np.array(_BALANCE_OD) / np.maximum(tissue.mean(axis=1), 1e-3), low, high)
    red, green, blue = (round(float(gain), 4) for gain in gains)
    return ColourBalance((red, green, blue))
