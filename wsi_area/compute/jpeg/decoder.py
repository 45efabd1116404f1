"""compute: the pixels of many JPEGs, as libjpeg shows them, four of them at once."""

from threading import local

import numpy as np
from numpy.typing import NDArray

from wsi_area.compute.machine_code import call_native
from wsi_area.compute.native import Native
from wsi_area.model.geometry import Size

_COMPILED = "wsi_area.compute.jpeg.compiled_decoder"
_FROZEN = tuple(
    f"wsi_area.compute.jpeg.compiled_{name}"
    for name in ("codes", "heads", "idct", "lanes", "rgb", "strips", "values", "walk")
)
_LANE = (
    "uint64* int64 int16* int64 uint16* uint32* int64 int64* int64 uint64* int64* uint16* uint32* uint8* int32* uint16*"
    " int32* uint64* uint8* int64 uint16* uint8* int64"
)
NATIVE = (
    Native(
        _COMPILED, "write_pictures", f"uint8* int64 int64 int64 int64 int64* int64 uint8* uint8* {_LANE}", _FROZEN
    ),
)  # fmt: skip
_SCRATCH = local()
_LANES, _ENTRIES, _BLOCKS_TOGETHER = 4, 1 << 12, 16
"""As ``compiled_walk``, ``compiled_codes`` and ``compiled_values`` have them, which only compiling needs to import."""
_BLOCK_PX, _GROUP_SIZE = 8, 64 * _BLOCKS_TOGETHER


def decode_jpegs(
    data: NDArray[np.uint8], head_bytes: int, spans: NDArray[np.int64], rgb: NDArray[np.uint8], *, is_ycbcr: bool
) -> NDArray[np.bool_]:
    """Return which of many JPEGs were decoded, bool (n,): those of which every coded bit is understood.

    Their pixels are libjpeg's to the bit (accurate transform, chroma that changes linearly). The others are for a
    whole decoder to judge: whatever is unusual, or damaged. What is in the memory of their pixels is nothing.

    Parameters
    ----------
    data : uint8 (m,)
        Begins as a JPEG does; tables that all share may follow (TIFF Technical Note 2).
    head_bytes : int
        How long that is.
    spans : int64 (n, 2)
        Where in ``data`` each JPEG lies: first byte and end. Application markers at their begin say nothing here.
    rgb : uint8 (n, height, width, 3)
        Contiguous; takes the pixels. A JPEG has to have this size.
    is_ycbcr : bool
        Three components are YCbCr, not RGB.

    Raises
    ------
    ValueError
        A JPEG lies outside the data.
    """
    done = np.zeros(len(spans), np.uint8)
    if not len(spans):
        return done.view(np.bool_)
    if spans.min() < 0 or spans.max() > data.size or head_bytes > data.size:
        raise ValueError(f"JPEGs from {spans.min()} to {spans.max()} do not lie in {data.size} bytes")
    _, height_px, width_px, _ = rgb.shape
    room = _Room.of_thread(Size(width_px, height_px), int((spans[:, 1] - spans[:, 0]).max()))
    call_native(
        *NATIVE[0][:3], data, head_bytes, width_px, height_px, int(is_ycbcr), spans, len(spans), done, rgb,
        room.words, room.words.shape[1], room.values, room.values.shape[1], room.offsets, room.bases, room.bases.size,
        room.notes, room.notes.shape[1], room.states, room.facts, room.symbols, room.entries, room.kept, room.quanta,
        _PLACES, room.between, room.samples, room.samples.view(np.uint8), room.samples.shape[1], room.pairs,
        room.pairs.view(np.uint8), room.pairs.shape[1],
        frozen=_FROZEN,
    )  # fmt: skip
    return done.view(np.bool_)


def _places() -> NDArray[np.uint16]:
    """Return for the number of a coefficient, from 1 on, its place among those of 16 blocks, uint16 (128,).

    They lie row by row (ITU T.81, figure A.6), and begin at 16: before them is a place for values that are none.
    """
    zigzag = sorted(np.ndindex(8, 8), key=lambda at: (sum(at), at[0] if sum(at) % 2 else at[1]))
    places = np.zeros(128, np.uint16)
    places[1:65] = [_BLOCKS_TOGETHER * (8 * row + column + 1) for row, column in zigzag]
    return places


_PLACES = _places()


class _Room:
    """Memory for four JPEGs that are decoded together, as large as any of a size can need."""

    def __init__(self, size: Size, most_bytes: int) -> None:
        self.key = size, most_bytes
        across, down = -(-size.width_px // (2 * _BLOCK_PX)), -(-size.height_px // _BLOCK_PX)
        slots = 12 * across + 4  # of a row of MCUs, three components, two slots of each block; see compiled_walk.LOST
        groups = 2 * -(-2 * across // _BLOCKS_TOGETHER) * 3
        self.words = np.zeros((_LANES, most_bytes // 8 + 2 * down + 16), np.uint64)
        self.values = np.zeros((_LANES, _BLOCKS_TOGETHER + groups * _GROUP_SIZE), np.int16)
        self.offsets = np.zeros(slots, np.uint16)
        self.bases = np.zeros(slots, np.uint32)
        self.notes = np.empty((_LANES, 5 + 2 * down), np.int64)
        self.states = np.empty((_LANES, 3), np.uint64)
        self.facts = np.zeros((_LANES + 6, 36), np.int64)
        self.symbols = np.empty(_ENTRIES, np.uint16)
        self.entries = np.zeros((9, _ENTRIES), np.uint32)
        self.kept = np.zeros((4, 272), np.uint8)
        self.quanta = np.empty((_LANES, 3, 64), np.int32)
        self.between = np.empty(65 * _BLOCKS_TOGETHER, np.int32)
        self.samples = np.empty((_LANES, groups * 2 * _BLOCK_PX * _BLOCKS_TOGETHER), np.uint64)
        self.pairs = np.empty((3, 2 * across * _BLOCK_PX), np.uint16)

    @classmethod
    def of_thread(cls, size: Size, most_bytes: int) -> "_Room":
        """Return the room of this thread, made anew if it is too small or of another size."""
        room: _Room | None = getattr(_SCRATCH, "room", None)
        if room is None or room.key[0] != size or room.key[1] < most_bytes:
            room = _SCRATCH.room = cls(size, most_bytes + most_bytes // 4)
        return room
