"""settings: what a manifest gives to single slides, in columns named like settings or in a TOML file; as written."""

import json
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wsi_area.errors import SettingsError

OWN_SECTIONS = ("tiling", "segmenter", "exclusions", "objects", "reader", "calibration", "quality")
"""Sections of which a slide may have its own settings; the others say who does the work, which all slides share."""

CONFIG_COLUMN = "config"
_MAX_FILE_BYTES = 1 << 20
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+")


@dataclass(frozen=True, slots=True)
class OwnSettings:
    """What is otherwise for one slide."""

    where: str  # file and line of the manifest
    tree: Mapping[str, Any]  # by section and key
    columns: Mapping[str, str]  # for each dotted key, who says so: a column, and a file where that is one

    def document(self) -> dict[str, Any]:
        """Return it as run.json has it."""
        return {"said_by": self.where, "settings": dict(flat(self.tree))}


def flat(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the dotted name and the value of each setting.

    >>> dict(flat({"tiling": {"work_mpp": 2.0}, "segmenter": {"threshold": 40}}))
    {'tiling.work_mpp': 2.0, 'segmenter.threshold': 40}
    """
    for name, value in tree.items():
        if isinstance(value, Mapping):
            yield from flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def is_setting(column: str) -> bool:
    """Return whether a column is named like a setting that a slide may have of its own.

    >>> is_setting("segmenter.threshold"), is_setting("run.workers"), is_setting("slide_id")
    (True, False, False)
    """
    section, _, key = column.partition(".")
    return section in OWN_SECTIONS and bool(key) and all(key.split("."))


def own_settings(where: str, cells: Mapping[str, str], folder: Path) -> OwnSettings | None:
    """Return what a manifest's row says of settings: its file's, and over them those of its columns; None for nothing.

    Raises
    ------
    SettingsError
        Naming row and column: the file is not there, lies elsewhere, is no TOML, or has what all slides share.
    """
    tree: dict[str, Any] = {}
    columns: dict[str, str] = {}
    if named := cells.get(CONFIG_COLUMN, ""):
        said = f"column {CONFIG_COLUMN} ({named})"
        tree = _from_file(f"{where}, {said}", folder, named)
        columns = {key: said for key, _ in flat(tree)}
    for column, text in cells.items():
        if text and is_setting(column):
            _put(f"{where}, column {column}", tree, column.split("."), _value(text))
            columns[column] = f"column {column}"
    return OwnSettings(where, tree, columns) if columns else None


def _put(where: str, tree: dict[str, Any], keys: list[str], value: Any) -> None:
    for key in keys[:-1]:
        child = tree.setdefault(key, {})
        if not isinstance(child, dict):
            raise SettingsError(f"{where}: {key!r} is a value, not a section")
        tree = child
    tree[keys[-1]] = value


def _value(text: str) -> Any:
    """Return what TOML makes of a cell, or the text itself; a decimal comma, as spreadsheets write it, is a point."""
    if _DECIMAL_COMMA.fullmatch(text):
        text = text.replace(",", ".")
    if text in {"TRUE", "FALSE"}:  # spreadsheets, too
        text = text.lower()
    try:
        value = tomllib.loads(f"value = {text}")
    except tomllib.TOMLDecodeError:
        return text
    return value["value"] if len(value) == 1 and _is_json(value) else text


def _from_file(where: str, folder: Path, named: str) -> dict[str, Any]:
    path = Path(os.path.realpath(folder / named))
    if Path(named).is_absolute() or not path.is_relative_to(os.path.realpath(folder)):
        raise SettingsError(f"{where}: the file must lie beside the manifest or below; give its name from {folder}")
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_FILE_BYTES + 1)
    except OSError as error:
        raise SettingsError(f"{where}: {path} cannot be read ({error.strerror or error})") from error
    if len(content) > _MAX_FILE_BYTES:
        raise SettingsError(f"{where}: {path} is larger than {_MAX_FILE_BYTES >> 20} MiB, which no settings are")
    try:
        tree = tomllib.loads(content.decode("utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{where}: {path} is not TOML: {error}") from error
    tree.pop("train", None)  # how a classifier was trained, as in any settings file
    shared = sorted(set(tree) - set(OWN_SECTIONS))
    if shared or not _is_json(tree):
        what = f"[{shared[0]}] is no section of settings that one slide can have" if shared else "a date is no setting"
        raise SettingsError(f"{where}: {what}; known are {', '.join(OWN_SECTIONS)}")
    return tree


def _is_json(value: Any) -> bool:
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError):
        return False
    return True
