"""segmenters: finds segmenters by name, ours and those of installed packages, through entry points."""

import inspect
import sys
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any, cast

from pydantic import BaseModel, ValidationError

from wsi_area.errors import SettingsError
from wsi_area.segmenters.protocol import Segmenter

GROUP = "wsi_area.segmenters"


def segmenter_names() -> tuple[str, ...]:
    """Return the names that ``make_segmenter`` knows, sorted.

    >>> "tissue" in segmenter_names()
    True
    """
    return tuple(sorted(_installed()))


def make_segmenter(name: str, settings: Mapping[str, object]) -> Segmenter:
    """Return the segmenter of that name with these settings.

    Parameters
    ----------
    name
        Name of an entry point in the group ``wsi_area.segmenters``.
    settings
        Its own settings; ``classes`` re-names, re-colours and re-flags its classes.

    Raises
    ------
    SettingsError
        If the name or a key is unknown, a value is wrong, or the entry point is not a segmenter.

    >>> make_segmenter("tissue", {"threshold": 40}).threshold
    40
    """
    installed = _installed()
    if name not in installed:
        raise SettingsError(_unknown("segmenter", name, sorted(installed)))
    try:
        factory = installed[name].load()
    except (ImportError, AttributeError) as error:
        where = installed[name].value
        raise SettingsError(f"segmenter {name!r} ({where}) cannot be imported: {error}; reinstall it") from error
    if inspect.isclass(factory) and issubclass(factory, BaseModel):
        segmenter: object = _validated(name, factory, settings)
    else:
        segmenter = _called(name, factory, settings)
    if not isinstance(segmenter, Segmenter):
        raise SettingsError(f"segmenter {name!r} has no fit(overview); see wsi_area.segmenters.protocol")
    return segmenter


def segmenter_package(name: str) -> str | None:
    """Return the package that offers a segmenter, with its version, such as ``lab-seg 1.0``; None for those of ours.

    Ours change with the measurement version. What another package changes is known by its own version alone.

    >>> segmenter_package("tissue") is None
    True
    """
    entry = _installed().get(name)
    if entry is None or entry.module.partition(".")[0] == __name__.partition(".")[0] or entry.dist is None:
        return None
    return f"{entry.dist.name} {entry.dist.version}"


def _installed() -> Mapping[str, EntryPoint]:
    return _found(entry_points, tuple(sys.path))


@lru_cache(maxsize=1)  # 30 ms for every look at what is installed, which a batch would pay for each slide
def _found(look: Callable[..., Iterable[EntryPoint]], _path: tuple[str, ...]) -> Mapping[str, EntryPoint]:
    found: dict[str, EntryPoint] = {}
    for entry in look(group=GROUP):
        if entry.name in found and found[entry.name].value != entry.value:
            raise SettingsError(
                f"two packages offer a segmenter {entry.name!r}: {found[entry.name].value} and "
                f"{entry.value}; uninstall one"
            )
        found[entry.name] = entry
    return found


def _validated(name: str, model: type[BaseModel], settings: Mapping[str, object]) -> BaseModel:
    known = sorted(model.model_fields)
    for key in settings:
        if key not in known and model.model_config.get("extra") == "forbid":
            raise SettingsError(_unknown(f"key of segmenter {name!r}:", key, known))
    try:
        return model.model_validate(dict(settings))
    except ValidationError as error:
        raise SettingsError(f"segmenter {name!r}: {_first_fault(error, model)}") from error


def _first_fault(error: ValidationError, model: type[BaseModel]) -> str:
    """Return the first fault as one sentence with what the key means."""
    fault = error.errors(include_url=False)[0]
    where = ".".join(str(part) for part in fault["loc"])
    field = model.model_fields.get(str(fault["loc"][0])) if fault["loc"] else None
    meaning = f"; {where.split('.')[0]} is {field.description}" if field and field.description else ""
    given = "" if fault["type"] in ("missing", "value_error") else f" (got {fault['input']!r})"
    return f"{where + ': ' if where else ''}{fault['msg'].removeprefix('Value error, ')}{given}{meaning}"


def _called(name: str, factory: object, settings: Mapping[str, object]) -> object:
    if not callable(factory):
        raise SettingsError(f"segmenter {name!r} is {type(factory).__name__}, not something that can be called")
    make = cast("Callable[..., Any]", factory)
    signature = inspect.signature(make)
    try:
        signature.bind(**settings)
    except TypeError as error:
        # checked before the call, so that a TypeError raised inside it is not taken for a wrong key
        raise SettingsError(f"segmenter {name!r}: {error}; it takes {', '.join(signature.parameters)}") from error
    return make(**settings)


def _unknown(kind: str, given: str, known: list[str]) -> str:
    from difflib import get_close_matches  # only where a name is wrong

    near = get_close_matches(given, known, n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return f"unknown {kind} {given!r}; {hint}known are {', '.join(known)}"
