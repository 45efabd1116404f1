"""slides: PNG, JPEG and TIFF without a pyramid, as a slide of one level; headers only."""

import struct
import warnings
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import tifffile

from wsi_area.compute.first_bytes import first_bytes
from wsi_area.errors import SlideOpenError
from wsi_area.frozen_value import frozen_value
from wsi_area.model.calibration import Mpp, MppCandidate
from wsi_area.model.geometry import Size
from wsi_area.model.picture import ANY_PICTURE, Picture, PictureChoice, Role, StoredPart
from wsi_area.model.slide import Level, SlideInfo
from wsi_area.slides.header.descriptions.words import words_in_a_picture
from wsi_area.slides.header.fingerprint import digests
from wsi_area.slides.header.found_picture import FoundPicture
from wsi_area.slides.header.mpp_sources import Claim, density_claim
from wsi_area.slides.header.one_picture import OnePicture, one_picture
from wsi_area.slides.header.tiff_directories import Directory
from wsi_area.slides.header.tiff_slide import (
    further_claims,
    ome_power,
    split_claims,
    tag_claims,
    tiff_slide,
    with_claims,
)
from wsi_area.slides.stored.opened_tiff import opened_tiff
from wsi_area.slides.stored.plain_depth import SampleDepth, declared_depth, depth_of
from wsi_area.slides.stored.plain_tiff import (
    MAX_PLAIN_PX,
    one_of_samples,
    rational,
    tiff_obstacle,
    tiff_pages,
    tiff_samples,
)
from wsi_area.slides.stored.turning import is_lying, turned_size

if TYPE_CHECKING:  # Pillow is loaded for PNG and JPEG
    from PIL.Image import Image

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
_EXIF_ORIENTATION, _EXIF_X, _EXIF_Y, _EXIF_UNIT = 274, 282, 283, 296
_EXIF_UNITS = {2: "inch", 3: "cm"}


def inspect_plain(
    file: Path,
    slide_id: str,
    vendor: str,
    directories: tuple[Directory, ...] = (),
    choice: PictureChoice = ANY_PICTURE,
) -> SlideInfo:
    """Return a slide of one level for a plain image, turned as it is shown.

    Raises
    ------
    SlideOpenError
        It is no PNG, JPEG or TIFF, is damaged, is neither 8-bit grey or RGB nor 16-bit grey, is too large to
        decode whole, or holds several pictures of which nothing says which is meant.
    """
    kind = image_kind(file)
    try:
        is_tiff = kind == "tiff"
        found = _tiff_picture(file, directories, choice) if is_tiff else _pillow_picture(file, kind, choice)
    except SlideOpenError:
        raise
    except HEADER_ERRORS as error:
        raise SlideOpenError(f"{file}: its {kind.upper()} header is damaged ({error}); export it again") from error
    stored = found.size_px
    if not 0 < stored.area_px <= MAX_PLAIN_PX:
        raise SlideOpenError(
            f"{file}: {stored.width_px} × {stored.height_px} px cannot be decoded whole, the limit is "
            f"{MAX_PLAIN_PX} px; save it as a tiled TIFF"
        )
    depth = _sample_depth(file, kind, found.one.parts)
    status = file.stat()
    fingerprint, content_digest = digests(file, None)
    read, unread = split_claims([_turned_claim(claim, found.orientation) for claim in found.claims])
    size = turned_size(stored, found.orientation)
    return SlideInfo(
        slide_id=slide_id,
        path=str(file),
        vendor=vendor,
        size_l0_px=size,
        levels=(Level(0, size, 1.0, 1.0),),
        fingerprint=fingerprint,
        file_bytes=status.st_size,
        mtime_ns=status.st_mtime_ns,
        objective_power=found.power,
        mpp_candidates=read,
        content_digest=content_digest,
        unread_claims=unread,
        pictures=with_claims(found.one.listed, read),
        choice=choice,
        picture_note=found.one.note,
        colours_assumed=found.one.is_assumed,
        level_parts=(found.one.parts,) if found.one.parts else (),
        orientation=found.orientation,
        is_turned=True,
        properties={"plain.format": kind, **({} if depth is None else depth.properties)},
    )


@frozen_value
class _PlainPicture:
    """What a header says of a plain image."""

    size_px: Size  # as stored
    one: OnePicture
    claims: tuple[Claim, ...]
    orientation: int
    power: float | None = None


def _tiff_picture(file: Path, directories: tuple[Directory, ...], choice: PictureChoice) -> _PlainPicture:
    if not directories or directories[0].size_px.area_px == 0:
        raise SlideOpenError(
            f"{file}: the file ends before the directory of its first picture; it was cut short: copy it again and "
            "compare the sizes"
        )
    meant = tiff_slide(file, None, directories, choice)
    parts = meant.one.parts
    with opened_tiff(file) as tiff:
        pages = tiff_pages(tiff, parts)
        obstacle = tiff_obstacle(pages, parts)
        if obstacle is not None:
            raise SlideOpenError(f"{file}: {obstacle}; save it as an 8-bit grey or RGB TIFF, or as 16-bit grey")
        size = Size(int(pages[0].imagewidth), int(pages[0].imagelength))
    claims = (*further_claims(file, meant), *tag_claims(meant))
    return _PlainPicture(size, meant.one, claims, meant.orientation, ome_power(meant))


def _turned_claim(claim: Claim, orientation: int) -> Claim:
    """Return a claim with its axes as they are shown."""
    if not isinstance(claim, MppCandidate) or not is_lying(orientation):
        return claim
    stated = claim.describes_px
    return replace(
        claim,
        mpp=Mpp(claim.mpp.y, claim.mpp.x),
        describes_px=None if stated is None else turned_size(stated, orientation),
    )


def _sample_depth(file: Path, kind: str, parts: tuple[StoredPart, ...]) -> SampleDepth | None:
    """Return the number of bits that the samples of a 16-bit picture use; decoded only where the file does not say it.

    Raises
    ------
    SlideOpenError
        They cannot be decoded.
    """
    try:
        if kind == "tiff":
            with opened_tiff(file) as tiff:
                page = tiff_pages(tiff, parts)[0]
                if str(page.dtype) == "uint8":
                    return None
                tags = {tag.name: tag.value for tag in page.tags}
                declared = declared_depth(tags, tiff.pages.first.description)
                if declared is not None:
                    return declared
                samples = one_of_samples(tiff_samples(page, file.stat().st_size), page, parts[0].sample)
                return depth_of(samples)
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


def open_pillow(file: Path, kind: str) -> "Image":
    """Return a PNG or JPEG with its header read and no pixel decoded.

    The plug-ins are called directly: ``Image.open`` would refuse large images by a limit that is global to
    the process; ours is ``MAX_PLAIN_PX``.
    """
    from PIL import JpegImagePlugin, PngImagePlugin

    plugin = PngImagePlugin.PngImageFile if kind == "png" else JpegImagePlugin.JpegImageFile
    return plugin(file)


def _pillow_picture(file: Path, kind: str, choice: PictureChoice) -> _PlainPicture:
    with open_pillow(file, kind) as image:
        if image.mode not in _PILLOW_MODES:
            raise SlideOpenError(
                f"{file}: pixels of mode {image.mode} are neither 8-bit grey or RGB nor 16-bit grey; "
                "save it as 8-bit RGB"
            )
        size, exif = Size(*image.size), _exif_of(image)
        claims = _png_claims(image) if kind == "png" else _jpeg_claims(image, exif)
        claims += words_in_a_picture(image.info, exif)
        many = int(getattr(image, "n_frames", 1)) if kind == "png" else 1
        found = [_frame(number, many, image, size) for number in range(many)]
    stated = exif.get(_EXIF_ORIENTATION, 1)
    orientation = stated if isinstance(stated, int) and 1 <= stated <= 8 else 1
    return _PlainPicture(size, one_picture(file, found, choice), tuple(claims), orientation)


def _frame(number: int, many: int, image: "Image", size: Size) -> FoundPicture:
    """Return one picture of a PNG or JPEG; an animated PNG has many, and only the first is decoded."""
    dtype = "uint16" if image.mode == DEEP_MODE else "uint8"
    role: Role = "slide" if many == 1 else "plane"
    picture = Picture(number, "", role, size, len(image.getbands()), dtype, time=number if many > 1 else None)
    obstacle = "" if number == 0 else "it is a later frame of an animation"
    return FoundPicture(picture, 0, True, obstacle=obstacle)


def _exif_of(image: "Image") -> Mapping[int, Any]:
    """Return EXIF as it stands before the pixels, which are not decoded for it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow warns of damaged EXIF; we take what is there
        if image.format == "PNG" and "exif" not in image.info:
            return {}  # Pillow would decode all of it to look behind the pixels
        return image.getexif()


def _png_claims(image: "Image") -> list[Claim]:
    dpi = image.info.get("dpi")  # from pHYs, and only where its unit is the metre
    if dpi is None:
        return []
    x_dpi, y_dpi = dpi
    return list(density_claim(x_dpi, y_dpi, "inch", "png.pHYs"))


def _jpeg_claims(image: "Image", exif: Mapping[int, Any]) -> list[Claim]:
    claims: list[Claim] = []
    density = image.info.get("jfif_density")
    unit = {1: "inch", 2: "cm"}.get(image.info.get("jfif_unit", 0))
    if density is not None and unit is not None:
        x_density, y_density = density
        claims += density_claim(x_density, y_density, unit, "jfif.density")
    if _EXIF_X in exif and _EXIF_Y in exif:
        unit = _EXIF_UNITS.get(exif.get(_EXIF_UNIT, 2), "")
        claims += density_claim(rational(exif[_EXIF_X]), rational(exif[_EXIF_Y]), unit, "exif.XResolution")
    return claims


def is_deep_grey(file: Path) -> bool:
    """Return True if a TIFF's first picture is grey, of 16 bits a sample.

    Of such a picture OpenSlide keeps the eight highest of all sixteen bits, however few of them the camera used.
    """
    try:
        with opened_tiff(file) as tiff:
            page = tiff.pages[0]
            return str(page.dtype) == "uint16" and tiff_obstacle([page], ()) is None
    except HEADER_ERRORS:  # whatever is wrong with it, OpenSlide says
        return False
