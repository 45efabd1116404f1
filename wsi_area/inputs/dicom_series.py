"""inputs: which DICOM files of a folder belong together, so that a slide of many files is one slide."""

from collections.abc import Sequence
from pathlib import Path

from wsi_area.slides.stored.dicom_header import errors_of_header


def series_of(files: Sequence[Path]) -> list[list[Path]]:
    """Return the files of each series; one that cannot be read is a series of its own.

    What is wrong with an unreadable file is said where it is opened, not here.
    """
    by_series: dict[str, list[Path]] = {}
    for file in sorted(files):
        by_series.setdefault(_series_uid(file) or f"unreadable {file}", []).append(file)
    return list(by_series.values())


def same_series(one: Path, other: Path) -> bool:
    """Return True if two DICOM files belong to one slide."""
    return len(series_of([one, other])) == 1


def _series_uid(file: Path) -> str:
    # imported here: a library that only DICOM needs
    import pydicom
    from pydicom import config

    with config.disable_value_validation():  # real files carry UIDs that are too long; nobody asked about that
        try:
            header = pydicom.dcmread(file, stop_before_pixels=True, specific_tags=["SeriesInstanceUID"])
            return str(header.get("SeriesInstanceUID", ""))
        except errors_of_header():
            return ""
