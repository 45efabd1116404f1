"""results: the tables of a run, rebuilt from its slides' documents: summary, areas, flags, failed."""

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from wsi_area.results.layout import RunLayout, write_bytes, write_csv
from wsi_area.results.record import COVERAGE_95
from wsi_area.results.tables.workbook import workbook
from wsi_area.storage.place import Place

if TYPE_CHECKING:  # loaded where it is used, at the end of a run: until then its 40 MB are the workers'
    import pyarrow as pa

Record = Mapping[str, Any]

_LEADING = (
    "slide_id", "status", "reason", "tumor_area_mm2", "tumor_area_u_mm2", "tumor_area_ci95_low_mm2",
    "tumor_area_ci95_high_mm2", "tumor_pct_tissue", "tissue_area_mm2", "analyzed_area_mm2",
    "unread_area_mm2", "total_area_mm2", "mpp_x_um", "mpp_y_um", "mpp_source", "mpp_quality", "mpp_note",
    "work_mpp_um", "asked_work_mpp_um", "objective_power", "vendor", "width_px", "height_px", "n_px_total",
    "n_px_unscanned", "n_px_outside_roi", "n_px_unreadable", "n_px_background", "n_px_excluded",
    "n_px_tissue", "n_px_tumor",
)  # fmt: skip
_TRAILING = (
    "tumor_area_filled_mm2", "foci_count", "largest_focus_mm2", "largest_extent_mm", "annotations", "roi",
    "signal_od_per_mm2", "threshold", "threshold_method", "skipped_tissue_px_upper_bound", "reader", "flags",
    "path", "sha_sample", "config_hash", "wsi_area_version",
)  # fmt: skip
_TEXT = {
    "slide_id", "status", "reason", "mpp_source", "mpp_quality", "mpp_note", "vendor", "threshold_method", "reader",
    "flags", "path", "annotations", "roi", "sha_sample", "config_hash", "wsi_area_version",
}  # fmt: skip
AREA_COLUMNS = (
    "slide_id", "class_id", "class_name", "is_tissue", "is_tumor", "n_px", "area_mm2", "area_u_mm2",
    "ci95_low_mm2", "ci95_high_mm2", "pct_tissue", "signal_per_mm2", "status",
)  # fmt: skip
FLAG_COLUMNS = ("slide_id", "code", "severity", "measured", "limit", "unit", "message", "remedy")
FAILED_COLUMNS = ("slide_id", "status", "reason", "path")


def write_tables(layout: RunLayout, records: Sequence[Record]) -> None:
    """Write every table of a run; one row in the summary for each planned slide, whatever became of it."""
    rows = [summary_row(r) for r in records]
    columns = summary_columns(records)
    write_csv(layout.root / "summary.csv", columns, rows)
    _write_parquet(layout.root / "summary.parquet", columns, rows)
    areas = [row for r in records for row in area_rows(r)]
    _write_parquet(layout.root / "areas.parquet", AREA_COLUMNS, areas)
    flags = [finding for r in records for finding in r.get("findings", ())]
    write_csv(layout.root / "flags.csv", FLAG_COLUMNS, flags)
    lost = [r for r in records if r["status"] in {"failed", "incomplete"}]
    failed = [{c: r.get(c) for c in FAILED_COLUMNS} for r in lost]
    write_csv(layout.root / "failed.csv", FAILED_COLUMNS, failed)
    sheets = (
        ("summary", columns, rows), ("areas", AREA_COLUMNS, areas), ("flags", FLAG_COLUMNS, flags),
        ("failed", FAILED_COLUMNS, failed),
    )  # fmt: skip
    write_bytes(layout.root / "summary.xlsx", workbook(sheets))


def summary_columns(records: Sequence[Record]) -> tuple[str, ...]:
    """Return the columns of the summary: the fixed ones round those of the classes of this run."""
    names = list(dict.fromkeys(c["name"] for r in records for c in r.get("classes", ())))
    by_class = [f"class_{n}_area_mm2" for n in names] + [f"n_px_class_{n}" for n in names]
    return (*_LEADING, *by_class, *_TRAILING)


def summary_row(record: Record) -> dict[str, Any]:
    """Return the summary's row of one slide; what is not known is None, never 0."""
    row: dict[str, Any] = {
        "slide_id": record["slide_id"], "status": record["status"], "reason": record.get("reason") or None,
        "path": record.get("path"), "config_hash": record.get("config_hash"),
        "wsi_area_version": record.get("wsi_area_version"),
        "flags": " ".join(dict.fromkeys(f["code"] for f in record.get("findings", ()))) or None,
    }  # fmt: skip
    if "classes" not in record:
        return row
    for name in (
        "vendor",
        "objective_power",
        "width_px",
        "height_px",
        "reader",
        "skipped_tissue_px_upper_bound",
    ):
        row[name] = record[name]
    row["sha_sample"] = record["fingerprint"]
    row.update(_object_cells(record), **_drawing_cells(record))
    row.update(_calibration_cells(record), **_count_cells(record), **_area_cells(record), **_segmenter_cells(record))
    for c in record["classes"]:
        row[f"class_{c['name']}_area_mm2"] = c["area_mm2"]
        row[f"n_px_class_{c['name']}"] = c["n_px"]
    return row


def _object_cells(record: Record) -> dict[str, Any]:
    foci = record["foci"] or {}
    return {
        "tumor_area_filled_mm2": foci.get("filled_area_mm2"),
        "foci_count": foci.get("count"),
        "largest_focus_mm2": foci.get("largest_focus_mm2"),
        "largest_extent_mm": foci.get("largest_extent_mm"),
    }


def _drawing_cells(record: Record) -> dict[str, Any]:
    return {name: (record[name] or {}).get("path") for name in ("annotations", "roi")}


def _calibration_cells(record: Record) -> dict[str, Any]:
    calibration, work = record["calibration"], record["work"]
    x, y = work["work_mpp_x_um"], work["work_mpp_y_um"]
    return {
        "mpp_x_um": calibration["mpp_x_um"],
        "mpp_y_um": calibration["mpp_y_um"],
        "mpp_source": calibration["source"],
        "mpp_quality": calibration["quality"],
        "mpp_note": calibration["note"] or None,
        "work_mpp_um": None if x is None else max(x, y),
        "asked_work_mpp_um": work["asked_work_mpp_um"],
    }


def _count_cells(record: Record) -> dict[str, Any]:
    counts = record["counts"]
    return {
        **{name: counts[name] for name in ("n_px_total", "n_px_unscanned", "n_px_outside_roi", "n_px_unreadable")},
        "n_px_background": counts["n_px_by_class"][0],
        "n_px_excluded": sum(c["n_px"] for c in record["classes"] if c["is_excluded"]),
        "n_px_tissue": record["tissue"]["n_px"],
        "n_px_tumor": record["tumor"]["n_px"],
    }


def _area_cells(record: Record) -> dict[str, Any]:
    tumor, pixel = record["tumor"], record["calibration"]["pixel_area_mm2"]
    fraction = tumor["fraction_of_tissue"]
    return {
        "tumor_area_mm2": tumor["area_mm2"],
        "tumor_area_u_mm2": tumor["area_u_mm2"],
        "tumor_area_ci95_low_mm2": tumor["ci95_low_mm2"],
        "tumor_area_ci95_high_mm2": tumor["ci95_high_mm2"],
        "tumor_pct_tissue": None if fraction is None else 100 * fraction,
        "tissue_area_mm2": record["tissue"]["area_mm2"],
        "analyzed_area_mm2": record["analyzed"]["area_mm2"],
        "unread_area_mm2": record["unreadable"]["area_mm2"],
        "total_area_mm2": None if pixel is None else record["counts"]["n_px_total"] * pixel,
    }


def _segmenter_cells(record: Record) -> dict[str, Any]:
    facts, signal = record["segmenter"]["facts"], record["signal"]
    return {
        "threshold": facts.get("threshold"),
        "threshold_method": facts.get("method"),
        "signal_od_per_mm2": signal["per_mm2"] if signal and signal["name"] == "od" else None,
    }


def area_rows(record: Record) -> list[dict[str, Any]]:
    """Return the long table's rows of one slide: one for each class."""
    return [_area_row(record, c) for c in record.get("classes", ())]


def _area_row(record: Record, c: Record) -> dict[str, Any]:
    a, u, tissue_px = c["area_mm2"], c["area_u_mm2"], record["tissue"]["n_px"]
    half_width = None if a is None else COVERAGE_95 * u
    return {
        "slide_id": record["slide_id"],
        "status": record["status"],
        "class_id": c["id"],
        "class_name": c["name"],
        "is_tissue": c["is_tissue"],
        "is_tumor": c["is_tumor"],
        "n_px": c["n_px"],
        "area_mm2": a,
        "area_u_mm2": u,
        "ci95_low_mm2": None if half_width is None else a - half_width,
        "ci95_high_mm2": None if half_width is None else a + half_width,
        "pct_tissue": 100 * c["n_px"] / tissue_px if c["is_tissue"] and tissue_px else None,
        "signal_per_mm2": c["signal_per_mm2"],
    }


def _write_parquet(path: Place, columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema([(c, _arrow_type(c)) for c in columns])
    sink = pa.BufferOutputStream()
    pq.write_table(_arrow_table(schema, rows), sink, compression="zstd")
    write_bytes(path, sink.getvalue().to_pybytes())


def _arrow_table(schema: "pa.Schema", rows: Sequence[Mapping[str, Any]]) -> "pa.Table":
    """Return rows as an Arrow table, by way of JSON: `pyarrow.array` would load pandas, 0.3 s and 40 MB."""
    import pyarrow as pa
    from pyarrow import json as arrow_json

    if not rows:
        return schema.empty_table()
    lines = [json.dumps({name: row.get(name) for name in schema.names}, allow_nan=False) for row in rows]
    text = "\n".join(lines).encode()
    return arrow_json.read_json(
        pa.BufferReader(text),
        read_options=arrow_json.ReadOptions(use_threads=False, block_size=len(text) + 1),
        parse_options=arrow_json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="error"),
    )


def _arrow_type(column: str) -> "pa.DataType":
    import pyarrow as pa

    if column in _TEXT or column == "class_name":
        return pa.string()
    if column in {"is_tissue", "is_tumor"}:
        return pa.bool_()
    if column.startswith("n_px") or column in {
        "width_px",
        "height_px",
        "class_id",
        "foci_count",
        "skipped_tissue_px_upper_bound",
    }:
        return pa.int64()
    return pa.float64()
