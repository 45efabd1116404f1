"""cli: what a command takes where a run lies: a folder, or s3://bucket/prefix."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from wsi_area.cli.options.config_option import CONFIG_FILE
from wsi_area.storage.access import Access
from wsi_area.storage.place import Place, is_object, place_of

F = TypeVar("F", bound=Callable[..., Any])

_SAID = "wsi_area.storage"


class RunPlace(click.ParamType):  # type: ignore[type-arg]  # generic from click 8.3 on
    """The place of a run, as the command line names it, reached as `storage_options` say, where a command has them."""

    name = "folder"

    def __init__(self, *, exists: bool = False, only_on_disk: str = "") -> None:
        self._folder = click.Path(path_type=Path, exists=exists, file_okay=False)
        self._only_on_disk = only_on_disk

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Place:
        """Return the place that a text names."""
        access = access_said(ctx)  # for a folder too: what is wrong is said, whether or not it is needed
        if not is_object(value):
            folder: Path = self._folder.convert(value, param, ctx)
            return folder
        if self._only_on_disk:
            self.fail(f"a bucket cannot be used here: {self._only_on_disk}", param, ctx)
        return place_of(value, access)


def storage_options(function: F) -> F:
    """Add ``--config`` and ``--set``, of which only what they say of storage counts; `RunPlace` goes by it.

    They are eager, so that they are known when a place is made of an argument, whatever the order on the line.
    """
    options: list[Callable[[F], F]] = [
        click.option(
            "--config", type=CONFIG_FILE, is_eager=True, expose_value=False,
            callback=_note, help="Settings, a TOML file or a preset; of it only [storage], for a run at s3://.",
        ),
        click.option(
            "--set", "assignments", multiple=True, metavar="KEY=VALUE", is_eager=True, expose_value=False,
            callback=_note, help="storage.endpoint or storage.profile, for a run at s3://.",
        ),
    ]  # fmt: skip
    for option in reversed(options):
        function = option(function)
    return function


def _note(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    ctx.meta.setdefault(_SAID, {})[param.name] = value


def access_said(ctx: click.Context | None) -> Access:
    """Return the access to buckets that the command line states; where it states none, that of the usual variables.

    Raises
    ------
    SettingsError
        Naming what cannot be used.
    """
    said = {} if ctx is None else ctx.meta.get(_SAID, {})
    config, assignments = said.get("config"), said.get("assignments", ())
    if config is None and not assignments:
        return Access()
    from wsi_area.settings.run_settings import load_storage  # pydantic, for which nobody waits who says nothing

    return load_storage(config, assignments).access
