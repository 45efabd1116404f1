"""segmenters: the card of a trained pixel classifier, read as what it is: somebody else's file, until it is checked."""

import json
from pathlib import Path
from typing import Any, get_args

from wsi_area.errors import SettingsError
from wsi_area.model.classes import Role, TissueClass
from wsi_area.segmenters.pixels.arrays import MOST_BYTES

SCHEMA_VERSION = 1
MAX_CARD_BYTES = 16 << 20


def file_bytes(path: Path, most_bytes: int) -> bytes:
    """Return a file's bytes, at most so many.

    Raises
    ------
    SettingsError
    """
    try:
        with path.open("rb") as file:
            content = file.read(most_bytes + 1)
    except OSError as error:
        raise SettingsError(
            f"the model file {path} cannot be read ({error.strerror or error}); give the folder that `train` wrote"
        ) from error
    if len(content) > most_bytes:
        raise SettingsError(f"{path} is larger than {most_bytes} bytes, which no model of this kind is")
    return content


def read_card(path: Path) -> dict[str, Any]:
    """Return the card with every key that is used, each of the right type.

    Raises
    ------
    SettingsError
    """
    content = file_bytes(path, MAX_CARD_BYTES)
    try:
        card = json.loads(content, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:  # what json raises for bad text, bad UTF-8, deep nesting
        raise SettingsError(f"{path} is not JSON: {error}") from error
    kinds: dict[str, type] = {
        "schema_version": int, "classes": list, "features": dict, "trees": dict, "arrays": dict, "about": dict
    }  # fmt: skip
    if not isinstance(card, dict) or any(not isinstance(card.get(key), kind) for key, kind in kinds.items()):
        raise SettingsError(f"{path} is not the card of a pixel classifier; it needs {', '.join(kinds)}")
    if card["schema_version"] != SCHEMA_VERSION:
        raise SettingsError(
            f"{path} has schema version {card['schema_version']}, this wsi_area reads {SCHEMA_VERSION}; "
            "use the wsi_area that trained it, or train it again"
        )
    trees, arrays = card["trees"], card["arrays"]
    sound = (
        _is_count(trees.get("n_features"))
        and isinstance(trees.get("class_ids"), list)
        and all(_is_count(c) for c in trees["class_ids"])
        and isinstance(trees.get("link"), str)
        and isinstance(arrays.get("sha256"), str)
        and _is_count(arrays.get("bytes"))
        and arrays["bytes"] <= MOST_BYTES
        and isinstance(card.get("smoothing_um"), (int, float))
        and not isinstance(card["smoothing_um"], bool)
    )
    if not sound:
        raise SettingsError(f"{path} describes its trees, its arrays or its smoothing in no way that can be read")
    return card


def _refuse_constant(text: str) -> None:
    raise ValueError(f"{text} is no number")


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def class_from(entry: object) -> TissueClass:
    """Return one class of the card.

    Raises
    ------
    SettingsError
    """
    flags, further = ("is_tissue", "is_tumor", "is_excluded"), ("role", "weight")
    sound = (
        isinstance(entry, dict)
        and set(entry) - set(further) == {"id", "name", "color", *flags}
        and entry.get("role") in (None, *get_args(Role))
        and isinstance(entry.get("weight", 0.0), (int, float))
        and _is_count(entry["id"])
        and isinstance(entry["name"], str)
        and isinstance(entry["color"], str)
        and all(isinstance(entry[flag], bool) for flag in flags)
    )
    if not sound or not isinstance(entry, dict):
        raise SettingsError(f"{entry!r:.200} is not a class: id, name, color and {', '.join(flags)} are")
    digits = entry["color"].removeprefix("#")
    if len(digits) != 6 or any(c not in "0123456789abcdefABCDEF" for c in digits):
        raise SettingsError(f"the colour {entry['color']!r:.40} of class {entry['name']!r:.40} is not #rrggbb")
    red, green, blue = bytes.fromhex(digits)
    told = {name: entry[name] for name in (*flags, *further) if name in entry}
    return TissueClass(entry["id"], entry["name"], (red, green, blue), **told)
