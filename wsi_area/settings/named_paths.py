"""settings: the files that settings name, wherever they stand among them."""

from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel

from wsi_area.settings.effect import Effect, effect_of
from wsi_area.settings.run_settings import RunSettings


def named_paths(settings: RunSettings) -> dict[str, Path]:
    """Return each file that can change a number or what is said of it, by the dotted name of its setting.

    Whose content these hold is what a result rests on. Files of whoever does the work, such as certificates, are none.
    """
    found = _paths(settings, "")
    return {key: path for key, path in found if effect_of(RunSettings, key) is not Effect.WORK}


def _paths(part: BaseModel, prefix: str) -> Iterator[tuple[str, Path]]:
    for name in type(part).model_fields:
        value = getattr(part, name)
        if isinstance(value, Path):
            yield f"{prefix}{name}", value
        elif isinstance(value, BaseModel):
            yield from _paths(value, f"{prefix}{name}.")
