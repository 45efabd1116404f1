"""cli: `wsi-area config`: the settings that hold and where each comes from, their schema, their page."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

import click
from pydantic import BaseModel
from rich.table import Table
from rich.text import Text

from wsi_area.cli.options.config_option import CONFIG_FILE
from wsi_area.cli.output.console import report_console
from wsi_area.cli.output.printer import print_lines
from wsi_area.cli.output.settings_reference import settings_page, settings_schema, toml_text
from wsi_area.cli.output.wrapping import say, say_document
from wsi_area.frozen_value import frozen_value
from wsi_area.segmenters.registry import make_segmenter
from wsi_area.settings.presets import first_sentences, preset_text, shown
from wsi_area.settings.run_settings import RunSettings, load
from wsi_area.settings.settings_tree import read_toml, split_assignment
from wsi_area.training.settings import SECTION, load_train_settings

Origin = Literal["default", "file", "--set"]


@frozen_value
class Value:
    """One setting that holds."""

    key: str
    value: Any
    origin: Origin


@click.group("config", context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """List the presets, write one to change; show the settings that hold and where each comes from; print their schema.

    \b
    wsi-area config list
    wsi-area config init he_tissue > my.toml
    wsi-area config show --config my.toml --set tiling.work_mpp=1
    wsi-area config schema > settings.schema.json
    wsi-area config reference > settings.md
    """  # noqa: D301 (click reads the backspace)


@command.command("list", short_help="The presets, by name and what each is for.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def list_presets(as_json: bool) -> None:
    """List the presets, which `--config` takes by name, and what each is for.

    \b
    wsi-area config list
    """  # noqa: D301 (click reads the backspace)
    found = list(first_sentences())
    if as_json:
        document = {"presets": [{"name": name, "what": what} for name, what in found]}
        say_document(document)
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("preset", no_wrap=True)
    table.add_column("what it is for", overflow="fold")
    for name, what in found:
        table.add_row(Text(name), Text(what))
    report_console().print(table)


@command.command("init", short_help="Print a preset as a settings file to change.")
@click.argument("preset")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document, the file in it.")
def init(preset: str, as_json: bool) -> None:
    """Print a preset with its comments, as the settings file that is changed for one's own slides.

    \b
    wsi-area config init he_tissue > my.toml
    """  # noqa: D301 (click reads the backspace)
    text = preset_text(preset)
    document = {"preset": preset, "toml": text}
    say(json.dumps(document, indent=2, ensure_ascii=False) + "\n" if as_json else text, nl=False)


@command.command("show", short_help="Every setting that a run would use, and its origin.")
@click.option("--config", type=CONFIG_FILE, help="Settings: a TOML file, or the name of a preset.")
@click.option("--set", "assignments", multiple=True, metavar="KEY=VALUE", help="One setting, as a run takes it.")
@click.option("--changed", is_flag=True, help="Only what is not a default.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def show(config: Path | None, assignments: Sequence[str], changed: bool, as_json: bool) -> None:
    """Show every setting that a run would use, with its origin: default, file or --set.

    \b
    wsi-area config show --config ihc_dab
    wsi-area config show --set segmenter.name=stain --changed --json

    Exit codes: 0 shown; 1 a key or a value is wrong, as a run would refuse it.
    """  # noqa: D301 (click reads the backspace)
    settings = load(config, assignments)
    values = [v for v in settings_in_force(settings, config, assignments) if not changed or v.origin != "default"]
    if as_json:
        document = {
            "config": None if config is None else shown(config),
            "measurement_hash": settings.measurement_hash,
            "settings": [asdict(value) for value in values],
        }
        say_document(document)
        return
    console = report_console()
    table = _table(values, "file" if console.is_terminal or config is None else shown(config))
    console.print(table)
    if console.is_terminal and config is not None:
        print_lines(console, f"\nfile: {shown(config)}")


@command.command("schema", short_help="Print the JSON Schema of a settings file.")
@click.option("--json", "as_json", is_flag=True, help="What it prints is JSON in any case.")
def schema(as_json: bool) -> None:
    """Print the JSON Schema of a settings file, for completion and checks in an editor.

    \b
    wsi-area config schema > settings.schema.json
    """  # noqa: D301 (click reads the backspace)
    say_document(settings_schema())


@command.command("reference", short_help="Print the page of every setting.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document, the page in it.")
def reference(as_json: bool) -> None:
    """Print the page of every setting with its unit, default and meaning, in Markdown.

    \b
    wsi-area config reference > settings.md
    """  # noqa: D301 (click reads the backspace)
    page = settings_page()
    document = {"format": "markdown", "page": page}
    say(json.dumps(document, indent=2, ensure_ascii=False) + "\n" if as_json else page, nl=False)


def _table(values: Sequence[Value], file: str) -> Table:
    """Return the settings; only a value is ever wrapped: a key that is broken in two cannot be copied."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("setting", no_wrap=True)
    table.add_column("value", overflow="fold")
    table.add_column("from", no_wrap=True)
    for value in values:
        origin = file if value.origin == "file" else value.origin
        style = "dim" if value.origin == "default" else ""
        for key, text in _shown(value):
            table.add_row(Text(key, style), Text(text, style), Text(origin, style))
    return table


def _shown(value: Value) -> Iterator[tuple[str, str]]:
    """Yield a setting as its line, a list of tables as a line for each."""
    if isinstance(value.value, list) and any(isinstance(item, Mapping) for item in value.value):
        for number, item in enumerate(value.value):
            yield f"{value.key}[{number}]", toml_text(item)
    else:
        yield value.key, "not set" if value.value is None else toml_text(value.value)


def settings_in_force(settings: RunSettings, config: Path | None, assignments: Sequence[str]) -> Iterator[Value]:
    """Yield every setting with its origin; a segmenter's own keys with the defaults of the segmenter.

    Parameters
    ----------
    settings : RunSettings
        What `wsi_area.settings.run_settings.load` made of the other two, so both are known to be right.
    config : Path or None
        The file.
    assignments : sequence of ``key=value``
    """
    written = {} if config is None else read_toml(config)
    assigned = {split_assignment(text)[0] for text in assignments}
    for section, values in settings.canonical().items():
        if section == "segmenter":
            values = {"name": settings.segmenter.name, **_own(settings)}
        for key, value in values.items():
            yield Value(f"{section}.{key}", value, _origin((section, key), written, assigned))
    if SECTION in written:
        for key, value in load_train_settings(config).model_dump(mode="json").items():
            yield Value(f"{SECTION}.{key}", value, "file" if key in written[SECTION] else "default")


def _own(settings: RunSettings) -> dict[str, Any]:
    segmenter = make_segmenter(settings.segmenter.name, settings.segmenter.own)
    return segmenter.model_dump(mode="json") if isinstance(segmenter, BaseModel) else settings.segmenter.own


def _origin(place: tuple[str, str], written: Mapping[str, Any], assigned: set[str]) -> Origin:
    """Return who had the last word; ``--set a.b.c=1`` reaches into a table that is the value of ``a.b``."""
    key = ".".join(place)
    if any(name == key or name.startswith(f"{key}.") for name in assigned):
        return "--set"
    section, name = place
    return "file" if name in written.get(section, {}) else "default"
