"""slides: grey pictures of more than 8 bits a sample, as microscope cameras write them, in 256 grey levels."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wsi_area.model.slide import SAMPLE_BITS, SAMPLE_BITS_SOURCE

_SIGNIFICANT_BITS = re.compile(r'<Pixels\b[^>]*\bSignificantBits="(\d{1,2})"')


@dataclass(frozen=True, slots=True)
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

    >>> depth_of(np.array([[0, 3891]], np.uint16))
    SampleDepth(bits=12, source='the brightest sample, 3891')
    """
    brightest = int(samples.max(initial=0))
    return SampleDepth(_bits_for(brightest), f"the brightest sample, {brightest}")


def _bits_for(largest: int) -> int:
    return max(8, largest.bit_length())


def grey_levels(samples: NDArray[np.uint16], bits: int) -> NDArray[np.uint8]:
    """Return uint8 (h, w): the eight highest of ``bits`` bits, so that each grey level stands for as many steps.

    >>> grey_levels(np.array([[15, 16, 4095]], np.uint16), 12).tolist()
    [[0, 1, 255]]

    Raises
    ------
    ValueError
        A sample is larger than its depth allows.
    """
    brightest = int(samples.max(initial=0))
    if brightest >> bits:
        raise ValueError(f"a sample is {brightest}, which takes more than the {bits} bits that the file states")
    return (samples >> (bits - 8)).astype(np.uint8)
