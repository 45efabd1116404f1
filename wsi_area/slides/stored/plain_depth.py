"""slides: grey pictures of more than 8 bits a sample, as cameras write them: their depth, and 256 grey levels."""

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wsi_area.frozen_value import frozen_value
from wsi_area.model.slide import SAMPLE_BITS, SAMPLE_BITS_SOURCE

HOT_SHARE = 1e-4
"""Of the pixels: as few may stand far out, and are taken for hot pixels of the camera."""

_SIGNIFICANT_BITS = re.compile(r'<Pixels\b[^>]*\bSignificantBits="(\d{1,2})"')


@frozen_value
class SampleDepth:
    """How many bits the samples of a 16-bit picture use: 8 to 16."""

    bits: int
    source: str  # who says so, in words

    @property
    def properties(self) -> dict[str, str]:
        """Return it as properties of a slide."""
        return {SAMPLE_BITS: str(self.bits), SAMPLE_BITS_SOURCE: self.source}


def declared_depth(tags: Mapping[str, Any], description: str) -> SampleDepth | None:
    """Return the depth that a TIFF states, in OME-XML or as the largest sample there can be; None where it does not.

    All 16 bits are no statement: writers put the size of the type there, whatever the camera used.

    >>> declared_depth({"MaxSampleValue": (4095,)}, "")
    SampleDepth(bits=12, source='TIFF MaxSampleValue 4095')
    """
    found = _SIGNIFICANT_BITS.search(description)
    if found is not None and 8 <= int(found[1]) < 16:
        return SampleDepth(int(found[1]), f"OME SignificantBits {found[1]}")
    stated = tags.get("MaxSampleValue")
    largest = stated[0] if isinstance(stated, tuple) and stated else stated
    if isinstance(largest, int) and 0 < largest < 1 << 15:
        return SampleDepth(_bits_for(largest), f"TIFF MaxSampleValue {largest}")
    return None


def depth_of(samples: NDArray[np.uint16]) -> SampleDepth:
    """Return the least depth that holds every sample: cameras of 10, 12 and 14 bits leave the rest empty.

    Hot pixels have no say: see `steady_brightest`.

    >>> depth_of(np.array([[0, 3891]], np.uint16))
    SampleDepth(bits=12, source='the brightest sample, 3891')
    """
    brightest, hot_px = steady_brightest(samples)
    return brightest_depth(brightest, hot_px)


def brightest_depth(brightest: int, hot_px: int) -> SampleDepth:
    """Return the least depth that holds the brightest sample, ``hot_px`` brighter ones left out."""
    left_out = f" (hot pixels left out: {hot_px})" if hot_px else ""
    return SampleDepth(_bits_for(brightest), f"the brightest sample, {brightest}{left_out}")


def steady_brightest(samples: NDArray[np.uint16]) -> tuple[int, int]:
    """Return the brightest sample that is no hot pixel, and how many hot pixels are brighter.

    Hot pixels are further above every square of two by two than those are above the darkest sample, if they are at
    most `HOT_SHARE` of the picture; else what is bright is small, and none of it is left out.

    >>> samples = np.full((200, 200), 300, np.uint16)
    >>> samples[7, 9] = 65_535
    >>> steady_brightest(samples), steady_brightest(samples[:20, :20])
    ((300, 1), (65535, 0))
    """
    brightest = int(samples.max(initial=0))
    if samples.ndim != 2 or min(samples.shape) < 2:
        return brightest, 0
    down = np.minimum(samples[1:], samples[:-1])
    steady = int(np.minimum(down[:, 1:], down[:, :-1]).max())
    limit = 2 * steady - int(samples.min())
    if brightest <= limit:
        return brightest, 0
    is_hot = samples > limit
    hot_px = int(is_hot.sum())
    return (int(samples[~is_hot].max()), hot_px) if hot_px <= HOT_SHARE * samples.size else (brightest, 0)


def _bits_for(largest: int) -> int:
    return max(8, largest.bit_length())


def grey_levels(samples: NDArray[np.uint16], bits: int) -> NDArray[np.uint8]:
    """Return uint8 (h, w): the eight highest of ``bits`` bits, so that each grey level stands for as many steps.

    A few hot pixels above them are white.

    >>> grey_levels(np.array([[15, 16, 4095]], np.uint16), 12).tolist()
    [[0, 1, 255]]

    Raises
    ------
    ValueError
        More samples are larger than their depth allows than are hot pixels.
    """
    brightest = int(samples.max(initial=0))
    if brightest >> bits:
        top = np.uint16((1 << bits) - 1)
        if int((samples > top).sum()) <= HOT_SHARE * samples.size:
            return (np.minimum(samples, top) >> (bits - 8)).astype(np.uint8)
        raise ValueError(f"a sample is {brightest}, which takes more than the {bits} bits that the file states")
    return (samples >> (bits - 8)).astype(np.uint8)
