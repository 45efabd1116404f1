"""slides: why a file is not opened as a slide, with the remedy that belongs to it: unsupported, or not all there."""

import re
from collections.abc import Iterator
from pathlib import Path

from wsi_area.errors import SlideOpenError

_WHOLE_SLIDE = "1.2.840.10008.5.1.4.1.1.77.1.6"
_NEEDED = (
    "ImageType", "TotalPixelMatrixColumns", "TotalPixelMatrixRows", "Columns", "Rows", "BitsAllocated",
    "SamplesPerPixel", "PhotometricInterpretation", "SeriesInstanceUID", "SOPInstanceUID",
)  # fmt: skip
_FLAVOURS = {"LABEL": "label", "OVERVIEW": "overview", "LOCALIZER": "overview", "THUMBNAIL": "thumbnail"}
_EXPORT = "export the picture as PNG or TIFF and give its pixel size with --mpp"
_PARTS_LACKING = re.compile("(only one|Missing|Expected [0-9]+) SOP instances?.* in concatenation")
_MOST_NAMED = 6
_NAMING_SUFFIXES = (".vms", ".vmu")
_NAMED_KEYS = ("imagefile", "mapfile", "optimisationfile", "macroimage")


def unsupported_dicom(file: Path, said: str = "") -> SlideOpenError:
    """Return the refusal of a DICOM file that is no whole-slide image, or not one that can be read.

    Parameters
    ----------
    file
        It has the magic word.
    said
        What OpenSlide says of it; "" where it does not take it for a slide.
    """
    import pydicom  # takes 0.2 s, which only DICOM need pay
    from pydicom import config

    from wsi_area.slides.stored.dicom_header import errors_of_header

    try:
        with config.disable_value_validation():
            tags = [*_NEEDED, "SOPClassUID", "TotalPixelMatrixFocalPlanes", "NumberOfOpticalPaths"]
            header = pydicom.dcmread(file, stop_before_pixels=True, specific_tags=tags)
            kind, name = str(header.get("SOPClassUID", "")), _class_name(header.get("SOPClassUID"))
            absent = [key for key in _NEEDED if key not in header]
            flavour = _flavour(header.get("ImageType"))
            planes = int(header.get("TotalPixelMatrixFocalPlanes") or 1)
            paths = int(header.get("NumberOfOpticalPaths") or 1)
    except errors_of_header() as error:
        return SlideOpenError(f"{file}: a DICOM file whose header cannot be read ({error}); copy or export it again")
    if kind != _WHOLE_SLIDE:
        return SlideOpenError(f"{file}: a DICOM file, but no whole-slide image (it is of the class {name}); {_EXPORT}")
    if flavour:
        return SlideOpenError(
            f"{file}: a DICOM file with the {flavour} of a slide, which is never measured as the slide; give the file "
            "of its scan (VOLUME), or the folder of them all"
        )
    if planes > 1 or paths > 1:
        return SlideOpenError(
            f"{file}: it holds {planes * paths} pictures ({planes} focal planes, {paths} optical paths), of which none "
            "can be chosen here; export the one that is meant by itself"
        )
    if absent:
        return SlideOpenError(
            f"{file}: a DICOM whole-slide image that lacks {', '.join(absent)}, without which it cannot be read; ask "
            "whoever wrote it for a complete export"
        )
    detail = f" ({said})" if said else ""
    if _PARTS_LACKING.search(said):
        return SlideOpenError(
            f"{file}: a DICOM slide in several files, of which some are not there{detail}; copy all files of the "
            "series into one folder"
        )
    return SlideOpenError(
        f"{file}: a DICOM whole-slide image of a kind that OpenSlide does not read{detail}; {_EXPORT}"
    )


def _class_name(uid: object) -> str:
    return "that is not stated" if uid is None else str(getattr(uid, "name", uid)).removesuffix(" Image Storage")


def _flavour(image_type: object) -> str:
    values = str(image_type).replace("[", " ").replace("]", " ").replace("'", " ").replace(",", " ").split()
    return next((_FLAVOURS[value] for value in values if value in _FLAVOURS), "")


def refuse_without_companions(file: Path) -> None:
    """Refuse a slide of several files of which some are not there, naming them; and a mere list of slides.

    Raises
    ------
    SlideOpenError
    """
    if file.suffix.lower() == ".ndpis":
        listed = [
            n for s in _sections(file).values() for k, n in s.items() if k.startswith("image") and ".ndpi" in n.lower()
        ]
        names = ", ".join(listed[:_MOST_NAMED]) or "none that can be read"
        raise SlideOpenError(f"{file}: a list of slides, not a slide (it names {names}); give the one that is meant")
    missing = list(_missing(file))
    if not missing:
        return
    more = f" and {len(missing) - _MOST_NAMED} more" if len(missing) > _MOST_NAMED else ""
    names = ", ".join(missing[:_MOST_NAMED])
    raise SlideOpenError(
        f"{file}: a slide of several files, of which {names}{more} {'is' if len(missing) == 1 else 'are'} not there; "
        "copy the slide again with all that belongs to it, beside it"
    )


def _missing(file: Path) -> Iterator[str]:
    """Yield the names of what a slide of several files names and lacks, relative to its folder."""
    suffix = file.suffix.lower()
    if suffix == ".mrxs":
        yield from _missing_of_mrxs(file.with_suffix(""))
    elif suffix in _NAMING_SUFFIXES:
        for section in _sections(file).values():
            for key, name in section.items():
                named = key.startswith(_NAMED_KEYS) and name.strip()
                if named and not (file.parent / name.strip()).is_file():
                    yield name.strip()


def _missing_of_mrxs(folder: Path) -> Iterator[str]:
    if not folder.is_dir():
        yield f"the folder {folder.name}/"
        return
    index = folder / "Slidedat.ini"
    if not index.is_file():
        yield f"{folder.name}/{index.name}"
        return
    told = _sections(index)
    names = [told.get("HIERARCHICAL", {}).get("indexfile", "Index.dat")]
    names += [name for key, name in told.get("DATAFILE", {}).items() if key.startswith("file_") and key != "file_count"]
    yield from (f"{folder.name}/{name}" for name in names if name and not (folder / name).is_file())


def _sections(file: Path) -> dict[str, dict[str, str]]:
    """Return the sections of a file of keys; none where it is none."""
    import configparser  # MIRAX alone asks: 0.001 s to load

    parser = configparser.ConfigParser(interpolation=None, strict=False, allow_no_value=True)
    try:
        parser.read_string(file.read_bytes()[: 1 << 22].decode("utf-8-sig", "replace"))
    except (OSError, configparser.Error):
        return {}
    return {name: {key: value or "" for key, value in parser[name].items()} for name in parser.sections()}
