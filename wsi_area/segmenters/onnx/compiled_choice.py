"""segmenters: the compiled half of what is made of a network's scores: the class of each pixel.

Imported only where no machine code of it lies on disk: see ``wsi_area.compute.machine_code.native_function``. Called
through ``wsi_area.segmenters.onnx.asking``, which checks the shapes: nothing here checks a bound.
"""

from typing import Any

import numpy as np
from numba import carray

from wsi_area.compute.machine_code import native_part

_LARGEST = 3.4028234663852886e38
"""The largest float32: what is more, or is no number, is not finite."""


def choose(
    scores_at: Any, channels: int, pixels: int, channel_step: int, pixel_step: int, is_threshold: int,
    threshold: float, scratch_at: Any, block: int, classes_at: Any, wrong_at: Any,
) -> None:  # fmt: skip
    """Write the class of each pixel, and add the numbers that are not finite to those counted before.

    At these addresses lie: float32 scores, those of a pixel ``channel_step`` apart, those of a channel ``pixel_step``;
    float32 (2, block), for its own use; uint8 (pixels,), the classes; int64 (1,), the count. The class is the first
    channel with the highest score; with a threshold, one more than that where the score reaches it, else 0.
    """
    scores = carray(scores_at, (channels - 1) * channel_step + (pixels - 1) * pixel_step + 1)
    scratch, classes, wrong = carray(scratch_at, 2 * block), carray(classes_at, pixels), carray(wrong_at, 1)
    highest, together = scratch[:block], scratch[block:]
    for number in range((pixels + block - 1) // block):
        start = number * block
        length = min(block, pixels - start)
        here = classes[start : start + length]
        for channel in range(channels):
            at = channel * channel_step + start * pixel_step
            if pixel_step == 1:
                wrong[0] += _compare(scores[at : at + length], channel, highest, here)
            else:
                for i in range(length):
                    together[i] = scores[at + i * pixel_step]
                wrong[0] += _compare(together[:length], channel, highest, here)
        if is_threshold:
            limit = np.float32(threshold)
            for i in range(length):
                here[i] = np.uint8((here[i] + 1) * np.uint8(highest[i] >= limit))


def count_endless(numbers_at: Any, count: int, wrong_at: Any) -> None:
    """Add the numbers that are not finite, of float32 (count,), to those counted before, int64 (1,)."""
    numbers, wrong = carray(numbers_at, count), carray(wrong_at, 1)
    endless, largest = np.int32(0), np.float32(_LARGEST)
    for i in range(count):
        endless = np.int32(endless + np.int32(not abs(numbers[i]) <= largest))
    wrong[0] += np.int64(endless)


@native_part
def _compare(scores: Any, channel: int, highest: Any, classes: Any) -> Any:
    """Take a channel for the class where it is higher than those before; return the numbers that are not finite."""
    wrong, largest, number = np.int32(0), np.float32(_LARGEST), np.uint8(channel)
    if channel == 0:
        for i in range(classes.size):
            score = scores[i]
            wrong = np.int32(wrong + np.int32(not abs(score) <= largest))
            highest[i], classes[i] = score, number
    else:
        for i in range(classes.size):  # without branches, which scores of noise would mislead
            score, before, chosen = scores[i], highest[i], classes[i]
            wrong = np.int32(wrong + np.int32(not abs(score) <= largest))
            classes[i] = number if score > before else chosen
            highest[i] = score if score > before else before
    return np.int64(wrong)
