"""cli: what a command takes where a run lies: a folder, or s3://bucket/prefix."""

from pathlib import Path
from typing import Any

import click

from wsi_area.cli.options.storage_options import access_said
from wsi_area.storage.place import Place, is_object, place_of


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
