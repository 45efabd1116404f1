"""compute: exact sums of the pixels of boxes, for a block that begins anywhere in one."""

import numpy as np
from numpy.typing import NDArray

from wsi_area.compute.machine_code import address_of, native_function
from wsi_area.compute.native import Native

_COMPILED = "wsi_area.compute.picture.compiled_sums"
_SIZES = "int64 int64 int64 int64 int64 int64 int64"
NATIVE = (
    Native(_COMPILED, "sum_bytes", f"uint8* {_SIZES} uint16* uint32* int64 int64"),
    Native(_COMPILED, "sum_words", f"uint16* {_SIZES} uint32* uint64* int64 int64"),
)
BYTES_PX = 1 << 24
"""Pixels of 8 bits whose sum fits into 32 bits, whatever they are."""


def box_sums(
    samples: NDArray[np.unsignedinteger], factor: int, top_px: int, left_px: int
) -> NDArray[np.unsignedinteger]:
    """Return the sums of the samples in each box, (boxes down, boxes across, channels), uint32; uint64 of uint16.

    Parameters
    ----------
    samples : uint8 or uint16 (h, w, channels)
        Any view, neither side of it 0; of bytes 2^24 pixels at most. Rows that lie whole in memory are not copied.
    factor : int
        Pixels per box each way.
    top_px, left_px : int
        Place of the first sample within its box, less than ``factor``.

    Raises
    ------
    ValueError
        The sums of so many bytes might not fit, or the place is not within a box.

    >>> box_sums(np.array([[[1], [2], [4]]], np.uint8), 2, 0, 1)[..., 0].tolist()
    [[1, 6]]
    """
    height, width, channels = samples.shape
    if not (0 <= top_px < factor and 0 <= left_px < factor):
        raise ValueError(f"a block begins {top_px} rows and {left_px} columns into a box of {factor} px")
    is_bytes = samples.dtype == np.uint8
    if is_bytes and height * width > BYTES_PX:
        raise ValueError(f"a block of {height} × {width} px has sums that may not fit; {BYTES_PX} px at most")
    size = samples.itemsize
    if samples.strides[1:] != (channels * size, size) or samples.strides[0] < 0 or samples.strides[0] % size:
        samples = np.ascontiguousarray(samples)
    down = np.empty(width * channels, np.uint16 if is_bytes else np.uint32)
    sums: NDArray[np.unsignedinteger] = np.empty(
        (-(-(top_px + height) // factor), -(-(left_px + width) // factor), channels),
        np.uint32 if is_bytes else np.uint64,
    )
    native_function(*NATIVE[0 if is_bytes else 1])(
        samples.ctypes.data, samples.strides[0] // size, height, width, channels, factor, top_px, left_px,
        address_of(down), address_of(sums), *sums.shape[:2],
    )  # fmt: skip
    return sums
