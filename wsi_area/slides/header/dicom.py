"""slides: which file of a DICOM folder stands for the slide; OpenSlide finds the others itself."""

from pathlib import Path

import openslide
from openslide import lowlevel

from wsi_area.errors import SlideOpenError

_SERIES = "dicom.SeriesInstanceUID"


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
        if openslide.OpenSlide.detect_format(path) != "dicom":
            return None
        handle = lowlevel.open(path)
    except openslide.OpenSlideError:
        return None  # a label, an overview or a damaged file: another one may stand for the slide
    try:
        series: str = lowlevel.get_property_value(handle, _SERIES) or ""
    finally:
        lowlevel.close(handle)
    return series
