"""slides: TIFF without a pyramid: what it claims, why it cannot be measured, and its samples."""

import math
from pathlib import Path
from typing import Any

import tifffile
from numpy.typing import NDArray

from wsi_area.errors import SlideOpenError
from wsi_area.model.calibration import MppCandidate
from wsi_area.model.geometry import Size
from wsi_area.slides.header.mpp_sources import ome_claims, tiff_claims

MAX_PLAIN_PX = 1 << 27
"""A plain image is decoded as a whole: 134 megapixels are 400 MB of RGB."""


def tiff_header(file: Path) -> tuple[Size, tuple[MppCandidate, ...]]:
    """Return the size of the first picture of a TIFF and every pixel size that it claims.

    Raises
    ------
    SlideOpenError
        It is no picture that can be measured; what `tifffile` raises where it is damaged.
    """
    with tifffile.TiffFile(file) as tiff:
        try:
            page = tiff.pages[0]
        except IndexError as error:
            raise SlideOpenError(
                f"{file}: the file ends before the directory of its first picture; it was cut short: copy it again and "
                "compare the sizes"
            ) from error
        obstacle = tiff_obstacle(tiff, page)
        if obstacle is not None:
            raise SlideOpenError(f"{file}: {obstacle}; save it as an 8-bit grey or RGB TIFF, or as 16-bit grey")
        tags = {tag.name: tag.value for tag in page.tags}
        description = str(tags.get("ImageDescription", ""))
        unit = {2: "inch", 3: "cm"}.get(int(tags.get("ResolutionUnit", 2)), "none")
        x, y = (rational(tags.get(name, 0)) for name in ("XResolution", "YResolution"))
        claims = [*ome_claims(description), *tiff_claims(x, y, unit, description)]
        return Size(int(page.imagewidth), int(page.imagelength)), tuple(claims)


def tiff_obstacle(tiff: tifffile.TiffFile, page: tifffile.TiffPage) -> str | None:
    """Return why a TIFF is not one 8-bit picture, nor a 16-bit grey one alone; None where it is."""
    return _page_obstacle(page) or _other_pictures(tiff, page)


def _page_obstacle(page: tifffile.TiffPage) -> str | None:
    """Return why a TIFF page is neither an 8-bit picture nor a 16-bit grey one, or None where it is one."""
    if str(page.dtype) == "uint16":
        if page.samplesperpixel == 1 and page.imagedepth == 1 and int(page.photometric) == 1:
            return None
        return f"its samples are uint16 in {page.samplesperpixel} channels of {page.photometric!s}, not 8-bit"
    if page.dtype is None or str(page.dtype) != "uint8":
        return f"its samples are {page.dtype or 'of an unknown type'}, not 8-bit"
    if page.samplesperpixel not in (1, 3, 4) or page.imagedepth != 1:
        return f"it has {page.samplesperpixel} samples a pixel and depth {page.imagedepth}"
    if int(page.photometric) not in (0, 1, 2, 3, 6):
        return f"its colours are {page.photometric!s}"
    return None


def _other_pictures(tiff: tifffile.TiffFile, page: tifffile.TiffPage) -> str | None:
    """Return what else a 16-bit TIFF holds: microscopes write channels, focal planes and times into one file."""
    if str(page.dtype) != "uint16":
        return None
    shape = tiff.series[0].shape
    if math.prod(shape) <= page.size:
        return None
    return (
        f"it holds {math.prod(shape) // page.size} pictures ({' × '.join(map(str, shape))}), and which one is not said"
    )


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
