"""settings: how two trees of settings differ, key by key; which keys matter is said on their models."""

from collections.abc import Mapping
from typing import Any

from wsi_area.frozen_value import frozen_value
from wsi_area.model.json_tree import apart
from wsi_area.settings.effect import Effect, effect_of
from wsi_area.settings.run_settings import RunSettings


@frozen_value
class SettingDifference:
    """One key of the settings that is not the same in both; a value is None where one of them does not have it."""

    key: str
    first: Any
    second: Any


def differences(first: Mapping[str, Any], second: Mapping[str, Any], *effects: Effect) -> tuple[SettingDifference, ...]:
    """Return in what two trees of settings differ, by name.

    Parameters
    ----------
    first, second : mapping
        Sections, or dotted names, as run.json has them; they may be of an earlier version.
    *effects : Effect
        Only of what can change one of these. Without any: of what can change a number or what is said of it.
    """
    wanted = effects or (Effect.NUMBERS, Effect.AFTER, Effect.FINDINGS)
    return tuple(
        SettingDifference(key, then, now)
        for key, then, now in apart(first, second)
        if effect_of(RunSettings, key) in wanted
    )
