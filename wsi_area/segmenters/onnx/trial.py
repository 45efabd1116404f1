"""segmenters: a network tried against its card before a slide is begun: shapes, numbers, and how far it looks."""

import math
import threading
from pathlib import Path
from typing import Any

import numpy as np

from wsi_area.errors import SegmentationError, SettingsError
from wsi_area.segmenters.onnx.answers import check_answers
from wsi_area.segmenters.onnx.asking import scores_of
from wsi_area.segmenters.onnx.card import OnnxCard
from wsi_area.segmenters.onnx.examples import check_examples
from wsi_area.segmenters.onnx.session import Floats, NetworkAt, session_for

_TYPES = {"float32": "tensor(float)", "float16": "tensor(float16)", "uint8": "tensor(uint8)"}
_DTYPES = {onnx: ours for ours, onnx in _TYPES.items()}
_LABELS = ("tensor(int64)", "tensor(int32)", "tensor(uint8)")
_AXES = {"NCHW": ("batch", "channels", "height", "width"), "NHWC": ("batch", "height", "width", "channels")}
_SEED = 20

_lock = threading.Lock()
_passed: dict[tuple[NetworkAt, str, int], dict[str, object]] = {}


def try_network(network: NetworkAt, card: OnnxCard, folder: Path, batch: int) -> dict[str, object]:
    """Return the answers of a network to the trial, JSON-ready; one that is not what its card says is refused.

    Done once in a process. ``folder`` is where the card and its examples lie.

    Raises
    ------
    SettingsError
        If an input or output has another shape or type, the answer has, an output pixel looks further than
        ``context_px``, the answers are not of the kind that the card says, or an example is taken for another class.
    """
    trial = (network, card.model_dump_json(), batch)
    with _lock:
        if trial not in _passed:
            _check_declared(session_for(network), card, batch)
            try:
                _check_reach(network, card, batch)
                answered = check_answers(network, card, batch)
                _passed[trial] = {**answered, "examples": check_examples(network, card, folder, batch)}
            except SegmentationError as error:
                raise SettingsError(str(error)) from error
        return _passed[trial]


def _check_declared(session: Any, card: OnnxCard, batch: int) -> None:
    inputs, outputs = session.get_inputs(), {o.name: o for o in session.get_outputs()}
    if len(inputs) != 1:
        raise SettingsError(f"the network {card.name!r} wants {len(inputs)} inputs; one picture is all there is")
    if (len(outputs) > 1 and card.output.name is None) or card.output.name not in {None, *outputs}:
        raise SettingsError(
            f"the network {card.name!r} has the outputs {', '.join(outputs)}, its card means {card.output.name!r}; "
            "name one of them in output.name"
        )
    if inputs[0].type != _TYPES[card.input.dtype]:
        dtype = _DTYPES.get(inputs[0].type)
        remedy = f'set input.dtype to "{dtype}"' if dtype else f"export it for one of {', '.join(_TYPES)}"
        raise SettingsError(
            f"the network {card.name!r} takes {inputs[0].type}, its card says {card.input.dtype}; {remedy}"
        )
    edge = card.input.window_px
    _check_shape("input", inputs[0].shape, card.input.layout, (batch, 3, edge, edge), card)
    said = next(iter(outputs.values())) if card.output.name is None else outputs[card.output.name]
    edge //= card.output.stride
    if _are_labels(said, card):
        return
    _check_shape("output", said.shape, card.output.layout, (batch, card.channel_count, edge, edge), card)


def _are_labels(said: Any, card: OnnxCard) -> bool:
    """Return True if the output is labels and the card says so; refuse what only one of the two says."""
    is_integer = said.type in _LABELS
    if is_integer == (card.output.rule == "labels"):
        return is_integer
    if is_integer:
        raise SettingsError(
            f"the network {card.name!r} answers with {said.type}, which are labels, its card means scores; set "
            'output.decision to "labels" and output.activation to "none"'
        )
    raise SettingsError(
        f"the network {card.name!r} answers with {said.type}, its card means labels ({', '.join(_LABELS)}); set "
        'output.decision to "argmax" or "threshold"'
    )


def _check_shape(what: str, declared: Any, layout: str, meant: tuple[int, int, int, int], card: OnnxCard) -> None:
    """Refuse a fixed size that differs from the card's; a free one is a text or None."""
    named = dict(zip(_AXES["NCHW"], meant, strict=True))
    expected = [named[axis] for axis in _AXES[layout]]
    fits = len(declared) == 4 and all(
        not isinstance(size, int) or size == wanted for size, wanted in zip(declared, expected, strict=False)
    )
    if not fits:
        raise SettingsError(
            f"the {what} of the network {card.name!r} is {list(declared)}, its card and the batch mean {expected} "
            f"({layout}); correct the card's {what}, its classes, or the batch"
        )


def _check_reach(network: NetworkAt, card: OnnxCard, batch: int) -> None:
    """Show noise, then other noise beyond the stated context: the answer within must not change by one bit."""
    edge, stride = card.input.window_px, card.output.stride
    step = math.lcm(card.input.divisible_by, stride)
    noise = np.random.default_rng(_SEED).normal(0, 1, (2, edge, edge, 3)).astype(np.float32)
    if card.input.dtype == "uint8":
        noise = np.rint(128 + 40 * noise)
    (plain,) = scores_of(network, card, batch, [noise[0]])
    context = card.input.context_px
    if context == "window":
        return
    # The output at the beginning of a pooled block looks furthest ahead, the one at its end furthest back: the
    # last output that may not change begins a block in the middle of the window, seen from the one side …
    block = (edge - context - stride - 1) // step // 2 * step
    ahead = block + stride + context
    # … and ends one, seen from the other
    ends = edge - block
    behind = ends - stride - context
    for changed, kept in (
        (np.s_[ahead:], np.s_[: block // stride + 1]),
        (np.s_[:behind], np.s_[ends // stride - 1 :]),
    ):
        shown: Floats = noise[0].copy()
        shown[changed] = noise[1][changed]
        shown[:, changed] = noise[1][:, changed]
        (answer,) = scores_of(network, card, batch, [shown])
        if not np.array_equal(answer[:, kept, kept], plain[:, kept, kept]):
            raise SettingsError(
                f"the network {card.name!r} looks further than the {context} px that its card states as context_px; "
                "state more, or 'window' where it looks at the whole of it (global pooling, attention, normalisation "
                "over the picture)"
            )
