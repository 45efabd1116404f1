"""slides: a picture as every viewer shows it, by the orientation that TIFF and EXIF state; pure arithmetic."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from wsi_area.model.geometry import Size

_LYING = 5  # from here on width and height change places


def turned(samples: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Return (h, w, …) as it is shown: EXIF 2.32, table 6; 1 and what is no orientation leave it as it is.

    >>> turned(np.array([[1, 2], [3, 4]]), 6).tolist()
    [[3, 1], [4, 2]]
    """
    if orientation in (2, 3, 7, 8):
        samples = samples[:, ::-1] if orientation != 7 else samples[::-1, ::-1]
    if orientation in (3, 4):
        samples = samples[::-1]
    if orientation == 6:
        samples = samples[::-1]
    return np.swapaxes(samples, 0, 1) if orientation >= _LYING else samples


def turned_size(size: Size, orientation: int) -> Size:
    """Return the size of a picture as it is shown.

    >>> turned_size(Size(4, 3), 6)
    Size(width_px=3, height_px=4)
    """
    return Size(size.height_px, size.width_px) if is_lying(orientation) else size


def is_lying(orientation: int) -> bool:
    """Return True if the width that is stored is the height that is shown."""
    return orientation >= _LYING
