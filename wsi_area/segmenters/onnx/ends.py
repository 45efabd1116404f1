"""segmenters: the two ends of a network's graph held against its card: what is done twice, or in another range."""

from pathlib import Path

import numpy as np

from wsi_area.errors import SettingsError
from wsi_area.segmenters.onnx.card import OnnxCard
from wsi_area.segmenters.onnx.file import checked_network
from wsi_area.segmenters.onnx.graph import FirstSteps, read_graph

_PROBABILITIES = {"Sigmoid": "sigmoid", "HardSigmoid": "sigmoid", "Softmax": "softmax"}
LEAST_SPAN, MOST_SPAN = 0.1, 300.0
"""From black to white, after all arithmetic. Pixels of 0..1, normalised or not, span 1 to 20, those of 0..255 span 255;
what was divided by 255 twice spans 0.004 to 0.02, and 0..255 divided by the deviation of 0..1 spans 500 and more."""
_UNIT_MIDDLES, _BYTE_MIDDLES = (0.1, 1.0), (20.0, 255.0)
_UNIT_LOWEST, _UNIT_HIGHEST = -0.1, (0.5, 1.5)  # of what is shown where 0..1 is wanted
_BYTE_LOWEST, _BYTE_HIGHEST = -10.0, (100.0, 300.0)


def check_ends(path: Path, card: OnnxCard) -> None:
    """Refuse a network that does itself what its card says is still to be done; return nothing.

    Parameters
    ----------
    path
        The ``.onnx`` file.
    card
        What is said of it.

    Raises
    ------
    SettingsError
        With the operators, the numbers, and the keys of the card to change.
    """
    try:
        graph = read_graph(checked_network(path, card.model_sha256))
    except (ValueError, IndexError) as error:
        if isinstance(error, SettingsError):
            raise
        raise SettingsError(f"the network {path} is not an ONNX file: {error}") from error
    answer = card.output.name or next(iter(graph.answers), "")
    _check_last(graph.last_operator(answer), card)
    if len(graph.pictures) == 1:  # of several, the trial says what there is to say
        _check_first(graph.first_steps(graph.pictures[0]), card)


def _check_last(operator: str, card: OnnxCard) -> None:
    said = card.output.activation
    if operator in {"ArgMax", "ArgMin"} and card.output.rule != "labels":
        raise SettingsError(
            f"the graph of the network {card.name!r} ends in {operator}, so it answers with labels, and its card means "
            f'scores; set output.decision to "labels" and output.activation to "none"'
        )
    if said == "none" or operator not in {*_PROBABILITIES, *({"LogSoftmax"} if said == "sigmoid" else ())}:
        return
    made = "logarithms of probabilities" if operator == "LogSoftmax" else "probabilities"
    as_before = "argmax" if operator == "LogSoftmax" else card.output.rule
    raise SettingsError(
        f"the graph of the network {card.name!r} ends in {operator}, so its answers are {made} already, and its card "
        f'would apply {said} again; set output.activation to "none" and output.decision to "{as_before}" in the card'
    )


def shown_range(card: OnnxCard) -> tuple[np.ndarray, np.ndarray]:
    """Return the values that black and white become by the card, float64 (3,) each."""
    mean, std = np.array(card.input.mean), np.array(card.input.std)
    white = 1.0 if card.input.scale == "0..1" else 255.0
    return (0.0 - mean) / std, (white - mean) / std


def _check_first(steps: FirstSteps, card: OnnxCard) -> None:
    if not steps.operators:
        return
    black, white = shown_range(card)
    done = f"the graph of the network {card.name!r} begins with {', '.join(steps.operators)}"
    span = np.abs((white - black) * steps.factor)
    if span.max() < LEAST_SPAN or span.min() > MOST_SPAN:
        raise SettingsError(
            f"{done}, by which black to white, {_plain(black)} to {_plain(white)} by its card, would span only "
            f"{span.max():.3g}; it divides itself: {_remedy('0..255')}"
            if span.max() < LEAST_SPAN
            else f"{done}, by which black to white, {_plain(black)} to {_plain(white)} by its card, would span "
            f"{span.min():.4g}; it wants smaller numbers: {_remedy('0..1')}"
        )
    middle = steps.expected_middle
    if middle is None:
        return
    for wanted, (least, most), lowest, highest in (
        ("0..1", _UNIT_MIDDLES, _UNIT_LOWEST, _UNIT_HIGHEST),
        ("0..255", _BYTE_MIDDLES, _BYTE_LOWEST, _BYTE_HIGHEST),
    ):
        if not (middle.min() >= least and middle.max() <= most):
            continue
        if black.min() < lowest or not (highest[0] <= white.min() and white.max() <= highest[1]):
            raise SettingsError(
                f"{done}, which takes {_plain(middle)} for the mean of pixels in {wanted}, and its card shows "
                f"{_plain(black)} to {_plain(white)}; it normalises itself: {_remedy(wanted)}"
            )


def _remedy(scale: str) -> str:
    return f'set input.scale to "{scale}" in the card, and leave input.mean and input.std out'


def _plain(numbers: np.ndarray) -> str:
    """Return one number where all are equal, else all of them.

    >>> _plain(np.array([0.5, 0.5])), _plain(np.array([0.485, 0.456]))
    ('0.5', '(0.485, 0.456)')
    """
    texts = [f"{float(n):.4g}" for n in numbers]
    return texts[0] if len(set(texts)) == 1 else f"({', '.join(texts)})"
