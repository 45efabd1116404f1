"""compute: the outlines of classes over a photograph: a dark pixel outside, one of its colour within; pure."""

from collections.abc import Collection, Mapping

import numpy as np
from numpy.typing import NDArray

from wsi_area.model.pixels import ClassMap

_MOST_RIM = 0.4  # of what is coloured
_DARKER = 0.45


def outlines(
    picture: ClassMap, colours: Mapping[int, tuple[int, int, int]], solid: Collection[int] = ()
) -> tuple[ClassMap, bytes, bytes] | None:
    """Return the outlines of classes as palette indices, the palette (RGB) and its opacities; all else is clear.

    The outermost pixel of a patch is dark, so that it is seen on any stain, the next one has the colour of the class.
    None where classes lie in no patches: a fine mixture would be nothing but outlines.

    Parameters
    ----------
    picture : uint8 (h, w) of class codes
    colours : mapping
        Code → RGB of every code; 0 has no outline.
    solid : collection of int
        Codes that are shown as areas.

    >>> indices, palette, opacity = outlines(np.pad(np.ones((9, 9), np.uint8), 4), {1: (9, 9, 9)})
    >>> indices[8, 3:8].tolist(), list(opacity)
    ([0, 1, 2, 0, 0], [0, 255, 255])
    """
    coloured = np.isin(picture, [code for code in colours if code])
    rim = rim_of(picture) & coloured
    if rim.sum() > _MOST_RIM * coloured.sum():
        return None
    within = _beside(rim) & coloured & ~rim
    indices = np.zeros(picture.shape, np.uint8)
    palette, opacity = [255, 255, 255], [0]
    for place, code in enumerate(sorted(code for code in colours if code)):
        of_class = picture == code
        indices[rim & of_class] = 2 * place + 1
        indices[of_class & (~rim if code in solid else within)] = 2 * place + 2
        palette += [*(int(_DARKER * channel) for channel in colours[code]), *colours[code]]
        opacity += [255, 255]
    return indices, bytes(palette), bytes(opacity)


def filled(picture: ClassMap, colours: Mapping[int, tuple[int, int, int]]) -> tuple[ClassMap, bytes, bytes]:
    """Return a picture of classes as palette indices, the palette (RGB) and its opacities; class 0 is clear."""
    codes = sorted(code for code in colours if code)
    indices = np.zeros(picture.shape, np.uint8)
    for place, code in enumerate(codes, 1):
        indices[picture == code] = place
    palette = [255, 255, 255, *(channel for code in codes for channel in colours[code])]
    return indices, bytes(palette), bytes([0, *[255] * len(codes)])


def rim_of(picture: ClassMap) -> NDArray[np.bool_]:
    """Return True for each pixel whose neighbour, left, right, above or below, is of another class."""
    rim = np.zeros(picture.shape, np.bool_)
    across, down = picture[:, 1:] != picture[:, :-1], picture[1:] != picture[:-1]
    rim[:, 1:] |= across
    rim[:, :-1] |= across
    rim[1:] |= down
    rim[:-1] |= down
    return rim


def _beside(chosen: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return True for each pixel with a neighbour, left, right, above or below, that is chosen."""
    near = np.zeros_like(chosen)
    near[:, 1:] |= chosen[:, :-1]
    near[:, :-1] |= chosen[:, 1:]
    near[1:] |= chosen[:-1]
    near[:-1] |= chosen[1:]
    return near
