"""segmenters: what a network answers to a few fixed windows, held against its card: is it what a class is chosen by."""

import numpy as np

from wsi_area.errors import SettingsError
from wsi_area.model.classes import BACKGROUND_ID
from wsi_area.model.pixels import RgbArray
from wsi_area.segmenters.onnx.asking import answers_of, classes_of, normalised, scores_of
from wsi_area.segmenters.onnx.card import OnnxCard
from wsi_area.segmenters.onnx.session import Floats, NetworkAt

_SEED = 21
_GLASS_LEVEL, _GLASS_NOISE = 243, 1.5  # grey levels
# black, white, and what glass, eosin, haematoxylin, DAB and erythrocytes look like
_COLOURS = (
    (0, 0, 0), (255, 255, 255), (243, 243, 243), (225, 150, 190), (110, 70, 150), (130, 85, 50), (190, 60, 70),
)  # fmt: skip
_PATCH_PX = 16
SLACK = 1e-3
"""What float16 leaves of a number near 1."""


def check_answers(network: NetworkAt, card: OnnxCard, batch: int) -> dict[str, object]:
    """Return the answers of the network, JSON-ready, after refusing answers that are not what the card says.

    Raises
    ------
    SettingsError
        If an activation is applied twice, or what a threshold is held against is no probability.
    SegmentationError
        If the answers cannot be used at all.
    """
    windows = [normalised(window, card) for window in (_noise(card), _patches(card), _glass(card))]
    answers = answers_of(network, card, batch, windows)
    if card.output.rule != "labels":
        _check_range(answers, card)
    scores = scores_of(network, card, batch, windows[-1:])[0]
    share = float(np.mean(classes_of(scores, card) == BACKGROUND_ID))
    # on record, and so in the hash of the fit: the last bits of an answer, which differ between machines, must not show
    return {"glass_as_background": round(share, 1)}


def _check_range(answers: list[Floats], card: OnnxCard) -> None:
    output, name = card.output, f"the network {card.name!r}"
    least, most = min(float(a.min()) for a in answers), max(float(a.max()) for a in answers)
    seen = f"{name} answers with {least:.4g} to {most:.4g} to noise, stains and glass"
    within = least >= -SLACK and most <= 1 + SLACK
    if within and output.activation != "none":
        raise SettingsError(
            f"{seen}: these are probabilities already, and its card would apply {output.activation} again; set "
            f'output.activation to "none" and output.decision to "{output.rule}" in the card'
        )
    if not within and output.activation == "none" and output.rule == "threshold":
        raise SettingsError(
            f"{seen}: these are no probabilities, and its card holds them against the threshold {output.threshold}; "
            'set output.activation to "sigmoid" in the card, or to what makes probabilities of them'
        )
    channels = card.channel_count
    sums = np.concatenate([a.sum(axis=0).ravel() for a in answers])
    adds_up = bool(within and np.abs(sums - 1).max() <= SLACK * channels)
    if output.rule == "threshold" and (adds_up or output.activation == "softmax") and output.threshold <= 1 / channels:
        raise SettingsError(
            f"the {channels} probabilities of {name} add up to 1, so one of them always reaches the threshold "
            f'{output.threshold} and nothing is background; set output.decision to "argmax" in the card, and list a '
            "class for each channel, background first"
        )
    if output.activation == "none" and channels > 1 and within and not adds_up:
        _check_axis(answers, name)


def _check_axis(answers: list[Floats], name: str) -> None:
    """Refuse probabilities that add up to 1 along rows or columns of the picture."""
    for axis, what in ((1, "column"), (2, "row")):
        if all(np.abs(a.sum(axis=axis) - 1).max() <= SLACK * a.shape[axis] for a in answers):
            raise SettingsError(
                f"the answers of {name} add up to 1 along each {what} of the picture, not over its classes; correct "
                "output.layout in the card, or export it with the softmax over the axis of its channels"
            )


def _noise(card: OnnxCard) -> RgbArray:
    """Return uint8 (window_px, window_px, 3), each number as likely as any other."""
    edge = card.input.window_px
    return np.random.default_rng(_SEED).integers(0, 256, (edge, edge, 3), np.uint8)


def _patches(card: OnnxCard) -> RgbArray:
    """Return uint8 (window_px, window_px, 3): squares of the colours of slides; noise is grey to a wide kernel."""
    edge = card.input.window_px
    count = -(-edge // _PATCH_PX)
    drawn = np.random.default_rng(_SEED).integers(0, len(_COLOURS), (count, count))
    squares = np.array(_COLOURS, np.uint8)[drawn]
    return squares.repeat(_PATCH_PX, axis=0).repeat(_PATCH_PX, axis=1)[:edge, :edge]


def _glass(card: OnnxCard) -> RgbArray:
    """Return uint8 (window_px, window_px, 3): bare glass with the noise of a sensor."""
    edge = card.input.window_px
    noise = np.random.default_rng(_SEED).normal(_GLASS_LEVEL, _GLASS_NOISE, (edge, edge, 3))
    return np.clip(np.rint(noise), 0, 255).astype(np.uint8)
