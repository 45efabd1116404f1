"""cli: a settings file as an option: a path, or the name of a preset."""

from pathlib import Path

import click
from click.shell_completion import CompletionItem

from wsi_area.settings.presets import config_file, presets


class ConfigFile(click.ParamType):  # type: ignore[type-arg]  # generic from click 8.3 on
    """What ``--config`` takes."""

    name = "FILE|PRESET"

    def convert(self, value: str | Path, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """Return the file; a wrong name is refused with the right ones."""
        return config_file(value)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Return the presets that begin like it, or else have the shell look for files."""
        found = [CompletionItem(name) for name in presets() if name.startswith(incomplete)]
        return found or [CompletionItem(incomplete, type="file")]


CONFIG_FILE = ConfigFile()
