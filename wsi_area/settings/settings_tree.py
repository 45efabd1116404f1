"""settings: a tree of plain values: a TOML file, and ``key=value`` on top; what they mean is not known here."""

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from wsi_area.errors import SettingsError


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
    key, equals, raw = text.partition("=")
    parts = [p.strip() for p in key.split(".")]
    if not equals or not all(parts):
        raise SettingsError(f"--set takes section.key=value, for example tiling.work_mpp=0.5; got {text!r}")
    for part in parts[:-1]:
        child = tree.setdefault(part, {})
        if not isinstance(child, dict):
            raise SettingsError(f"--set {text}: {part!r} is a value, not a section")
        tree = child
    tree[parts[-1]] = _value(raw.strip())


def assigned(key: str, assignments: Sequence[str]) -> str:
    """Return the assignments that say a key, a part of it, or the table that it stands in; empty where none does.

    >>> said = ["tiling.work_mp = 1", "tiling.tile_px=8"]
    >>> assigned("tiling.work_mp", said), assigned("tiling.work", said), assigned("tiling", said[1:])
    ('--set tiling.work_mp = 1', '', '--set tiling.tile_px=8')
    """
    about = []
    for text in assignments:
        said = ".".join(part.strip() for part in text.partition("=")[0].split(".")) + "."
        if said.startswith(f"{key}.") or f"{key}.".startswith(said):
            about.append(f"--set {text}")
    return " ".join(about)


def _value(raw: str) -> Any:
    """Return what TOML makes of the text, or the text itself: ``openslide`` needs no quotes on a shell."""
    try:
        return tomllib.loads(f"value = {raw}")["value"]
    except tomllib.TOMLDecodeError:
        return raw
