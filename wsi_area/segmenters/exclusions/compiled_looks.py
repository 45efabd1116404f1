"""segmenters: the compiled half of how pixels look to the rules: some pixels at once, while they are near.

Imported only where no machine code of it lies on disk: see ``wsi_area.compute.machine_code.native_function``.
Called through ``absorption``, which checks the shapes: nothing here checks a bound.
"""

from typing import Any

import numpy as np
from numba import carray

from wsi_area.compute.machine_code import native_part

_STANDS_OUT = 1 << 15  # in a look-up of a value, beside its optical density
_AT_ONCE_PX = 2048  # whose densities lie in the nearest cache


def look(
    rgb_at: Any, valid_at: Any, n_px: int, lookups_at: Any, limits_at: Any, densities_at: Any, stands_out_at: Any,
    ink_at: Any, total_at: Any, chroma_at: Any, most_at: Any, grey_at: Any,
) -> None:  # fmt: skip
    """Write what the rules ask of each pixel.

    At these addresses lie, contiguous: ``rgb`` uint8 (n, 3), ``valid`` uint8 (n,); ``lookups`` uint16 (3, 256), the
    thousandths of optical density of a value and 2^15 where it alone makes a pixel stand out; ``limits`` uint16 (4,)
    of ink; ``densities`` uint16 (3, 2048), for its own use. To be written, (n,) each: ``stands_out`` and ``ink``
    uint8, ``total``, ``chroma`` and ``most`` int16, ``grey`` uint8.
    """
    rgb, valid, lookups = carray(rgb_at, 3 * n_px), carray(valid_at, n_px), carray(lookups_at, 768)
    limits, densities = carray(limits_at, 4), carray(densities_at, (3, _AT_ONCE_PX))
    stands_out, ink, grey = carray(stands_out_at, n_px), carray(ink_at, n_px), carray(grey_at, n_px)
    total, chroma, most = carray(total_at, n_px), carray(chroma_at, n_px), carray(most_at, n_px)
    for begin in range(0, n_px, _AT_ONCE_PX):
        end = min(n_px, begin + _AT_ONCE_PX)
        some = rgb[3 * begin : 3 * end]
        _grey(some, grey[begin:end])
        _absorbed(some, valid[begin:end], lookups, densities, stands_out[begin:end])
        _sums(densities[0], densities[1], densities[2], total[begin:end], chroma[begin:end], most[begin:end])
        _ink(some, densities[0], densities[1], densities[2], limits, stands_out[begin:end], ink[begin:end])


def write_grey(
    stands_out_at: Any, stands_out_row: int, chroma_at: Any, chroma_row: int, most_at: Any, most_row: int,
    height: int, width: int, chroma_percent: int, grey_at: Any,
) -> None:  # fmt: skip
    """Write uint8 (h, w), 1 where something stands out whose chroma is at most so many percent of the most absorbed.

    ``stands_out`` is uint8 (h, w), ``chroma`` and ``most`` int16; their rows lie so many elements apart.
    """
    _write_grey(
        carray(stands_out_at, (height, stands_out_row)), carray(chroma_at, (height, chroma_row)),
        carray(most_at, (height, most_row)), np.int32(chroma_percent), carray(grey_at, (height, width)),
    )  # fmt: skip


@native_part
def _write_grey(stands_out: Any, chroma: Any, most: Any, chroma_percent: Any, grey: Any) -> None:
    for y in range(grey.shape[0]):
        for x in range(grey.shape[1]):
            is_grey = np.int32(100 * np.int32(chroma[y, x])) <= np.int32(chroma_percent * np.int32(most[y, x]))
            grey[y, x] = stands_out[y, x] & is_grey


@native_part
def _grey(rgb: Any, grey: Any) -> None:
    for i in range(grey.size):
        grey[i] = (np.uint32(77) * rgb[3 * i] + np.uint32(150) * rgb[3 * i + 1] + np.uint32(29) * rgb[3 * i + 2]) >> 8


@native_part
def _absorbed(rgb: Any, valid: Any, lookups: Any, densities: Any, stands_out: Any) -> None:
    """Look up the densities of each channel, 0 where nothing stands out; a loop writes one array, to vectorise."""
    red, green, blue = densities[0], densities[1], densities[2]
    for i in range(valid.size):
        red[i] = lookups[rgb[3 * i]]
        green[i] = lookups[256 + np.int64(rgb[3 * i + 1])]
        blue[i] = lookups[512 + np.int64(rgb[3 * i + 2])]
    for i in range(valid.size):
        stands_out[i] = np.uint16((red[i] | green[i] | blue[i]) >> 15) & valid[i]
    for channel in range(3):
        of_channel = densities[channel]
        for i in range(valid.size):
            of_channel[i] = np.uint16(of_channel[i] & (_STANDS_OUT - 1)) * stands_out[i]


@native_part
def _sums(red: Any, green: Any, blue: Any, total: Any, chroma: Any, most: Any) -> None:
    for i in range(total.size):
        total[i] = red[i] + green[i] + blue[i]
    for i in range(total.size):
        more = red[i] if red[i] > green[i] else green[i]
        most[i] = more if more > blue[i] else blue[i]
    for i in range(total.size):
        less = red[i] if red[i] < green[i] else green[i]
        chroma[i] = most[i] - (less if less < blue[i] else blue[i])


@native_part
def _ink(rgb: Any, red: Any, green: Any, blue: Any, limits: Any, stands_out: Any, ink: Any) -> None:
    """Write where no stain absorbs like this, but blue, green, black or red ink does; see ``pen``."""
    of_any, of_blue, of_black, of_red = limits[0], limits[1], limits[2], np.int16(limits[3])
    for i in range(ink.size):
        paler = rgb[3 * i + 1] if rgb[3 * i + 1] > rgb[3 * i + 2] else rgb[3 * i + 2]
        ink[i] = np.int16(np.int16(rgb[3 * i]) - np.int16(paler)) >= of_red
    for i in range(ink.size):  # every product fits into 16 bits: no density is above 2407
        less = red[i] if red[i] < blue[i] else blue[i]
        more = red[i] if red[i] > blue[i] else blue[i]
        least, most = less if less < green[i] else green[i], more if more > green[i] else green[i]
        is_blue = (
            (np.uint16(10 * green[i]) <= np.uint16(12 * red[i]))
            & (np.uint16(10 * blue[i]) <= np.uint16(7 * red[i]))
            & (red[i] >= of_blue)
        )
        is_green = (np.uint16(10 * green[i]) <= np.uint16(9 * less)) & (most >= of_any)
        is_black = (least >= of_black) & (np.uint16(20 * least) >= np.uint16(11 * most))
        ink[i] = (ink[i] | is_blue | is_green | is_black) & stands_out[i]
