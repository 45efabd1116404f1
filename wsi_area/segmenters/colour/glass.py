"""segmenters: the bare glass of a slide, found once on its overview: its colour, its share, its fall over the field."""

from typing import Annotated, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from wsi_area.model.light import Glass, GlassRgb
from wsi_area.model.pixels import MaskArray, Overview, RgbArray
from wsi_area.segmenters.colour.glass_fall import fall_over_field

GLASS_LOWEST = 190  # all of R, G, B of clean glass are at least this …
GLASS_LARGEST_CHROMA = 16  # … and no further apart than this: pale pink tissue is not glass
LEAST_BACKGROUND = 0.005  # a smaller share of the valid pixels is not taken for the background
NOMINAL_GLASS: GlassRgb = (240, 240, 240)  # taken where none is seen
WELL_WITHIN = 3  # grey levels: a mode nearer to the bounds of clean glass is the rim of something else

# Glass of another colour: the brightest of the common colours, flat, and of no stain's hue.
LEAST_MODE = 0.03  # of the valid pixels within 6 grey levels of it in each channel
REACH = 12  # grey levels around the mode that are glass with its noise
MOST_BRIGHTER = 0.02  # of the valid pixels may be brighter still: specks and rims of bubbles
LEAST_FLAT = 0.7  # of the glass, whose neighbour is glass as well: tissue is a texture, glass a plane
DARKEST_GLASS = 80  # of its brightest channel: below it nobody scans
LEAST_TINT_RATIO = 0.5  # of its darkest to its brightest channel; yellowed mounting medium has 0.66
LEAST_GREEN_RATIO = 0.75  # likewise where green is darkest, as eosin and haematoxylin make it; pale tissue has 0.7
_CUBE_BITS = 2  # colours are counted in cells of 4 grey levels

GreyLevel = Annotated[int, Field(ge=0, le=254)]
GlassChannel = Annotated[int, Field(ge=1, le=255)]
GlassColour = tuple[GlassChannel, GlassChannel, GlassChannel]
GLASS_FIELD: Any = Field(
    "auto",
    description="colour of bare glass: 'auto', the slide's own, found on its overview; or [R, G, B], grey levels. "
    "Otsu's threshold is held near it, without its tint, and optical densities are taken against it",
)
"""The setting by which a segmenter is told the glass."""


class _Channels(NamedTuple):
    """The valid, lit pixels of an overview, channel by channel: numpy is ten times slower along an axis of three."""

    red: NDArray[np.uint8]
    green: NDArray[np.uint8]
    blue: NDArray[np.uint8]


def find_glass(overview: Overview, apart: MaskArray | None = None) -> Glass:
    """Return the glass of a slide, ``NOMINAL_GLASS`` where none is seen.

    Clean glass is bright and without colour. Where there is none, the glass is dim or tinted: then it is the brightest
    of the common colours, if it is flat, next to nothing is brighter, and no stain has its hue.

    Parameters
    ----------
    overview : Overview
    apart : bool (h, w), optional
        True where software painted: that is no glass.
    """
    wanted = overview.valid if apart is None else overview.valid & ~apart
    pixels = _lit(overview.rgb, wanted)
    if not len(pixels.red):
        return Glass(NOMINAL_GLASS, "nominal")
    clean = _clean_glass(pixels)
    rgb = clean
    if clean is None or not _is_well_within(clean):
        rgb = _common_glass(overview.rgb, wanted, pixels) or clean
    if rgb is None:
        return Glass(NOMINAL_GLASS, "nominal")
    share = float(_near(pixels, rgb).mean())
    return Glass(rgb, "seen", share, fall_over_field(overview.rgb, wanted, rgb))


def _lit(rgb: RgbArray, wanted: MaskArray) -> _Channels:
    """Return the wanted pixels without pure black, which was painted, and pure white if there is enough else."""
    red, green, blue = (np.ascontiguousarray(rgb[..., channel]) for channel in range(3))
    lit = wanted & ((red | green | blue) != 0)
    unpainted = lit & ((red & green & blue) != 255)
    # pure white is what stitching software paints where nothing was scanned: believed if nothing else is
    if np.count_nonzero(unpainted) >= LEAST_BACKGROUND * np.count_nonzero(lit):
        lit = unpainted
    return _Channels(red[lit], green[lit], blue[lit])


def _clean_glass(pixels: _Channels) -> GlassRgb | None:
    """Return the commonest colour of what can only be glass, or None if there is too little of it."""
    lowest = np.minimum(np.minimum(pixels.red, pixels.green), pixels.blue)
    highest = np.maximum(np.maximum(pixels.red, pixels.green), pixels.blue)
    is_glass = (lowest >= GLASS_LOWEST) & (highest - lowest <= GLASS_LARGEST_CHROMA)
    if np.count_nonzero(is_glass) < max(1, LEAST_BACKGROUND * len(lowest)):
        return None
    level = int(np.bincount(lowest[is_glass], minlength=256).argmax())
    return _median(pixels, is_glass & (lowest >= level - 2) & (lowest <= min(level, 253) + 2))


def is_clean(rgb: GlassRgb) -> bool:
    """Return True for a bright colour without a tint, which tissue has not.

    >>> is_clean((246, 243, 243)), is_clean((182, 182, 182)), is_clean((238, 224, 190))
    (True, False, False)
    """
    return min(rgb) >= GLASS_LOWEST and max(rgb) - min(rgb) <= GLASS_LARGEST_CHROMA


def _is_well_within(rgb: GlassRgb) -> bool:
    return min(rgb) >= GLASS_LOWEST + WELL_WITHIN and max(rgb) - min(rgb) <= GLASS_LARGEST_CHROMA - WELL_WITHIN


def _common_glass(picture: RgbArray, wanted: MaskArray, pixels: _Channels) -> GlassRgb | None:
    """Return the brightest of the common colours if it can be glass, dim or tinted as it may be."""
    centre = _brightest_mode(pixels)
    if centre is None:
        return None
    rgb = _median(pixels, _near(pixels, centre))
    least = LEAST_GREEN_RATIO if rgb[1] == min(rgb) else LEAST_TINT_RATIO
    if max(rgb) < DARKEST_GLASS or min(rgb) < least * max(rgb):
        return None
    above = [channel.astype(np.int16) - level for channel, level in zip(pixels, rgb, strict=True)]
    lowest, highest = np.minimum.reduce(above), np.maximum.reduce(above)
    if float(((highest > REACH) & (lowest >= -REACH)).mean()) > MOST_BRIGHTER:
        return None
    return rgb if _flatness(picture, wanted, rgb) >= LEAST_FLAT else None


def _brightest_mode(pixels: _Channels) -> GlassRgb | None:
    """Return the middle of the cell of colours round which the brightest common colour lies, or None."""
    cells = 256 >> _CUBE_BITS
    red, green, blue = (channel.astype(np.uint32) >> _CUBE_BITS for channel in pixels)
    counts = np.bincount((red * cells + green) * cells + blue, minlength=cells**3).reshape(cells, cells, cells)
    for axis in range(3):
        moved = np.moveaxis(np.pad(counts, [(1, 1) if a == axis else (0, 0) for a in range(3)]), axis, 0)
        counts = np.moveaxis(moved[:-2] + moved[1:-1] + moved[2:], 0, axis)
    common = np.argwhere(counts >= LEAST_MODE * len(pixels.red))
    if not len(common):
        return None
    at = common[common.sum(axis=1).argmax()]
    while True:  # uphill, from its bright flank
        low = np.maximum(at - 1, 0)
        around = counts[tuple(slice(int(a), int(b) + 2) for a, b in zip(low, at, strict=True))]
        best = low + np.array(np.unravel_index(int(around.argmax()), around.shape))
        if counts[tuple(best)] <= counts[tuple(at)]:
            break
        at = best
    r, g, b = (int(cell * (1 << _CUBE_BITS) + (1 << _CUBE_BITS) // 2) for cell in at)
    return r, g, b


def _near(pixels: _Channels, rgb: GlassRgb) -> MaskArray:
    near = np.ones(pixels.red.shape, np.bool_)
    for channel, level in zip(pixels, rgb, strict=True):
        near &= (channel >= max(0, level - REACH)) & (channel <= min(255, level + REACH))
    return near


def _flatness(picture: RgbArray, wanted: MaskArray, rgb: GlassRgb) -> float:
    """Return the share of glass-coloured pixels whose right and lower neighbours, where wanted, are so too."""
    near = wanted & (np.abs(picture.astype(np.int16) - np.array(rgb, np.int16)) <= REACH).all(axis=-1)
    pairs = (near[:, :-1], near[:, 1:], wanted[:, 1:]), (near[:-1], near[1:], wanted[1:])
    asked = sum(int(np.count_nonzero(first & seen)) for first, _, seen in pairs)
    both = sum(int(np.count_nonzero(first & second)) for first, second, _ in pairs)
    return both / asked if asked else 0.0


def _median(pixels: _Channels, chosen: MaskArray) -> GlassRgb:
    """Return the median of each channel of the chosen pixels, of which there is one at least."""
    half = (int(np.count_nonzero(chosen)) - 1) // 2
    sums = (np.cumsum(np.bincount(channel[chosen], minlength=256)) for channel in pixels)
    red, green, blue = (int(np.searchsorted(up_to, half, side="right")) for up_to in sums)
    return red, green, blue
