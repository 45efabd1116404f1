"""slides: TIFF that is decoded whole: why it cannot be measured, and its samples."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from wsi_area.model.picture import StoredPart
from wsi_area.slides.stored.opened_tiff import page_at
from wsi_area.slides.stored.tiff_segments import SEGMENT_ERRORS, segment_samples

MAX_PLAIN_PX = 1 << 27
"""A plain image is decoded as a whole: 134 megapixels are 400 MB of RGB."""


def tiff_pages(tiff: tifffile.TiffFile, parts: Sequence[StoredPart]) -> list[tifffile.TiffPage]:
    """Return the directories of a picture, its first of all where nothing says which.

    Raises
    ------
    IndexError
        The file ends before it.
    """
    return [page_at(tiff, part.directory_at) for part in parts] if parts else [tiff.pages[0]]


def tiff_obstacle(pages: Sequence[tifffile.TiffPage], parts: Sequence[StoredPart]) -> str | None:
    """Return the reason why the directories of a picture cannot be measured, None where they can."""
    one_sample = [part.sample is not None for part in parts] or [False]
    found = (_page_obstacle(page, single) for page, single in zip(pages, one_sample, strict=True))
    obstacle = next((text for text in found if text is not None), None)
    if obstacle is None and len({(p.shape[-2:] if p.samplesperpixel == 1 else p.shape, p.dtype) for p in pages}) > 1:
        return "its colours differ in size or kind"
    return obstacle


def _page_obstacle(page: tifffile.TiffPage, one_sample: bool) -> str | None:
    """Return the reason why a TIFF page is neither an 8-bit picture nor a 16-bit grey one, or None where it is one.

    ``one_sample`` says that only one of the samples of its pixels is meant.
    """
    if str(page.dtype) == "uint16":
        if (page.samplesperpixel == 1 or one_sample) and page.imagedepth == 1 and int(page.photometric) == 1:
            return None
        return f"its samples are uint16 in {page.samplesperpixel} channels of {page.photometric!s}, not 8-bit"
    if page.dtype is None or str(page.dtype) != "uint8":
        return f"its samples are {page.dtype or 'of an unknown type'}, not 8-bit"
    if (page.samplesperpixel not in (1, 3, 4) and not one_sample) or page.imagedepth != 1:
        return f"it has {page.samplesperpixel} samples a pixel and depth {page.imagedepth}"
    if int(page.photometric) not in (0, 1, 2, 3, 6):
        return f"its colours are {page.photometric!s}"
    return None


def tiff_samples(page: tifffile.TiffPage, file_bytes: int) -> NDArray[Any]:
    """Return the samples of a TIFF page, (h, w), (h, w, samples) or (samples, h, w).

    Raises
    ------
    ValueError
        Some of them are damaged, or the file cannot hold them.
    """
    samples, _, damage = tiff_samples_around_damage(page, file_bytes)
    if damage:
        raise ValueError(damage)
    return samples


def tiff_samples_around_damage(
    page: tifffile.TiffPage, file_bytes: int
) -> tuple[NDArray[Any], NDArray[np.bool_] | None, str]:
    """Return the samples of a TIFF page, 0 where a strip or a tile is damaged; which pixels are; and what is wrong.

    The samples are (h, w), (h, w, samples) or (samples, h, w), the mask is bool (h, w), or None where none is damaged.

    Raises
    ------
    ValueError
        What the page claims of its strips or tiles cannot be true of any.
    """
    obstacle = tiff_damage(page)
    if obstacle is not None:
        raise ValueError(obstacle)
    samples: NDArray[Any] = np.zeros(page.shaped, page.dtype)
    damaged, said = np.zeros((int(page.imagelength), int(page.imagewidth)), np.bool_), []
    for index, (offset, count) in enumerate(zip(page.dataoffsets, page.databytecounts, strict=False)):
        if index >= math.prod(page.chunked):
            break
        _, (plane, depth, row, column, _), shape = page.decode(None, index)
        try:
            found = segment_samples(page, _bytes_of(page, int(offset), int(count), file_bytes), index)
        except SEGMENT_ERRORS as error:
            damaged[row : row + int(shape[1]), column : column + int(shape[2])] = True
            said.append(f"{'tile' if page.is_tiled else 'strip'} {index}: {error}")
        else:
            samples[plane, depth, row : row + found.shape[0], column : column + found.shape[1]] = found
    more = f", and {len(said) - 1} more" if len(said) > 1 else ""
    return samples.reshape(page.shape), damaged if said else None, f"{said[0]}{more}" if said else ""


def _bytes_of(page: tifffile.TiffPage, offset: int, count: int, file_bytes: int) -> bytes:
    """Return the stored samples of a strip or a tile; tifffile would paint black what the file does not hold."""
    if offset <= 0 or count <= 0 or offset + count > file_bytes:
        raise ValueError(f"a part of {count} bytes at {offset} is not in the file of {file_bytes} bytes")
    handle = page.parent.filehandle
    handle.seek(offset)
    data: bytes = handle.read(count)
    return data


def one_of_samples(samples: NDArray[Any], page: tifffile.TiffPage, sample: int | None) -> NDArray[Any]:
    """Return one of the samples of each pixel of a page, (h, w); all of them where none is named."""
    if sample is None or samples.ndim == 2:
        return samples
    return samples[sample] if int(page.planarconfig) == 2 else samples[..., sample]


def tiff_damage(page: tifffile.TiffPage) -> str | None:
    """Return the claim of a TIFF page that no strips or tiles can have, or None."""
    if page.is_tiled:
        width, height = int(page.tilewidth), int(page.tilelength)
        if not 0 < width * height <= MAX_PLAIN_PX:
            return f"its tiles are said to be {width} × {height} px"
    wanted, listed = math.prod(page.chunked), min(len(page.dataoffsets), len(page.databytecounts))
    if listed < wanted:
        return f"it lists {listed} parts, {wanted} are needed"
    return None


def rational(value: object) -> float:
    """Return a rational tag as a number; 0 where it says nothing."""
    if isinstance(value, tuple):
        return value[0] / value[1] if len(value) == 2 and value[1] else 0.0
    try:
        return float(str(value))
    except ValueError:
        return 0.0
