"""results: the foci of a slide as a table of their own, and as a table of the run."""

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from wsi_area.compute.count.area import area_mm2
from wsi_area.model.calibration import Mpp
from wsi_area.model.objects import FOCUS_FIELDS, Foci
from wsi_area.results.layout import RunLayout, SlideLayout, write_bytes

if TYPE_CHECKING:  # loaded where it is used, at the end of a slide
    import pyarrow as pa

OBJECTS_TABLE = "objects.parquet"
_TOTALS = "wsi_area_foci"


def write_foci(layout: SlideLayout, foci: Foci, mpp: Mpp | None, key: str) -> None:
    """Write a slide's foci as a table beside its document, with their totals and the key of what they came from."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    totals = {name: getattr(foci, name) for name in Foci.__slots__ if name != "listed"}
    note = json.dumps({"key": key, "totals": {**totals, "max_feret_mm": repr(foci.max_feret_mm)}})
    table = _table(foci, layout.root.name, mpp).replace_schema_metadata({_TOTALS: note})
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd")
    write_bytes(layout.root / OBJECTS_TABLE, sink.getvalue().to_pybytes())


def _table(foci: Foci, slide_id: str, mpp: Mpp | None) -> "pa.Table":
    import pyarrow as pa

    n, listed = len(foci.listed), foci.listed
    columns: dict[str, pa.Array] = {
        "slide_id": pa.array([slide_id] * n, pa.string()),
        "object_id": pa.array(listed["object_id"]),
        "set": pa.array([foci.set_name] * n, pa.string()),
    }
    for name, px in (("area_mm2", "area_px"), ("filled_area_mm2", "filled_px")):
        columns[px] = pa.array(listed[px])
        columns[name] = pa.array([_mm2(int(n_px), mpp) for n_px in listed[px]], pa.float64())
    for name in FOCUS_FIELDS.names or ():
        if name not in columns:
            columns[name] = pa.array(np.ascontiguousarray(listed[name]), from_pandas=True)
    return pa.table(columns)


def _mm2(n_px: int, mpp: Mpp | None) -> float | None:
    return None if mpp is None else area_mm2(n_px, mpp)


def read_foci(layout: SlideLayout, key: str) -> Foci | None:
    """Return a slide's foci from its table, if that is there, whole, and came from what the key says; else None."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(pa.BufferReader((layout.root / OBJECTS_TABLE).read_bytes()))
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


def write_objects(layout: RunLayout, slide_ids: Iterable[str]) -> None:
    """Write the run's table of objects: those of its slides, one after the other; none where no slide has a table."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    paths = [layout.slide(slide_id).root / OBJECTS_TABLE for slide_id in slide_ids]
    contents = [path.read_bytes() for path in paths if path.is_file()]
    tables = [pq.read_table(pa.BufferReader(content)).replace_schema_metadata(None) for content in contents]
    if not tables:
        (layout.root / OBJECTS_TABLE).unlink(missing_ok=True)
        return
    sink = pa.BufferOutputStream()
    pq.write_table(pa.concat_tables(tables), sink, compression="zstd")
    write_bytes(layout.root / OBJECTS_TABLE, sink.getvalue().to_pybytes())
