"""slides: whether a file ends before the pixels that its own directory places in it; no pixel is decoded."""

import struct
from pathlib import Path
from typing import BinaryIO, Literal

from wsi_area.frozen_value import frozen_value
from wsi_area.model.record.slide_certificate import Completeness, StoredTiles
from wsi_area.model.slide import SlideInfo
from wsi_area.slides.file_kinds import DICOM_HEAD_BYTES, has_dicom_magic

_UNDEFINED = 0xFFFFFFFF
_END_OF_ITEMS = b"\xfe\xff\xdd\xe0"
_TIFF_STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


@frozen_value
class CutShort:
    """How much of a file is not there."""

    file: str
    said: str  # as a sentence goes on behind the file: ends before …
    remedy: str


_COPY_IT = "the file was cut short while it was copied or written: copy it again and compare the sizes"
_COPY_ALL = "copy all files of the series into one folder"


def cut_short(info: SlideInfo) -> CutShort | None:
    """Return the part of a TIFF or DICOM slide that is in no file; None where all of it is there, or it is neither.

    Only directories and lengths are looked at: damage inside the file is not found here.
    """
    kind = _kind(info)
    if kind == "tiff":
        tiles = _tiles(info)
        if tiles is None or not tiles.beyond_end:
            return None  # what of its directories cannot be followed, a run finds tile by tile
        lost = f"ends before {tiles.beyond_end} of the {tiles.listed} tiles that its directory lists"
        return CutShort(info.path, lost, _COPY_IT)
    return _dicom_series(Path(info.path)) or _lost_frames(info) if kind == "dicom" else None


def completeness(info: SlideInfo) -> Completeness:
    """Return the completeness of a slide's file; which pixels were scanned and can be read is left to a count."""
    kind = _kind(info)
    tiles = _tiles(info) if kind == "tiff" else None
    ends_early = None if tiles is None else tiles.beyond_end > 0
    if kind == "dicom":
        ends_early = _dicom_series(Path(info.path)) is not None
    return Completeness(
        file_bytes=info.file_bytes, is_cut_short=ends_early, tiles=tiles, n_px_unscanned=None, n_px_unreadable=None
    )


def _tiles(info: SlideInfo) -> StoredTiles | None:
    from wsi_area.slides.stored.kept_tiles import stored_tiles  # loads tifffile, which only a TIFF need pay

    return stored_tiles(info)


def _kind(info: SlideInfo) -> Literal["tiff", "dicom", "other"]:
    with open(info.path, "rb") as file:
        head = file.read(DICOM_HEAD_BYTES)
    if head[:4] in _TIFF_STARTS:
        return "tiff"
    return "dicom" if has_dicom_magic(head) else "other"


def _dicom_series(path: Path) -> CutShort | None:
    """Return the first file of a slide's series that is cut short: each level may be a file of its own."""
    series = _series_and_pixels(path)
    if series is None:
        return None
    for file in (path, *sorted(other for other in path.parent.iterdir() if other != path and other.is_file())):
        found = _series_and_pixels(file)
        if found is not None and found[0] == series[0] and not _holds_pixels(file, found[1], found[2]):
            return CutShort(str(file), "ends before the pixels that its header announces", _COPY_IT)
    return None


def _lost_frames(info: SlideInfo) -> CutShort | None:
    """Return the first level of a DICOM slide that should hold all of its frames and does not: a file is not there."""
    from wsi_area.slides.header.dicom import files_beside
    from wsi_area.slides.stored.dicom_levels import dicom_levels  # reads every table of offsets

    for tiles, _ in dicom_levels(info, files_beside(Path(info.path))):
        if tiles is not None and tiles.is_full and (lost := len(tiles.missing)):
            size = f"{tiles.size_px.width_px} × {tiles.size_px.height_px} px"
            said = f"is one of several, and no file has {lost} of the {len(tiles.offsets)} frames of {size}"
            return CutShort(info.path, said, _COPY_ALL)
    return None


def _series_and_pixels(path: Path) -> tuple[str, int, bool] | None:
    """Return the series of a DICOM file, where its pixels begin, and whether their lengths are little endian."""
    import pydicom  # takes 0.2 s, which only DICOM need pay

    from wsi_area.slides.stored.dicom_header import errors_of_header

    try:
        with path.open("rb") as file:
            if not has_dicom_magic(file.read(DICOM_HEAD_BYTES)):
                return None
            file.seek(0)
            header = pydicom.dcmread(file, stop_before_pixels=True, specific_tags=["SeriesInstanceUID"])
            return str(header.get("SeriesInstanceUID", "")), file.tell(), bool(header.original_encoding[1])
    except errors_of_header():
        return None


def _holds_pixels(path: Path, start: int, little_endian: bool) -> bool:
    """Return True if the element of the pixels, or each of its fragments, ends within the file (DICOM PS3.5, A.4)."""
    size_bytes = path.stat().st_size
    with path.open("rb") as file:
        file.seek(start)
        tag, vr = file.read(4), file.read(2)
        if len(tag + vr) < 6 or not little_endian:
            return little_endian is False  # big endian was retired in 2006, and is not judged
        length = _length(file, vr in (b"OB", b"OW"), vr)
        if length is None:
            return False
        if length != _UNDEFINED:
            return file.tell() + length <= size_bytes
        while True:
            item = file.read(8)
            if len(item) < 8:
                return False
            if item[:4] == _END_OF_ITEMS:
                return True
            file.seek(struct.unpack("<I", item[4:])[0], 1)


def _length(file: BinaryIO, explicit: bool, vr: bytes) -> int | None:
    """Return the length of an element whose tag and next two bytes are read: implicit headers have no type there."""
    raw = file.read(6)[2:] if explicit else vr + file.read(2)
    return struct.unpack("<I", raw)[0] if len(raw) == 4 else None
