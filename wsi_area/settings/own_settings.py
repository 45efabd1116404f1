"""settings: what a manifest gives to single slides, in columns named like settings or in a TOML file; as written."""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from wsi_area.errors import SettingsError
from wsi_area.frozen_value import frozen_value
from wsi_area.model.json_tree import flat
from wsi_area.plain_text import plain
from wsi_area.settings.presets import instead, presets
from wsi_area.settings.settings_tree import is_plain, put, typed_value

OWN_SECTIONS = (
    "tiling", "segmenter", "tissue", "exclusions", "objects", "envelope", "bands", "hotspots", "sections", "tma",
    "reader", "calibration", "quality",
)  # fmt: skip
"""Sections of which a slide may have its own settings; the others say who does the work, what a
report is told, how exact an estimate must be, or name what the whole run is calibrated by, which all slides share."""

CONFIG_COLUMN = "config"
_MAX_FILE_BYTES = 1 << 20


@frozen_value
class OwnSettings:
    """What is otherwise for one slide."""

    where: str  # file and line of the manifest
    tree: Mapping[str, Any]  # by section and key
    columns: Mapping[str, str]  # for each dotted key, who says so: a column, and a file where that is one

    def document(self) -> dict[str, Any]:
        """Return it as run.json has it."""
        return {"said_by": self.where, "settings": dict(flat(self.tree))}


def is_setting(column: str) -> bool:
    """Return True if a column is named like a setting that a slide may have of its own.

    >>> is_setting("segmenter.threshold"), is_setting("run.workers"), is_setting("slide_id")
    (True, False, False)
    """
    section, _, key = column.partition(".")
    return section in OWN_SECTIONS and bool(key) and all(key.split("."))


def own_settings(where: str, cells: Mapping[str, str], folder: Path) -> OwnSettings | None:
    """Return the settings of a manifest's row: its file's, and over them those of its columns; None for nothing.

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
        tree = {section: values for section, values in tree.items() if values != {}}
        columns = {key: said for key, _ in flat(tree)}
    for column, text in cells.items():
        if text and is_setting(column):
            put(tree, column, typed_value(text), f"{where}, column {column}")
            columns[column] = f"column {column}"
    return OwnSettings(plain(where), tree, columns) if columns else None


def _from_file(where: str, folder: Path, named: str) -> dict[str, Any]:
    path = _config_beside(where, folder, named)
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
    if shared or not is_plain(tree):
        what = f"[{shared[0]}] is no section of settings that one slide can have" if shared else "a date is no setting"
        raise SettingsError(f"{where}: {what}; known are {', '.join(OWN_SECTIONS)}")
    return tree


def _config_beside(where: str, folder: Path, named: str) -> Path:
    """Return the file below the manifest's folder, or else the preset, that a cell names."""
    path, known = Path(os.path.realpath(folder / named)), presets()
    if named in known and not path.is_file():
        return known[named]
    if Path(named).is_absolute() or not path.is_relative_to(os.path.realpath(folder)):
        raise SettingsError(f"{where}: the file must lie beside the manifest or below; give its name from {folder}")
    if not path.exists():
        what = "cannot be read (there is no such file), nor is it a preset"
        raise SettingsError(f"{where}: {path} {what}{instead(named)}")
    return path
