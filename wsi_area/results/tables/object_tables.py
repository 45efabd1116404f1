"""results: the foci of a slide as a table of their own, and as a table of the run."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from wsi_area.compute.count.area import area_mm2
from wsi_area.errors import ResultError
from wsi_area.model.calibration import Mpp
from wsi_area.model.json_tree import columns_digest
from wsi_area.model.objects import FOCUS_FIELDS, Foci
from wsi_area.results.layout import RunLayout, SlideLayout, write_bytes
from wsi_area.storage.place import Place
from wsi_area.storage.processes import give_back_memory

if TYPE_CHECKING:  # loaded where it is used, at the end of a slide
    import pyarrow as pa

OBJECTS_TABLE = "objects.parquet"
_TOTALS = "wsi_area_foci"
_ROWS_AT_ONCE = 4096


def write_foci(layout: SlideLayout, foci: Foci, mpp: Mpp | None, key: str) -> None:
    """Write a slide's foci as a table beside its document, with their totals and the key of what they came from."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    totals = {one.name: getattr(foci, one.name) for one in fields(Foci) if one.name != "listed"}
    note = json.dumps({"key": key, "totals": {**totals, "max_feret_mm": repr(foci.max_feret_mm)}})
    table = _table(foci, layout.slide_id, mpp).replace_schema_metadata({_TOTALS: note})
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd")
    write_bytes(layout.root / OBJECTS_TABLE, sink.getvalue().to_pybytes())
    del table, sink
    give_back_memory()  # the slide's other passes need their own


def _table(foci: Foci, slide_id: str, mpp: Mpp | None) -> "pa.Table":
    import pyarrow as pa

    n, listed = len(foci.listed), foci.listed
    columns = {
        "slide_id": _text_column(slide_id, n),
        "object_id": _column_of(listed["object_id"]),
        "set": _text_column(foci.set_name, n),
    }
    for name, px in (("area_mm2", "area_px"), ("filled_area_mm2", "filled_px")):
        columns[px] = _column_of(listed[px])
        columns[name] = _column_of(np.array([_mm2(int(n_px), mpp) for n_px in listed[px]], np.float64))
    for name in FOCUS_FIELDS.names or ():
        if name not in columns:
            columns[name] = _column_of(listed[name])
    return pa.Table.from_arrays(list(columns.values()), names=list(columns))


def _column_of(values: NDArray[np.generic]) -> "pa.Array":
    """Return whole numbers, numbers of which NaN is null, or flags: from memory, since `pyarrow.array` loads pandas."""
    import pyarrow as pa

    values = np.ascontiguousarray(values)
    if values.dtype == np.bool_:
        return pa.Array.from_buffers(pa.bool_(), len(values), [None, _bits(values)])
    if values.dtype == np.float64:
        return pa.Array.from_buffers(pa.float64(), len(values), [_bits(~np.isnan(values)), pa.py_buffer(values)])
    return pa.Array.from_buffers(pa.int64(), len(values), [None, pa.py_buffer(values.astype(np.int64))])


def _bits(flags: NDArray[Any]) -> "pa.Buffer":
    import pyarrow as pa

    return pa.py_buffer(np.packbits(flags.view(np.uint8), bitorder="little"))


def _text_column(text: str, count: int) -> "pa.Array":
    """Return one text so many times."""
    import pyarrow as pa

    data = text.encode()
    ends = np.arange(count + 1, dtype=np.int32) * np.int32(len(data))
    return pa.StringArray.from_buffers(count, pa.py_buffer(ends), pa.py_buffer(data * count))


def _mm2(n_px: int, mpp: Mpp | None) -> float:
    return float("nan") if mpp is None else area_mm2(n_px, mpp)


def read_foci(layout: SlideLayout, key: str) -> Foci | None:
    """Return a slide's foci from its table, if that is there, whole, and came from what the key says; else None."""
    place = layout.root / OBJECTS_TABLE
    if not place.is_file():  # the libraries of tables take 30 MiB, and the passes have not begun
        return None
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.ParquetFile(pa.BufferReader(place.read_bytes())).read()
        note = json.loads(table.schema.metadata[_TOTALS.encode()])
        if note["key"] != key:
            return None
        listed = np.zeros(table.num_rows, FOCUS_FIELDS)
        for name in FOCUS_FIELDS.names or ():
            listed[name] = table[name].to_numpy()
        totals = {**note["totals"], "max_feret_mm": float(note["totals"]["max_feret_mm"])}
        return Foci(**totals, listed=listed)
    except (OSError, ValueError, KeyError, TypeError, pa.ArrowInvalid):
        return None


def write_objects(layout: RunLayout, slide_ids: Iterable[str]) -> dict[str, str]:
    """Return the SHA-256 of the run's table of objects, by its name, written; empty where no slide has a table.

    It is made of those of its slides, one after the other.
    """
    tables = [table for _, table in slide_objects(layout, slide_ids)]
    if not tables:
        (layout.root / OBJECTS_TABLE).unlink(missing_ok=True)
        return {}
    import pyarrow as pa
    import pyarrow.parquet as pq

    sink = pa.BufferOutputStream()
    pq.write_table(pa.concat_tables(tables), sink, compression="zstd")
    content = sink.getvalue().to_pybytes()
    write_bytes(layout.root / OBJECTS_TABLE, content)
    del tables, sink
    give_back_memory()  # the report needs its own
    return {OBJECTS_TABLE: hashlib.sha256(content).hexdigest()}


def slide_objects(layout: RunLayout, slide_ids: Iterable[str]) -> Iterator[tuple[str, "pa.Table"]]:
    """Yield each slide that has a table of objects, with what it holds; for errors as `read_objects`."""
    for slide_id in slide_ids:
        place = layout.slide(slide_id).root / OBJECTS_TABLE
        if place.is_file():
            yield slide_id, read_objects(place)


def read_objects(place: Place) -> "pa.Table":
    """Return a table of objects, without what it says of where it came from.

    Raises
    ------
    ResultError
        If it is damaged.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.ParquetFile(pa.BufferReader(place.read_bytes())).read()  # `read_table` would load pandas
        return table.replace_schema_metadata(None)
    except (OSError, ValueError, pa.ArrowException) as error:
        raise ResultError(
            f"{place} cannot be read ({error}); delete it, then run the same command again: it is made anew"
        ) from error


def objects_digest(layout: SlideLayout) -> str | None:
    """Return the digest of what a slide's table of objects holds; None where it has none."""
    place = layout.root / OBJECTS_TABLE
    if not place.is_file():
        return None
    table = read_objects(place)
    return columns_digest({name: _in_parts(table[name]) for name in table.column_names})


def _in_parts(column: "pa.ChunkedArray") -> Iterator[list[Any]]:
    """Yield the values of a column, some at a time: as Python's objects they take ten times the memory."""
    for row in range(0, len(column), _ROWS_AT_ONCE):
        yield column.slice(row, _ROWS_AT_ONCE).to_pylist()
