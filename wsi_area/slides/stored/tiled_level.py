"""slides: the stored tiles of one level, whatever file format keeps them: where they lie, and how they are coded."""

from array import array
from collections.abc import Iterable, Sequence

from wsi_area.frozen_value import frozen_value
from wsi_area.model.geometry import Size

JPEG, JPEG2000_YCBCR, JPEG2000_RGB = 7, 33003, 33005
UNCOMPRESSED, LZW, DEFLATES = 1, 5, (8, 32946)
COMPRESSIONS = (UNCOMPRESSED, LZW, JPEG, *DEFLATES, JPEG2000_YCBCR, JPEG2000_RGB)
"""As TIFF numbers them."""

MAX_TILE_PX = 1 << 26
JPEG_START, JPEG_END = b"\xff\xd8", b"\xff\xd9"
_ADOBE = b"\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00"  # APP14, its last byte (the transform) to follow


@frozen_value
class TiledLevel:
    """The stored tiles of one level, row by row."""

    size_px: Size
    tile_px: Size
    tiles_across: int
    tiles_down: int
    offsets: Sequence[int]
    byte_counts: Sequence[int]  # 0 where the tile is missing
    compression: int
    predictor: int
    is_ycbcr: bool
    jpeg_head: bytes  # what stands before each tile's own data: see jpeg_head()
    shared: frozenset[int] = frozenset()  # tiles whose bytes another tile claims, too
    files: tuple[str, ...] = ()  # the files that hold them; empty: the slide's own
    file_numbers: Sequence[int] = ()  # of each tile, which of these files; empty: the first
    is_in_items: bool = False  # each tile lies in items of DICOM, with a head of their own
    is_full: bool = False  # by its header or its vendor it holds all tiles: one of no bytes is lost, not missing
    is_interval: bool = False  # each tile is what lies between two restart markers of one JPEG, whose head is jpeg_head

    @property
    def missing(self) -> tuple[int, ...]:
        """Return the indices of the tiles that the file does not hold: those of no bytes, which is OpenSlide's rule."""
        if 0 not in self.byte_counts:  # all but always, and told in no time
            return ()
        return tuple(i for i, count in enumerate(self.byte_counts) if count == 0)

    def file_of(self, index: int) -> int:
        """Return the number of the file that holds a tile."""
        return self.file_numbers[index] if self.file_numbers else 0


def compact(numbers: Iterable[int]) -> Sequence[int]:
    """Return whole numbers at 8 bytes each, which is a fifth of what a tuple takes; a tuple where one needs more."""
    known = tuple(numbers)
    try:
        return array("q", known)
    except OverflowError:
        return known


def jpeg_head(tables: bytes | None, is_ycbcr: bool) -> bytes:
    """Return the bytes that make one stored JPEG readable by itself, in place of its first marker.

    They are the tables that all tiles share (TIFF Technical Note 2) and an Adobe marker that says what the components
    are: the slide knows that, a JPEG without markers of its own (Aperio's RGB) does not.

    >>> jpeg_head(None, is_ycbcr=False).hex(" ")
    'ff d8 ff ee 00 0e 41 64 6f 62 65 00 64 00 00 00 00 00'
    """
    transform = bytes([1 if is_ycbcr else 0])
    start, end = len(JPEG_START), -len(JPEG_END)
    return JPEG_START + _ADOBE + transform + (tables[start:end] if tables else b"")
