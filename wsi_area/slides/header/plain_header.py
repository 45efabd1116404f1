"""slides: PNG, JPEG and TIFF without a pyramid, as a slide of one level; headers only."""

import struct
import warnings
from pathlib import Path

import numpy as np
import tifffile
from PIL import JpegImagePlugin, PngImagePlugin
from PIL.Image import Image

from wsi_area.compute.first_bytes import first_bytes
from wsi_area.errors import SlideOpenError
from wsi_area.model.calibration import MppCandidate
from wsi_area.model.geometry import Size
from wsi_area.model.slide import Level, SlideInfo
from wsi_area.slides.header.fingerprint import digests
from wsi_area.slides.header.mpp_sources import density_claim
from wsi_area.slides.header.plain_depth import SampleDepth, declared_depth, depth_of
from wsi_area.slides.header.plain_tiff import MAX_PLAIN_PX, rational, tiff_header, tiff_obstacle, tiff_samples

HEADER_ERRORS = (
    OSError, SyntaxError, ValueError, KeyError, IndexError, TypeError, ArithmeticError, struct.error,
    tifffile.TiffFileError,
)  # fmt: skip
"""What Pillow and tifffile raise on damaged headers (Pillow: SyntaxError for a broken PNG)."""

DEEP_MODE = "I;16"
"""Pillow's name for one channel of 16-bit samples."""

_PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
_JPEG_MAGIC = b"\xff\xd8\xff"
_TIFF_MAGICS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_PILLOW_MODES = ("1", "L", "LA", "P", "RGB", "RGBA", DEEP_MODE)
_EXIF_X, _EXIF_Y, _EXIF_UNIT = 282, 283, 296
_EXIF_UNITS = {2: "inch", 3: "cm"}


def inspect_plain(file: Path, slide_id: str, vendor: str) -> SlideInfo:
    """Return a slide of one level for a plain image.

    Raises
    ------
    SlideOpenError
        It is no PNG, JPEG or TIFF, is damaged, is neither 8-bit grey or RGB nor 16-bit grey, or is too large to
        decode whole.
    """
    kind = image_kind(file)
    try:
        size, claims = tiff_header(file) if kind == "tiff" else _pillow_header(file, kind)
    except SlideOpenError:
        raise
    except HEADER_ERRORS as error:
        raise SlideOpenError(f"{file}: its {kind.upper()} header is damaged ({error}); export it again") from error
    if not 0 < size.area_px <= MAX_PLAIN_PX:
        raise SlideOpenError(
            f"{file}: {size.width_px} × {size.height_px} px cannot be decoded whole, the limit is "
            f"{MAX_PLAIN_PX} px; save it as a tiled TIFF"
        )
    depth = _sample_depth(file, kind)
    status = file.stat()
    fingerprint, content_digest = digests(file, None)
    return SlideInfo(
        slide_id=slide_id,
        path=str(file),
        vendor=vendor,
        size_l0_px=size,
        levels=(Level(0, size, 1.0, 1.0),),
        fingerprint=fingerprint,
        file_bytes=status.st_size,
        mtime_ns=status.st_mtime_ns,
        mpp_candidates=claims,
        content_digest=content_digest,
        properties={"plain.format": kind, **({} if depth is None else depth.properties)},
    )


def _sample_depth(file: Path, kind: str) -> SampleDepth | None:
    """Return how many bits the samples of a 16-bit picture use; decoded only where the file does not say it.

    Raises
    ------
    SlideOpenError
        They cannot be decoded.
    """
    try:
        if kind == "tiff":
            with tifffile.TiffFile(file) as tiff:
                page = tiff.pages[0]
                if str(page.dtype) == "uint8":
                    return None
                tags = {tag.name: tag.value for tag in page.tags}
                declared = declared_depth(tags, str(tags.get("ImageDescription", "")))
                return declared or depth_of(tiff_samples(page, file.stat().st_size))
        with open_pillow(file, kind) as image:
            return depth_of(np.asarray(image, np.uint16)) if image.mode == DEEP_MODE else None
    except (*HEADER_ERRORS, EOFError, RuntimeError) as error:
        raise SlideOpenError(
            f"{file}: its 16-bit pixels cannot be decoded ({error}), and nothing else says how many bits they use; "
            "export it again"
        ) from error


def image_kind(file: Path) -> str:
    """Return ``png``, ``jpeg`` or ``tiff``, by the first bytes; names prove nothing.

    Raises
    ------
    SlideOpenError
        It is none of them.
    """
    with file.open("rb") as stream:
        head = stream.read(16)
    if head.startswith(_PNG_MAGIC):
        return "png"
    if head.startswith(_JPEG_MAGIC):
        return "jpeg"
    if head.startswith(_TIFF_MAGICS):
        return "tiff"
    raise SlideOpenError(
        f"{file}: neither OpenSlide nor we know this format (it begins with {first_bytes(head)}); "
        "it may be truncated or renamed, or one file of several: copy the slide again with its companions"
    )


def open_pillow(file: Path, kind: str) -> Image:
    """Return a PNG or JPEG with its header read and no pixel decoded.

    The plug-ins are called directly: ``Image.open`` would refuse large images by a limit that is global to
    the process; ours is ``MAX_PLAIN_PX``.
    """
    plugin = PngImagePlugin.PngImageFile if kind == "png" else JpegImagePlugin.JpegImageFile
    return plugin(file)


def _pillow_header(file: Path, kind: str) -> tuple[Size, tuple[MppCandidate, ...]]:
    with open_pillow(file, kind) as image:
        if image.mode not in _PILLOW_MODES:
            raise SlideOpenError(
                f"{file}: pixels of mode {image.mode} are neither 8-bit grey or RGB nor 16-bit grey; "
                "save it as 8-bit RGB"
            )
        claims = _png_claims(image) if kind == "png" else _jpeg_claims(image)
        return Size(*image.size), tuple(claims)


def _png_claims(image: Image) -> list[MppCandidate]:
    dpi = image.info.get("dpi")  # from pHYs, and only where its unit is the metre
    if dpi is None:
        return []
    x_dpi, y_dpi = dpi
    return list(density_claim(x_dpi, y_dpi, "inch", "png.pHYs"))


def _jpeg_claims(image: Image) -> list[MppCandidate]:
    claims: list[MppCandidate] = []
    density = image.info.get("jfif_density")
    unit = {1: "inch", 2: "cm"}.get(image.info.get("jfif_unit", 0))
    if density is not None and unit is not None:
        x_density, y_density = density
        claims += density_claim(x_density, y_density, unit, "jfif.density")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow warns of damaged EXIF; we take what is there
        exif = image.getexif()
    if _EXIF_X in exif and _EXIF_Y in exif:
        unit = _EXIF_UNITS.get(exif.get(_EXIF_UNIT, 2), "")
        claims += density_claim(rational(exif[_EXIF_X]), rational(exif[_EXIF_Y]), unit, "exif.XResolution")
    return claims


def is_deep_grey(file: Path) -> bool:
    """Return whether a TIFF is one grey picture of 16 bits a sample that can be decoded whole.

    Of such a picture OpenSlide keeps the eight highest of all sixteen bits, however few of them the camera used.
    """
    try:
        with tifffile.TiffFile(file) as tiff:
            page = tiff.pages[0]
            is_deep = str(page.dtype) == "uint16" and page.size <= MAX_PLAIN_PX
            return is_deep and tiff_obstacle(tiff, page) is None
    except HEADER_ERRORS:  # whatever is wrong with it, OpenSlide says
        return False
