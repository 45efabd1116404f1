"""compute: codes of few bits as Blosc frames of their bit planes, packed by zstd.

Any Blosc reader unpacks them, and any other frame of Blosc is unpacked here. Blosc's own way from single bytes to bit
planes and back is not vector code: it takes half as long as zstd.
"""

import struct
import sys
from threading import local

import imagecodecs
import numpy as np
from numcodecs import blosc
from numpy.typing import NDArray

from wsi_area.compute.machine_code import address_of, native_function

_WORD_BYTES = 8
"""Codes in a byte of a plane, and in a word of the machine code."""
_HEAD = struct.Struct("<4B5i")
"""Of a frame of one block: format, that of zstd, flags, bytes of an item; then bytes of its content, of a block, of the
frame, where the block begins, and how long it is."""
_KIND = 2, 1, 0b1001_0100, 1  # format, that of zstd, flags (zstd, not divided, bit planes), bytes of an item
_MODULE = "wsi_area.compute.compiled_planes"
_SCRATCH = local()


def plane_frame(codes: NDArray[np.uint8], zstd_level: int) -> bytes | None:
    """Return codes as a Blosc frame of one block; None where all of them are 0.

    Parameters
    ----------
    codes : uint8, contiguous
    zstd_level : int
    """
    size_bytes = codes.nbytes
    if codes.size and not size_bytes % _WORD_BYTES:
        planes = bit_planes(codes)
        if planes is None:
            return None
        packed = bytes(imagecodecs.zstd_encode(planes, zstd_level))  # type: ignore[arg-type]  # takes any buffer
        frame_bytes = _HEAD.size + len(packed)
        if frame_bytes < size_bytes:  # else Blosc keeps the codes as they are
            return _HEAD.pack(*_KIND, size_bytes, size_bytes, frame_bytes, _HEAD.size - 4, len(packed)) + packed
    elif not codes.any():
        return None
    frame: bytes = blosc.compress(codes, b"zstd", zstd_level, blosc.BITSHUFFLE, size_bytes)
    return frame


def unpack_frame(frame: memoryview, out: NDArray[np.uint8] | NDArray[np.int32]) -> None:
    """Fill an array, contiguous, with the content of a Blosc frame.

    Raises
    ------
    ValueError, RuntimeError
        It is none, or not one of so many bytes.
    """
    if len(frame) < 16 or int.from_bytes(frame[4:8], "little") != out.nbytes:  # of less, something else stays in sight
        raise ValueError(f"it is not of {out.size} pixels")
    if out.dtype == np.uint8 and _is_plane_frame(frame, out.nbytes):
        planes = _planes_of_thread(out.nbytes // _WORD_BYTES)
        held_bytes = len(imagecodecs.zstd_decode(frame[_HEAD.size :], out=planes.reshape(-1)))  # type: ignore[call-overload]
        if held_bytes != out.nbytes:
            raise ValueError(f"it holds {held_bytes} bytes, not {out.nbytes}")
        write = native_function(_MODULE, "write_codes", "uint8* int64 uint64*")
        words = out.reshape(-1).view(np.uint64)
        write(address_of(planes), words.size, address_of(words))
        if sys.byteorder == "big":
            words.byteswap(inplace=True)
    else:
        blosc.decompress(frame, out)


def _is_plane_frame(frame: memoryview, size_bytes: int) -> bool:
    """Return True if a frame is one block of bit planes of single bytes, packed by zstd, as ours are."""
    if len(frame) < _HEAD.size or size_bytes % _WORD_BYTES:
        return False
    *kind, content, block, whole, begin, length = _HEAD.unpack_from(frame)
    sizes = (size_bytes, size_bytes, len(frame), _HEAD.size - 4, len(frame) - _HEAD.size)
    return tuple(kind) == _KIND and (content, block, whole, begin, length) == sizes


def bit_planes(codes: NDArray[np.uint8]) -> NDArray[np.uint8] | None:
    """Return the bit planes of codes, uint8 (8, n / 8), the lowest bit first; None where all codes are 0.

    Eight codes are a byte of each plane, the first of them its lowest bit. The memory is this thread's: the next call
    writes over it.

    Parameters
    ----------
    codes : uint8 (n,) or (h, w)
        Contiguous; their number is a multiple of 8, and at least that.

    Raises
    ------
    ValueError
        If they are not.

    >>> bit_planes(np.array([1, 0, 0, 3, 0, 0, 0, 128], np.uint8))[[0, 1, 7], 0].tolist()
    [9, 8, 128]
    """
    if codes.dtype != np.uint8 or not codes.flags.c_contiguous or not codes.size or codes.size % _WORD_BYTES:
        raise ValueError(f"needs contiguous uint8, a multiple of {_WORD_BYTES}; got {codes.dtype} {codes.shape}")
    words = codes.reshape(-1).view(np.uint64)
    if sys.byteorder == "big":
        words = words.byteswap()
    planes, present = _planes_of_thread(words.size), np.zeros(1, np.uint64)
    write = native_function(_MODULE, "write_planes", "uint64* int64 uint8* uint64*")
    write(address_of(words), words.size, address_of(planes), address_of(present))
    return planes if present[0] else None


def _planes_of_thread(plane_bytes: int) -> NDArray[np.uint8]:
    """Return memory for the eight planes of a tile, this thread's."""
    planes: NDArray[np.uint8] | None = getattr(_SCRATCH, "planes", None)
    if planes is None or planes.shape[1] != plane_bytes:
        planes = _SCRATCH.planes = np.empty((8, plane_bytes), np.uint8)
    return planes
