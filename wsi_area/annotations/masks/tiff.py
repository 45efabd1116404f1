"""annotations: masks in TIFF files, decoded tile by tile or strip by strip into blocks, whatever their size."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from wsi_area.annotations.masks.codes import (
    PartGrid,
    Piece,
    as_codes,
    in_blocks,
    require_sane_part,
    require_sane_size,
    require_upright,
)
from wsi_area.annotations.raw import noted
from wsi_area.errors import AnnotationError
from wsi_area.frozen_value import frozen_value
from wsi_area.model.drawn_mask import Codes
from wsi_area.model.finding import QaFinding

_ORIENTATION = 274
_PAGES_LOOKED_AT = 32
_REMEMBERED = 256  # tiles of one code throughout that are decoded once: nearly all tiles of a mask are such
_CCITT = (2, 3, 4)
_LOSSLESS = {1: "none", 5: "LZW", 8: "Deflate", 32773: "PackBits", 32946: "Deflate", 34925: "LZMA", 34926: "Zstd",
             50000: "Zstd"}  # fmt: skip
_MIN_IS_WHITE, _PHOTOMETRICS = 0, (0, 1, 3)


@frozen_value
class TiffMask:
    """A mask in a TIFF file, no pixel of it decoded yet."""

    path: Path
    grid: PartGrid
    findings: tuple[QaFinding, ...]
    _page: Any
    _stream: BinaryIO

    def white_findings(self, present: Sequence[int]) -> tuple[QaFinding, ...]:
        """Return the words where the file shows 0 as white; of two values nobody knows which is the shape.

        Parameters
        ----------
        present
            The codes that it holds.
        """
        if int(self._page.photometric) != _MIN_IS_WHITE:
            return ()
        message = (
            "the file shows 0 as white (MINISWHITE); codes are taken as they are stored, so what it shows white is "
            "background"
        )
        if set(present) - {0, (1 << int(self._page.bitspersample)) - 1}:
            return (noted("MASK_MIN_IS_WHITE", "info", message),)
        remedy = "if the shape was drawn white on black, invert it"
        return (noted("MASK_MIN_IS_WHITE", "warning", message, remedy=remedy),)

    def pieces(self) -> Iterator[Piece]:
        """Yield its codes block by block.

        Raises
        ------
        AnnotationError
            A part is damaged, or holds a number that is no code.
        """
        decode, grid = _decoder(self._page), self.grid
        starts, lengths = self._page.dataoffsets, self._page.databytecounts
        across = -(-grid.width_px // grid.part_w)
        one_code: dict[bytes, int] = {}  # packed part → its only code

        def part(row: int, col: int) -> int | Codes:
            index = row * across + col
            if not lengths[index]:
                return 0
            self._stream.seek(starts[index])
            content = self._stream.read(lengths[index])
            if (known := one_code.get(content)) is not None:
                return known
            height = grid.part_h if self._page.is_tiled else min(grid.part_h, grid.height_px - row * grid.part_h)
            codes = as_codes(self.path, decode(content, index, height, grid.part_w))
            if len(one_code) < _REMEMBERED and (codes == codes[0, 0]).all():
                one_code[content] = int(codes[0, 0])
            return codes

        yield from in_blocks(part, grid)


def open_tiff(path: Path, stream: BinaryIO) -> TiffMask:
    """Return the mask in a TIFF file; ``stream`` must stay open while it is read.

    Raises
    ------
    AnnotationError
        It has colours or several planes instead of codes, is packed with loss, too large or cut short.
    """
    from tifffile import TiffFile, TiffFileError

    try:
        tiff = TiffFile(stream)
        page: Any = tiff.pages[0]
        _require_codes(path, tiff, page)
        width, height = int(page.imagewidth), int(page.imagelength)
        part_h, part_w = _part_shape(page)
        require_sane_size(path, width, height)
        require_sane_part(path, part_w, part_h, width, height)
        findings = tuple(_part_findings(path, page, stream))
    except TiffFileError as error:
        raise AnnotationError(f"{path} is damaged ({error}); export it again") from error
    return TiffMask(path, PartGrid(height, width, part_h, part_w), findings, page, stream)


def _part_shape(page: Any) -> tuple[int, int]:
    """Return height and width of the parts that are packed by themselves: tiles, or strips as wide as the picture."""
    if page.is_tiled:
        return int(page.tilelength), int(page.tilewidth)
    return min(int(page.rowsperstrip), int(page.imagelength)), int(page.imagewidth)


def _require_codes(path: Path, tiff: Any, page: Any) -> None:
    """Refuse colours, planes, numbers that are not whole, and packing that changes them."""
    remedy = "save it as an 8-bit grey or palette PNG or TIFF in which each class has one whole number"
    whole = page.dtype is not None and page.dtype.kind in "bui"
    if not whole or page.samplesperpixel != 1 or page.imagedepth != 1 or int(page.photometric) not in _PHOTOMETRICS:
        kind = f"{page.samplesperpixel} samples of {page.dtype}, photometric {int(page.photometric)}"
        raise AnnotationError(f"{path}: a mask holds codes, this TIFF has {kind}; {remedy}")
    require_upright(path, page.tags.valueof(_ORIENTATION, default=1))
    packing = int(page.compression)
    if packing not in _LOSSLESS and packing not in _CCITT:
        name = getattr(page.compression, "name", packing)
        raise AnnotationError(
            f"{path} is packed by {name}, which may change codes ({packing} in the file); save it with Deflate or LZW"
        )
    width, height = page.imagewidth, page.imagelength
    same = 0
    for n, other in enumerate(tiff.pages):
        if n == _PAGES_LOOKED_AT:
            break
        same += (other.imagewidth, other.imagelength) == (width, height)
    if same > 1:
        raise AnnotationError(
            f"{path} holds {same} planes of {width} × {height} px, a mask is one; save the one that is meant"
        )


def _part_findings(path: Path, page: Any, stream: BinaryIO) -> Iterator[QaFinding]:
    """Yield what is to be said of parts that are not stored; one that lies beyond the end of the file is refused."""
    starts, lengths = np.asarray(page.dataoffsets, np.int64), np.asarray(page.databytecounts, np.int64)
    part_h, part_w = _part_shape(page)
    needed = -(-int(page.imagelength) // part_h) * -(-int(page.imagewidth) // part_w)
    size = stream.seek(0, 2)
    if len(starts) < needed or len(lengths) < needed or (starts + lengths > size).any():
        raise AnnotationError(f"{path} is damaged (it ends before its last pixel); export it again")
    absent = (lengths == 0) & (starts == 0)
    if ((lengths == 0) & ~absent).any() or absent.all():
        raise AnnotationError(f"{path} is damaged (parts of it hold no bytes); export it again")
    if absent.any():
        message = f"{int(absent.sum())} of {needed} parts are not stored, which sparse files do for parts of code 0"
        yield noted("MASK_PARTS_ABSENT", "info", message, float(absent.sum()), 0.0, "parts", "check that it is whole")


def _decoder(page: Any) -> Callable[[bytes, int, int, int], NDArray[Any]]:
    """Return the function that unpacks one part into whole numbers (h, w); one too short is an error, never zeros."""
    from tifffile import TIFF

    packing, bits = int(page.compression), int(page.bitspersample)
    unpack: Callable[..., bytes] | None = None if packing in (1, *_CCITT) else TIFF.DECOMPRESSORS[packing]
    order = page.parent.byteorder
    dtype = np.dtype(page.dtype).newbyteorder(order) if bits >= 8 else np.dtype(np.uint8)

    def decode(content: bytes, index: int, height: int, width: int) -> NDArray[Any]:
        if packing in _CCITT:
            return np.asarray(page.decode(content, index)[0]).reshape(height, width)
        row_bytes = -(-width * bits // 8)
        if int(page.fillorder) == 2:
            import imagecodecs

            content = bytes(imagecodecs.bitorder_decode(content))
        found: Any = content if unpack is None else unpack(content, out=height * row_bytes)
        if len(found) < height * row_bytes:
            raise ValueError(f"part {index} holds {len(found)} bytes, {width} × {height} px need {height * row_bytes}")
        raw = np.frombuffer(found, np.uint8, height * row_bytes)
        if bits < 8:
            shifts = np.arange(8 - bits, -1, -bits, dtype=np.uint8)
            spread = (raw.reshape(height, row_bytes, 1) >> shifts) & np.uint8((1 << bits) - 1)
            return spread.reshape(height, -1)[:, :width]
        values = raw.view(dtype).reshape(height, width)
        if int(page.predictor) == 2:
            return np.cumsum(values, axis=1, dtype=dtype.newbyteorder("="))
        return values

    return decode
