"""compute: the mean colours of the blocks of many JPEGs, added up in boxes: an eighth of each, no more is decoded."""

from threading import local

import numpy as np
from numpy.typing import NDArray

from wsi_area.compute.machine_code import call_native
from wsi_area.compute.native import Native
from wsi_area.model.geometry import Size

BLOCK_PX = 8
"""Side of a block of a JPEG."""
_COMPILED = "wsi_area.compute.jpeg.compiled_eighths"
_FROZEN = (
    "wsi_area.compute.jpeg.compiled_codes", "wsi_area.compute.jpeg.compiled_colours",
    "wsi_area.compute.jpeg.compiled_heads", "wsi_area.compute.jpeg.compiled_lanes",
    "wsi_area.compute.jpeg.compiled_walk",
)  # fmt: skip
_LANE = "uint64* int64 uint16* uint16* int64 int64* int64 uint64* int64* uint16* int16* uint8* int32* uint8* int32*"
NATIVE = (
    Native(
        _COMPILED,
        "add_eighths",
        f"uint8* int64 int64 int64 int64 int64* int64 uint8* int64 uint32* int64 int64 {_LANE}",
        _FROZEN,
    ),
)
_SCRATCH = local()
_TOGETHER, _ENTRIES = 5, 1 << 12
"""As ``compiled_walk`` and ``compiled_codes`` have them, which only compiling needs to import."""


def add_eighths(
    data: NDArray[np.uint8],
    head_bytes: int,
    spans: NDArray[np.int64],
    tile_px: Size,
    places: NDArray[np.int64],
    factor: int,
    sums: NDArray[np.uint32],
    *,
    is_ycbcr: bool,
) -> NDArray[np.bool_]:
    """Return which of many JPEGs were added to their boxes, bool (n,): those of which every coded bit is understood.

    Each of its 64 pixels adds the colour of a block, which is what libjpeg shows of a picture at an eighth; where
    chroma is stored for several blocks at once, each of them has it. Of the others nothing is added: whatever is
    unusual, or damaged, is for a whole decoder to judge.

    Parameters
    ----------
    data : uint8 (m,)
        Begins as a JPEG does; tables that all share may follow (TIFF Technical Note 2).
    head_bytes : int
        How long that is.
    spans : int64 (n, 2)
        Where in ``data`` each JPEG lies: first byte and end. Application markers at their begin say nothing here.
    tile_px : Size
        The size that each of them has to have.
    places : int64 (n, 4)
        Column and row of the first block of each, within the boxes; how many of its columns and rows of blocks count.
    factor : int
        Blocks along the edge of a box.
    sums : uint32 (rows, columns, 3)
        Contiguous; takes what is added, RGB.
    is_ycbcr : bool
        Three components are YCbCr, not RGB.

    Raises
    ------
    ValueError
        A block that counts lies in no box, or in no tile; a JPEG lies outside the data.
    """
    done = np.zeros(len(spans), np.uint8)
    if not len(spans):
        return done.view(np.bool_)
    if spans.min() < 0 or spans.max() > data.size or head_bytes > data.size:
        raise ValueError(f"JPEGs from {spans.min()} to {spans.max()} do not lie in {data.size} bytes")
    facts = np.concatenate((spans, places), 1)
    behind, most = (places[:, :2] + places[:, 2:]).max(0), np.array(sums.shape[1::-1]) * factor
    blocks = -(-tile_px.width_px // BLOCK_PX), -(-tile_px.height_px // BLOCK_PX)
    if (behind > most).any() or (places[:, 2:] > blocks).any() or places.min() < 0:
        raise ValueError(f"blocks up to {behind} do not lie in boxes of blocks up to {most}, or not in tiles {tile_px}")
    room = _Room.of_thread(tile_px, int((spans[:, 1] - spans[:, 0]).max()))
    call_native(
        *NATIVE[0][:3], data, head_bytes, tile_px.width_px, tile_px.height_px, int(is_ycbcr), facts, len(spans), done,
        factor, sums, *sums.shape[:2], room.words, room.words.shape[1], room.left, room.slots, room.slots.size,
        room.notes, room.notes.shape[1], room.states, room.facts, room.entries, room.differences, room.kept, room.added,
        room.planes, room.line,
        frozen=_FROZEN,
    )  # fmt: skip
    return done.view(np.bool_)


class _Room:
    """Memory for five JPEGs that are walked through together, as large as any of a size can need."""

    def __init__(self, tile_px: Size, most_bytes: int) -> None:
        self.key = tile_px, most_bytes
        blocks = 4 * -(-tile_px.width_px // (2 * BLOCK_PX)) * -(-tile_px.height_px // (2 * BLOCK_PX))
        slots = 8 * blocks + 2  # of three components; each block may be a restart interval; see compiled_walk.LOST
        self.words = np.zeros((_TOGETHER, most_bytes // 8 + 2 * blocks + 16), np.uint64)
        self.left = np.empty((_TOGETHER, slots), np.uint16)
        self.slots = np.zeros(slots, np.uint16)
        self.notes = np.empty((_TOGETHER, 2 + 2 * blocks), np.int64)
        self.states = np.empty((_TOGETHER, 3), np.uint64)
        self.facts = np.zeros((_TOGETHER + 6, 36), np.int64)
        self.entries = np.zeros((8, _ENTRIES), np.uint16)
        self.differences = np.zeros((2, _ENTRIES), np.int16)
        self.kept = np.zeros((4, 272), np.uint8)
        self.added = np.empty((3, blocks), np.int32)
        self.planes = np.empty((3, blocks), np.uint8)
        self.line = np.empty((3, blocks), np.int32)

    @classmethod
    def of_thread(cls, tile_px: Size, most_bytes: int) -> "_Room":
        """Return the room of this thread, made anew if it is too small or of another size."""
        room: _Room | None = getattr(_SCRATCH, "room", None)
        if room is None or room.key[0] != tile_px or room.key[1] < most_bytes:
            room = _SCRATCH.room = cls(tile_px, most_bytes + most_bytes // 4)
        return room
