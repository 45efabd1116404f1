"""compute: the compiled half of strips: rows of MCUs of a JPEG, from coefficients to samples, and to pixels.

Of each component the samples of two strips are kept, so that chroma of the strip before may be blended with the next.
"""

from typing import Any

import numpy as np

from wsi_area.compute.jpeg.compiled_heads import ACROSS, COMPONENTS, DOWN, HEIGHT, WIDTH
from wsi_area.compute.jpeg.compiled_idct import MOST_OF_BLOCK, write_samples
from wsi_area.compute.jpeg.compiled_rgb import join_rgb, widen, widen_between, write_rgb
from wsi_area.compute.jpeg.compiled_values import BLOCKS_TOGETHER, GROUP_SIZE
from wsi_area.compute.machine_code import native_part

MCUS_ACROSS, MCUS_DOWN, INTERVAL_STRIPS = 0, 1, 2
"""In a layout: MCUs across and down; strips of a restart interval."""
GROUPS, STRIDE, PLANE = 8, 12, 16
"""In a layout for each component: its first group of blocks, groups in a row of them, and where its samples begin."""
STRIP, LAST_DC = 1, 2
"""In a lane's notes: the strip that it is at; the last DC of each component."""


@native_part
def transform(values: Any, head: Any, layout: Any, notes: Any, quanta: Any, between: Any, samples: Any) -> Any:
    """Write the samples of a row of MCUs; False if a block is out of all measure."""
    _add_up(values, head, layout, notes)
    most = np.int32(0)
    for i in range(head[COMPONENTS]):
        down = head[DOWN] if i == 0 else 1
        stride = layout[STRIDE + i] * BLOCKS_TOGETHER
        first_row = (notes[STRIP] & 1) * 8 * down
        for v in range(down):
            for group in range(layout[STRIDE + i]):
                at = BLOCKS_TOGETHER + (layout[GROUPS + i] + v * layout[STRIDE + i] + group) * GROUP_SIZE
                place = layout[PLANE + i] + (first_row + 8 * v) * stride + group * BLOCKS_TOGETHER
                most = max(most, write_samples(values[at:], quanta[i], between, samples[place:], stride))
    return most <= MOST_OF_BLOCK


@native_part
def _add_up(values: Any, head: Any, layout: Any, notes: Any) -> None:
    """Make of the differences of DC what they are; it begins anew with each restart interval."""
    begins = notes[STRIP] % layout[INTERVAL_STRIPS] == 0
    for i in range(head[COMPONENTS]):
        dc = np.int64(0) if begins else notes[LAST_DC + i]
        across, down = (head[ACROSS], head[DOWN]) if i == 0 else (1, 1)
        for mcu in range(layout[MCUS_ACROSS]):
            for v in range(down):
                for h in range(across):
                    at = block_at(layout, i, mcu * across + h, v)
                    dc += values[at]
                    values[at] = dc
        notes[LAST_DC + i] = dc


@native_part
def block_at(layout: Any, component: int, column: int, row: int) -> Any:
    """Return where the coefficients of a block of a row of MCUs begin."""
    group = layout[GROUPS + component] + row * layout[STRIDE + component] + column // BLOCKS_TOGETHER
    return BLOCKS_TOGETHER + group * GROUP_SIZE + column % BLOCKS_TOGETHER


@native_part
def write_rows(
    samples: Any, head: Any, layout: Any, strip: int, is_ycbcr: int, pairs: Any, pair_bytes: Any, rgb: Any
) -> None:
    """Write the rows of pixels that a row of MCUs completes, of the picture that begins with ``rgb``."""
    across, down, width, height = head[ACROSS], head[DOWN], head[WIDTH], head[HEIGHT]
    is_last, waits = strip + 1 == layout[MCUS_DOWN], down - 1
    first = strip * 8 * down - (waits if strip > 0 else 0)
    end = min((strip + 1) * 8 * down - (0 if is_last else waits), height)
    n, chroma_rows = -(-width // across), -(-height // down)
    luma_stride, stride = 8 * BLOCKS_TOGETHER * layout[STRIDE], 8 * BLOCKS_TOGETHER * layout[STRIDE + 1]
    for row in range(first, end):
        luma = samples[(row % (16 * down)) * luma_stride :]
        near = (row // down % 16) * stride
        second, third = samples[8 * layout[PLANE + 1] + near :], samples[8 * layout[PLANE + 2] + near :]
        if down == 2:
            beyond = min(max(row // 2 + (1 if row & 1 else -1), 0), chroma_rows - 1)
            far = (beyond % 16) * stride
            widen_between(second, samples[8 * layout[PLANE + 1] + far :], n, pairs[2], pairs[0])
            widen_between(third, samples[8 * layout[PLANE + 2] + far :], n, pairs[2], pairs[1])
            second, third = pair_bytes[0], pair_bytes[1]
        elif across == 2:
            widen(second, n, pairs[0])
            widen(third, n, pairs[1])
            second, third = pair_bytes[0], pair_bytes[1]
        if is_ycbcr:
            write_rgb(luma, second, third, width, rgb[row * width * 3 :])
        else:
            join_rgb(luma, second, third, width, rgb[row * width * 3 :])
