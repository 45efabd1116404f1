"""settings: where each one comes from: the file, the command line, the program that called, or nobody (a default)."""

from collections.abc import Mapping, Sequence
from typing import Any

from wsi_area.model.json_tree import flat
from wsi_area.settings.settings_tree import split_assignment

COMMAND_LINE, PROGRAM, DEFAULT = "command line", "program", "default"


def said_by(in_file: Mapping[str, Any], file: str, assignments: Sequence[str]) -> dict[str, str]:
    """Return who said each setting that somebody said; what is assigned counts for more than the file.

    >>> said_by({"tiling": {"tile_px": 256, "work_mpp": 2.0}}, "he.toml", ["tiling.tile_px = 512"])
    {'tiling.tile_px': 'command line', 'tiling.work_mpp': 'he.toml'}
    """
    said = dict.fromkeys(dict(flat(in_file)), file)
    return said | {split_assignment(text)[0]: COMMAND_LINE for text in assignments}


def origins(canonical: Mapping[str, Any], set_values: Mapping[str, Any], said: Mapping[str, str]) -> dict[str, str]:
    """Return the origin of every setting.

    Parameters
    ----------
    canonical
        All settings, as nested tables.
    set_values
        Those of them that were not left to their defaults.
    said
        Who said some of these, by dotted name; a table that was given as a whole speaks for all in it.

    >>> origins({"a": {"b": 1, "c": 2, "d": 3}}, {"a": {"b": 1, "d": 3}}, {"a.b": "he.toml"})
    {'a.b': 'he.toml', 'a.c': 'default', 'a.d': 'program'}
    """
    was_set = dict(flat(set_values))
    return {key: _nearest(key, said) or (PROGRAM if key in was_set else DEFAULT) for key, _ in flat(canonical)}


def _nearest(key: str, said: Mapping[str, str]) -> str | None:
    while key not in said:
        key, dot, _ = key.rpartition(".")
        if not dot:
            return None
    return said[key]
