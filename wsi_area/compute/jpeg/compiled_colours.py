"""compute: the compiled half of colours of blocks: what libjpeg shows at an eighth, added up in boxes."""

from typing import Any

import numpy as np

from wsi_area.compute.jpeg.compiled_heads import ACROSS, COMPONENTS, DOWN, INTERVAL, OF_COMPONENT, QUANTA
from wsi_area.compute.machine_code import native_part

_PIXELS = np.uint32(64)
_HALF, _BITS = 1 << 15, 16
_RED_OF_CR, _GREEN_OF_CB, _GREEN_OF_CR, _BLUE_OF_CB = 91881, -22554, -46802, 116130
"""JFIF's matrix in 1/65536, as libjpeg rounds it."""
_MOST = 512
"""What libjpeg cuts off lies nearer to 128 than that; beyond, it wraps."""


@native_part
def write_planes(data: Any, head: Any, left: Any, mcus_across: int, mcus_down: int, planes: Any) -> Any:
    """Write the mean of each block, uint8 (components, blocks), of a picture; False if one is out of all measure."""
    across, down, count = head[ACROSS], head[DOWN], head[COMPONENTS]
    block, mcu, interval = 0, 0, head[INTERVAL]
    first, second, third = np.int64(0), np.int64(0), np.int64(0)
    q0 = _quantum(data, head, 0)
    q1 = _quantum(data, head, 1) if count == 3 else 0
    q2 = _quantum(data, head, 2) if count == 3 else 0
    worst: Any = 0
    for y in range(mcus_down):
        for x in range(mcus_across):
            if interval and mcu == interval:
                mcu, block = 0, block + 1
                first, second, third = np.int64(0), np.int64(0), np.int64(0)
            mcu += 1
            for v in range(down):
                for h in range(across):
                    first += np.int64(left[2 * block]) >> 16
                    block += 1
                    mean = (first * q0 + 4) >> 3
                    worst = max(worst, abs(mean))
                    planes[0, (y * down + v) * mcus_across * across + x * across + h] = _sample(mean)
            if count == 3:
                second += np.int64(left[2 * block]) >> 16
                third += np.int64(left[2 * block + 2]) >> 16
                block += 2
                blue, red = (second * q1 + 4) >> 3, (third * q2 + 4) >> 3
                worst = max(worst, abs(blue), abs(red))
                planes[1, y * mcus_across + x], planes[2, y * mcus_across + x] = _sample(blue), _sample(red)
    return worst < _MOST


@native_part
def _quantum(data: Any, head: Any, component: int) -> Any:
    """Return the step of a component's DC."""
    return np.int64(data[head[QUANTA + head[OF_COMPONENT + 4 * component + 1]]])


@native_part
def _sample(mean: Any) -> Any:
    """Return a sample within 0 to 255."""
    return np.uint8(min(max(mean + 128, 0), 255))


@native_part
def add_colours(
    planes: Any, head: Any, mcus_across: int, tile: Any, is_ycbcr: int, factor: int, line: Any, sums: Any
) -> None:
    """Add the colour of each block that counts to its box, once for each pixel; ``line`` is for its own use."""
    across, down, count = head[ACROSS], head[DOWN], tile[4]
    first, second, third = line[0], line[1], line[2]
    for y in range(tile[5]):
        at, chroma_at = y * mcus_across * across, (y // down) * mcus_across
        _spread(planes[0, at : at + count], 1, first)
        if head[COMPONENTS] == 1:
            _spread(planes[0, at : at + count], 1, second)
            _spread(planes[0, at : at + count], 1, third)
        else:
            _spread(planes[1, chroma_at : chroma_at + mcus_across], across, second)
            _spread(planes[2, chroma_at : chroma_at + mcus_across], across, third)
            if is_ycbcr:
                _make_rgb(first, second, third, count)
        _add_line(
            first, second, third, count, tile[2] % factor, factor, sums[(tile[3] + y) // factor, tile[2] // factor :]
        )


@native_part
def _spread(samples: Any, times: int, line: Any) -> None:
    """Write each sample once, or twice."""
    if times == 1:
        for i in range(samples.size):
            line[i] = samples[i]
    else:
        for i in range(samples.size):
            line[2 * i] = line[2 * i + 1] = samples[i]


@native_part
def _make_rgb(first: Any, second: Any, third: Any, count: int) -> None:
    """Make RGB of YCbCr."""
    for i in range(count):
        y, cb, cr = first[i], second[i] - np.int32(128), third[i] - np.int32(128)
        red = y + ((np.int32(_RED_OF_CR) * cr + np.int32(_HALF)) >> np.int32(_BITS))
        green = y + ((np.int32(_GREEN_OF_CB) * cb + np.int32(_GREEN_OF_CR) * cr + np.int32(_HALF)) >> np.int32(_BITS))
        blue = y + ((np.int32(_BLUE_OF_CB) * cb + np.int32(_HALF)) >> np.int32(_BITS))
        first[i], second[i], third[i] = _cut(red), _cut(green), _cut(blue)


@native_part
def _add_line(first: Any, second: Any, third: Any, count: int, before: int, factor: int, boxes: Any) -> None:
    """Add a line of blocks to boxes beside each other, the first block ``before`` blocks into its box."""
    start, column = 0, 0
    while start < count:
        stop = min(start + factor - before, count)
        red = green = blue = np.uint32(0)
        for i in range(start, stop):
            red += np.uint32(first[i])
            green += np.uint32(second[i])
            blue += np.uint32(third[i])
        boxes[column, 0] += red * _PIXELS
        boxes[column, 1] += green * _PIXELS
        boxes[column, 2] += blue * _PIXELS
        start, before, column = stop, 0, column + 1


@native_part
def _cut(sample: Any) -> Any:
    """Return a sample within 0 to 255."""
    return min(max(sample, np.int32(0)), np.int32(255))
