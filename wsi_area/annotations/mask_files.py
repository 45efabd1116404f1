"""annotations: masks as PNG or TIFF: whole codes, never colours; the size is bounded before anything is decoded."""

import hashlib
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wsi_area.annotations.mask_names import names_of_codes
from wsi_area.annotations.mask_scale import mask_scale
from wsi_area.annotations.raw import noted
from wsi_area.annotations.untrusted import MAX_MASK_BYTES, require_sane_size
from wsi_area.errors import AnnotationError
from wsi_area.model.drawn import DrawnMask
from wsi_area.model.finding import QaFinding
from wsi_area.model.geometry import Size

_PNG, _JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"
_TIFFS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_BLOCK_PX = 1 << 24
_DECODE_ERRORS = (
    OSError, SyntaxError, ValueError, LookupError, TypeError, ArithmeticError, RuntimeError, EOFError, zlib.error,
)  # fmt: skip
"""What Pillow (SyntaxError), tifffile and imagecodecs (RuntimeError), and zarr's codecs raise on damaged files."""
_REMEDY = "save it as an 8-bit grey or palette PNG in which each class has one whole number"


@dataclass(frozen=True, slots=True)
class MaskFile:
    """A mask with the digest of its file."""

    mask: DrawnMask
    sha256: str
    findings: tuple[QaFinding, ...]


def is_mask(path: Path) -> bool:
    """Return whether a path holds a mask, by its first bytes; a folder is one where it is a zarr store.

    Raises
    ------
    AnnotationError
        It is a JPEG, which has no exact codes.
    """
    if path.is_dir():
        return is_zarr(path)
    try:
        with path.open("rb") as stream:
            head = stream.read(8)
    except OSError as error:
        raise AnnotationError(f"{path} cannot be read ({error.strerror or error}); check the path") from error
    if head.startswith(_JPEG):
        raise AnnotationError(f"{path} is a JPEG, which blurs the codes of a mask; save it as PNG")
    return head.startswith((_PNG, *_TIFFS))


def is_zarr(path: Path) -> bool:
    """Return whether a folder is a zarr array or group."""
    return any((path / name).is_file() for name in ("zarr.json", ".zarray", ".zgroup"))


def read_mask(path: Path, slide: Size, scale: float | None) -> MaskFile:
    """Return the mask in a PNG, a TIFF or a zarr store, with the scale that makes it cover the slide.

    Raises
    ------
    AnnotationError
        It cannot be read, has colours instead of codes, is too large, or does not fit the slide.
    """
    if path.is_dir():
        from wsi_area.annotations.mask_zarr import open_mask_zarr  # zarr is slow to import, and few need it

        codes, own_names, digest = open_mask_zarr(path)
    else:
        codes, own_names, digest = _decoded(path), None, _digest(path)
    height, width = codes.shape
    try:
        scale_x, scale_y = mask_scale(Size(width, height), slide, scale)
    except AnnotationError as error:
        raise AnnotationError(f"{path}: {error}") from error
    try:
        packed, present = _packed(codes)
    except _DECODE_ERRORS as error:  # a zarr array is read only here
        raise AnnotationError(f"{path} is damaged ({error}); export it again") from error
    names, findings = names_of_codes(path, present) if own_names is None else (own_names, ())
    if scale is None and (scale_x, scale_y) != (1.0, 1.0):
        message = f"its scale is taken from the sizes: {scale_x:.8g} × {scale_y:.8g} level-0 px per mask px"
        findings = (*findings, noted("MASK_SCALE_DERIVED", "info", message, scale_x, remedy="state --annotation-scale"))
    return MaskFile(DrawnMask(packed, width, height, scale_x, scale_y, names), digest, findings)


def _decoded(path: Path) -> NDArray[np.uint8]:
    with path.open("rb") as stream:
        decode: Callable[[Path], NDArray[np.uint8]] = _png if stream.read(8) == _PNG else _tiff
    try:
        return decode(path)
    except AnnotationError:
        raise
    except _DECODE_ERRORS as error:
        raise AnnotationError(f"{path} is damaged ({error}); export it again") from error


def _png(path: Path) -> NDArray[np.uint8]:
    # the plug-in is called directly: `Image.open` would apply a size limit that is global to the process
    from PIL.PngImagePlugin import PngImageFile

    with path.open("rb") as stream:
        depth_bits = stream.read(25)[24:25]  # of IHDR: Pillow stretches 2 and 4 bits of grey to 8
    with PngImageFile(path) as image:
        if image.mode not in ("1", "L", "P") or (image.mode == "L" and depth_bits != b"\x08"):
            raise AnnotationError(f"{path}: a mask holds codes, this PNG has pixels of mode {image.mode}; {_REMEDY}")
        require_sane_size(path, *image.size)
        return np.asarray(image).astype(np.uint8)


def _tiff(path: Path) -> NDArray[np.uint8]:
    from tifffile import TiffFile, TiffFileError

    try:
        with TiffFile(path) as tiff:
            page = tiff.pages[0]
            width, height = int(page.imagewidth), int(page.imagelength)
            plain = str(page.dtype) in ("uint8", "bool") and page.samplesperpixel == 1 and page.imagedepth == 1
            if not plain or int(page.photometric) not in (1, 3):
                kind = f"{page.samplesperpixel} samples of {page.dtype}, photometric {int(page.photometric)}"
                raise AnnotationError(f"{path}: a mask holds codes, this TIFF has {kind}; {_REMEDY}")
            require_sane_size(path, width, height)
            require_sane_size(path, *page.chunks[:2])  # a tile may claim to be larger than its picture
            # a part that lies beyond the end of the file would be read as zeros, and be taken for background
            ends = [start + length for start, length in zip(page.dataoffsets, page.databytecounts, strict=True)]
            if max(ends) > path.stat().st_size or 0 in page.databytecounts:
                raise AnnotationError(f"{path} is damaged (it ends before its last pixel); export it again")
            return np.asarray(page.asarray()).astype(np.uint8).reshape(height, width)
    except TiffFileError as error:
        raise AnnotationError(f"{path} is damaged ({error}); export it again") from error


def _packed(codes: Any) -> tuple[bytes, tuple[int, ...]]:
    """Return the codes compressed row by row, and which codes there are; a block of rows is held at a time."""
    height, width = codes.shape
    rows = max(1, _BLOCK_PX // width)
    squeeze, present = zlib.compressobj(level=1), np.zeros(256, np.bool_)
    parts = []
    for top in range(0, height, rows):
        block = np.ascontiguousarray(codes[top : top + rows], dtype=np.uint8)
        present |= np.bincount(block.ravel(), minlength=256) > 0
        parts.append(squeeze.compress(block.data))
    return b"".join([*parts, squeeze.flush()]), tuple(int(code) for code in np.flatnonzero(present))


def _digest(path: Path) -> str:
    size_bytes = path.stat().st_size
    if size_bytes > MAX_MASK_BYTES:
        raise AnnotationError(f"{path} has {size_bytes} bytes, the limit is {MAX_MASK_BYTES}; save it compressed")
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
