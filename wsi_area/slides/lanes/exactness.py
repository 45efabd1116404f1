"""slides: can a level be addressed without interpolation; pure arithmetic."""

import numpy as np

TOLERANCE_LEVEL_PX = 1 / 512
"""Cairo, which paints for OpenSlide, rounds a translation to 1/256 px: below half of that it copies."""

_CHUNK_PX = 1 << 16


def is_exactly_addressable(length_px: int, downsample: float) -> bool:
    """Return True if each pixel ``x`` of an axis has a whole level-0 pixel that OpenSlide maps back onto it.

    OpenSlide takes level-0 integers and divides by the level's downsample (the mean of both axes), so ``x``
    becomes ``round(x * downsample) / downsample``.

    >>> is_exactly_addressable(100_000, 4.0), is_exactly_addressable(500, 4.002)
    (True, False)
    """
    if downsample == int(downsample):
        return True
    starts = range(0, length_px, _CHUNK_PX)
    # the far end is where a downsample next to a whole number goes wrong first
    return all(_chunk_is_exact(start, min(start + _CHUNK_PX, length_px), downsample) for start in reversed(starts))


def _chunk_is_exact(start_px: int, stop_px: int, downsample: float) -> bool:
    position = np.arange(start_px, stop_px, dtype=np.float64)
    error = np.abs(np.rint(position * downsample) / downsample - position)
    return bool((error < TOLERANCE_LEVEL_PX).all())
