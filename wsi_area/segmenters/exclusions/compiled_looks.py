"""segmenters: the compiled half of how pixels look to the rules: one pass over them, no temporaries.

Imported only where no machine code of it lies on disk: see ``wsi_area.compute.machine_code.native_function``.
Called through ``absorption``, which checks the shapes: nothing here checks a bound.
"""

from typing import Any

import numpy as np
from numba import carray

from wsi_area.compute.machine_code import native_part

_STANDS_OUT = 1 << 16  # in a look-up of a value, beside its optical density


def look(
    rgb_at: Any, valid_at: Any, n_px: int, lookups_at: Any, limits_at: Any, stands_out_at: Any, ink_at: Any,
    total_at: Any, chroma_at: Any, most_at: Any, grey_at: Any,
) -> None:  # fmt: skip
    """Write what the rules ask of each pixel.

    At these addresses lie, contiguous: ``rgb`` uint8 (n, 3), ``valid`` uint8 (n,); ``lookups`` int32 (3, 256), the
    thousandths of optical density of a value and 2^16 where it alone makes a pixel stand out; ``limits`` int64 (4,)
    of ink. To be written, (n,) each: ``stands_out`` and ``ink`` uint8, ``total``, ``chroma`` and ``most`` int16,
    ``grey`` uint8.
    """
    rgb = carray(rgb_at, 3 * n_px)
    _grey(rgb, carray(grey_at, n_px))
    _look(
        rgb, carray(valid_at, n_px), carray(lookups_at, 768), carray(limits_at, 4), carray(stands_out_at, n_px),
        carray(ink_at, n_px), carray(total_at, n_px), carray(chroma_at, n_px), carray(most_at, n_px),
    )  # fmt: skip


@native_part
def _grey(rgb: Any, grey: Any) -> None:
    for i in range(grey.size):
        grey[i] = (np.uint32(77) * rgb[3 * i] + np.uint32(150) * rgb[3 * i + 1] + np.uint32(29) * rgb[3 * i + 2]) >> 8


@native_part
def _look(
    rgb: Any, valid: Any, lookups: Any, limits: Any, stands_out: Any, ink: Any, total: Any, chroma: Any, most: Any
) -> None:
    for i in range(valid.size):
        red, green, blue = rgb[3 * i], rgb[3 * i + 1], rgb[3 * i + 2]
        of_red, of_green, of_blue = lookups[red], lookups[256 + green], lookups[512 + blue]
        if valid[i] and (of_red | of_green | of_blue) & _STANDS_OUT:
            od_red, od_green, od_blue = of_red & 0xFFFF, of_green & 0xFFFF, of_blue & 0xFFFF
            largest = max(max(od_red, od_green), od_blue)
            least = min(min(od_red, od_green), od_blue)
            stands_out[i] = 1
            is_red = np.int64(red) - max(np.int64(green), np.int64(blue)) >= limits[3]
            ink[i] = is_red or _absorbs_as_ink(od_red, od_green, od_blue, largest, least, limits)
            total[i] = od_red + od_green + od_blue
            chroma[i] = largest - least
            most[i] = largest
        else:
            stands_out[i] = ink[i] = 0
            total[i] = chroma[i] = most[i] = 0


@native_part
def _absorbs_as_ink(red: Any, green: Any, blue: Any, most: Any, least: Any, limits: Any) -> bool:
    """Return True if no stain absorbs like this, but blue, green or black ink does; see ``pen``."""
    is_blue = 10 * green <= 12 * red and 10 * blue <= 7 * red and red >= limits[1]
    is_green = 10 * green <= 9 * min(red, blue) and most >= limits[0]
    is_black = least >= limits[2] and 100 * least >= 55 * most
    return bool(is_blue or is_green or is_black)
