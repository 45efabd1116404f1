"""slides: a pixel size in words of a description that nobody reads as one: on record, and never used."""

import re
from collections.abc import Iterator

from wsi_area.compute.units import positive_number
from wsi_area.model.calibration import MppCandidate, UnreadClaim

SOURCE = "tiff.ImageDescription"
_NAMES = (
    r"mpp(?:[ _.-]?[xy])?|(?:microns?|micromet(?:er|re)s?|[uµμ]m|nm)[ _/-]?(?:per[ _-]?)?(?:pixel|px)s?"
    r"|pixel[ _-]?(?:size|spacing|width|height)(?:[ _-]?(?:[xy]|[uµμn]m|microns?))*|physicalsize[xy]|scanres"
)
_SAID = re.compile(
    rf"\b(?:{_NAMES})\b[\"']?\s*(?:</?\w*>|[:=(\[>]|is|\s)[\s\"'(\[]*(\d+(?:[.,]\d+)?(?:e-?\d+)?)(?![\d.,]*\s*[x×*]\s*\d)(?!\d)",
    re.IGNORECASE,
)
_READ_CHARS = 1 << 16
_SAME = 0.02


def words_of_a_size(description: str) -> Iterator[UnreadClaim]:
    """Yield the first place where a description seems to state a pixel size.

    What is meant by it nobody can know for certain: the unit, and the picture that it is of.

    >>> next(words_of_a_size('{"shape": [768, 768, 3], "mpp": 0.5}')).text
    'mpp": 0.5'
    >>> list(words_of_a_size("pixel size: 768 x 512"))
    []
    """
    if (found := _SAID.search(description[:_READ_CHARS])) is not None:
        yield UnreadClaim(SOURCE, " ".join(found[0].split()))


def is_known(claim: UnreadClaim, read: tuple[MppCandidate, ...]) -> bool:
    """Return whether words say the number that a claim says too, so that nothing is lost by not reading them."""
    if claim.source != SOURCE or (found := _SAID.search(claim.text)) is None:
        return False
    number = positive_number(found[1])
    return number is not None and any(
        abs(number / axis - 1) <= _SAME for one in read for axis in (one.mpp.x, one.mpp.y)
    )
