"""slides: which file of a DICOM folder stands for the slide, and which pictures its series holds."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from wsi_area.errors import SlideOpenError
from wsi_area.frozen_value import frozen_value
from wsi_area.model.geometry import Size
from wsi_area.model.picture import Picture
from wsi_area.slides.header.companion_files import is_dicom
from wsi_area.slides.header.found_picture import FoundPicture
from wsi_area.slides.stored import openslide_calls
from wsi_area.slides.stored.dicom_frames import deadly_structure
from wsi_area.slides.stored.dicom_header import errors_of_header, header_of, unvalidated

_SERIES = "dicom.SeriesInstanceUID"
_TAGS = (
    "ImageType", "SOPInstanceUID", "SeriesInstanceUID", "ConcatenationUID", "TotalPixelMatrixColumns",
    "TotalPixelMatrixRows", "TotalPixelMatrixOriginSequence", "TotalPixelMatrixFocalPlanes", "NumberOfOpticalPaths",
    "OpticalPathSequence", "NumberOfFrames", "DimensionOrganizationType",
)  # fmt: skip
_MOST = 1 << 10  # a header that claims more planes or paths is damaged
_IN_ONE_FILE = "focal planes and optical paths of DICOM cannot be chosen here"
_IN_SEVERAL_FILES = f"{_IN_ONE_FILE} (where each has its own files, copy those of one into a folder of their own)"


@frozen_value
class _Instance:
    """One file of a series that holds a scan, or a reduced level of one."""

    name: str
    uid: str
    series: str
    size_px: Size
    planes: int
    paths: tuple[str, ...]  # the identifiers of its optical paths
    z: str  # of its first focal plane, as it stands, "" where it is not said
    deadly: str  # why OpenSlide may not read it, "" where it may


def slide_in_folder(folder: Path) -> Path:
    """Return the first file of a folder that OpenSlide opens as a DICOM slide.

    Raises
    ------
    SlideOpenError
        None is one, or they belong to more than one slide.
    """
    first_by_series: dict[str, Path] = {}
    try:
        paths = sorted(folder.iterdir())
    except OSError as error:
        raise SlideOpenError(f"{folder}: {error.strerror}; ask its owner for read access") from error
    for path in paths:
        series = _series(path)
        if series is not None:
            first_by_series.setdefault(series, path)
    if not first_by_series:
        raise SlideOpenError(
            f"{folder}: it is a folder without a DICOM slide in it; name a slide file, or search the folder"
        )
    if len(first_by_series) > 1:
        names = ", ".join(path.name for path in first_by_series.values())
        raise SlideOpenError(f"{folder}: it holds {len(first_by_series)} DICOM slides ({names}); name one file of each")
    return next(iter(first_by_series.values()))


def _series(path: Path) -> str | None:
    """Return the series a file belongs to, or None where OpenSlide does not open it as a DICOM slide."""
    if not path.is_file():
        return None
    try:
        if openslide_calls.detect_vendor(path) != "dicom":
            return None
        handle = openslide_calls.open_slide(path)
    except openslide_calls.OpenSlideCallError:
        return None  # a label, an overview or a damaged file: another one may stand for the slide
    try:
        series: str = openslide_calls.property_of(handle, _SERIES) or ""
    finally:
        openslide_calls.close(handle)
    return series


def series_pictures(file: Path) -> tuple[FoundPicture, ...]:
    """Return the full pictures of a DICOM file's series where they are several, else none.

    They are focal planes and optical paths, of one file or of several. A smaller picture of an optical path that the
    largest has not is no reduced level of it, but one more.

    Raises
    ------
    SlideOpenError
        A file of the series is damaged in a way that OpenSlide does not survive.
    """
    instances = list(_instances(file))
    if not instances:
        return ()
    size_px = max((one.size_px for one in instances), key=lambda size: size.area_px)
    full = [one for one in instances if one.size_px == size_px]
    known = {path for one in full for path in one.paths} | {""}  # a level that names no path is no other picture
    if known != {""}:
        full += [one for one in instances if one.size_px != size_px and not known.intersection(one.paths)]
    shown = [(one, path, plane) for one in full for path in one.paths for plane in range(one.planes)]
    if len(shown) < 2:
        return ()
    channels = list(dict.fromkeys(path for _, path, _ in shown))
    planes = list(dict.fromkeys((one.z, plane) for one, _, plane in shown))
    obstacle = _IN_ONE_FILE if len(full) == 1 else _IN_SEVERAL_FILES
    return tuple(
        FoundPicture(
            Picture(
                index, one.name, "plane" if len(planes) > 1 else "channel" if len(channels) > 1 else "unknown",
                one.size_px, 3, "uint8",
                channel=channels.index(path) if len(channels) > 1 else None,
                channel_name=path if len(channels) > 1 else "",
                plane=planes.index((one.z, plane)) if len(planes) > 1 else None,
                plane_name=f"Z {one.z}" if one.z and one.planes == 1 and len(planes) > 1 else "",
                optical_path=path,
            ),
            full.index(one) if len(channels) == len(planes) == 1 else 0, True, obstacle=obstacle,
        )
        for index, (one, path, plane) in enumerate(shown)
    )  # fmt: skip


def _instances(file: Path) -> Iterator[_Instance]:
    """Yield the files of a DICOM file's series that hold a scan or a reduced level, each once, itself first."""
    first = _instance(file)
    if first is None:
        return
    _refuse_deadly(file, first)
    seen = {first.uid}
    yield first
    for path in files_beside(file):
        other = _instance(path)
        if other is None or other.series != first.series:
            continue
        _refuse_deadly(path, other)
        if other.uid not in seen:
            seen.add(other.uid)
            yield other


def _refuse_deadly(path: Path, instance: _Instance) -> None:
    if instance.deadly:
        raise SlideOpenError(
            f"{path}: a DICOM whole-slide image that is damaged: {instance.deadly}; OpenSlide does not survive to read "
            "it, and nothing else can be held against it: copy or export it again"
        )


def files_beside(file: Path) -> list[Path]:
    """Return the other DICOM files of a file's folder; none where that cannot be listed."""
    try:
        beside = sorted(file.parent.iterdir())
    except OSError:
        return []  # OpenSlide, which lists it as well, says so
    return [path for path in beside if path != file and is_dicom(path) and path.is_file()]


def _instance(path: Path) -> _Instance | None:
    """Return the facts of a DICOM file on its picture; None of one that is no scan, or has no readable header."""
    try:
        header, _, rest_at = header_of(path, _TAGS)
        with unvalidated():
            if "VOLUME" not in (header.get("ImageType") or ()):
                return None
            return _Instance(
                path.name,
                str(header.get("ConcatenationUID") or header.get("SOPInstanceUID")),
                str(header.get("SeriesInstanceUID")),
                Size(int(header.get("TotalPixelMatrixColumns") or 0), int(header.get("TotalPixelMatrixRows") or 0)),
                min(max(1, int(header.get("TotalPixelMatrixFocalPlanes") or 1)), _MOST),
                _optical_paths(header),
                _z(header),
                deadly_structure(
                    path, int(header.get("NumberOfFrames") or 0), str(header.get("DimensionOrganizationType")), rest_at
                ),
            )
    except errors_of_header():  # values are converted when they are asked for
        return None  # whoever opens it says what is wrong with it


def _optical_paths(header: Any) -> tuple[str, ...]:
    """Return the identifiers of the optical paths; of those that are only counted the number."""
    named = [str(path.get("OpticalPathIdentifier", "")) for path in header.get("OpticalPathSequence") or []]
    counted = min(int(header.get("NumberOfOpticalPaths") or 1), _MOST)
    if not named and counted == 1:
        return ("",)
    return tuple([*named, *(str(number + 1) for number in range(len(named), counted))])


def _z(header: Any) -> str:
    origins: Sequence[Any] = header.get("TotalPixelMatrixOriginSequence") or ()
    return next((str(origin.get("ZOffsetInSlideCoordinateSystem", "")) for origin in origins), "")
