"""segmenters: where the windows of a network lie: a grid that is fixed to the slide, one axis at a time; pure.

Three frames along an axis, each counted from the slide's first pixel, so that no number depends on a tile:
*work* pixels (of the class map), *input* pixels (of the network, ``ratio`` of them to a work pixel) and *output*
pixels (``stride`` input pixels each). Window ``i`` keeps the input pixels ``[i·kept, (i + 1)·kept)`` and is shown
``overlap`` more on each side.
"""

import math

import numpy as np
from numpy.typing import NDArray

from wsi_area.frozen_value import frozen_value
from wsi_area.segmenters.onnx.card import OnnxCard

Ints = NDArray[np.int64]
Floats = NDArray[np.float32]

SAME_MPP = 0.02
"""Work pixels within 2 % of the network's pixel size are shown as they are: the planner's own tolerance."""


@frozen_value
class Taps:
    """How each target pixel is made: a weighted sum of source pixels, by global source index."""

    index: Ints  # (n, taps)
    weight: Floats  # (n, taps), each row sums to 1


@frozen_value
class Axis:
    """One axis of a box of work pixels."""

    start_px: int  # work px
    size_px: int
    ratio: float  # network input pixels per work pixel; exactly 1.0 where nothing is resampled
    cut_low: bool  # the slide goes on before the box …
    cut_high: bool  # … and behind it

    @property
    def end_px(self) -> int:
        """Return the first work pixel behind the box."""
        return self.start_px + self.size_px


def ratio_for(work_mpp_um: float, network_mpp_um: float) -> float:
    """Return the network's input pixels per work pixel, exactly 1 within the tolerance.

    >>> ratio_for(1.015, 1.0), ratio_for(0.9, 1.0)
    (1.0, 0.9)
    """
    ratio = work_mpp_um / network_mpp_um
    return 1.0 if abs(ratio - 1) <= SAME_MPP else ratio


def answerable(axis: Axis, card: OnnxCard) -> tuple[int, int]:
    """Return the work pixels ``[first, end)`` of a box whose whole context may be in it.

    Towards the slide's own edge that is all of them: beyond it the card says what to show. Towards a cut the
    context is missing, and those pixels are another tile's.

    >>> from wsi_area.segmenters.onnx.card import CardInput
    >>> shown = CardInput(mpp_um=1, window_px=16, context_px=4)
    >>> answerable(Axis(100, 30, 1.0, True, False), OnnxCard.model_construct(input=shown))
    (104, 130)
    """
    if card.input.context_px == "window":
        return _wholly_shown(axis, card)
    missing_px = math.floor(card.input.context_px / axis.ratio)
    first = axis.start_px + (missing_px if axis.cut_low else 0)
    return first, max(first, axis.end_px - (missing_px if axis.cut_high else 0))


def _wholly_shown(axis: Axis, card: OnnxCard) -> tuple[int, int]:
    """Return the work pixels that windows decide on of which no part lies beyond a cut."""
    kept, overlap, stride = card.input.kept_px, card.input.overlap, card.output.stride
    slack = 0 if axis.ratio == 1 else 1  # a resampled pixel is made of neighbours
    first, end = axis.start_px, axis.end_px
    if axis.cut_low:
        window = math.ceil((math.ceil((axis.start_px + slack) * axis.ratio) + overlap) / kept)
        first = math.ceil((window * kept / stride + 0.5) * stride / axis.ratio - 0.5)
    if axis.cut_high:
        window = (math.floor((axis.end_px - slack) * axis.ratio) - overlap) // kept  # the first that is not
        end = math.floor((window * kept / stride - 0.5) * stride / axis.ratio - 0.5) + 1
    return first, max(first, end)


def windows_over(axis: Axis, card: OnnxCard, first: int, end: int) -> range:
    """Return the numbers of the windows that decide on the work pixels ``[first, end)``."""
    taps = answer_taps(axis, card, first, end).index
    stride, kept = card.output.stride, card.input.kept_px
    return range(int(taps.min()) * stride // kept, int(taps.max()) * stride // kept + 1)


def answer_taps(axis: Axis, card: OnnxCard, first: int, end: int) -> Taps:
    """Return the output pixels that the work pixels ``[first, end)`` are read from, between two of them if need be.

    >>> from wsi_area.segmenters.onnx.card import CardOutput
    >>> card = OnnxCard.model_construct(output=CardOutput(activation="none", stride=2))
    >>> answer_taps(Axis(0, 9, 1.0, False, False), card, 1, 3).weight.tolist()
    [[0.75, 0.25], [0.25, 0.75]]
    """
    stride = card.output.stride
    work = np.arange(first, end, dtype=np.int64)
    if axis.ratio == 1 and stride == 1:
        return Taps(work[:, None], np.ones((len(work), 1), np.float32))
    # the slide's last output pixel; behind a cut it plays no part
    last = math.ceil(axis.end_px * axis.ratio / stride) - 1
    at = np.clip((work + 0.5) * axis.ratio / stride - 0.5, 0, max(0, last))
    return _between(at)


def input_taps(axis: Axis, first: int, end: int) -> Taps:
    """Return the work pixels that the input pixels ``[first, end)`` are made of.

    Where the network's pixels are larger: the mean over what they cover, by area. Where they are smaller: between
    the two nearest centres.

    >>> taps = input_taps(Axis(0, 9, 0.5, False, False), 0, 2)
    >>> taps.index[:, :2].tolist(), taps.weight[:, :2].tolist()
    ([[0, 1], [2, 3]], [[0.5, 0.5], [0.5, 0.5]])
    """
    pixel = np.arange(first, end, dtype=np.int64)
    if axis.ratio == 1:
        return Taps(pixel[:, None], np.ones((len(pixel), 1), np.float32))
    if axis.ratio > 1:
        return _between((pixel + 0.5) / axis.ratio - 0.5)
    low, high = pixel / axis.ratio, (pixel + 1) / axis.ratio
    index = np.floor(low).astype(np.int64)[:, None] + np.arange(math.ceil(1 / axis.ratio) + 1)
    covered = np.minimum(index + 1, high[:, None]) - np.maximum(index, low[:, None])
    weight = np.maximum(covered, 0)
    return Taps(index, (weight / weight.sum(axis=1, keepdims=True)).astype(np.float32))


def _between(at: NDArray[np.floating]) -> Taps:
    """Return the two pixels about each place, and the share of each."""
    below = np.floor(at).astype(np.int64)
    upper = (at - below).astype(np.float32)
    return Taps(np.stack([below, below + 1], axis=1), np.stack([1 - upper, upper], axis=1))


def mirrored(index: Ints, size_px: int) -> Ints:
    """Return indices into ``[0, size_px)``, those outside mirrored about the first and the last pixel.

    >>> mirrored(np.array([-2, -1, 0, 3, 4, 5]), 4).tolist()
    [2, 1, 0, 3, 2, 1]
    """
    if size_px == 1:
        return np.zeros_like(index)
    folded = np.abs(index) % (2 * (size_px - 1))
    return np.asarray(np.minimum(folded, 2 * (size_px - 1) - folded))
