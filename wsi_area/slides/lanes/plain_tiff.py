"""slides: TIFF that is decoded whole: why it cannot be measured, and its samples."""

import math
from collections.abc import Sequence
from typing import Any

import tifffile
from numpy.typing import NDArray

from wsi_area.model.picture import StoredPart
from wsi_area.slides.lanes.part_tiles import page_at

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
    """Return why the directories of a picture cannot be measured, None where they can."""
    one_sample = [part.sample is not None for part in parts] or [False]
    found = (_page_obstacle(page, single) for page, single in zip(pages, one_sample, strict=True))
    obstacle = next((text for text in found if text is not None), None)
    if obstacle is None and len({(p.shape[-2:] if p.samplesperpixel == 1 else p.shape, p.dtype) for p in pages}) > 1:
        return "its colours differ in size or kind"
    return obstacle


def _page_obstacle(page: tifffile.TiffPage, one_sample: bool) -> str | None:
    """Return why a TIFF page is neither an 8-bit picture nor a 16-bit grey one, or None where it is one.

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
        The file cannot hold them.
    """
    damage = tiff_damage(page, file_bytes)
    if damage is not None:
        raise ValueError(damage)
    samples: NDArray[Any] = page.asarray(maxworkers=1)
    return samples


def one_of_samples(samples: NDArray[Any], page: tifffile.TiffPage, sample: int | None) -> NDArray[Any]:
    """Return one of the samples of each pixel of a page, (h, w); all of them where none is named."""
    if sample is None or samples.ndim == 2:
        return samples
    return samples[sample] if int(page.planarconfig) == 2 else samples[..., sample]


def tiff_damage(page: tifffile.TiffPage, file_bytes: int) -> str | None:
    """Return what of a TIFF page's pixels the file cannot hold, or None where all of them may be there.

    tifffile would read as many bytes as the header claims, and paint black what is not stored.
    """
    if page.is_tiled:
        width, height = int(page.tilewidth), int(page.tilelength)
        if not 0 < width * height <= MAX_PLAIN_PX:
            return f"its tiles are said to be {width} × {height} px"
    wanted = math.prod(page.chunked)
    stored = list(zip(map(int, page.dataoffsets), map(int, page.databytecounts), strict=False))
    if len(stored) < wanted:
        return f"it lists {len(stored)} parts, {wanted} are needed"
    for offset, count in stored:
        if offset <= 0 or count <= 0 or offset + count > file_bytes:
            return f"a part of {count} bytes at {offset} is not in the file of {file_bytes} bytes"
    return None


def rational(value: object) -> float:
    """Return a rational tag as a number; 0 where it says nothing."""
    if isinstance(value, tuple):
        return value[0] / value[1] if len(value) == 2 and value[1] else 0.0
    try:
        return float(str(value))
    except ValueError:
        return 0.0
