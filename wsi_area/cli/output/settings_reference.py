"""cli: the settings as JSON Schema for editors, and as a page; both made from the models alone."""

from collections.abc import Iterator, Mapping
from importlib.metadata import entry_points
from typing import Any

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from wsi_area.segmenters.registry import GROUP
from wsi_area.segmenters.scheme import ClassSetting
from wsi_area.settings.effect import Effect, effect_of
from wsi_area.settings.run_settings import RunSettings
from wsi_area.training.settings import SECTION, TrainSettings

_DRAFT = "https://json-schema.org/draft/2020-12/schema"
_OURS = "wsi_area."
_DEFS = "#/$defs/{model}"


def built_in_segmenters() -> dict[str, type[BaseModel]]:
    """Return the settings of every segmenter that comes with the package, by name."""
    ours = sorted((e for e in entry_points(group=GROUP) if e.value.startswith(_OURS)), key=lambda entry: entry.name)
    return {entry.name: entry.load() for entry in ours}


def settings_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a settings file; a segmenter's own keys depend on its name."""
    schema = RunSettings.model_json_schema(ref_template=_DEFS)
    definitions = schema.pop("$defs")
    branches = []
    for name, model in built_in_segmenters().items():
        own = model.model_json_schema(ref_template=_DEFS)
        definitions |= own.pop("$defs", {})
        own["properties"] = {"name": {"const": name}, **own["properties"]}
        definitions[f"segmenter_{name}"] = own
        chosen: dict[str, Any] = {"properties": {"name": {"const": name}}}
        if name != RunSettings().segmenter.name:
            chosen["required"] = ["name"]  # only the default is meant where no name is given
        branches.append({"if": chosen, "then": {"$ref": f"#/$defs/segmenter_{name}"}})
    definitions["SegmenterSettings"]["allOf"] = branches
    train = TrainSettings.model_json_schema(ref_template=_DEFS)
    definitions |= train.pop("$defs", {})
    definitions["TrainSettings"] = train
    schema["properties"][SECTION] = {"$ref": "#/$defs/TrainSettings"}
    return {"$schema": _DRAFT, **schema, "title": "Settings of wsi-area", "$defs": definitions}


def settings_page() -> str:
    """Return the page of every setting, in Markdown."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    yield "# Settings"
    yield ""
    yield "Made from the settings themselves by `wsi-area config reference`; do not edit this page."
    yield ""
    yield "A settings file is TOML: `wsi-area run SLIDES --config settings.toml`. Every key can be left out; one can be"
    yield "set on the command line, `--set tiling.work_mpp=0.5`, which wins over the file. An unknown key is refused."
    yield "`wsi-area config show --config settings.toml` says which value holds and where it comes from. For completion"
    yield "and checks in an editor, write `wsi-area config schema > settings.schema.json` and put"
    yield "`#:schema ./settings.schema.json` in the file's first line."
    yield ""
    yield f"Any setting can change a number but these: {', '.join(_named(Effect.FINDINGS))} decides what is said of the"
    yield f"numbers, and {', '.join(_named(Effect.WORK))} say who does the work, and how."
    yield f"{', '.join(_named(Effect.AFTER))} are counted on the finished class map: in a run"
    yield "that goes on with others, they are counted anew, and no tile of the classes is read again."
    for name, field in RunSettings.model_fields.items():
        yield from _section(name, f"[{name}]", _model_of(field.annotation))
        if name == "segmenter":
            for segmenter, model in built_in_segmenters().items():
                yield from _section(segmenter, f'[segmenter] name = "{segmenter}"', model)
            yield from _section("classes", "[[segmenter.classes]]", ClassSetting)
    yield from _section(SECTION, f"[{SECTION}]", TrainSettings)
    yield ""


def _named(effect: Effect) -> Iterator[str]:
    """Yield the sections and the single settings that have an effect."""
    for section, field in RunSettings.model_fields.items():
        if effect_of(RunSettings, section) is effect:
            yield f"`[{section}]`"
        else:
            keys = (f"{section}.{key}" for key in _model_of(field.annotation).model_fields)
            yield from (f"`{key}`" for key in keys if effect_of(RunSettings, key) is effect)


def _model_of(annotation: Any) -> type[BaseModel]:
    if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
        raise TypeError(f"a section of the settings is {annotation}, which is no model")
    return annotation


def _section(name: str, title: str, model: type[BaseModel]) -> Iterator[str]:
    yield ""
    yield f"## `{title}`"
    yield ""
    yield " ".join((model.__doc__ or name).split()).replace("``", "`")
    yield ""
    yield "| key | default | values | meaning |"
    yield "|---|---|---|---|"
    schema = model.model_json_schema()
    for key, field in model.model_fields.items():
        values = _values(schema["properties"][key], schema.get("$defs", {}))
        default = _default(field.default) if field.default_factory is None else "see below"
        cells = (f"`{key}`", default, values, field.description or "")
        yield "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def _default(value: Any) -> str:
    """Return a default as TOML would have it.

    >>> _default(True), _default(0.5), _default("auto"), _default(None), _default((26.0, 76.0))
    ('`true`', '`0.5`', '`"auto"`', 'left out', '`[26.0, 76.0]`')
    """
    if value is PydanticUndefined:
        return "**must be given**"
    if value is None:
        return "left out"
    return f"`{toml_text(value)}`"


def toml_text(value: Any) -> str:
    """Return a value as TOML writes it, tables in one line, without what is not set: TOML has no word for it.

    >>> toml_text({"a": [1, True], "b": "x", "c": None})
    '{a = [1, true], b = "x"}'
    """
    if isinstance(value, BaseModel):
        value = value.model_dump(mode="json", exclude_defaults=True)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{k} = {toml_text(v)}" for k, v in value.items() if v is not None) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(toml_text(item) for item in value) + "]"
    if isinstance(value, int | float):
        return repr(value)
    escaped = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _values(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> str:
    """Return the values that a key takes, in words.

    >>> _values({"type": "number", "exclusiveMinimum": 0, "maximum": 1}, {})
    'number, > 0, ≤ 1'
    >>> _values({"anyOf": [{"type": "integer"}, {"const": "auto"}, {"type": "null"}]}, {})
    'whole number or `auto`'
    """
    if "$ref" in schema:
        return _values(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    if "anyOf" in schema:
        return " or ".join(_values(part, definitions) for part in schema["anyOf"] if part.get("type") != "null")
    if "const" in schema:
        return f"`{schema['const']}`"
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    return _kind(schema, definitions) + "".join(
        f", {sign} {schema[key]}"
        for key, sign in (("exclusiveMinimum", ">"), ("minimum", "≥"), ("exclusiveMaximum", "<"), ("maximum", "≤"))
        if key in schema
    )


def _kind(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> str:
    kind = schema.get("type")
    if kind == "array":
        parts = schema.get("prefixItems")
        inner = _values(parts[0] if parts else schema.get("items", {}), definitions)
        return f"{len(parts)} × {inner}" if parts else f"list of {inner}"
    if kind == "object":
        extra = schema.get("additionalProperties")
        return f"table of {_values(extra, definitions)}" if isinstance(extra, Mapping) else "table"
    words = {"number": "number", "integer": "whole number", "boolean": "`true`, `false`", "string": "text"}
    if schema.get("format") == "path":
        return "path"
    return words.get(str(kind), "any")
