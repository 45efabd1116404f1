"""segmenters: pictures whose class is known, kept beside a card: a network that takes them for another is refused."""

import hashlib
import io
from pathlib import Path

import numpy as np
from PIL import Image

from wsi_area.errors import SettingsError
from wsi_area.model.pixels import ClassMap, RgbArray
from wsi_area.segmenters.onnx.asking import classes_of, normalised, scores_of
from wsi_area.segmenters.onnx.card import CardExample, OnnxCard
from wsi_area.segmenters.onnx.grid import mirrored
from wsi_area.segmenters.onnx.session import NetworkAt

MOST_BYTES, MOST_SIDE_PX = 16 << 20, 4096
"""No example needs more: one window is all that the network is shown of it."""


def check_examples(network: NetworkAt, card: OnnxCard, folder: Path, batch: int) -> list[dict[str, object]]:
    """Return the examples that were tried, JSON-ready, after refusing a network that takes one for another class.

    Parameters
    ----------
    network, card, batch
        What is tried, and how many windows at once.
    folder
        Where the card lies.

    Raises
    ------
    SettingsError
        If an example cannot be read or is another file, or the network takes most of it for another class.
    """
    found: list[dict[str, object]] = []
    for example in card.examples:
        rgb = read_example(folder / example.file, example.sha256)
        window, inside = _in_window(rgb, card)
        (scores,) = scores_of(network, card, batch, [normalised(window, card)])
        _refuse_other_class(classes_of(scores, card)[inside], example, card)
        found.append(example.model_dump(mode="json"))
    return found


def _refuse_other_class(classes: ClassMap, example: CardExample, card: OnnxCard) -> None:
    """Refuse a network that takes most of an example for another class than the expected."""
    counts = np.bincount(classes.ravel(), minlength=len(card.classes))
    names = [c.name for c in card.scheme.classes]
    shares = {name: float(count) / classes.size for name, count in zip(names, counts.tolist(), strict=True)}
    likeliest = names[int(counts.argmax())]
    if likeliest != example.expected:
        raise SettingsError(
            f"the network {card.name!r} takes {shares[likeliest]:.0%} of its example {example.file} for {likeliest!r} "
            f"and {shares[example.expected]:.0%} for {example.expected!r}, which its card says it shows; correct the "
            "order of classes, or input.channels, input.scale, input.mean and input.std in the card"
        )


def read_example(path: Path, sha256: str) -> RgbArray:
    """Return the picture, uint8 (h, w, 3).

    Raises
    ------
    SettingsError
        If it cannot be read, is another file than the card names, or too large.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise SettingsError(
            f"the example {path} cannot be read ({error.strerror or error}); put it beside the card, or take it out of "
            "examples"
        ) from error
    if len(content) > MOST_BYTES:
        raise SettingsError(f"the example {path} is larger than {MOST_BYTES} bytes; one window is enough")
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise SettingsError(
            f"the example {path} has the SHA-256 {found[:12]}…, its card names {sha256[:12]}…; give the picture that "
            "was made with the card"
        )
    try:
        with Image.open(io.BytesIO(content), formats=("PNG",)) as image:
            if max(image.size) > MOST_SIDE_PX:
                raise SettingsError(f"the example {path} is {image.size} px; {MOST_SIDE_PX} a side are enough")
            return np.asarray(image.convert("RGB"))
    except (OSError, SyntaxError, ValueError) as error:
        if isinstance(error, SettingsError):
            raise
        raise SettingsError(f"the example {path} is no PNG that can be read ({error}); save it again") from error


def _in_window(rgb: RgbArray, card: OnnxCard) -> tuple[RgbArray, tuple[slice, slice]]:
    """Return uint8 (window_px, window_px, 3) with the picture in its middle, and which output pixels show it.

    Beyond its edges it is mirrored; of a larger one the middle is shown.
    """
    edge, rim, stride = card.input.window_px, card.input.overlap, card.output.stride
    inside = []
    for axis in (0, 1):
        size = rgb.shape[axis]
        first = (edge - size) // 2
        rgb = np.take(rgb, mirrored(np.arange(edge) - first, size) if first > 0 else np.arange(edge) - first, axis=axis)
        low, high = max(first, rim), min(first + size, edge - rim)
        inside.append(slice(-(-low // stride), max(high // stride, -(-low // stride) + 1)))
    return rgb, (inside[0], inside[1])
