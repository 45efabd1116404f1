"""slides: what a picture is by its own name: a macro, a label, a thumbnail; by whole words, never by their parts."""

import re

from wsi_area.model.picture import Role

_WORDS: tuple[tuple[Role, re.Pattern[str]], ...] = (
    ("label", re.compile(r"\b(?:label|barcode)\b(?:[ _-]?image)?", re.IGNORECASE)),
    ("macro", re.compile(r"\b(?:macro|overview|slide[ _-]?preview)\b(?:[ _-]?image)?", re.IGNORECASE)),
    ("thumbnail", re.compile(r"\b(?:thumbnail|preview|thumb)\b", re.IGNORECASE)),
)
_SEPARATORS = re.compile(r"[_./\\-]+")
_COLOURS = {"r": 0, "red": 0, "g": 1, "green": 1, "b": 2, "blue": 2}
_NO_NAME = re.compile(r"(?:c|ch|channel|image|page|band|plane)?[ _:#-]*\d*(?:[ _:#-]\d+)*", re.IGNORECASE)


def role_of_name(name: str) -> Role | None:
    """Return the role that a picture has by its name, or None.

    >>> role_of_name("macro image"), role_of_name("slide_label"), role_of_name("CD68 macrophages")
    ('macro', 'label', None)
    """
    words = _SEPARATORS.sub(" ", name)
    return next((role for role, pattern in _WORDS if pattern.search(words)), None)


def colour_of_name(name: str) -> int | None:
    """Return 0, 1 or 2 for a channel that is called red, green or blue; else None.

    >>> colour_of_name("Green"), colour_of_name("GFP")
    (1, None)
    """
    return _COLOURS.get(name.strip().casefold())


def is_no_name(name: str) -> bool:
    """Return True if a name only numbers its channel, as writers do where nobody named it.

    >>> is_no_name("Channel 2"), is_no_name(""), is_no_name("DAPI"), is_no_name("CD3")
    (True, True, False, False)
    """
    return _NO_NAME.fullmatch(name.strip()) is not None
