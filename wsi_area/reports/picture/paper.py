"""reports: the picture of a slide for paper, in one layer: viewers of PDF thin out lines that are half clear."""

import base64
import io

from PIL import Image

from wsi_area.frozen_value import frozen_value
from wsi_area.reports.picture.embedded import jpeg_of
from wsi_area.reports.picture.photo_layers import Layer

_QUALITY = 80
_CARD_PX = 420  # longer side of a card's picture, twice what paper shows at 150 dpi
_CARD_FILL = 0.5


@frozen_value
class PaperPicture:
    """What paper shows of a slide."""

    page: Layer  # the photograph with the outlines; with its classes filled where these lie in no patches
    card: Layer  # small, with both


def paper_picture(photo: Layer, classes: Layer | None, outlines: Layer | None) -> PaperPicture:
    """Return the layers of a picture, which share one grid, as pictures without anything clear."""
    shown = outlines or classes
    page = photo if shown is None else _flat(photo, [(shown, 1.0)])
    both = [(layer, part) for layer, part in ((classes, _CARD_FILL), (outlines, 1.0)) if layer is not None]
    return PaperPicture(page, _flat(photo, both, _CARD_PX))


def _flat(photo: Layer, over: list[tuple[Layer, float]], longest_px: int | None = None) -> Layer:
    base = _decoded(photo).convert("RGB")
    for layer, part in over:
        top = _decoded(layer).convert("RGBA")
        opacity = top.getchannel("A").point(lambda a, part=part: round(a * part))
        base.paste(top.convert("RGB"), (0, 0), opacity)
    if longest_px is not None:
        base.thumbnail((longest_px, longest_px))
    return Layer(jpeg_of(base, _QUALITY), photo.width, photo.height)


def _decoded(layer: Layer) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(layer.address.partition(",")[2])))
