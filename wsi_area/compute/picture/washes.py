"""compute: a picture of classes as it lies over a photograph: each a wash of its colour with a darker rim; pure."""

from collections.abc import Mapping

import numpy as np

from wsi_area.compute.picture.rims import rim_of
from wsi_area.model.pixels import ClassMap

_MOST_RIM = 0.4  # of what is coloured
WASH = 217
"""Of 255: the tissue still shows through, and yellow over brown or magenta stain is told from orange (at 190 not)."""


def outlined(
    picture: ClassMap, colours: Mapping[int, tuple[int, int, int]], *, wash: int = 255
) -> tuple[ClassMap, bytes, bytes]:
    """Return a picture of classes as palette indices, the palette (RGB) and its opacities; class 0 is clear.

    Each class has its very colour, so that what is seen is what the legend shows, and an opaque rim, darker, where
    classes lie in patches; a fine mixture of classes would be nothing but rims and has none.

    Parameters
    ----------
    picture : uint8 (h, w) of class codes
    colours : mapping
        Code → RGB of every code but 0.
    wash : int
        Opacity of a class inside its rim, of 255; see `WASH`.

    >>> indices, palette, opacity = outlined(np.array([[0, 1, 1, 1]], np.uint8), {1: (9, 9, 9)}, wash=217)
    >>> indices.tolist(), list(opacity)
    ([[0, 2, 1, 1]], [0, 217, 255])
    """
    indices = np.zeros(picture.shape, np.uint8)
    palette, opacity = [255, 255, 255], [0]
    for place, code in enumerate(sorted(code for code in colours if code)):
        indices[picture == code] = 2 * place + 1
        palette += [*colours[code], *(int(0.62 * channel) for channel in colours[code])]
        opacity += [wash, 255]
    rim = rim_of(picture) & (indices > 0)
    if rim.sum() <= _MOST_RIM * (indices > 0).sum():
        indices[rim] += 1
    return indices, bytes(palette), bytes(opacity)
