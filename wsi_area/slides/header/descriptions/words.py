"""slides: a pixel size in words of a description that nobody reads as one: on record, and never used."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from wsi_area.compute.units import positive_number
from wsi_area.model.calibration import MppCandidate, UnreadClaim

SOURCE = "tiff.ImageDescription"
_OF_PICTURES = {"comment": "jpeg.comment"}  # what Pillow calls it; all other texts are a PNG's
_EXIF_DESCRIPTION = 270
_IN_WORDS = (SOURCE, "jpeg.comment", "png.", "exif.ImageDescription")
_NAMES = (
    r"mpp(?:[ _.-]?[xy])?|(?:microns?|micromet(?:er|re)s?|[uµμ]m|nm)[ _/-]?(?:per[ _-]?)?(?:pixel|px)s?"
    r"|pixel[ _-]?(?:size|spacing|width|height)(?:[ _-]?(?:[xy]|[uµμn]m|microns?))*|physicalsize[xy]|scanres"
)
_SAID = (
    rf"\b(?:{_NAMES})\b[\"']?\s*(?:</?\w*>|[:=(\[>]|is|\s)[\s\"'(\[]*"
    r"(\d+(?:[.,]\d+)?(?:e-?\d+)?)(?![\d.,]*\s*[x×*]\s*\d)(?!\d)"
)
"""Compiled by the first description that has words: most slides say their pixel size in a field."""
_READ_CHARS = 1 << 16
_SAME = 0.02


def words_of_a_size(description: str, source: str = SOURCE) -> Iterator[UnreadClaim]:
    """Yield the first place where a description seems to state a pixel size.

    What is meant by it nobody can know for certain: the unit, and the picture that it is of.

    >>> next(words_of_a_size('{"shape": [768, 768, 3], "mpp": 0.5}')).text
    'mpp": 0.5'
    >>> list(words_of_a_size("pixel size: 768 x 512"))
    []
    """
    if (found := re.search(_SAID, description[:_READ_CHARS], re.IGNORECASE)) is not None:
        yield UnreadClaim(source, " ".join(found[0].split()))


def words_in_a_picture(texts: Mapping[Any, Any], exif: Mapping[int, Any]) -> Iterator[UnreadClaim]:
    """Yield what the texts and the EXIF of a PNG or JPEG seem to state, as Pillow has them."""
    for name, text in texts.items():
        told = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
        if isinstance(told, str) and (isinstance(text, str) or name in _OF_PICTURES):
            yield from words_of_a_size(f"{name}: {told}", _OF_PICTURES.get(name, f"png.{name}"[:40]))
    yield from words_of_a_size(str(exif.get(_EXIF_DESCRIPTION, "")), "exif.ImageDescription")


def is_known(claim: UnreadClaim, read: tuple[MppCandidate, ...]) -> bool:
    """Return True if words say the number that a claim says too, so that nothing is lost by not reading them."""
    if not claim.source.startswith(_IN_WORDS) or (found := re.search(_SAID, claim.text, re.IGNORECASE)) is None:
        return False
    number = positive_number(found[1])
    return number is not None and any(
        abs(number / axis - 1) <= _SAME for one in read for axis in (one.mpp.x, one.mpp.y)
    )
