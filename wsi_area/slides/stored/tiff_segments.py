"""slides: the samples of one stored tile or strip of a TIFF directory, by decoders that refuse what is not whole."""

from typing import Any

import imagecodecs
import numpy as np
import tifffile
from numpy.typing import NDArray

from wsi_area.slides.stored.tile_codecs import CODEC_ERRORS, strict_jpeg
from wsi_area.slides.stored.tiled_level import JPEG, JPEG_START, jpeg_head

SEGMENT_ERRORS = (
    *CODEC_ERRORS, tifffile.TiffFileError, OSError, KeyError, IndexError, TypeError, ArithmeticError,
    imagecodecs.DelayedImportError,
)  # fmt: skip
"""What is raised where a segment cannot be fetched or decoded."""

_YCBCR = 6
_JPEG2000 = (33003, 33004, 33005, 34712)


def segment_samples(page: tifffile.TiffPage, data: bytes, index: int) -> NDArray[Any]:
    """Return the samples of a stored tile or strip, (h, w, samples), no higher and no wider than the picture.

    Raises
    ------
    ValueError
        It does not decode to all of its rows; the codecs add errors of their own (``SEGMENT_ERRORS``).
    """
    compression = int(page.compression)
    if compression in _JPEG2000:
        from wsi_area.slides.stored.codestream import claimed_size_px, refuse_torn, refuse_zeroed

        refuse_zeroed(data)
        if claimed_size_px(data) is not None:  # else it lies in the boxes of a JP2 file
            refuse_torn(data)
    if compression == JPEG and str(page.dtype) == "uint8":
        _, place, shape = page.decode(None, index)
        decoded = _jpeg_samples(page, data)
    else:
        found, place, shape = page.decode(data, index, jpegtables=page.jpegtables)
        if found is None:
            raise ValueError("it holds no pixels")
        decoded = found[0]
    rows = min(int(shape[1]), int(page.imagelength) - int(place[2]))
    columns = min(int(shape[2]), int(page.imagewidth) - int(place[3]))
    if decoded.shape[0] < rows or decoded.shape[1] < columns:
        raise ValueError(
            f"it has {decoded.shape[0]} rows of {decoded.shape[1]} px where {rows} of {columns} are needed"
        )
    return decoded[:rows, :columns]


def _jpeg_samples(page: tifffile.TiffPage, data: bytes) -> NDArray[np.uint8]:
    """Return the samples of one JPEG of a directory, uint8 (h, w, samples)."""
    samples = int(page.samplesperpixel) if int(page.planarconfig) == 1 else 1
    if samples not in (1, 3):
        raise ValueError(f"a JPEG of {samples} samples a pixel is not read; save it as grey or RGB")
    if not data.startswith(JPEG_START):
        raise ValueError("it is no JPEG")
    is_ycbcr = int(page.photometric) == _YCBCR
    head = jpeg_head(page.jpegtables, is_ycbcr) if samples == 3 else JPEG_START + _tables(page.jpegtables)
    return strict_jpeg(head + data[len(JPEG_START) :], colours="RGB" if samples == 3 else "GRAY")


def _tables(tables: bytes | None) -> bytes:
    return tables[2:-2] if tables else b""
