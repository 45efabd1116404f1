"""segmenters: what a network answers to windows: shown as its card says, its activation applied, its classes chosen."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from wsi_area.compute.machine_code import call_native
from wsi_area.compute.native import Native
from wsi_area.errors import SegmentationError
from wsi_area.model.pixels import ClassMap, RgbArray
from wsi_area.segmenters.network_runs import add_windows
from wsi_area.segmenters.onnx.card import Layout, OnnxCard
from wsi_area.segmenters.onnx.picture import Shown, as_type, byte_tables
from wsi_area.segmenters.onnx.session import Floats, NetworkAt, errors_of, imported_onnxruntime, session_for

_MODULE = "wsi_area.segmenters.onnx.compiled_choice"
_CHOOSE = "float32* int64 int64 int64 int64 int64 double float32* int64 uint8* int64*"
_COUNT_ENDLESS = "float32* int64 int64*"
NATIVE = (Native(_MODULE, "choose", _CHOOSE), Native(_MODULE, "count_endless", _COUNT_ENDLESS))
_PIXELS_AT_ONCE = 4096
"""Pixels whose highest score is kept while channel after channel is looked at: they stay in the cache."""


def normalised(window: RgbArray, card: OnnxCard) -> Floats:
    """Return float32 (h, w, 3) in the card's order of channels: (pixel · scale - mean) / std."""
    ordered = window if card.input.channels == "RGB" else window[..., ::-1]
    return np.stack([table[ordered[..., k]] for k, table in enumerate(byte_tables(card.input))], axis=-1)


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
    said: list[Floats] = []
    for first in range(0, len(windows), batch):
        group = windows[first : first + batch]
        said += _numbers_to(network, card, _shown(group, card, batch))[: len(group)]
    return said


def scores_to(network: NetworkAt, card: OnnxCard, shown: Shown) -> list[Floats]:
    """Return the scores of each window of a batch, float32 (channels, h, w), with the activation applied.

    Parameters
    ----------
    shown
        The windows as the network takes them, blank ones too.

    Raises
    ------
    SegmentationError
        As `answers_of`.
    """
    return [_activated(answer, card) for answer in _numbers_to(network, card, shown)]


def class_maps_to(network: NetworkAt, card: OnnxCard, shown: Shown) -> list[ClassMap]:
    """Return the classes of each window of a batch, uint8 (1, h, w); for parameters and errors see `scores_to`.

    Where the highest answer of a pixel wins, the activation is left out: softmax and sigmoid rise with the answer, so
    the highest stays the highest. A threshold is held against probabilities.
    """
    if card.output.rule == "threshold":
        return [classes_of(scores, card)[None] for scores in scores_to(network, card, shown)]
    answer = _answer_to(network, card, shown)
    if card.output.rule == "labels":
        return list(_checked_labels(answer, card, len(shown)).astype(np.uint8)[:, None])
    numbers = _checked_numbers(answer, card, len(shown))
    chosen = [_chosen(one, card, card.output.layout) for one in numbers]
    _refuse_endless(sum(wrong for _, wrong in chosen), numbers.size, card)
    return [classes[None] for classes, _ in chosen]


def blank_windows(card: OnnxCard, batch: int) -> Shown:
    """Return a batch of windows as the network takes them, each number 0."""
    edge = card.input.window_px
    return np.zeros((batch, 3, edge, edge) if card.input.layout == "NCHW" else (batch, edge, edge, 3), card.input.dtype)


def _answer_to(network: NetworkAt, card: OnnxCard, shown: Shown) -> NDArray[Any]:
    """Return the network's answer to a batch of windows, as it is."""
    session = session_for(network)
    name = card.output.name or session.get_outputs()[0].name
    try:
        (answer,) = session.run([name], {session.get_inputs()[0].name: shown})
    except errors_of(imported_onnxruntime()) as error:
        raise SegmentationError(
            f"the network {card.name!r} cannot be run on {len(shown)} windows of {card.input.window_px} px: {error}; "
            "correct the card's window_px, divisible_by or dtype, or the batch"
        ) from error
    add_windows(len(shown))
    return np.asarray(answer)


def _numbers_to(network: NetworkAt, card: OnnxCard, shown: Shown) -> list[Floats]:
    """Return the network's answer to each window of a batch, finite float32 (channels, h, w)."""
    answer = _answer_to(network, card, shown)
    return list((_of_labels if card.output.rule == "labels" else _by_channel)(answer, card, len(shown)))


def _shown(windows: list[Floats], card: OnnxCard, batch: int) -> Shown:
    """Return windows in the layout and the type that the network takes, the last ones of a batch blank."""
    shown = blank_windows(card, batch)
    for place, window in zip(shown, windows, strict=False):
        place[...] = as_type(window.transpose(2, 0, 1) if card.input.layout == "NCHW" else window, card.input)
    return shown


def classes_of(scores: Floats, card: OnnxCard) -> ClassMap:
    """Return uint8 (h, w) of class ids, chosen of finite float32 (channels, h, w) as the card says."""
    return _chosen(np.ascontiguousarray(scores, np.float32), card, "NCHW")[0]


def _chosen(scores: Floats, card: OnnxCard, layout: Layout) -> tuple[ClassMap, int]:
    """Return the class of each pixel, uint8 (h, w), and the number of the scores that are not finite."""
    shape = scores.shape[1:] if layout == "NCHW" else scores.shape[:2]
    channels, pixels = scores.size // (shape[0] * shape[1]), shape[0] * shape[1]
    steps = (pixels, 1) if layout == "NCHW" else (1, channels)
    classes, wrong = np.empty(shape, np.uint8), np.zeros(1, np.int64)
    call_native(
        _MODULE, "choose", _CHOOSE, scores, channels, pixels, *steps, card.output.rule == "threshold",
        card.output.threshold, np.empty(2 * _PIXELS_AT_ONCE, np.float32), _PIXELS_AT_ONCE, classes, wrong,
    )  # fmt: skip
    return classes, int(wrong[0])


def _by_channel(answer: NDArray[Any], card: OnnxCard, batch: int) -> Floats:
    """Return finite float32 (batch, channels, h, w), contiguous."""
    numbers = _checked_numbers(answer, card, batch)
    wrong = np.zeros(1, np.int64)
    call_native(_MODULE, "count_endless", _COUNT_ENDLESS, numbers, numbers.size, wrong)
    _refuse_endless(int(wrong[0]), numbers.size, card)
    return np.ascontiguousarray(numbers.transpose(0, 3, 1, 2)) if card.output.layout == "NHWC" else numbers


def _checked_numbers(answer: NDArray[Any], card: OnnxCard, batch: int) -> Floats:
    """Return the answer as float32, contiguous, in its own layout; refuse one of another shape than the card says."""
    is_last = answer.ndim == 4 and card.output.layout == "NHWC"
    edge = card.input.window_px // card.output.stride
    expected = (batch, card.channel_count, edge, edge)
    found = answer.transpose(0, 3, 1, 2).shape if is_last else answer.shape
    if found != expected:
        raise SegmentationError(
            f"the network {card.name!r} answers with (n, channels, height, width) = {found}, its card means "
            f"{expected}; correct the card's classes, layout, stride or decision"
        )
    return np.ascontiguousarray(answer, dtype=np.float32)


def _refuse_endless(wrong: int, among: int, card: OnnxCard) -> None:
    """Refuse an answer with numbers that are not finite."""
    if wrong:
        raise SegmentationError(
            f"the network {card.name!r} answers with {wrong} of {among} numbers that are not finite; check its "
            "mean, std and dtype"
        )


def _of_labels(answer: NDArray[Any], card: OnnxCard, batch: int) -> Floats:
    """Return float32 (batch, classes, h, w), 1 where a pixel has the label of the class."""
    labels = _checked_labels(answer, card, batch)[:, None] == np.arange(len(card.classes)).reshape(1, -1, 1, 1)
    return np.ascontiguousarray(labels, dtype=np.float32)


def _checked_labels(answer: NDArray[Any], card: OnnxCard, batch: int) -> NDArray[np.integer]:
    """Return labels (batch, h, w); refuse an answer of another shape, and labels of no class."""
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
    return answer


def _activated(scores: Floats, card: OnnxCard) -> Floats:
    if card.output.activation == "softmax":
        risen = scores - scores.max(axis=0)
        np.exp(risen, out=risen)
        risen /= risen.sum(axis=0)
        return np.asarray(risen)
    if card.output.activation == "sigmoid":
        # e^-|x| never overflows; 1 / (1 + e^-x) for x ≥ 0 and e^x / (1 + e^x) below are the same function
        fallen = np.exp(-np.abs(scores))
        upper = np.exp(np.minimum(scores, 0))
        fallen += 1
        upper /= fallen
        return np.asarray(upper)
    return scores
