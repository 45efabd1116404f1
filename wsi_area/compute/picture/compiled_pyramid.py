"""compute: the compiled half of the coarser levels of a class map: the most frequent code of 2 × 2 pixels.

Imported only where no machine code of it lies on disk: see ``wsi_area.compute.machine_code.native_function``.
Called through ``pyramid.halved``: nothing here checks a bound.
"""

from typing import Any

from numba import carray


def halve_codes(finer_at: Any, height: int, width: int, line_px: int, coarser_at: Any) -> None:
    """Write a class map at half its size, rounded up.

    At these addresses lie: uint8 pixels, the lines ``line_px`` bytes apart, of ``height`` and ``width`` pixels; uint8
    (height / 2, width / 2), rounded up, contiguous.
    """
    finer = carray(finer_at, (height - 1) * line_px + width)
    across = (width + 1) // 2
    coarser = carray(coarser_at, ((height + 1) // 2) * across)
    for y in range((height + 1) // 2):
        # the last row twice: the most frequent of its pixels, and the first of equally frequent, stay the same
        upper, lower, row = 2 * y * line_px, min(2 * y + 1, height - 1) * line_px, y * across
        for x in range(width // 2):
            a, b = finer[upper + 2 * x], finer[upper + 2 * x + 1]
            c, d = finer[lower + 2 * x], finer[lower + 2 * x + 1]
            later = b if b == c or b == d else (c if c == d else a)  # noqa: SIM109 (a kernel); where a is alone, a pair wins
            coarser[row + x] = a if a == b or a == c or a == d else later  # noqa: SIM109 (a kernel)
        if width % 2:
            coarser[row + across - 1] = finer[upper + width - 1]
