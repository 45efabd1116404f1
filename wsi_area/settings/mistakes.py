"""settings: what is wrong with settings, in words: each key, its value, and the nearest right one."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from wsi_area.settings.settings_tree import assigned


def in_words(error: ValidationError, model: type[BaseModel]) -> str:
    """Return the faults of settings of a model: each key, its value, and the nearest right one."""
    return "; ".join(_mistake(dict(detail), model) for detail in error.errors())


def placed(error: ValidationError, model: type[BaseModel], path: Path | None, assignments: Sequence[str]) -> str:
    """Return the same, each after where it was written: an assignment, or else the file."""
    found = []
    for detail in error.errors():
        key = ".".join(str(part) for part in detail["loc"])
        found.append(f"{assigned(key, assignments) or path or 'the settings'}: {_mistake(dict(detail), model)}")
    return "; ".join(found)


def _mistake(detail: Mapping[str, Any], model: type[BaseModel]) -> str:
    location = [str(part) for part in detail["loc"] if part not in {"int", "literal['auto']"}]
    key = ".".join(location)
    if isinstance(detail["input"], Mapping | BaseModel) and detail["type"] == "value_error":
        return str(detail["msg"]).removeprefix("Value error, ")  # of several keys, which it names itself
    if detail["type"] != "extra_forbidden":
        return f"{key} = {detail['input']!r}: {str(detail['msg'])[:1].lower()}{str(detail['msg'])[1:]}"
    import difflib  # only where a key is wrong

    known = _known_keys(model, location[:-1])
    near = difflib.get_close_matches(location[-1], known, n=1)
    hint = f"did you mean {'.'.join([*location[:-1], near[0]])}?" if near else f"known here: {', '.join(known)}"
    return f"unknown key {key}; {hint}"


def _known_keys(model: type[BaseModel], section: Sequence[str]) -> list[str]:
    for part in section:
        annotation = model.model_fields[part].annotation
        if not isinstance(annotation, type) or not issubclass(annotation, BaseModel):
            return []
        model = annotation
    return list(model.model_fields)
