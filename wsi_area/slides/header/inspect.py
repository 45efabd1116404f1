"""slides: what a file says of itself, before a pixel of it is decoded."""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from wsi_area.compute.units import positive_number
from wsi_area.errors import SlideOpenError
from wsi_area.model.geometry import Region, Size
from wsi_area.model.picture import ANY_PICTURE, Picture, PictureChoice
from wsi_area.model.slide import Level, SlideInfo
from wsi_area.plain_text import named_file
from wsi_area.slides.file_kinds import DICOM_HEAD_BYTES, absent_text, has_dicom_magic, no_file, not_read
from wsi_area.slides.header.companion_files import DICOM_SUFFIXES, HAMAMATSU_SUFFIXES, MRXS_SUFFIX
from wsi_area.slides.header.fingerprint import digests
from wsi_area.slides.header.found_picture import FoundPicture
from wsi_area.slides.header.mpp_sources import Properties, imaged_volume_mm, slide_claims
from wsi_area.slides.header.not_opened import refuse_without_companions, unsupported_dicom
from wsi_area.slides.header.one_picture import one_picture
from wsi_area.slides.header.shown_pictures import levels_of_picture, several_pictures, shown_pictures
from wsi_area.slides.header.tiff_directories import tiff_directories
from wsi_area.slides.header.tiff_pictures import tiff_pictures
from wsi_area.slides.header.tiff_slide import (
    STRUCTURED_VENDORS,
    TiffSlide,
    further_claims,
    of_their_picture,
    ome_power,
    split_claims,
    tiff_slide,
    with_claims,
)
from wsi_area.slides.header.tile_sizes import refuse_oversized_tiles
from wsi_area.slides.stored import openslide_calls
from wsi_area.slides.stored.openslide_handles import open_handle

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


def inspect(
    path: str | os.PathLike[str], *, slide_id: str | None = None, choice: PictureChoice = ANY_PICTURE
) -> SlideInfo:
    """Return the geometry, the levels and every pixel-size claim of a slide: of the one picture that is meant.

    ``slide_id`` defaults to the stem of the file, or to the name of a folder of DICOM files. ``choice`` says which
    picture is meant, where the file holds several.

    Raises
    ------
    SlideOpenError
        The file is missing, unreadable, empty, not an image, or damaged; or it holds several pictures, and which one
        is meant is not said.
    """
    given = Path(os.path.abspath(named_file(os.fspath(path))))
    file = _existing_file(given)
    name = slide_id if slide_id is not None else (given.name if given.is_dir() else given.stem)
    try:
        vendor = openslide_calls.detect_vendor(file)
    except openslide_calls.OpenSlideCallError as error:
        raise SlideOpenError(f"{file}: OpenSlide cannot read it ({error}); copy the file again") from error
    refuse_without_companions(file)
    if vendor is None and _begins_as_dicom(file):
        raise unsupported_dicom(file)
    directories = tiff_directories(file)
    if vendor is None:
        # imported here: only a plain image needs it
        from wsi_area.slides.header.plain_header import inspect_plain
        from wsi_area.slides.header.refusal import refusal_of

        refusal = refusal_of(file, directories)
        because = f" ({refusal})" if refusal else ""
        try:
            plain = inspect_plain(file, name, PLAIN_VENDOR, directories, choice)
        except SlideOpenError as error:
            raise SlideOpenError(f"{error}; OpenSlide does not open it{because}" if because else str(error)) from error
        if file.suffix.lower() in SLIDE_SUFFIXES:
            raise SlideOpenError(
                f"{file}: OpenSlide does not recognise it as the slide that its name {file.suffix} promises{because}; "
                "it is truncated, damaged or misnamed: copy it again, or rename it if it is a plain image"
            )
        return replace(plain, openslide_refusal=refusal)
    refuse_oversized_tiles(file, directories)
    if vendor not in STRUCTURED_VENDORS or not directories:
        several = several_pictures(file, vendor, directories)
        if several and all(one.obstacle for one in several):
            one_picture(file, several, choice)  # refuses them, with their list
        return _inspect_slide(file, name, vendor, choice, several=several)
    meant = tiff_slide(file, vendor, directories, choice)
    if vendor == "aperio":
        return _inspect_slide(file, name, vendor, choice, meant)
    if meant.is_first_whole:
        from wsi_area.slides.header.plain_header import inspect_plain, is_deep_grey
        from wsi_area.slides.stored.plain_tiff import MAX_PLAIN_PX

        if not is_deep_grey(file):
            return _inspect_slide(file, name, vendor, choice, meant)
        if directories[0].size_px.area_px <= MAX_PLAIN_PX:
            return inspect_plain(file, name, PLAIN_VENDOR, directories, choice)
    from wsi_area.slides.header.stored_header import inspect_stored

    return inspect_stored(file, name, meant, choice)


def pictures_of(path: str | os.PathLike[str]) -> tuple[Picture, ...]:
    """Return the pictures of a file, of which none is taken; none where it cannot be read or only OpenSlide knows."""
    file = Path(os.path.abspath(named_file(os.fspath(path))))
    if no_file(file):
        return ()
    try:
        directories = tiff_directories(file)
        vendor = openslide_calls.detect_vendor(file)
        several = several_pictures(file, vendor, directories)
    except (OSError, openslide_calls.OpenSlideCallError):
        return ()
    return tuple(found.picture for found in several or tiff_pictures(directories, vendor))


def _begins_as_dicom(file: Path) -> bool:
    with file.open("rb") as stream:
        return has_dicom_magic(stream.read(DICOM_HEAD_BYTES))


def _existing_file(path: Path) -> Path:
    """Return the file to open: the path itself, or the slide among the DICOM files of a folder."""
    if path.is_dir():
        from wsi_area.slides.header.dicom import slide_in_folder  # loaded for DICOM alone

        return slide_in_folder(path)
    if what := no_file(path):
        raise SlideOpenError(f"{path}: it is {what} and no file; give the file of a slide")
    try:
        size_bytes = path.stat().st_size
        with path.open("rb"):
            pass
    except FileNotFoundError as error:
        raise SlideOpenError(f"{path}: {absent_text(path)}; check the path or the mount") from error
    except PermissionError as error:
        raise SlideOpenError(f"{path}: permission denied; ask its owner for read access") from error
    except OSError as error:
        raise SlideOpenError(f"{path}: {error.strerror}; check the disk or the mount") from error
    if size_bytes == 0:
        raise SlideOpenError(f"{path}: the file is empty (0 bytes); copy or export it again")
    if what := not_read(path):
        raise SlideOpenError(f"{path}: {what}")
    return path


def _inspect_slide(
    file: Path, slide_id: str, vendor: str, choice: PictureChoice, meant: TiffSlide | None = None,
    several: Sequence[FoundPicture] = (),
) -> SlideInfo:  # fmt: skip
    """Return a slide as OpenSlide reads it, of which ``meant`` says which of its levels belong to the picture.

    ``several`` are its full pictures where OpenSlide shows but one of them.
    """
    try:
        handle = open_handle(str(file))
    except SlideOpenError as error:
        if vendor == "dicom":
            raise unsupported_dicom(file, str(error.__cause__)) from error
        raise
    try:
        properties = openslide_calls.properties_of(handle)
        sizes = [Size(*size_px) for size_px in openslide_calls.level_sizes_px(handle)]
    except openslide_calls.OpenSlideCallError as error:
        raise SlideOpenError(f"{file}: OpenSlide cannot read its header ({error}); copy it again") from error
    finally:
        openslide_calls.close(handle)
    for size in sizes:
        require_sane_size(file, size)
    if meant is None:
        one, numbers = one_picture(file, shown_pictures(properties, sizes, several), choice), tuple(range(len(sizes)))
        places: tuple[int, ...] = ()
        claims = slide_claims(vendor, properties, sizes[0])
        if vendor == "dicom" and not claims:
            from wsi_area.slides.header.descriptions.frame_spacing import frame_spacings  # of frames, which DICOM has

            claims = frame_spacings(file, vendor)
    else:
        one, (numbers, places) = meant.one, levels_of_picture(file, meant, vendor, sizes)
        told = slide_claims(vendor, properties, sizes[numbers[0]])
        claims = (*of_their_picture(told, meant), *further_claims(file, meant))
    status = file.stat()
    fingerprint, content_digest = digests(file, properties.get("openslide.quickhash-1"))
    read, unread = split_claims(claims)
    return SlideInfo(
        slide_id=slide_id,
        path=str(file),
        vendor=vendor,
        size_l0_px=sizes[numbers[0]],
        levels=levels_of([sizes[number] for number in numbers], properties, numbers),
        fingerprint=fingerprint,
        file_bytes=status.st_size,
        mtime_ns=status.st_mtime_ns,
        objective_power=_power(properties, meant),
        bounds_l0_px=_bounds(properties),
        mpp_candidates=read,
        imaged_volume_mm=imaged_volume_mm(properties),
        content_digest=content_digest,
        unread_claims=unread,
        pictures=with_claims(one.listed, read),
        choice=choice,
        picture_note=one.note,
        openslide_levels=() if numbers == tuple(range(len(sizes))) else numbers,
        level_directories=places,
        orientation=1 if meant is None else meant.orientation,
        properties=_record(vendor, properties),
    )


def _power(properties: Properties, meant: TiffSlide | None) -> float | None:
    """Return the power of the objective: OpenSlide's, else the one that OME-XML names for the picture."""
    known = positive_number(properties.get("openslide.objective-power"))
    return known if known is not None or meant is None else ome_power(meant)


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


def levels_of(sizes: list[Size], properties: Properties, numbers: Sequence[int] | None = None) -> tuple[Level, ...]:
    """Return the levels with each axis's own downsample, from the dimensions.

    ``numbers`` are OpenSlide's own of these levels, where they are not 0, 1, 2 and so on.

    >>> levels_of([Size(2001, 1501), Size(500, 375)], {})[1].downsample_x
    4.002
    """
    return tuple(
        Level(
            index,
            size,
            sizes[0].width_px / size.width_px,
            sizes[0].height_px / size.height_px,
            _stored_tile(properties, index if numbers is None else numbers[index]),
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
