"""annotations: masks as PNG or TIFF: whole codes, never colours; the size is bounded before anything is decoded."""

import hashlib
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np

from wsi_area.annotations.masks.codes import MAX_MASK_BYTES, MAX_WHOLE_PX, as_codes, require_sane_size, require_upright
from wsi_area.annotations.masks.names import names_of_codes
from wsi_area.annotations.masks.scale import FittedScale, mask_scale
from wsi_area.annotations.masks.tiff import open_tiff
from wsi_area.annotations.raw import noted
from wsi_area.errors import AnnotationError
from wsi_area.frozen_value import frozen_value
from wsi_area.model.drawn_mask import Codes, DrawnMask, mask_of, packed_mask
from wsi_area.model.finding import QaFinding
from wsi_area.model.geometry import Size

_PNG, _JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"
_TIFFS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_DECODE_ERRORS = (
    OSError, SyntaxError, ValueError, LookupError, TypeError, ArithmeticError, RuntimeError, EOFError, zlib.error,
)  # fmt: skip
"""What Pillow (SyntaxError), tifffile and imagecodecs (RuntimeError), and zarr's codecs raise on damaged files."""
_REMEDY = "save it as an 8-bit grey or palette PNG in which each class has one whole number"


@frozen_value
class MaskFile:
    """A mask with the digest of its file."""

    mask: DrawnMask
    sha256: str
    findings: tuple[QaFinding, ...]


def is_mask(path: Path) -> bool:
    """Return True if a path holds a mask, by its first bytes; a folder is one where it is a zarr store.

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
    """Return True if a folder is a zarr array or group."""
    return any((path / name).is_file() for name in ("zarr.json", ".zarray", ".zgroup"))


def read_mask(path: Path, slide: Size, scale: float | None) -> MaskFile:
    """Return the mask in a PNG, a TIFF or a zarr store, with the scale that makes it cover the slide.

    TIFF and zarr are read part by part, so that a mask of level 0 takes what its codes take when they are packed.

    Raises
    ------
    AnnotationError
        It cannot be read, has colours instead of codes, is too large, or does not fit the slide.
    """
    try:
        return _from_zarr(path, slide, scale) if path.is_dir() else _from_file(path, slide, scale)
    except AnnotationError as error:
        raise AnnotationError(str(error) if str(path) in str(error) else f"{path}: {error}") from error
    except _DECODE_ERRORS as error:
        raise AnnotationError(f"{path} is damaged ({error}); export it again") from error


def _from_zarr(path: Path, slide: Size, scale: float | None) -> MaskFile:
    from wsi_area.annotations.masks.zarr_store import open_mask_zarr  # zarr is slow to import, and few need it

    opened = open_mask_zarr(path)
    fitted = _fitted(path, opened.grid.size, slide, scale)
    mask = packed_mask(opened.pieces(), opened.grid.row_edges, opened.grid.column_edges, MAX_MASK_BYTES)
    return _mask_file(path, mask, slide, fitted, opened.names, opened.digest, ())


def _from_file(path: Path, slide: Size, scale: float | None) -> MaskFile:
    with path.open("rb") as stream:
        if stream.read(8) == _PNG:
            codes = _png(path)
            fitted = _fitted(path, Size(codes.shape[1], codes.shape[0]), slide, scale)
            return _mask_file(path, mask_of(codes, {}), slide, fitted, None, _digest(path), ())
        stream.seek(0)
        opened = open_tiff(path, stream)
        fitted = _fitted(path, opened.grid.size, slide, scale)
        mask = packed_mask(opened.pieces(), opened.grid.row_edges, opened.grid.column_edges, MAX_MASK_BYTES)
        noticed = (*opened.findings, *opened.white_findings(mask.codes_present))
        return _mask_file(path, mask, slide, fitted, None, _digest(path), noticed)


def _fitted(path: Path, mask: Size, slide: Size, scale: float | None) -> FittedScale:
    try:
        return mask_scale(mask, slide, scale)
    except AnnotationError as error:
        raise AnnotationError(f"{path}: {error}") from error


def _mask_file(
    path: Path,
    mask: DrawnMask,
    slide: Size,
    fitted: FittedScale,
    own_names: dict[int, str] | None,
    digest: str,
    findings: tuple[QaFinding, ...],
) -> MaskFile:
    """Return a mask with its scale and its names, and all that was noticed."""
    names, noticed = names_of_codes(path, mask.codes_present) if own_names is None else (own_names, ())
    placed = replace(mask, scale_x=fitted.x, scale_y=fitted.y, names=names)
    return MaskFile(placed, digest, (*findings, *noticed, *fitted.findings, *_beyond(placed, slide)))


def _beyond(mask: DrawnMask, slide: Size) -> tuple[QaFinding, ...]:
    """Return the finding that codes lie in what a mask has beyond the slide; padding has none."""
    rows, columns = -(-slide.height_px // mask.scale_y), -(-slide.width_px // mask.scale_x)
    if rows >= mask.height_px and columns >= mask.width_px:
        return ()
    beyond_px = 0
    for top, bottom, left, right, codes in mask.pieces():
        if bottom > rows or right > columns:
            drawn = np.broadcast_to(np.asarray(codes) != 0, (bottom - top, right - left))
            inside = drawn[: max(0, int(rows) - top), : max(0, int(columns) - left)]
            beyond_px += int(drawn.sum()) - int(inside.sum())
    if not beyond_px:
        return ()
    message = f"{beyond_px} mask px with codes lie beyond the edge of the slide and are not counted"
    remedy = "is it the mask of this slide, at this scale? What is padded to tiles has code 0 there"
    return (noted("MASK_BEYOND_SLIDE", "warning", message, float(beyond_px), 0.0, "mask px", remedy),)


def _png(path: Path) -> Codes:
    # the plug-in is called directly: `Image.open` would apply a size limit that is global to the process
    from PIL.PngImagePlugin import PngImageFile

    with path.open("rb") as stream:
        depth_bits = stream.read(25)[24:25]  # of IHDR: Pillow stretches 2 and 4 bits of grey to 8
    with PngImageFile(path) as image:
        sixteen = image.mode in ("I", "I;16") and depth_bits == b"\x10"
        if not sixteen and (image.mode not in ("1", "L", "P") or (image.mode == "L" and depth_bits != b"\x08")):
            raise AnnotationError(f"{path}: a mask holds codes, this PNG has pixels of mode {image.mode}; {_REMEDY}")
        require_sane_size(path, *image.size, MAX_WHOLE_PX)
        if "exif" in image.info:
            require_upright(path, image.getexif().get(274))
        return as_codes(path, np.asarray(image))


def _digest(path: Path) -> str:
    size_bytes = path.stat().st_size
    if size_bytes > MAX_MASK_BYTES:
        raise AnnotationError(f"{path} has {size_bytes} bytes, the limit is {MAX_MASK_BYTES}; save it compressed")
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
