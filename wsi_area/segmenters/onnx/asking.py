"""segmenters: what a network answers to windows: shown as its card says, its activation applied, its classes chosen."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from wsi_area.errors import SegmentationError
from wsi_area.model.pixels import ClassMap
from wsi_area.segmenters.network_runs import add_windows
from wsi_area.segmenters.onnx.card import OnnxCard
from wsi_area.segmenters.onnx.session import Floats, NetworkAt, errors_of, imported_onnxruntime, session_for

_ROWS_AT_ONCE = 64
"""Rows of a window looked up at once: numpy makes 8 bytes of each pixel for that, and these stay in the cache."""


def normalised(window: NDArray[Any], card: OnnxCard) -> Floats:
    """Return float32 (h, w, 3) in the card's order of channels: (pixel · scale - mean) / std."""
    scale = 255.0 if card.input.scale == "0..1" else 1.0
    mean, std = np.array(card.input.mean), np.array(card.input.std)
    if card.input.channels == "BGR":
        window = window[..., ::-1]
    if window.dtype == np.uint8:
        table = ((np.arange(256)[:, None] / scale - mean) / std).astype(np.float32)
        planes = np.empty((3, *window.shape[:2]), np.float32)  # as most networks want them: nothing is turned
        for row in range(0, len(window), _ROWS_AT_ONCE):
            part = window[row : row + _ROWS_AT_ONCE]
            for channel, plane in enumerate(planes[:, row : row + _ROWS_AT_ONCE]):
                np.take(table[:, channel], part[..., channel], out=plane, mode="clip")  # of a byte nothing is clipped
        return planes.transpose(1, 2, 0)
    factor, shift = (1 / (scale * std)).astype(np.float32), (mean / std).astype(np.float32)
    return np.asarray(window * factor - shift, np.float32)


def scores_of(network: NetworkAt, card: OnnxCard, batch: int, windows: list[Floats]) -> list[Floats]:
    """Return the answers of the network for each window, float32 (channels, h, w), with its activation applied.

    Parameters and errors are those of `answers_of`.
    """
    return [_activated(answer, card) for answer in answers_of(network, card, batch, windows)]


def answers_of(network: NetworkAt, card: OnnxCard, batch: int, windows: list[Floats]) -> list[Floats]:
    """Return the network's own answer to each window, float32 (channels, h, w); labels as 1 for their class, else 0.

    It is always shown ``batch`` windows at once, the last ones blank where there are fewer, so that the same
    window is computed in the same way however many there are.

    Parameters
    ----------
    windows
        float32 (window_px, window_px, 3), normalised, in the card's order of channels.

    Raises
    ------
    SegmentationError
        If the output has another shape than the card says, labels of no class, or numbers that are not finite.
    """
    session = session_for(network)
    said: list[Floats] = []
    for first in range(0, len(windows), batch):
        group = windows[first : first + batch]
        value = _shown(group, card, batch)
        name = card.output.name or session.get_outputs()[0].name
        try:
            (answer,) = session.run([name], {session.get_inputs()[0].name: value})
        except errors_of(imported_onnxruntime()) as error:
            raise SegmentationError(
                f"the network {card.name!r} cannot be run on {batch} windows of {card.input.window_px} px: {error}; "
                "correct the card's window_px, divisible_by or dtype, or the batch"
            ) from error
        add_windows(batch)
        is_labels = card.output.rule == "labels"
        said += list((_of_labels if is_labels else _by_channel)(answer, card, batch)[: len(group)])
    return said


def class_maps_of(network: NetworkAt, card: OnnxCard, batch: int, windows: list[Floats]) -> list[ClassMap]:
    """Return the classes of each window, uint8 (1, h, w); for parameters and errors see `answers_of`.

    Where the highest answer of a pixel wins, the activation is left out: softmax and sigmoid rise with the answer, so
    the highest stays the highest. A threshold is held against probabilities.
    """
    ask = answers_of if card.output.rule == "argmax" else scores_of
    return [classes_of(scores, card)[None] for scores in ask(network, card, batch, windows)]


def _shown(windows: list[Floats], card: OnnxCard, batch: int) -> NDArray[Any]:
    """Return windows in the layout and the type that the network takes, the last ones of a batch blank."""
    if batch == len(windows) == 1:
        return np.ascontiguousarray(_laid_out(windows[0], card)[None])  # mostly as it lies there: nothing is copied
    edge, is_planar = card.input.window_px, card.input.layout == "NCHW"
    value = np.zeros((batch, 3, edge, edge) if is_planar else (batch, edge, edge, 3), card.input.dtype)
    for place, window in zip(value, windows, strict=False):
        place[...] = _laid_out(window, card)
    return value


def _laid_out(window: Floats, card: OnnxCard) -> NDArray[Any]:
    """Return a window with the axes in the network's order, of the type that it takes."""
    turned: NDArray[Any] = window.transpose(2, 0, 1) if card.input.layout == "NCHW" else window
    if card.input.dtype == "uint8":
        turned = np.clip(np.rint(turned), 0, 255)
    return turned.astype(card.input.dtype, copy=False)


def classes_of(scores: Floats, card: OnnxCard) -> ClassMap:
    """Return uint8 (h, w) of class ids, chosen of float32 (channels, h, w) as the card says."""
    best = _highest(scores)
    if card.output.rule != "threshold":
        return best
    reaches = scores.max(axis=0) >= np.float32(card.output.threshold)
    return np.asarray(np.where(reaches, best + 1, 0), np.uint8)


def _highest(scores: Floats) -> ClassMap:
    """Return the first of the channels with the highest score, uint8 (h, w), of finite float32 (channels, h, w).

    It is `numpy.argmax`, which goes from pixel to pixel: channel by channel takes a tenth of its time.
    """
    best, highest = np.zeros(scores.shape[1:], np.uint8), scores[0].copy()
    for channel, score in enumerate(scores[1:], start=1):
        is_higher = (score > highest).view(np.uint8)
        np.maximum(best, is_higher * np.uint8(channel), out=best)  # a later channel has the greater number
        np.maximum(highest, score, out=highest)
    return best


def _by_channel(answer: NDArray[Any], card: OnnxCard, batch: int) -> Floats:
    """Return float32 (batch, channels, h, w), contiguous."""
    if answer.ndim == 4 and card.output.layout == "NHWC":
        answer = answer.transpose(0, 3, 1, 2)
    edge = card.input.window_px // card.output.stride
    expected = (batch, card.channel_count, edge, edge)
    if answer.shape != expected:
        raise SegmentationError(
            f"the network {card.name!r} answers with (n, channels, height, width) = {answer.shape}, its card means "
            f"{expected}; correct the card's classes, layout, stride or decision"
        )
    numbers = np.ascontiguousarray(answer, dtype=np.float32)
    wrong = int(numbers.size - np.isfinite(numbers).sum())
    if wrong:
        raise SegmentationError(
            f"the network {card.name!r} answers with {wrong} of {numbers.size} numbers that are not finite; check its "
            "mean, std and dtype"
        )
    return numbers


def _of_labels(answer: NDArray[Any], card: OnnxCard, batch: int) -> Floats:
    """Return float32 (batch, classes, h, w), 1 where a pixel has the label of the class."""
    edge = card.input.window_px // card.output.stride
    expected = (batch, edge, edge)
    if answer.ndim == 4:  # an axis of one channel, wherever it is
        answer = answer[:, 0] if answer.shape[1] == 1 else answer[..., 0] if answer.shape[3] == 1 else answer
    if answer.shape != expected or answer.dtype.kind not in "iu":
        raise SegmentationError(
            f"the network {card.name!r} answers with {answer.dtype} {answer.shape}, its card means labels, whole "
            f"numbers of (n, height, width) = {expected}; correct output.decision or output.stride"
        )
    least, most = int(answer.min()), int(answer.max())
    if least < 0 or most >= len(card.classes):
        raise SegmentationError(
            f"the network {card.name!r} answers with labels from {least} to {most}, its card has the classes 0 to "
            f"{len(card.classes) - 1}; list every class in the card"
        )
    labels = answer[:, None] == np.arange(len(card.classes)).reshape(1, -1, 1, 1)
    return np.ascontiguousarray(labels, dtype=np.float32)


def _activated(scores: Floats, card: OnnxCard) -> Floats:
    if card.output.activation == "softmax":
        risen = np.exp(scores - scores.max(axis=0))
        return np.asarray(risen / risen.sum(axis=0))
    if card.output.activation == "sigmoid":
        # e^-|x| never overflows; 1 / (1 + e^-x) for x ≥ 0 and e^x / (1 + e^x) below are the same function
        fallen = np.exp(-np.abs(scores))
        return np.asarray(np.where(scores >= 0, 1, fallen) / (1 + fallen), np.float32)
    return scores
