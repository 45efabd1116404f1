"""slides: what a file says of itself, before a pixel of it is decoded."""

import os
from pathlib import Path

import openslide
from openslide import lowlevel

from wsi_area.errors import SlideOpenError
from wsi_area.model.geometry import Region, Size
from wsi_area.model.slide import Level, SlideInfo
from wsi_area.slides.header.companion_files import DICOM_SUFFIXES, HAMAMATSU_SUFFIXES, MRXS_SUFFIX
from wsi_area.slides.header.dicom import slide_in_folder
from wsi_area.slides.header.fingerprint import digests
from wsi_area.slides.header.mpp_sources import Properties, imaged_volume_mm, slide_candidates
from wsi_area.slides.header.tile_sizes import refuse_oversized_tiles
from wsi_area.slides.header.units import positive_number
from wsi_area.slides.lanes.openslide_lane import open_handle

PLAIN_VENDOR = "plain-image"
SLIDE_SUFFIXES = frozenset(
    {".svs", ".svslide", ".ndpi", ".ndpis", ".scn", ".bif", ".czi", MRXS_SUFFIX, *HAMAMATSU_SUFFIXES, *DICOM_SUFFIXES}
)
"""Names that only slides have: such a file is never taken for a plain image, however much of one is left in it."""

MAX_SIDE_PX = 1 << 21
"""A header that claims more than 2.1 million pixels a side (52 cm at 0.25 µm) is damaged or hostile."""

_NOTE_CHARS = 200
_KEPT = (
    *("openslide.vendor", "openslide.quickhash-1", "openslide.objective-power"),
    *("openslide.mpp-x", "openslide.mpp-y", "aperio.AppMag", "aperio.MPP", "hamamatsu.SourceLens"),
    *("hamamatsu.XOffsetFromSlideCentre", "hamamatsu.YOffsetFromSlideCentre"),
    *(
        "tiff.XResolution",
        "tiff.YResolution",
        "tiff.ResolutionUnit",
        "tiff.Software",
        "tiff.Make",
        "tiff.Model",
    ),
    *("dicom.Manufacturer", "dicom.ManufacturerModelName", "dicom.TransferSyntaxUID"),
    *("dicom.PhotometricInterpretation", "dicom.ImagedVolumeWidth", "dicom.ImagedVolumeHeight"),
)


def inspect(path: str | os.PathLike[str], *, slide_id: str | None = None) -> SlideInfo:
    """Return the geometry, the levels and every pixel-size claim of a slide.

    ``slide_id`` defaults to the stem of the file, or to the name of a folder of DICOM files.

    Raises
    ------
    SlideOpenError
        The file is missing, unreadable, empty, not an image, or damaged.
    """
    given = Path(os.path.abspath(path))
    file = _existing_file(given)
    name = slide_id if slide_id is not None else (given.name if given.is_dir() else given.stem)
    try:
        vendor = openslide.OpenSlide.detect_format(file)
    except openslide.OpenSlideError as error:
        raise SlideOpenError(f"{file}: OpenSlide cannot read it ({error}); copy the file again") from error
    if vendor is None:
        # imported here: only a plain image needs it
        from wsi_area.slides.header.plain_header import inspect_plain

        plain = inspect_plain(file, name, PLAIN_VENDOR)
        if file.suffix.lower() in SLIDE_SUFFIXES:
            raise SlideOpenError(
                f"{file}: OpenSlide does not recognise it as the slide that its name {file.suffix} promises; it is "
                "truncated, damaged or misnamed: copy it again, or rename it if it is a plain image"
            )
        return plain
    refuse_oversized_tiles(file)
    if vendor == "generic-tiff":
        from wsi_area.slides.header.plain_header import inspect_plain, is_deep_grey

        if is_deep_grey(file):
            return inspect_plain(file, name, PLAIN_VENDOR)
    return _inspect_slide(file, name, vendor)


def _existing_file(path: Path) -> Path:
    """Return the file to open: the path itself, or the slide among the DICOM files of a folder."""
    if path.is_dir():
        return slide_in_folder(path)
    try:
        size_bytes = path.stat().st_size
        with path.open("rb"):
            pass
    except FileNotFoundError as error:
        raise SlideOpenError(f"{path}: there is no such file; check the path or the mount") from error
    except PermissionError as error:
        raise SlideOpenError(f"{path}: permission denied; ask its owner for read access") from error
    except OSError as error:
        raise SlideOpenError(f"{path}: {error.strerror}; check the disk or the mount") from error
    if size_bytes == 0:
        raise SlideOpenError(f"{path}: the file is empty (0 bytes); copy or export it again")
    return path


def _inspect_slide(file: Path, slide_id: str, vendor: str) -> SlideInfo:
    handle = open_handle(str(file))
    try:
        properties = {key: lowlevel.get_property_value(handle, key) for key in lowlevel.get_property_names(handle)}
        sizes = [
            Size(*lowlevel.get_level_dimensions(handle, level)) for level in range(lowlevel.get_level_count(handle))
        ]
    except openslide.OpenSlideError as error:
        raise SlideOpenError(f"{file}: OpenSlide cannot read its header ({error}); copy it again") from error
    finally:
        lowlevel.close(handle)
    for size in sizes:
        require_sane_size(file, size)
    status = file.stat()
    fingerprint, content_digest = digests(file, properties.get("openslide.quickhash-1"))
    return SlideInfo(
        slide_id=slide_id,
        path=str(file),
        vendor=vendor,
        size_l0_px=sizes[0],
        levels=levels_of(sizes, properties),
        fingerprint=fingerprint,
        file_bytes=status.st_size,
        mtime_ns=status.st_mtime_ns,
        objective_power=positive_number(properties.get("openslide.objective-power")),
        bounds_l0_px=_bounds(properties),
        mpp_candidates=slide_candidates(vendor, properties, sizes[0]),
        imaged_volume_mm=imaged_volume_mm(properties),
        content_digest=content_digest,
        properties=_record(vendor, properties),
    )


def require_sane_size(file: Path, size: Size) -> None:
    """Refuse an image whose header claims what no image is, before anything is allocated for it.

    Raises
    ------
    SlideOpenError
        A side is empty or longer than ``MAX_SIDE_PX``.
    """
    if not (0 < size.width_px <= MAX_SIDE_PX and 0 < size.height_px <= MAX_SIDE_PX):
        raise SlideOpenError(
            f"{file}: its header claims {size.width_px} × {size.height_px} px, more than {MAX_SIDE_PX} "
            "a side or nothing at all; the file is damaged, export it again"
        )


def levels_of(sizes: list[Size], properties: Properties) -> tuple[Level, ...]:
    """Return the levels with each axis's own downsample, from the dimensions.

    >>> levels_of([Size(2001, 1501), Size(500, 375)], {})[1].downsample_x
    4.002
    """
    return tuple(
        Level(
            index,
            size,
            sizes[0].width_px / size.width_px,
            sizes[0].height_px / size.height_px,
            _stored_tile(properties, index),
        )
        for index, size in enumerate(sizes)
    )


def _stored_tile(properties: Properties, level: int) -> Size | None:
    width = positive_number(properties.get(f"openslide.level[{level}].tile-width"))
    height = positive_number(properties.get(f"openslide.level[{level}].tile-height"))
    return None if width is None or height is None else Size(int(width), int(height))


def _bounds(properties: Properties) -> Region | None:
    keys = [f"openslide.bounds-{name}" for name in ("x", "y", "width", "height")]
    try:
        x, y, width, height = (int(properties[key]) for key in keys)
    except (KeyError, ValueError):
        return None
    return Region(x, y, width, height) if width > 0 and height > 0 else None


def _record(vendor: str, properties: Properties) -> dict[str, str]:
    """Return the few properties worth keeping: technical ones, by name, so nothing personal slips through."""
    kept = {key: properties[key][:_NOTE_CHARS] for key in _KEPT if key in properties}
    if vendor == "aperio":
        # the part before the first bar is technical; after it come user, file and image names
        kept["openslide.comment"] = properties.get("openslide.comment", "").partition("|")[0][:_NOTE_CHARS]
    return kept
