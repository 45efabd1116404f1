"""compute: the compiled half of colours of blocks: what libjpeg shows at an eighth, added up in boxes."""

from typing import Any

import numpy as np

from wsi_area.compute.jpeg.compiled_heads import ACROSS, COMPONENTS, DOWN, INTERVAL, OF_COMPONENT, QUANTA
from wsi_area.compute.jpeg.compiled_walk import LONG
from wsi_area.compute.machine_code import native_part, native_piece

_PIXELS = np.uint32(64)
_HALF, _BITS = 1 << 15, 16
_RED_OF_CR, _GREEN_OF_CB, _GREEN_OF_CR, _BLUE_OF_CB = 91881, -22554, -46802, 116130
"""JFIF's matrix in 1/65536, as libjpeg rounds it."""
_DIFFERENCE, _NEGATIVE = (1 << 12) - 1, 1 << 11
_MOST_DC = 4096
"""Eighths: what libjpeg cuts off lies nearer to 128 than that; beyond, it wraps."""


@native_part
def write_planes(
    data: Any, head: Any, left: Any, mcus_across: int, mcus_down: int, differences: Any, sums: Any, planes: Any
) -> Any:
    """Write the mean of each block, uint8 (components, blocks), of a picture; False if one is out of all measure."""
    across, down = head[ACROSS], head[DOWN]
    if head[COMPONENTS] == 1:
        _add_up(left, mcus_across, mcus_down, head[INTERVAL], 1, 1, 1, differences, sums)
    elif across == 2 and down == 2:
        _add_up(left, mcus_across, mcus_down, head[INTERVAL], 2, 2, 3, differences, sums)
    elif across == 2:
        _add_up(left, mcus_across, mcus_down, head[INTERVAL], 2, 1, 3, differences, sums)
    elif down == 2:
        _add_up(left, mcus_across, mcus_down, head[INTERVAL], 1, 2, 3, differences, sums)
    else:
        _add_up(left, mcus_across, mcus_down, head[INTERVAL], 1, 1, 3, differences, sums)
    mcus = mcus_across * mcus_down
    is_within = _write_means(sums[0, : mcus * across * down], _quantum(data, head, 0), planes[0])
    for i in range(1, head[COMPONENTS]):
        is_within = _write_means(sums[i, :mcus], _quantum(data, head, i), planes[i]) and is_within
    return is_within


@native_piece
def _add_up(
    left: Any,
    mcus_across: Any,
    mcus_down: Any,
    interval: Any,
    across: Any,
    down: Any,
    count: Any,
    differences: Any,
    sums: Any,
) -> None:
    """Add up the differences of DC, anew from each restart interval on."""
    slot, mcu = np.uint64(0), 0
    first, second, third = np.int64(0), np.int64(0), np.int64(0)
    two = np.uint64(2)
    for y in range(mcus_down):
        for x in range(mcus_across):
            if interval and mcu == interval:
                mcu, slot = 0, slot + two
                first, second, third = np.int64(0), np.int64(0), np.int64(0)
            mcu += 1
            for v in range(down):
                for h in range(across):
                    first += _difference(left[slot], differences[0])
                    slot += two
                    sums[0, (y * down + v) * mcus_across * across + x * across + h] = first
            if count == 3:
                second += _difference(left[slot], differences[1])
                third += _difference(left[slot + two], differences[1])
                slot += two + two
                sums[1, y * mcus_across + x], sums[2, y * mcus_across + x] = second, third


@native_piece
def _difference(index: Any, differences: Any) -> Any:
    """Return by how much DC differs, by what was looked at."""
    if index & LONG:
        return ((np.int64(index) & _DIFFERENCE) ^ _NEGATIVE) - _NEGATIVE
    return np.int64(differences[np.uint64(index)])


@native_part
def _write_means(sums: Any, quantum: Any, means: Any) -> Any:
    """Write means of blocks; False if one is out of all measure."""
    most = np.int32(0)
    step = np.int32(quantum)
    for i in range(sums.size):
        mean = (min(max(sums[i], np.int32(-_MOST_DC)), np.int32(_MOST_DC)) * step + np.int32(4)) >> np.int32(3)
        most = max(most, abs(sums[i]))
        most = max(most, abs(mean) << np.int32(3))
        means[i] = np.uint8(min(max(mean + np.int32(128), np.int32(0)), np.int32(255)))
    return most < _MOST_DC


@native_part
def _quantum(data: Any, head: Any, component: int) -> Any:
    """Return the step of a component's DC."""
    return np.int64(data[head[QUANTA + head[OF_COMPONENT + 4 * component + 1]]])


@native_part
def add_colours(
    planes: Any, head: Any, mcus_across: int, tile: Any, is_ycbcr: int, factor: int, line: Any, sums: Any
) -> None:
    """Add the colour of each block that counts to its box, once for each pixel; ``line`` is for its own use.

    The planes become those of red, green and blue: of all blocks at once, since each call costs as much as some lines.
    """
    across, down = head[ACROSS], head[DOWN]
    width, rows = mcus_across * across, tile[5]
    blocks = width * rows
    if head[COMPONENTS] == 1:
        for i in range(blocks):
            planes[1, i] = planes[2, i] = planes[0, i]
    else:
        for i in range(1, 3):
            if across == 2 or down == 2:
                _spread(planes[i], line[i], mcus_across, rows, across, down)
        if is_ycbcr:
            _make_rgb(planes[0, :blocks], planes[1, :blocks], planes[2, :blocks])
    for i in range(3):
        _add_plane(planes[i], width, tile, factor, line[i], sums, i)


@native_part
def _spread(plane: Any, line: Any, mcus_across: int, rows: int, across: int, down: int) -> None:
    """Write each sample of a plane for all blocks of light in its MCU."""
    count = mcus_across * (-(-rows // down))
    width = mcus_across * across
    for i in range(count):
        line[i] = plane[i]
    for y in range(rows):
        samples, spread = line[(y // down) * mcus_across :], plane[y * width : (y + 1) * width]
        if across == 2:
            for x in range(mcus_across):
                spread[2 * x] = spread[2 * x + 1] = samples[x]
        else:
            for x in range(mcus_across):
                spread[x] = samples[x]


@native_part
def _make_rgb(first: Any, second: Any, third: Any) -> None:
    """Make RGB of YCbCr."""
    for i in range(first.size):
        y, cb, cr = np.int32(first[i]), np.int32(second[i]) - np.int32(128), np.int32(third[i]) - np.int32(128)
        red = y + ((np.int32(_RED_OF_CR) * cr + np.int32(_HALF)) >> np.int32(_BITS))
        green = y + ((np.int32(_GREEN_OF_CB) * cb + np.int32(_GREEN_OF_CR) * cr + np.int32(_HALF)) >> np.int32(_BITS))
        blue = y + ((np.int32(_BLUE_OF_CB) * cb + np.int32(_HALF)) >> np.int32(_BITS))
        first[i], second[i], third[i] = _cut(red), _cut(green), _cut(blue)


@native_part
def _add_plane(plane: Any, width: int, tile: Any, factor: int, line: Any, sums: Any, colour: int) -> None:
    """Add a colour of the blocks that count to its boxes: first down, all columns at once, and then across."""
    count, row, behind = tile[4], tile[3], tile[3] + tile[5]
    added = line[:count]
    y = 0
    while row < behind:
        box, stop = row // factor, min((row // factor + 1) * factor, behind)
        for x in range(added.size):
            added[x] = 0
        for _ in range(row, stop):
            blocks = plane[y * width : y * width + count]
            for x in range(added.size):
                added[x] += np.int32(blocks[x])
            y += 1
        _add_line(added, tile[2] % factor, factor, sums[box, tile[2] // factor :, colour])
        row = stop


@native_part
def _add_line(added: Any, before: int, factor: int, boxes: Any) -> None:
    """Add columns of blocks to boxes beside each other, the first ``before`` blocks into its box."""
    total = np.uint32(0)
    for x in range(added.size):
        total += np.uint32(added[x])
        added[x] = total
    stop, column, earlier = np.uint64(factor - before - 1), np.uint64(0), np.uint32(0)
    while stop < np.uint64(added.size):
        until = np.uint32(added[stop])
        boxes[column] += (until - earlier) * _PIXELS
        stop, column, earlier = stop + np.uint64(factor), column + np.uint64(1), until
    if total != earlier:
        boxes[column] += (total - earlier) * _PIXELS


@native_part
def _cut(sample: Any) -> Any:
    """Return a sample within 0 to 255."""
    return np.uint8(min(max(sample, np.int32(0)), np.int32(255)))
