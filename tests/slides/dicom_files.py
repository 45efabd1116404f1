"""DICOM whole-slide images of every kind the direct lane claims to read, written by pydicom, from known pixels."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import simplejpeg
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.encaps import encapsulate, encapsulate_extended
from pydicom.uid import UID

SCAN = "1.2.840.10008.5.1.4.1.1.77.1.6"
RAW, JPEG = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.4.50"
JPEG2000_LOSSLESS, JPEG2000 = "1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.91"
_JFIF = b"\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"


@dataclass(frozen=True)
class Coding:
    """How frames are compressed, and what the header says of it."""

    syntax: str
    photometric: str
    subsampling: str = ""  # of a JPEG
    has_jfif: bool = False
    options: tuple[tuple[str, Any], ...] = ()  # of JPEG 2000

    def frame(self, tile: NDArray[np.uint8]) -> bytes:
        if self.syntax == RAW:
            return tile.tobytes()
        if self.syntax != JPEG:
            return bytes(imagecodecs.jpeg2k_encode(tile, codecformat="j2k", **dict(self.options)))
        if self.photometric != "RGB":
            return bytes(simplejpeg.encode_jpeg(tile, 85, colorsubsampling=self.subsampling))
        data = bytes(imagecodecs.jpeg8_encode(tile, 85, colorspace="RGB", outcolorspace="RGB"))
        return data[:2] + _JFIF + data[2:] if self.has_jfif else data


CODINGS = {
    "jpeg-420": Coding(JPEG, "YBR_FULL_422", "420"),
    "jpeg-422": Coding(JPEG, "YBR_FULL_422", "422"),
    "jpeg-444": Coding(JPEG, "YBR_FULL_422", "444"),
    "jpeg-rgb": Coding(JPEG, "RGB"),
    "jpeg-rgb-jfif": Coding(JPEG, "RGB", has_jfif=True),
    "jpeg2000-rgb": Coding(JPEG2000_LOSSLESS, "RGB", options=(("level", 0), ("mct", False), ("reversible", True))),
    "jpeg2000-rct": Coding(JPEG2000_LOSSLESS, "YBR_RCT", options=(("level", 0), ("mct", True), ("reversible", True))),
    "jpeg2000-ict": Coding(JPEG2000, "YBR_ICT", options=(("level", 40), ("mct", True), ("reversible", False))),
    "jpeg2000-lossy-rgb": Coding(JPEG2000, "RGB", options=(("level", 40), ("mct", False), ("reversible", False))),
    "raw": Coding(RAW, "RGB"),
}


def frames_of(picture: NDArray[np.uint8], coding: Coding, tile_px: tuple[int, int]) -> list[bytes]:
    """Return the frames of a picture row by row; tiles at the right and lower rim are filled by repeating the rim."""
    height, width = picture.shape[:2]
    tall, wide = tile_px
    padded = np.pad(picture, ((0, -height % tall), (0, -width % wide), (0, 0)), mode="edge")
    return [
        coding.frame(np.ascontiguousarray(padded[y : y + tall, x : x + wide]))
        for y in range(0, height, tall)
        for x in range(0, width, wide)
    ]


def write_dicom(
    path: Path,
    picture: NDArray[np.uint8],
    coding: str = "jpeg-420",
    *,
    tile_px: tuple[int, int] = (256, 256),
    table: str = "basic",  # or extended, or none
    fragments: int = 1,  # of each frame
    held: Sequence[int] | None = None,  # TILED_SPARSE: the places, row by row, of the frames that are written, in order
    part: tuple[int, int, int] | None = None,  # of a concatenation: number from 1, first frame, end of its frames
    series: str = "1.2.826.0.1.5",
    mpp: float = 0.5,
    **further: Any,
) -> Path:
    """Write one file of a series; ``further`` are elements of its header by keyword."""
    how = CODINGS[coding]
    frames = frames_of(picture, how, tile_px)
    meta = FileMetaDataset()
    uid = f"1.2.826.0.1.{sum(path.name.encode())}.{picture.shape[0]}.{picture.shape[1]}"
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = UID(SCAN), UID(uid)
    meta.TransferSyntaxUID = UID(how.syntax)
    scan = FileDataset(str(path), {}, file_meta=meta, preamble=bytes(128))
    scan.SOPClassUID, scan.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    scan.StudyInstanceUID, scan.SeriesInstanceUID, scan.Modality = "1.2.826.0.1.4", series, "SM"
    scan.ImageType = ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"]
    scan.Rows, scan.Columns = tile_px
    scan.SamplesPerPixel, scan.PhotometricInterpretation, scan.PlanarConfiguration = 3, how.photometric, 0
    scan.BitsAllocated = scan.BitsStored = 8
    scan.HighBit, scan.PixelRepresentation = 7, 0
    scan.TotalPixelMatrixRows, scan.TotalPixelMatrixColumns = picture.shape[:2]
    scan.DimensionOrganizationType = "TILED_FULL" if held is None else "TILED_SPARSE"
    measures, shared = Dataset(), Dataset()
    measures.PixelSpacing = [mpp / 1000, mpp / 1000]
    shared.PixelMeasuresSequence = [measures]
    scan.SharedFunctionalGroupsSequence = [shared]
    cells = list(range(len(frames)) if held is None else held)
    if part is not None:
        cells = cells[part[1] : part[2]]
        scan.SOPInstanceUIDOfConcatenationSource, scan.ConcatenationUID = "1.2.826.0.1.9", "1.2.826.0.1.10"
        scan.InConcatenationNumber, scan.ConcatenationFrameOffsetNumber = part[:2]
    frames = [frames[cell] for cell in cells]
    if held is not None:
        across = -(-picture.shape[1] // tile_px[1])
        scan.PerFrameFunctionalGroupsSequence = [_place(*divmod(cell, across), tile_px) for cell in cells]
    scan.NumberOfFrames = len(frames)
    if how.syntax == RAW:
        scan.PixelData = b"".join(frames)
    elif table == "extended":
        scan.PixelData, scan.ExtendedOffsetTable, scan.ExtendedOffsetTableLengths = encapsulate_extended(frames)
    else:
        scan.PixelData = encapsulate(frames, fragments_per_frame=fragments, has_bot=table == "basic")
    scan["PixelData"].VR = "OB"
    scan["PixelData"].is_undefined_length = how.syntax != RAW
    for keyword, value in further.items():
        setattr(scan, keyword, value)
    scan.save_as(path, enforce_file_format=True)
    return path


def _place(row: int, column: int, tile_px: tuple[int, int]) -> Dataset:
    """Return the element that says where a frame lies, from 1 on."""
    position, of_frame = Dataset(), Dataset()
    position.RowPositionInTotalImagePixelMatrix = row * tile_px[0] + 1
    position.ColumnPositionInTotalImagePixelMatrix = column * tile_px[1] + 1
    of_frame.PlanePositionSlideSequence = [position]
    return of_frame
