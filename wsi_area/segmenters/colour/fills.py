"""segmenters: regions that software filled with one colour where nothing was scanned, found once on the overview."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from wsi_area.compute.count.order_statistics import distinct
from wsi_area.frozen_value import frozen_value
from wsi_area.model.light import Glass, GlassRgb
from wsi_area.model.pixels import MaskArray, Overview
from wsi_area.segmenters.colour.extremes import count_extremes
from wsi_area.segmenters.colour.foreground import background_kind
from wsi_area.segmenters.colour.glass import REACH, find_glass
from wsi_area.segmenters.colour.tissue_like import tissue_like_share

MOST_FILLS = 4
TOLERANCE = 2  # grey levels: what one colour varies by once it was converted
LEAST_FILL = 0.001  # of the scanned pixels
LEAST_RIM = 0.01  # of the rim of what was scanned that has this very colour
MOST_FLAT = 0.5  # of what else stands out, that is as flat: with more, the picture has no noise at all, and was drawn
CONTENT_DEPTH = 24  # grey levels below nearly all that is bright: content, not glass, which averaging may make flat
LEAST_CONTENT_PX = 200
BRIGHTEST_PERCENT = 95
DARK = 60  # grey levels of the brightest channel: glass is not as dark under any lamp
LEAST_EXACT = 0.9  # of what is brighter: of the pixels within the tolerance, that have this very colour
LEAST_TISSUE = 0.5  # of what was not filled, where no glass is seen
BLACKEST = 8  # grey levels: so dark nothing is lit, whether the rest has noise or not
REGION_BLOCKS = 64  # along the longer side: how finely it is remembered where a fill lies

Channel = NDArray[np.uint8]


@frozen_value
class Fill:
    """One colour that no light made, and where it lies."""

    rgb: GlassRgb
    share: float  # of the scanned pixels of the overview


@frozen_value(eq=False)
class Fills:
    """What of a slide was filled; the mask is bool (h, w) in the overview's frame.

    Fills brighter than the glass are background by any rule: they only had no say in what the glass is.
    """

    fills: tuple[Fill, ...]  # that stand out from the glass; none where all are brighter
    mask: MaskArray  # where these lie
    glass: Glass  # found without any of them

    @property
    def block_px(self) -> int:
        """Return the side of a block of ``blocks`` in overview pixels."""
        return _block_px(self.mask)

    @property
    def is_black(self) -> bool:
        """Return True if all of it is next to black."""
        return all(max(fill.rgb) <= BLACKEST for fill in self.fills)

    @property
    def blocks(self) -> NDArray[np.bool_]:
        """Return bool (rows, columns), True for each block of the overview in which a fill lies, or next to one."""
        return _grown(_in_blocks(self.mask))


def find_fills(overview: Overview) -> Fills | None:
    """Return the regions of one colour that reach the rim of what was scanned and stand out from glass, or None.

    Light has noise, a fill has none. A picture that has no noise anywhere was drawn, and nothing of it is a fill but
    what is next to black. Pure black is left to `painted_share`, and what has the colour of the glass is glass.
    """
    scanned_px = int(np.count_nonzero(overview.valid))
    if not scanned_px:
        return None
    colours = _rim_colours(overview)
    if not colours:
        return None
    # numpy is ten times slower along an axis of three
    channels = [np.ascontiguousarray(overview.rgb[..., channel]) for channel in range(3)]
    found = []
    for rgb in colours:
        near = _reaching_rim(_solid_part(_near(channels, rgb) & overview.valid), overview.valid)
        px = int(np.count_nonzero(near))
        if px >= max(1, LEAST_FILL * scanned_px) and _is_exact(channels, rgb, near):
            found.append((rgb, near))
    if not found:
        return None
    if not _has_noise(channels, overview.valid & ~np.logical_or.reduce([near for _, near in found])):
        found = [(rgb, near) for rgb, near in found if max(rgb) <= BLACKEST]
    if not found:
        return None
    glass = find_glass(overview, np.logical_or.reduce([near for _, near in found]))
    if glass.source == "nominal":  # without them there is none: it is one of them, freed of its noise by averaging
        glass = find_glass(overview)
    if glass.source == "nominal" and not _is_tissue(overview, found):
        return None  # a dark field, whose ground may have one colour
    # what stands out from the glass by less than its noise is glass
    kept = [(c, near) for c, near in found if min(a - b for a, b in zip(c, glass.rgb, strict=True)) < -REACH]
    fills = tuple(Fill(rgb, float(np.count_nonzero(near)) / scanned_px) for rgb, near in kept)
    nowhere = np.zeros(overview.valid.shape, np.bool_)
    return Fills(fills, np.logical_or.reduce([nowhere, *(near for _, near in kept)]), glass)


def _is_tissue(overview: Overview, found: list[tuple[GlassRgb, MaskArray]]) -> bool:
    """Return True if what was not filled is bright, and has the colours of tissue."""
    rest = replace(overview, valid=overview.valid & ~np.logical_or.reduce([near for _, near in found]))
    share = tissue_like_share(rest)
    return share is not None and share >= LEAST_TISSUE and background_kind(count_extremes(overview)) == "bright"


def _rim_colours(overview: Overview) -> list[GlassRgb]:
    """Return the commonest exact colours along the rim of what was scanned, pure black left out."""
    valid = overview.valid
    inside = np.pad(valid, 1)
    inside = inside[:-2, 1:-1] & inside[2:, 1:-1] & inside[1:-1, :-2] & inside[1:-1, 2:]
    rim = overview.rgb[valid & ~inside].astype(np.uint32)
    colours, counts = distinct(rim[:, 0] << 16 | rim[:, 1] << 8 | rim[:, 2])
    found: list[GlassRgb] = []
    for n in np.argsort(-counts, kind="stable")[: 4 * MOST_FILLS]:
        colour = int(colours[n])
        rgb = colour >> 16, colour >> 8 & 255, colour & 255
        is_new = all(max(abs(a - b) for a, b in zip(rgb, other, strict=True)) > 2 * TOLERANCE for other in found)
        if colour and is_new and counts[n] >= LEAST_RIM * len(rim):
            found.append(rgb)
    return found[:MOST_FILLS]


def _near(channels: Sequence[Channel], colour: GlassRgb) -> MaskArray:
    """Return bool (h, w), True where no channel is further from a colour than it varies by."""
    near = np.ones(channels[0].shape, np.bool_)
    for channel, level in zip(channels, colour, strict=True):
        near &= (channel >= max(0, level - TOLERANCE)) & (channel <= min(255, level + TOLERANCE))
    return near


def _is_exact(channels: Sequence[Channel], rgb: GlassRgb, near: MaskArray) -> bool:
    """Return True if a colour is dark, or nearly all that is near it has it to the last grey level.

    Glass on an overview is nearly flat, but not quite; nothing dark that light made is.
    """
    if max(rgb) <= DARK:
        return True
    exact = near.copy()
    for channel, level in zip(channels, rgb, strict=True):
        exact &= channel == level
    return int(np.count_nonzero(exact)) >= LEAST_EXACT * int(np.count_nonzero(near))


def _solid_part(near: MaskArray) -> MaskArray:
    """Return those whose eight neighbours are True as well, as far as there are any, and these neighbours."""
    core = ~_grown(~near)
    return _grown(core)


def _reaching_rim(near: MaskArray, valid: MaskArray) -> MaskArray:
    """Return the parts of a mask that hang together, block by block, with the rim of what was scanned."""
    blocks = _in_blocks(near)
    reached = _in_blocks(near & _grown(np.pad(~valid, 1, constant_values=True))[1:-1, 1:-1])
    while True:
        grown = _grown(reached) & blocks
        if (grown == reached).all():
            break
        reached = grown
    side = _block_px(near)
    height, width = near.shape
    rows, columns = reached.shape
    in_px = np.broadcast_to(reached[:, None, :, None], (rows, side, columns, side))
    return near & in_px.reshape(rows * side, columns * side)[:height, :width]


def _block_px(mask: MaskArray) -> int:
    return max(1, -(-max(int(length) for length in mask.shape) // REGION_BLOCKS))


def _in_blocks(mask: MaskArray) -> MaskArray:
    """Return for each block of the overview whether anything of it is True."""
    side = _block_px(mask)
    rows, columns = (-(-length // side) for length in mask.shape)
    padded = np.zeros((rows * side, columns * side), np.bool_)
    padded[: mask.shape[0], : mask.shape[1]] = mask
    return np.asarray(padded.reshape(rows, side, columns, side).any(axis=(1, 3)), np.bool_)


def _grown(mask: MaskArray) -> MaskArray:
    """Return a mask with the eight neighbours of whatever is True."""
    grown = mask.copy()
    grown[1:] |= mask[:-1]
    grown[:-1] |= mask[1:]
    across = grown.copy()
    across[:, 1:] |= grown[:, :-1]
    across[:, :-1] |= grown[:, 1:]
    return across


def _has_noise(channels: Sequence[Channel], rest: MaskArray) -> bool:
    """Return True if most of the rest that is content, or of all of it where next to none is, is not flat."""
    if not rest.any():
        return False
    red, green, blue = channels
    darkest = np.minimum(np.minimum(red, green), blue)
    bright = np.searchsorted(np.cumsum(np.bincount(darkest[rest], minlength=256)), BRIGHTEST_PERCENT / 100 * rest.sum())
    content = rest & (darkest.astype(np.int16) < int(bright) - CONTENT_DEPTH)
    if np.count_nonzero(content) >= LEAST_CONTENT_PX:
        rest = content
    pairs = rest[:, :-1] & rest[:, 1:]
    if not pairs.any():
        return False
    flat = pairs.copy()
    for channel in channels:
        flat &= np.abs(np.diff(channel.astype(np.int16), axis=1)) <= TOLERANCE // 2
    return int(np.count_nonzero(flat)) < MOST_FLAT * int(np.count_nonzero(pairs))
