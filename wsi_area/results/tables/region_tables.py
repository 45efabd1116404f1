"""results: the named regions of a slide as a table of their own, and as a table of the run."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from wsi_area.errors import ResultError
from wsi_area.model.documented import Table
from wsi_area.model.drawn import NamedRegions
from wsi_area.model.record.slide_regions import RegionOnRecord
from wsi_area.model.slide_result import CountedSlide, EndedSlide
from wsi_area.results.layout import NAMED_REGIONS_NAME, RunLayout, SlideLayout, write_bytes
from wsi_area.results.tables.columns import CLASS, SIGNAL, Kind, columns_of
from wsi_area.results.tables.parquet_file import parquet_bytes
from wsi_area.results.tables.run_tables import RunTable, table_columns
from wsi_area.storage.place import Place

if TYPE_CHECKING:  # loaded where it is used, at the end of a slide
    import pyarrow as pa

REGIONS_TABLE = "regions.parquet"
OUTLINE, ROW = "outline_wkb_l0_px", "row"
"""Columns of a slide's own table alone: its outline as well-known binary in hexadecimal digits, and all of its row."""
_KEY = "wsi_area_regions"


def write_slide_regions(layout: SlideLayout, named: NamedRegions, rows: Sequence[RegionOnRecord], key: str) -> None:
    """Write a slide's regions as a table beside its document: what each is, its outline, and all that was counted."""
    own = [
        {OUTLINE: None if r.wkb_l0_px is None else r.wkb_l0_px.hex(), ROW: row.model_dump_json(by_alias=True)}
        for r, row in zip(named.regions, rows, strict=True)
    ]
    cells = [first | region_cells(layout.slide_id, row) for first, row in zip(own, rows, strict=True)]
    columns: dict[str, Kind] = {OUTLINE: "text", ROW: "text"}
    write_bytes(layout.root / REGIONS_TABLE, parquet_bytes(columns | _columns(rows), cells, {_KEY: key}))


def slide_table(slide_id: str, rows: Sequence[RegionOnRecord]) -> "pa.Table":
    """Return the regions of a slide as the table of the run has them."""
    return _table(parquet_bytes(_columns(rows), [region_cells(slide_id, row) for row in rows]))


def _columns(rows: Sequence[RegionOnRecord]) -> dict[str, Kind]:
    """Return the columns of a table of regions: one for each class, and for each signal, of these."""
    classes = dict.fromkeys(c.name for row in rows for c in row.classes)
    return table_columns("regions", classes, dict.fromkeys(r.signal.name for r in rows if r.signal is not None))


def region_cells(slide_id: str, region: RegionOnRecord) -> dict[str, Any]:
    """Return the row of a region in the table of regions; an empty text says nothing."""
    cells: dict[str, Any] = {}
    for column in columns_of("regions"):
        name = column.name
        if SIGNAL in name:
            if region.signal is None:
                continue
            name = name.replace(SIGNAL, region.signal.name)
        if CLASS in name:
            cells |= {name.replace(CLASS, c.name): column.value(None, c) for c in region.classes}
        else:
            value = slide_id if name == "slide_id" else column.value(None, region)
            cells[name] = None if value == "" else value
    return cells


def read_slide_regions(layout: SlideLayout, key: str) -> list[RegionOnRecord] | None:
    """Return a slide's regions from its table, if that is there, whole, and came from what the key says; else None."""
    try:
        table = _read(layout.root / REGIONS_TABLE)
        if (table.schema.metadata or {}).get(_KEY.encode()) != key.encode():
            return None
        return rows_in(table)
    except (ResultError, ValueError, KeyError):
        return None


def rows_in(table: "pa.Table") -> list[RegionOnRecord]:
    """Return the regions of a slide's own table with all that was counted."""
    return [RegionOnRecord.model_validate(json.loads(text)) for text in table[ROW].to_pylist()]


def read_regions(place: Place, columns: Sequence[str] | None = None) -> "pa.Table":
    """Return a slide's own table of regions, or some columns of it.

    Raises
    ------
    ResultError
        If it is damaged.
    """
    return _read(place, columns)


def slide_regions_table(layout: SlideLayout) -> "pa.Table":
    """Return the regions of a slide as the table of the run has them; without a row where it has none.

    Raises
    ------
    ResultError
        If its own table is damaged.
    """
    place = layout.root / REGIONS_TABLE
    return _read(place).drop_columns([OUTLINE, ROW]) if place.is_file() else slide_table(layout.slide_id, ())


def _read(place: Place, columns: Sequence[str] | None = None) -> "pa.Table":
    import pyarrow as pa

    try:
        return _table(place.read_bytes(), columns)
    except (OSError, ValueError, pa.ArrowException) as error:
        raise ResultError(
            f"{place} cannot be read ({error}); delete it, then run the same command again: it is made anew"
        ) from error


def _table(content: bytes, columns: Sequence[str] | None = None) -> "pa.Table":
    import pyarrow as pa
    import pyarrow.parquet as pq

    file = pq.ParquetFile(pa.BufferReader(content))  # `read_table` would load pandas
    return file.read(None if columns is None else list(columns))


def discard_regions(layout: SlideLayout) -> None:
    """Remove a slide's table of regions, and what was exported of it."""
    for name in (REGIONS_TABLE, NAMED_REGIONS_NAME):
        (layout.root / name).unlink(missing_ok=True)


def with_regions(
    tables: Mapping[Table, RunTable], layout: RunLayout, slides: Iterable[EndedSlide]
) -> dict[Table, RunTable]:
    """Return the tables of a run with that of its regions, slide after slide; as they are where no slide has any.

    Raises
    ------
    ResultError
        If a slide's own table is damaged.
    """
    counted = [slide for slide in slides if isinstance(slide, CountedSlide) and slide.regions is not None]
    if not counted:
        return dict(tables)
    rows: list[Mapping[str, Any]] = []
    for slide in counted:
        rows += slide_regions_table(layout.slide(slide.slide_id)).to_pylist()
    classes = list(dict.fromkeys(c.name for slide in counted for c in slide.classes))
    known = (slide.regions.signal_name for slide in counted if slide.regions is not None)
    signals = dict.fromkeys(name for name in known if name is not None)
    return {**tables, "regions": RunTable(table_columns("regions", classes, signals), rows)}
