"""compute: codes of few bits as bit planes, the order in which Blosc calls bytes bit-shuffled."""

import sys
from threading import local

import numpy as np
from numpy.typing import NDArray

from wsi_area.compute.machine_code import address_of, native_function

CODES_STEP = 8
"""Codes come in a multiple of this: as many as a byte of a plane holds."""
_ARGUMENTS = "uint64* int64 uint8* uint64*"
_SCRATCH = local()


def bit_planes(codes: NDArray[np.uint8]) -> NDArray[np.uint8] | None:
    """Return the bit planes of codes, uint8 (8, n / 8), the lowest bit first; None where all codes are 0.

    Eight codes are a byte of each plane, the first of them its lowest bit. The memory is this thread's: the next call
    writes over it.

    Parameters
    ----------
    codes : uint8 (n,) or (h, w)
        Contiguous; their number is a multiple of ``CODES_STEP``, and at least that.

    Raises
    ------
    ValueError
        If they are not.

    >>> bit_planes(np.array([1, 0, 0, 3, 0, 0, 0, 128], np.uint8))[[0, 1, 7], 0].tolist()
    [9, 8, 128]
    """
    if codes.dtype != np.uint8 or not codes.flags.c_contiguous or not codes.size or codes.size % CODES_STEP:
        raise ValueError(f"needs contiguous uint8, a multiple of {CODES_STEP}; got {codes.dtype} {codes.shape}")
    words = codes.reshape(-1).view(np.uint64)
    if sys.byteorder == "big":
        words = words.byteswap()
    planes: NDArray[np.uint8] | None = getattr(_SCRATCH, "planes", None)
    if planes is None or planes.shape[1] != words.size:
        planes = _SCRATCH.planes = np.empty((8, words.size), np.uint8)
    present = np.zeros(1, np.uint64)
    write = native_function("wsi_area.compute.compiled_planes", "write_planes", _ARGUMENTS)
    write(address_of(words), words.size, address_of(planes), address_of(present))
    return planes if present[0] else None
