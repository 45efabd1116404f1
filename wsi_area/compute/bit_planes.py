"""compute: codes of few bits as bit planes, the order in which Blosc calls bytes bit-shuffled."""

import ctypes
from threading import local
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wsi_area.compute.machine_code import address_of, native_function
from wsi_area.compute.native import Native

WORD_BYTES = 8
"""Codes in a byte of a plane, and in a word of the machine code."""
_COMPILED = "wsi_area.compute.compiled_planes"
NATIVE = (
    Native(_COMPILED, "write_planes", "uint8* int64 uint8* int64*"),
    Native(_COMPILED, "write_codes", "uint8* int64 int64 uint8*"),
)
_PLANES = 8
_CODE = np.dtype(np.uint8)
_SCRATCH = local()


def bit_planes(codes: NDArray[np.uint8]) -> NDArray[np.uint8] | None:
    """Return the bit planes of codes, uint8 (planes, n / 8), the lowest bit first; None where all codes are 0.

    The last is that of the highest bit that any code has: those above it would hold nothing. Eight codes are a byte of
    each plane, the first of them its lowest bit. The memory is this thread's: the next call writes over it.

    Parameters
    ----------
    codes : uint8 (n,) or (h, w)
        Contiguous; their number is a multiple of 8, and at least that.

    Raises
    ------
    ValueError
        If they are not.

    >>> bit_planes(np.array([1, 0, 0, 3, 0, 0, 0, 4], np.uint8))[:, 0].tolist()
    [9, 8, 128]
    """
    if codes.dtype != _CODE or not codes.flags.c_contiguous or not codes.size or codes.size % WORD_BYTES:
        raise ValueError(f"needs contiguous uint8, a multiple of {WORD_BYTES}; got {codes.dtype} {codes.shape}")
    plane_bytes = codes.size // WORD_BYTES
    planes, written = planes_of_thread(plane_bytes), ctypes.c_int64()
    write = native_function(*NATIVE[0])
    write(address_of(codes), plane_bytes, address_of(planes), ctypes.addressof(written))
    return planes[: written.value] if written.value else None


def write_codes(planes: NDArray[np.uint8], out: NDArray[Any]) -> None:
    """Fill an array, contiguous and of single bytes, with the codes whose lowest bit planes are given.

    ``planes`` is uint8 (at most 8, n / 8), contiguous; no code has a bit of the others.

    Raises
    ------
    ValueError
        If they are not of so many codes.
    """
    codes = out.reshape(-1).view(np.uint8)
    if len(planes) > _PLANES or planes.ndim != 2 or planes.shape[1] * WORD_BYTES != codes.size:
        raise ValueError(f"planes {planes.shape} are not those of {out.size} codes")
    write = native_function(*NATIVE[1])
    write(address_of(planes), len(planes), planes.shape[1], address_of(codes))


def planes_of_thread(plane_bytes: int) -> NDArray[np.uint8]:
    """Return memory for the eight planes of a tile, this thread's."""
    planes: NDArray[np.uint8] | None = getattr(_SCRATCH, "planes", None)
    if planes is None or planes.shape[1] != plane_bytes:
        planes = _SCRATCH.planes = np.empty((8, plane_bytes), np.uint8)
    return planes
