"""results: the tables of a run, made from its slides' results: summary, areas, flags, failed."""

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from wsi_area.model.documented import Table
from wsi_area.model.plain_text import plain_values
from wsi_area.model.slide_result import CountedSlide, EndedSlide
from wsi_area.results.layout import RunLayout, write_bytes, write_csv
from wsi_area.results.tables.columns import CLASS, Kind, columns_of
from wsi_area.results.tables.workbook import workbook
from wsi_area.storage.place import Place

if TYPE_CHECKING:  # loaded where it is used, at the end of a run: until then its 40 MB are the workers'
    import pyarrow as pa

Row = Mapping[str, Any]


def write_tables(layout: RunLayout, slides: Sequence[EndedSlide]) -> None:
    """Write every table of a run; one row in the summary for each planned slide, whatever became of it."""
    summary, rows = summary_columns(slides), [summary_row(slide) for slide in slides]
    write_csv(layout.root / "summary.csv", list(summary), rows)
    _write_parquet(layout.root / "summary.parquet", summary, rows)
    areas = [row for slide in slides for row in area_rows(slide)]
    _write_parquet(layout.root / "areas.parquet", _kinds("areas"), areas)
    flags = [row for slide in slides for row in flag_rows(slide)]
    write_csv(layout.root / "flags.csv", names_of("flags"), flags)
    lost = [slide for slide in slides if slide.status in {"failed", "incomplete"}]
    failed = [{c.name: c.value(slide, None) for c in columns_of("failed")} for slide in lost]
    write_csv(layout.root / "failed.csv", names_of("failed"), failed)
    sheets = (
        ("summary", list(summary), rows), ("areas", names_of("areas"), areas), ("flags", names_of("flags"), flags),
        ("failed", names_of("failed"), failed),
    )  # fmt: skip
    write_bytes(layout.root / "summary.xlsx", workbook(sheets))


def names_of(table: Table) -> tuple[str, ...]:
    """Return the names of a table's columns, in their order."""
    return tuple(column.name for column in columns_of(table))


def _kinds(table: Table) -> dict[str, Kind]:
    return {column.name: column.kind for column in columns_of(table)}


def summary_columns(slides: Sequence[EndedSlide]) -> dict[str, Kind]:
    """Return the columns of the summary with their types: those of a class once for each class of this run."""
    classes = list(dict.fromkeys(c.name for slide in slides if isinstance(slide, CountedSlide) for c in slide.classes))
    found: dict[str, Kind] = {}
    for column in columns_of("summary"):
        of_classes = [column.name.replace(CLASS, name) for name in classes]
        found |= dict.fromkeys(of_classes if CLASS in column.name else [column.name], column.kind)
    return found


def summary_row(slide: EndedSlide) -> dict[str, Any]:
    """Return the summary's row of one slide; what is not known is None, never 0."""
    row: dict[str, Any] = {}
    for column in columns_of("summary"):
        if CLASS not in column.name:
            row[column.name] = _cell(column.value(slide, None))
        elif isinstance(slide, CountedSlide):
            row |= {column.name.replace(CLASS, c.name): column.value(slide, c) for c in slide.classes}
    return row


def _cell(value: Any) -> Any:
    """Return a value as a cell of the summary: an empty text says nothing."""
    return None if value == "" else value


def area_rows(slide: EndedSlide) -> list[dict[str, Any]]:
    """Return the long table's rows of one slide: one for each class."""
    classes = slide.classes if isinstance(slide, CountedSlide) else ()
    return [{column.name: column.value(slide, c) for column in columns_of("areas")} for c in classes]


def flag_rows(slide: EndedSlide) -> list[dict[str, Any]]:
    """Return the rows of what was noticed of one slide."""
    findings = slide.findings if isinstance(slide, CountedSlide) else ()
    return [{column.name: column.value(slide, f) for column in columns_of("flags")} for f in findings]


def _write_parquet(path: Place, columns: Mapping[str, Kind], rows: Sequence[Row]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    types = {"text": pa.string(), "flag": pa.bool_(), "integer": pa.int64(), "number": pa.float64()}
    schema = pa.schema([(name, types[kind]) for name, kind in columns.items()])
    sink = pa.BufferOutputStream()
    pq.write_table(_arrow_table(schema, rows), sink, compression="zstd")
    write_bytes(path, sink.getvalue().to_pybytes())


def _arrow_table(schema: "pa.Schema", rows: Sequence[Row]) -> "pa.Table":
    """Return rows as an Arrow table, by way of JSON: `pyarrow.array` would load pandas, 0.3 s and 40 MB."""
    import pyarrow as pa
    from pyarrow import json as arrow_json

    if not rows:
        return schema.empty_table()
    lines = [json.dumps({name: plain_values(row.get(name)) for name in schema.names}, allow_nan=False) for row in rows]
    text = "\n".join(lines).encode()
    return arrow_json.read_json(
        pa.BufferReader(text),
        read_options=arrow_json.ReadOptions(use_threads=False, block_size=len(text) + 1),
        parse_options=arrow_json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="error"),
    )
