"""reports: pictures as data addresses inside the file, small enough that a report of many slides can be mailed."""

import base64
import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from wsi_area.frozen_value import frozen_value
from wsi_area.model.pixels import RgbArray

ALL_PICTURES_BYTES = 11_000_000
"""What the pictures of one report may take together, as base64: the file stays below 15 MB."""
_MOST_BYTES, _LEAST_BYTES = 400_000, 12_000  # a slide, however few or many there are


@frozen_value
class Rung:
    """One way of making a photograph smaller."""

    reduction: int  # whole factor, so that an overlay on the same grid stays exact
    jpeg_quality: int


LADDER = (Rung(1, 85), Rung(1, 75), Rung(2, 85), Rung(2, 72), Rung(3, 75), Rung(4, 70), Rung(6, 65), Rung(8, 60))


def hopeless(rung: Rung, tried: Rung, tried_bytes: int, budget_bytes: int) -> bool:
    """Return True if a rung need not be tried, going by what another one came to.

    As far as the ladder goes, quality alone halves nothing, and what is made smaller has more detail in each pixel.

    >>> hopeless(Rung(1, 75), Rung(1, 85), 200_000, 99_000), hopeless(Rung(2, 85), Rung(1, 85), 200_000, 99_000)
    (True, False)
    """
    return tried_bytes / 2 * (tried.reduction / rung.reduction) ** 2 > budget_bytes


def bytes_per_slide(slides: int) -> int:
    """Return the bytes that the pictures of one slide may take, as base64.

    >>> bytes_per_slide(1), bytes_per_slide(100), bytes_per_slide(5000)
    (400000, 110000, 12000)
    """
    return max(_LEAST_BYTES, min(_MOST_BYTES, ALL_PICTURES_BYTES // max(1, slides)))


def reduced(rgb: RgbArray, factor: int) -> RgbArray:
    """Return a picture as the means of its factor × factor boxes; those at the right and lower rim may be smaller.

    >>> reduced(np.array([[[0] * 3, [10] * 3, [7] * 3]], np.uint8), 2)[..., 0].tolist()
    [[5, 7]]
    """
    return rgb if factor == 1 else np.asarray(Image.fromarray(rgb).reduce(factor))


def jpeg_address(rgb: RgbArray, quality: int) -> str:
    """Return a photograph, uint8 (h, w, 3) RGB, as a data address."""
    return jpeg_of(Image.fromarray(rgb), quality)


def jpeg_of(image: Image.Image, quality: int) -> str:
    """Return a picture without anything clear as a data address."""
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality, optimize=True)
    return _address("image/jpeg", file.getvalue())


def png_address(indices: NDArray[np.uint8], palette: bytes, opacity: bytes | None = None) -> str:
    """Return palette indices, uint8 (h, w), as a lossless data address."""
    file = io.BytesIO()
    image = Image.frombytes("P", (indices.shape[1], indices.shape[0]), np.ascontiguousarray(indices).tobytes())
    image.putpalette(palette)
    clear = {} if opacity is None else {"transparency": opacity}
    # not optimize=True: of pictures of few codes it makes larger files, and takes four times as long
    image.save(file, "PNG", **clear)
    return _address("image/png", file.getvalue())


def _address(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
