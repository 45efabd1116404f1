"""slides: a small picture of the whole slide, the same in every lane."""

import math
from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from wsi_area.model.geometry import Region, Size
from wsi_area.model.pixels import DeepArray, MaskArray, Overview
from wsi_area.model.slide import SAMPLE_BITS, SlideInfo
from wsi_area.slides.lanes.exactness import is_exactly_addressable
from wsi_area.slides.lanes.handles import borrow_reader
from wsi_area.slides.lanes.reading import SlideReader, grid_boxes, read_around_damage

Sample = TypeVar("Sample", np.uint8, np.uint16)
MAX_SIDE_PX = 1024
_BLOCK_PX = 512  # level pixels a side held at once, about


def overview_level(info: SlideInfo, max_side_px: int = MAX_SIDE_PX, usable_levels: Sequence[int] | None = None) -> int:
    """Return the level an overview is made from: the coarsest usable one at least half as large as wished.

    A level that is padded, or whose ratio to level 0 is odd, would show the slide in the wrong place; None means
    that every level may be used.
    """
    fitting = [
        level.index
        for level in info.levels
        if (usable_levels is None or level.index in usable_levels)
        and 2 * max(level.size_px.width_px, level.size_px.height_px) >= max_side_px
    ]
    return max(fitting, default=0)


def overview_box_l0_px(
    info: SlideInfo, max_side_px: int = MAX_SIDE_PX, usable_levels: Sequence[int] | None = None
) -> tuple[float, float]:
    """Return the width and the height of the level-0 box under one pixel of the overview."""
    level = info.levels[overview_level(info, max_side_px, usable_levels)]
    factor = -(-max(level.size_px.width_px, level.size_px.height_px) // max_side_px)
    return factor * level.downsample_x, factor * level.downsample_y


def read_overview(
    info: SlideInfo,
    reader: SlideReader,
    max_side_px: int = MAX_SIDE_PX,
    usable_levels: Sequence[int] | None = None,
) -> Overview:
    """Return the whole slide as box means of valid pixels, its longest side at most ``max_side_px``.

    The box is a whole number of level pixels, so the picture depends neither on the lane nor on any tile
    size; boxes at the right and lower rim are smaller. Means are rounded half up. A box is valid where all of
    it was scanned; what cannot be decoded is not valid either, so that one bad tile never costs the slide.
    ``mpp`` is left None: the caller knows the calibration.
    """
    level = overview_level(info, max_side_px, usable_levels)
    if reader.lane != "direct" or _is_proven(info, level, usable_levels):
        return _reduced(info, reader, level, max_side_px)
    with borrow_reader(info, "openslide") as reference:
        return _reduced(info, reference, level, max_side_px)


def _is_proven(info: SlideInfo, level: int, usable_levels: Sequence[int] | None) -> bool:
    """Return whether a proven direct lane has been compared with OpenSlide on this level (see ``lanes``)."""
    entry = info.levels[level]
    longest = max(entry.size_px.width_px, entry.size_px.height_px)
    exact = is_exactly_addressable(longest, (entry.downsample_x + entry.downsample_y) / 2)
    return exact and level == overview_level(info, usable_levels=usable_levels)


def _reduced(info: SlideInfo, reader: SlideReader, level: int, max_side_px: int) -> Overview:
    size = info.levels[level].size_px
    factor = -(-max(size.width_px, size.height_px) // max_side_px)
    width, height = -(-size.width_px // factor), -(-size.height_px // factor)
    rgb = np.zeros((height, width, 3), np.uint8)
    valid = np.zeros((height, width), np.bool_)
    deep: DeepArray | None = None
    tile = info.levels[level].stored_tile_px or Size(1, 1)
    steps = _step_px(factor, tile.width_px), _step_px(factor, tile.height_px)
    boxes = grid_boxes(Region(0, 0, size.width_px, size.height_px), *steps)
    for box in boxes:
        pixels, _ = read_around_damage(reader, level, box)
        top, left = box.y_px // factor, box.x_px // factor
        means, is_valid = box_means(pixels.rgb, pixels.valid, factor)
        rows, columns = slice(top, top + means.shape[0]), slice(left, left + means.shape[1])
        rgb[rows, columns] = means
        valid[rows, columns] = is_valid
        if pixels.deep is not None:
            deep = np.zeros((height, width), np.uint16) if deep is None else deep
            deep[rows, columns] = box_means(pixels.deep[..., None], pixels.valid, factor)[0][..., 0]
    bits = int(info.properties.get(SAMPLE_BITS, 16))
    return Overview(rgb, valid, info.size_l0_px, None, deep=deep, deep_bits=bits)


def _step_px(factor: int, tile_px: int) -> int:
    """Return the side of a block: whole boxes, and whole stored tiles too where that is not much larger."""
    unit = math.lcm(factor, tile_px)
    unit = unit if unit <= 4 * _BLOCK_PX else factor
    return max(1, _BLOCK_PX // unit) * unit


def box_means(rgb: NDArray[Sample], valid: MaskArray, factor: int) -> tuple[NDArray[Sample], MaskArray]:
    """Return the mean colour of the valid pixels of each box, rounded half up, and which boxes are wholly valid.

    ``rgb`` is uint8 or uint16 (h, w, channels), ``valid`` bool (h, w); the results are of ceil(h / factor) rows.

    >>> means, is_valid = box_means(np.array([[[1, 2, 9], [2, 2, 9]]], np.uint8), np.array([[True, True]]), 2)
    >>> means.tolist(), is_valid.tolist()
    ([[[2, 2, 9]]], [[True]])
    """
    rows, columns = (_box_lengths(length, factor) for length in valid.shape)
    area = rows[:, None] * columns
    if valid.all():
        return _means(_box_sums(rgb, factor), area, factor).astype(rgb.dtype), np.ones(area.shape, np.bool_)
    count = _box_sums(valid.view(np.uint8)[..., None], factor)[..., 0].astype(np.int64)
    sums = _box_sums(np.where(valid[..., None], rgb, rgb.dtype.type(0)), factor)
    means = _means(sums, area, factor)
    partial = count < area
    means[partial] = _divided(sums[partial], np.maximum(count[partial], 1))
    return means.astype(rgb.dtype), ~partial


def _box_lengths(length_px: int, factor: int) -> NDArray[np.int64]:
    starts = np.arange(0, length_px, factor)
    return np.minimum(starts + factor, length_px) - starts


def _means(sums: NDArray[np.unsignedinteger], area: NDArray[np.int64], factor: int) -> NDArray[np.uint16]:
    """Return the sums of boxes divided by their area, rounded half up."""
    whole = sums.dtype.type(factor * factor)
    means: NDArray[np.uint16] = ((sums + sums + whole) // (whole + whole)).astype(np.uint16)  # vector code: one divisor
    for rim in (np.s_[-1, :], np.s_[:, -1]):  # where boxes may be smaller
        means[rim] = _divided(sums[rim], area[rim])
    return means


def _divided(sums: NDArray[np.unsignedinteger], count: NDArray[np.int64]) -> NDArray[np.uint16]:
    divisor = count[..., None]
    means: NDArray[np.uint16] = ((2 * sums.astype(np.int64) + divisor) // (2 * divisor)).astype(np.uint16)
    return means


def _box_sums(samples: NDArray[np.uint8] | NDArray[np.uint16], factor: int) -> NDArray[np.unsignedinteger]:
    """Return exact sums (boxes down, boxes across, channels) of uint8 or uint16 (h, w, channels).

    Of type uint32, or uint64 where twice a sum might not fit.
    """
    height, width, channels = samples.shape
    # down first, in the narrowest type that cannot overflow: this pass touches every pixel
    lines = samples.reshape(height, width * channels)
    wide = samples.dtype == np.uint16
    down: NDArray[Any] = lines[::factor].astype(np.uint16 if factor <= 257 and not wide else np.uint32)
    for offset in range(1, min(factor, height)):
        part = lines[offset::factor]
        down[: len(part)] += part
    shape = (len(down), -(-width // factor), channels)
    sums = np.zeros(shape, np.uint32 if factor <= (128 if wide else 2048) else np.uint64)
    for channel in range(channels):
        across: NDArray[Any] = down[:, channel::channels][:, ::factor].astype(sums.dtype)
        for offset in range(1, min(factor, width)):
            part = down[:, channel + offset * channels :: channels * factor]
            across[:, : part.shape[1]] += part
        sums[..., channel] = across
    return sums
