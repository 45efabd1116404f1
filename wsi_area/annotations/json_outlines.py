"""annotations: which of the formats in JSON a text has, and its outlines, taken in one pass."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from wsi_area.annotations import camelyon, qupath
from wsi_area.annotations.json_text import LIST_BEGINS, decoded, json_members
from wsi_area.annotations.raw import Parsed
from wsi_area.compute.picture.coordinates import AS_IT_IS, TextWithout, without_coordinates
from wsi_area.errors import AnnotationError

_FEATURES, _GROUPS = "features", (camelyon.POSITIVE, camelyon.NEGATIVE)
_LISTS = frozenset((_FEATURES, *_GROUPS))
_SINGLE = (*qupath.AREAS, qupath.COLLECTION)


def parse_json_outlines(path: Path, content: bytes, known: str) -> Parsed:
    """Return the outlines of a JSON text, in the order of the file.

    Parameters
    ----------
    content
        The text, in UTF-8 or UTF-16.
    known
        The formats that can be read, for the message.

    Raises
    ------
    AnnotationError
        It is not JSON, or none of these formats.
    """
    text = decoded(path, content)
    short = without_coordinates(text.encode())
    if short.taken:
        try:
            return _parsed(path, short.text.decode(), short, known)
        except AnnotationError:  # places in the text, which the message may name, are those of the whole one
            pass
    return _parsed(path, text, AS_IT_IS, known)


def _parsed(path: Path, text: str, short: TextWithout, known: str) -> Parsed:
    parsed, rest, seen, index = Parsed(qupath.KIND, text=short), {}, set[str | None](), 0
    for key, value in json_members(path, text, _LISTS):
        if value is LIST_BEGINS:
            if key in seen:
                raise AnnotationError(f"{path} has two lists {key!r}, and nobody knows which counts; export it again")
            seen.add(key)
            continue
        if key in seen and key in _GROUPS:
            camelyon.add_entry(parsed, index, str(key), value)
        elif key in seen:
            if key is None and not index and not (isinstance(value, Mapping) and "geometry" in value):
                raise AnnotationError(_of_no_format(path, "a list", known))
            qupath.add_feature(parsed, index, value)
        else:
            rest[str(key)] = value
            continue
        index += 1
    return _known(path, parsed, rest, seen, known)


def _known(path: Path, parsed: Parsed, rest: dict[str, Any], seen: set[str | None], known: str) -> Parsed:
    """Return the parsed content with the format it turned out to have; a single feature is read only here."""
    kind = rest.get("type")
    if None in seen or (_FEATURES in seen and kind == "FeatureCollection"):
        return parsed
    if seen and seen <= set(_GROUPS):
        parsed.kind = camelyon.KIND
        return parsed
    if not seen and (kind == "Feature" or kind in _SINGLE):
        qupath.add_feature(parsed, 0, rest if kind == "Feature" else {"geometry": rest})
        return parsed
    if kind == "FeatureCollection":
        raise AnnotationError(
            f"{path} is a FeatureCollection without a list of features, which even an empty one has; export it again"
        )
    raise AnnotationError(_of_no_format(path, ", ".join(sorted({*rest, *map(str, seen)})[:5]) or "nothing", known))


def _of_no_format(path: Path, holds: str, known: str) -> str:
    return f"{path} is JSON but no annotation format we know (it holds {holds}); known are {known}"
