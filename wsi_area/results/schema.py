"""results: what a slide's result.json looks like, as a JSON Schema (2020-12) that other tools can hold it against.

``docs/result.schema.json`` is written from here: ``python -m wsi_area.results.schema > docs/result.schema.json``.
Every key is required and no other is allowed, but inside what a segmenter says of its own fit.
"""

import json
import sys
from typing import Any, get_args

from wsi_area.model.burden import Status
from wsi_area.model.calibration import Quality
from wsi_area.model.finding import Severity
from wsi_area.model.objects import FOCUS_FIELDS
from wsi_area.results.layout import SCHEMA_VERSION

Schema = dict[str, Any]

SCHEMA_ID = f"https://wsi-area.invalid/schema/result-{SCHEMA_VERSION}.json"
"""A name, not an address: nothing is fetched from there."""

_TEXT: Schema = {"type": "string"}
_NAME: Schema = {"type": "string", "minLength": 1}
_HASH: Schema = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
_FLAG: Schema = {"type": "boolean"}
_NUMBER: Schema = {"type": "number"}
_COUNT: Schema = {"type": "integer", "minimum": 0}
_LENGTH: Schema = {"type": "number", "exclusiveMinimum": 0}
_AREA: Schema = {"type": "number", "minimum": 0}
_ANY_OBJECT: Schema = {"type": "object"}
_TEXT_OR_NUMBER: Schema = {"type": ["string", "number"]}


def _or_null(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def _closed(properties: dict[str, Schema], description: str = "") -> Schema:
    """Return an object with exactly these keys."""
    about = {"description": description} if description else {}
    return {
        "type": "object", **about, "properties": properties, "required": list(properties),
        "additionalProperties": False,
    }  # fmt: skip


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items}


_SIZE = _closed({"width_px": _COUNT, "height_px": _COUNT})
_BOX = _closed({"x_px": {"type": "integer"}, "y_px": {"type": "integer"}, "width_px": _COUNT, "height_px": _COUNT})
_QUALITY: Schema = {"enum": list(get_args(Quality))}
_FINDING = _closed(
    {
        "slide_id": _NAME, "code": {"type": "string", "pattern": "^[A-Z][A-Z0-9_]*$"},
        "severity": {"enum": list(get_args(Severity))}, "measured": _or_null(_NUMBER), "limit": _or_null(_NUMBER),
        "unit": _TEXT, "message": _NAME, "remedy": _TEXT,
    }
)  # fmt: skip
_LEVEL = _closed(
    {
        "index": _COUNT, "size_px": _SIZE, "downsample_x": _LENGTH, "downsample_y": _LENGTH,
        "stored_tile_px": _or_null(_SIZE),
    }
)  # fmt: skip
_CALIBRATION = _closed(
    {
        "mpp_x_um": _or_null(_LENGTH), "mpp_y_um": _or_null(_LENGTH), "source": _or_null(_TEXT),
        "quality": _or_null(_QUALITY), "note": _or_null(_TEXT), "pixel_area_mm2": _or_null(_LENGTH),
        "relative_u_area": _or_null(_AREA), "reason": _TEXT,
        "candidates": _list(
            _closed(
                {
                    "mpp_x_um": _NUMBER, "mpp_y_um": _NUMBER, "source": _NAME, "rung": _NAME, "quality": _QUALITY,
                    "note": _TEXT,
                }
            )
        ),
    },
    "the pixel size that was chosen, every candidate for it, and why; null: none is believed, so pixels only",
)  # fmt: skip
_WORK = _closed(
    {
        "level": _COUNT, "reduce_factor": {"type": "integer", "minimum": 1}, "asked_work_mpp_um": _or_null(_LENGTH),
        "work_mpp_x_um": _or_null(_LENGTH), "work_mpp_y_um": _or_null(_LENGTH), "work_width_px": _COUNT,
        "work_height_px": _COUNT, "tile_px": _COUNT, "halo_px": _COUNT, "batch_tiles": _COUNT, "tiles": _COUNT,
        "tiles_skipped": _COUNT, "plan_hash": _HASH,
    },
    "the grid that was classified: level, whole factor it was reduced by, tiles",
)  # fmt: skip
_COUNTS = _closed(
    {
        "n_px_total": _COUNT, "n_px_by_class": _list(_COUNT), "n_px_unscanned": _COUNT, "n_px_outside_roi": _COUNT,
        "n_px_unreadable": _COUNT, "n_px_accounted": _COUNT,
    },
    "level-0 pixels; by class, unscanned, outside the ROI and unreadable add up to the total",
)  # fmt: skip
_CLASS = _closed(
    {
        "id": {"type": "integer", "minimum": 0, "maximum": 252}, "name": {"type": "string", "pattern": "^[a-z0-9_]+$"},
        "color_rgb": {**_list({"type": "integer", "minimum": 0, "maximum": 255}), "minItems": 3, "maxItems": 3},
        "is_tissue": _FLAG, "is_tumor": _FLAG, "is_excluded": _FLAG, "n_px": _COUNT, "area_mm2": _or_null(_AREA),
        "area_u_mm2": _or_null(_AREA), "signal_per_mm2": _or_null(_NUMBER),
    }
)  # fmt: skip
_PX_AND_MM2 = {"n_px": _COUNT, "area_mm2": _or_null(_AREA)}
_TUMOR = _closed(
    {
        "n_px": _or_null(_COUNT), "area_mm2": _or_null(_AREA), "area_u_mm2": _or_null(_AREA),
        "ci95_low_mm2": _or_null(_NUMBER), "ci95_high_mm2": _or_null(_NUMBER),
        "fraction_of_tissue": _or_null({"type": "number", "minimum": 0, "maximum": 1}),
    },
    "the tumour burden; null: no class is tumour, or no pixel size is known",
)  # fmt: skip
_SIGNAL = _closed(
    {
        "name": _NAME, "integrated_px": _NUMBER, "integrated_mm2": _or_null(_NUMBER), "denominator": _NAME,
        "per_mm2": _or_null(_NUMBER),
    }
)  # fmt: skip


def _focus() -> Schema:
    kinds = {"i": {"type": "integer"}, "b": _FLAG, "f": _or_null(_NUMBER)}
    fields = {str(name): kinds[FOCUS_FIELDS[name].kind] for name in FOCUS_FIELDS.names or ()}
    return _closed({**fields, "area_mm2": _or_null(_AREA), "filled_area_mm2": _or_null(_AREA)})


_FOCI = _closed(
    {
        "set": _NAME, "count": _COUNT, "n_px_net": _COUNT, "n_px_filled": _COUNT, "net_area_mm2": _or_null(_AREA),
        "filled_area_mm2": _or_null(_AREA), "hole_count": _COUNT, "largest_focus_mm2": _or_null(_AREA),
        "largest_extent_mm": _or_null(_AREA), "touching_border": _COUNT, "touching_unread": _COUNT,
        "listed": _list(_focus()),
    },
    "connected regions of tumour, the largest 1000 one by one; null: not asked for, or no class is tumour",
)  # fmt: skip
_DRAWING = {"path": _NAME, "kind": _NAME, "sha256": _HASH, "scale_l0_px_per_unit": _LENGTH}
_DRAWN = _closed({**_DRAWING, "regions": _COUNT, "has_mask": _FLAG})
_ROI: Schema = {
    "anyOf": [
        _closed({**_DRAWING, "outline_area_px": _AREA, "outline_area_mm2": _or_null(_AREA)}),
        _closed(_DRAWING, "a mask: its area is that of the pixels inside"),
    ]
}
_TIMING = _closed(
    {
        "inner_wall_s": _AREA, "inner_cpu_s": _AREA, "decoded_px": _COUNT, "batches": _COUNT, "prepare_cpu_s": _AREA,
        "wall_s": _AREA,
    }
)  # fmt: skip
_OUTLINE = _closed(
    {"class": _NAME, "outline_area_px": _AREA, "area_mm2": _AREA, "u_count_mm2": _AREA},
    "the exact area of what was drawn, beside which the count of the class stands",
)
_BY_THRESHOLD: Schema = {"type": "object", "additionalProperties": _or_null(_AREA)}
_TILE_ERROR = _closed({"row": _COUNT, "col": _COUNT, "message": _TEXT})
_VERSIONS = {"wsi_area_version": _NAME, "measurement_version": {"type": "integer", "minimum": 1}, "config_hash": _HASH}
_PARTS = ("slide_file", "pixel_size", "settings", "drawings", "tiles", "fit", "measurement_version")
_MADE_FROM = {
    **_closed(
        {**dict.fromkeys(_PARTS, _TEXT), "segmenter_package": _NAME},  # the last: of somebody else's segmenter only
        "what the counts depend on, part by part",
    ),
    "required": list(_PARTS),
}


def _counted() -> Schema:
    return _closed(
        {
            "schema_version": {"const": SCHEMA_VERSION}, "slide_id": _NAME,
            "status": {"enum": [status for status in get_args(Status) if status != "failed"]}, "reason": _TEXT,
            "path": _NAME, "vendor": _TEXT, "fingerprint": _NAME, "content_digest": _HASH, "file_bytes": _COUNT,
            "width_px": _COUNT, "height_px": _COUNT, "objective_power": _or_null(_NUMBER),
            "bounds_l0_px": _or_null(_BOX), "levels": {**_list(_LEVEL), "minItems": 1},
            "calibration": _CALIBRATION, "work": _WORK, "counts": _COUNTS,
            "classes": {**_list(_CLASS), "minItems": 1}, "tumor": _TUMOR, "tissue": _closed(_PX_AND_MM2),
            "analyzed": _closed(_PX_AND_MM2), "unreadable": _closed(_PX_AND_MM2), "signal": _or_null(_SIGNAL),
            "findings": _list(_FINDING), **_VERSIONS, "key": _HASH, "made_from": _MADE_FROM, "reader": _NAME,
            "reader_reason": _TEXT,
            "segmenter": _closed({"name": _NAME, "settings": _ANY_OBJECT, "facts": _ANY_OBJECT}),
            "foci": _or_null(_FOCI),
            "size_filters": _list(_closed({"name": _NAME, "limit_um2": _LENGTH, "objects": _COUNT, "area_px": _COUNT})),
            "annotations": _or_null(_DRAWN), "roi": _or_null(_ROI), "outlines": _list(_OUTLINE),
            "tissue_mm2_by_threshold": _or_null(_BY_THRESHOLD),
            "skipped_tissue_px_upper_bound": _or_null(_COUNT), "tile_errors": _list(_TILE_ERROR), "timing": _TIMING,
        },
        "a slide that was counted",
    )  # fmt: skip


def _not_counted() -> Schema:
    return _closed(
        {
            "schema_version": {"const": SCHEMA_VERSION}, "slide_id": _NAME,
            "status": {"enum": ["failed", "needs_calibration"]}, "reason": _NAME, "path": _NAME, **_VERSIONS,
            "error": _NAME,
        },
        "a slide that could not be counted: it failed, or its segmenter needs a pixel size and none is known",
    )  # fmt: skip


def result_schema() -> Schema:
    """Return the JSON Schema of a slide's result.json.

    >>> result_schema()["oneOf"][0]["description"]
    'a slide that was counted'
    """
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA_ID,
        "title": "wsi_area result.json",
        "description": "everything about one slide of a run; units are in the names, null is what is not known",
        "oneOf": [_counted(), _not_counted()],
    }


def schema_text() -> str:
    """Return the schema as it is published."""
    return json.dumps(result_schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(schema_text())
