"""compute: codes of few bits as Blosc frames of their bit planes, packed by zstd.

Any Blosc reader unpacks them, and any other frame of Blosc is unpacked here. Blosc's own way from single bytes to bit
planes and back is not vector code: it takes half as long as zstd.
"""

import struct

import imagecodecs
import numpy as np
import zstandard
from numpy.typing import NDArray

from wsi_area.compute.bit_planes import WORD_BYTES, bit_planes, planes_of_thread, write_codes
from wsi_area.compute.packers import packed_zeros, plane_packer, unpacker

_HEAD = struct.Struct("<4B5i")
"""Of a frame of one block: format, that of zstd, flags, bytes of an item; then bytes of its content, of a block, of the
frame, where the block begins, and how long it is."""
_KIND = 2, 1, 0b1001_0100, 1  # format, that of zstd, flags (zstd, not divided, bit planes), bytes of an item
_PLANES = 8
_MAX_HEAD_BYTES = 18
"""Of a frame of zstd (RFC 8878, 3.1.1.1): in it stands how long the content is."""


def plane_frame(codes: NDArray[np.uint8], zstd_level: int, planes: NDArray[np.uint8] | None = None) -> bytes | None:
    """Return codes as a Blosc frame of one block; None where all of them are 0.

    Parameters
    ----------
    codes : uint8, contiguous
    zstd_level : int
        Of codes that are no multiple of a word; all others are packed in the quickest way of zstd.
    planes : uint8 (planes, n / 8) or None
        The bit planes of the codes, where they are at hand.
    """
    size_bytes = codes.nbytes
    if codes.size and not size_bytes % WORD_BYTES:
        planes = bit_planes(codes) if planes is None else planes
        if planes is None:
            return None
        packed = plane_packer().compress(planes.data)
        zeros = packed_zeros((_PLANES - len(planes)) * planes.shape[1])
        block_bytes = len(packed) + len(zeros)
        frame_bytes = _HEAD.size + block_bytes
        if frame_bytes < size_bytes:  # else Blosc keeps the codes as they are
            head = _HEAD.pack(*_KIND, size_bytes, size_bytes, frame_bytes, _HEAD.size - 4, block_bytes)
            return b"".join((head, packed, zeros))
    elif not codes.any():
        return None
    from numcodecs import blosc  # 0.02 s of CPU to load, which tiles of ours need not pay

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
    if out.itemsize != 1 or not _is_plane_frame(frame, out.nbytes):
        from numcodecs import blosc

        blosc.decompress(frame, out)
        return
    plane_bytes = out.nbytes // WORD_BYTES
    lowest = _lowest_planes(frame[_HEAD.size :], plane_bytes)
    write_codes(_all_planes(frame[_HEAD.size :], plane_bytes) if lowest is None else lowest, out)


def _lowest_planes(packed: memoryview, plane_bytes: int) -> NDArray[np.uint8] | None:
    """Return the planes that hold anything, read-only, of a frame as `plane_frame` makes it; None of any other.

    Those above them are one more frame, of bytes of 0 alone: it is known by its bytes, and need not be unpacked.
    """
    try:
        content_bytes = zstandard.get_frame_parameters(packed[:_MAX_HEAD_BYTES]).content_size
        count = content_bytes // plane_bytes
        zeros = packed_zeros((_PLANES - count) * plane_bytes) if 0 < count < _PLANES else b""
        if not zeros or count * plane_bytes != content_bytes or packed[-len(zeros) :] != zeros:
            return None
        held = unpacker().decompress(packed[: -len(zeros)], allow_extra_data=False)
    except zstandard.ZstdError:  # what is wrong with it, if anything, is found where all of it is unpacked
        return None
    return np.frombuffer(held, np.uint8).reshape(count, plane_bytes)


def _all_planes(packed: memoryview, plane_bytes: int) -> NDArray[np.uint8]:
    """Return the eight planes of a frame of any other program; the memory is this thread's."""
    planes = planes_of_thread(plane_bytes)
    held_bytes = len(imagecodecs.zstd_decode(packed, out=planes.reshape(-1).data))  # type: ignore[arg-type]  # any buffer
    if held_bytes != planes.nbytes:
        raise ValueError(f"it holds {held_bytes} bytes, not {planes.nbytes}")
    return planes


def _is_plane_frame(frame: memoryview, size_bytes: int) -> bool:
    """Return True if a frame is one block of bit planes of single bytes, packed by zstd, as ours are."""
    if len(frame) < _HEAD.size or size_bytes % WORD_BYTES:
        return False
    *kind, content, block, whole, begin, length = _HEAD.unpack_from(frame)
    sizes = (size_bytes, size_bytes, len(frame), _HEAD.size - 4, len(frame) - _HEAD.size)
    return tuple(kind) == _KIND and (content, block, whole, begin, length) == sizes
