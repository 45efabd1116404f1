"""settings: a tree of plain values: a TOML file, and ``key=value`` on top; what they mean is not known here."""

import json
import os
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from wsi_area.errors import SettingsError

_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+")


def read_toml(path: Path) -> dict[str, Any]:
    """Return a settings file as it stands, not yet looked at.

    Raises
    ------
    SettingsError
        It cannot be read, or is not TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise SettingsError(f"the settings file {path} cannot be read ({error.strerror or error})") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"the settings file {path} is not TOML: {error}") from error


def typed_value(text: str) -> Any:
    """Return the value that TOML makes of a text, or the text: ``openslide`` needs no quotes on a shell or in a cell.

    What spreadsheets write is read too: a decimal comma, TRUE and FALSE. A date is no setting, and stays text.

    >>> typed_value("0.5"), typed_value("0,5"), typed_value("TRUE"), typed_value("[1, 2]"), typed_value("2026-03-01")
    (0.5, 0.5, True, [1, 2], '2026-03-01')
    """
    toml = text.replace(",", ".") if _DECIMAL_COMMA.fullmatch(text) else text
    toml = toml.lower() if toml in {"TRUE", "FALSE"} else toml
    try:
        value = tomllib.loads(f"value = {toml}")
    except tomllib.TOMLDecodeError:
        return text
    return value["value"] if len(value) == 1 and is_plain(value) else text


def is_plain(value: Any) -> bool:
    """Return True if a value has a form in JSON: no date, no not-a-number."""
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError):
        return False
    return True


def plain_value(key: str, value: Any) -> Any:
    """Return a value of a program as a file would have it: a path is its text, a numpy number a number, a tuple a list.

    >>> plain_value("segmenter.model", Path("models/a")), plain_value("segmenter.bands", (1, 2))
    ('models/a', [1, 2])

    Raises
    ------
    SettingsError
        It has no such form.
    """
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, list | tuple):
        return [plain_value(key, item) for item in value]
    if isinstance(value, Mapping):
        return {str(name): plain_value(f"{key}.{name}", item) for name, item in value.items()}
    plain = value.item() if hasattr(value, "item") and not isinstance(value, type) else value
    if not is_plain(plain):
        raise SettingsError(f"the setting {key} is {value!r}, of which a settings file has no form; give a plain value")
    return plain


def put(tree: dict[str, Any], key: str, value: Any, said: str) -> None:
    """Put a value into a tree of settings, in the place of what was there.

    Parameters
    ----------
    tree : dict
    key : str
        The dotted name.
    value : object
    said : str
        Where that is said, for messages.

    Raises
    ------
    SettingsError
        The key goes through a value as if it were a section.
    """
    *sections, last = key.split(".")
    for section in sections:
        child = tree.setdefault(section, {})
        if not isinstance(child, dict):
            raise SettingsError(f"{said}: {section!r} is a value, not a section")
        tree = child
    tree[last] = value


def assign(tree: dict[str, Any], text: str) -> None:
    """Put what ``section.key=value`` says into a tree of settings, in the place of what was there.

    >>> tree = {"run": {"workers": 1}}
    >>> assign(tree, "run.workers=4")
    >>> tree
    {'run': {'workers': 4}}

    Raises
    ------
    SettingsError
        It is not of that form, or goes through a value as if it were a section.
    """
    key, raw = split_assignment(text)
    if _DECIMAL_COMMA.fullmatch(raw):
        one, other = raw.split(",")
        raise SettingsError(
            f"--set {text}: is that {one}.{other}, or {one} and {other}? write {key}={one}.{other} for one number, "
            f"'{key}=[{one}, {other}]' for two"
        )
    put(tree, key, typed_value(raw), f"--set {text}")


def split_assignment(text: str) -> tuple[str, str]:
    """Return the dotted name and the text of the value in ``section.key=value``.

    >>> split_assignment(" tiling . tile_px = 256 ")
    ('tiling.tile_px', '256')

    Raises
    ------
    SettingsError
        It is not of that form.
    """
    key, equals, raw = text.partition("=")
    parts = [part.strip() for part in key.split(".")]
    if not equals or not all(parts):
        raise SettingsError(f"--set takes section.key=value, for example tiling.work_mpp=0.5; got {text!r}")
    return ".".join(parts), raw.strip()


def assigned(key: str, assignments: Sequence[str]) -> str:
    """Return the assignments that say a key, a part of it, or the table that it stands in; empty where none does.

    >>> said = ["tiling.work_mp = 1", "tiling.tile_px=8"]
    >>> assigned("tiling.work_mp", said), assigned("tiling.work", said), assigned("tiling", said[1:])
    ('--set tiling.work_mp = 1', '', '--set tiling.tile_px=8')
    """
    about = []
    for text in assignments:
        said = f"{split_assignment(text)[0]}."
        if said.startswith(f"{key}.") or f"{key}.".startswith(said):
            about.append(f"--set {text}")
    return " ".join(about)


def overlaid(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Return a tree with the values of another one over it.

    >>> overlaid({"a": {"b": 1, "c": 2}}, {"a": {"c": 3}})
    {'a': {'b': 1, 'c': 3}}
    """
    merged = dict(base)
    for key, value in over.items():
        below = merged.get(key)
        merged[key] = overlaid(below, value) if isinstance(below, Mapping) and isinstance(value, Mapping) else value
    return merged


def kept(tree: Mapping[str, Any], is_wanted: Callable[[str], bool], prefix: str = "") -> dict[str, Any]:
    """Return the leaves of a tree whose dotted names are wanted, as a tree without the sections that hold none.

    >>> kept({"a": {"b": 1, "c": 2}, "d": {"e": 3}}, lambda key: key == "a.c")
    {'a': {'c': 2}}
    """
    found: dict[str, Any] = {}
    for name, value in tree.items():
        if isinstance(value, Mapping) and value:
            if below := kept(value, is_wanted, f"{prefix}{name}."):
                found[name] = below
        elif is_wanted(f"{prefix}{name}"):
            found[name] = value
    return found
