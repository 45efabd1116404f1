"""slides: what one DICOM file says of its frames, read up to where its header goes on frame by frame."""

from collections.abc import Iterable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from wsi_area.frozen_value import frozen_value
from wsi_area.model.geometry import Size

FRAMES_TAG = 0x52000000
"""From here on a header has an item for each of its frames, and then the pixels."""

_HEAD_BYTES = 1 << 16  # the series stands in the first of them, before any colour profile
_TAGS = (
    "ImageType", "SeriesInstanceUID", "TotalPixelMatrixColumns", "TotalPixelMatrixRows", "Columns", "Rows",
    "NumberOfFrames", "ConcatenationFrameOffsetNumber", "DimensionOrganizationType", "PhotometricInterpretation",
)  # fmt: skip


class NoDicomError(ValueError):
    """A file is no DICOM, or its header cannot be read."""


@frozen_value
class ScanHeader:
    """One file of a series that holds a scan, a reduced level of it, or part of one."""

    path: str
    series: str
    size_px: Size
    tile_px: Size
    frames: int
    first_frame: int  # of the frames of all files of its level, the first that lies in this one
    organization: str  # TILED_FULL, TILED_SPARSE, or ""
    syntax: str  # the UID of its transfer syntax
    photometric: str
    rest_at: int  # where what follows of the header begins in the file


def errors_of_header() -> tuple[type[Exception], ...]:
    """Return the errors that pydicom raises of a header that cannot be read, or is damaged."""
    from pydicom.errors import BytesLengthException, InvalidDicomError

    return (
        InvalidDicomError, BytesLengthException, OSError, ValueError, AttributeError, KeyError, TypeError, EOFError,
        NotImplementedError, ArithmeticError, RecursionError,
    )  # fmt: skip


def unvalidated() -> AbstractContextManager[None]:
    """Return the context that keeps pydicom from judging values that are asked for: real files break rules."""
    from pydicom import config

    context: AbstractContextManager[None] = config.disable_value_validation()
    return context


def header_of(path: Path, tags: Iterable[str]) -> tuple[Any, str, int]:
    """Return the wanted elements of a DICOM header, its transfer syntax, and where the frames' part of it begins.

    Raises
    ------
    NoDicomError
    """
    from pydicom.filereader import read_partial  # takes 0.2 s, which only DICOM need pay
    from pydicom.tag import Tag

    try:
        with unvalidated(), path.open("rb") as stream:
            header = read_partial(
                stream,
                stop_when=lambda tag, _vr, _length: tag >= FRAMES_TAG,
                specific_tags=[Tag(key) for key in tags],
            )
            return header, str(header.file_meta.get("TransferSyntaxUID", "")), stream.tell()
    except errors_of_header() as error:
        raise NoDicomError(str(error)) from error


def scans_of_series(files: Iterable[Path], named: Path) -> list[ScanHeader]:
    """Return the scans among some files that belong to the series of one of them, that one first.

    Raises
    ------
    NoDicomError
        The named file cannot be read, or holds no scan.
    """
    first = _scan(named)
    if first is None:
        raise NoDicomError("it holds no scan (VOLUME)")
    uid = first.series.encode()
    scans = [first]
    for path in files:
        # a folder may hold the files of a thousand slides: those of others are told by their first bytes
        if path == named or not _begins_with(path, uid):
            continue
        try:
            other = _scan(path)
        except NoDicomError:
            continue
        if other is not None and other.series == first.series:
            scans.append(other)
    return scans


def _begins_with(path: Path, word: bytes) -> bool:
    try:
        with path.open("rb") as file:
            return word in file.read(_HEAD_BYTES)
    except OSError:
        return False


def _scan(path: Path) -> ScanHeader | None:
    """Return the header of a DICOM file's frames; None where it is no scan."""
    header, syntax, rest_at = header_of(path, _TAGS)
    try:
        with unvalidated():
            if "VOLUME" not in (header.get("ImageType") or ()):
                return None
            return ScanHeader(
                str(path),
                str(header.get("SeriesInstanceUID")),
                Size(int(header.get("TotalPixelMatrixColumns") or 0), int(header.get("TotalPixelMatrixRows") or 0)),
                Size(int(header.get("Columns") or 0), int(header.get("Rows") or 0)),
                int(header.get("NumberOfFrames") or 0),
                int(header.get("ConcatenationFrameOffsetNumber") or 0),
                str(header.get("DimensionOrganizationType") or ""),
                syntax,
                str(header.get("PhotometricInterpretation") or ""),
                rest_at,
            )
    except errors_of_header() as error:
        raise NoDicomError(str(error)) from error
