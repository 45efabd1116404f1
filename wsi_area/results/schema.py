"""results: what a slide's result.json looks like, as a JSON Schema (2020-12) that other tools can hold it against.

It follows from the fields of `model.slide_result`; ``docs/result.schema.json`` is written from here:
``python -m wsi_area.results.schema > docs/result.schema.json``. Every key is required that is written today and no
other is allowed, but inside what a segmenter says of its own fit. ``x-unit`` is the unit of a field, ``x-empty`` where
it is null, ``x-from`` where it comes from.
"""

import json
import sys
from typing import Any

from pydantic.json_schema import models_json_schema

from wsi_area.model.documented import SCHEMA_VERSION
from wsi_area.model.slide_result import CountedSlide, UncountedSlide

Schema = dict[str, Any]

SCHEMA_ID = f"https://wsi-area.invalid/schema/result-{SCHEMA_VERSION}.json"
"""A name, not an address: nothing is fetched from there."""


def result_schema() -> Schema:
    """Return the JSON Schema of a slide's result.json.

    >>> [variant["$ref"] for variant in result_schema()["oneOf"]]
    ['#/$defs/CountedSlide', '#/$defs/UncountedSlide']
    """
    kinds = (CountedSlide, UncountedSlide)
    parts: Schema = models_json_schema([(kind, "serialization") for kind in kinds])[1]["$defs"]
    parts = _referred(parts, [kind.__name__ for kind in kinds])
    for part in parts.values():
        _without_titles(part)
    for kind in kinds:
        part = parts[kind.__name__]
        part["properties"] = {"schema_version": {"const": SCHEMA_VERSION}} | part["properties"]
        part["required"] = ["schema_version", *part["required"]]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA_ID,
        "title": "wsi_area result.json",
        "description": "everything about one slide of a run; units are in the names, null is what is not known",
        "oneOf": [{"$ref": f"#/$defs/{kind.__name__}"} for kind in kinds],
        "$defs": parts,
    }


def _referred(parts: Schema, names: list[str]) -> Schema:
    """Return the parts of some names, and all that these refer to: a field beside a document has its part too."""
    found: set[str] = set()
    while names:
        name = names.pop()
        if name not in found:
            found.add(name)
            names += [part for part in parts if f'"#/$defs/{part}"' in json.dumps(parts[name])]
    return {name: part for name, part in parts.items() if name in found}


def _without_titles(part: Schema) -> None:
    """Take away the titles that pydantic makes of the names of fields: they say nothing more."""
    part.pop("title", None)
    for field in part.get("properties", {}).values():
        field.pop("title", None)


def schema_text() -> str:
    """Return the schema as it is published."""
    return json.dumps(result_schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(schema_text())
