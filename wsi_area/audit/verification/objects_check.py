"""audit: a slide's table of objects held against its document, which lists the largest and the totals of all."""

from collections.abc import Iterator, Mapping
from typing import Any

from wsi_area.model.record.slide_foci import FociOnRecord
from wsi_area.model.slide_result import CountedSlide
from wsi_area.results.layout import SlideLayout
from wsi_area.results.tables.object_tables import OBJECTS_TABLE, read_objects


def objects_faults(layout: SlideLayout, slide: CountedSlide) -> list[tuple[str, str]]:
    """Return the faults by which the table of objects of a slide contradicts its document.

    Raises
    ------
    ResultError
        If there is a table, and it cannot be read.
    """
    place, foci = layout.root / OBJECTS_TABLE, slide.foci
    if not place.is_file():
        lost = foci is not None and foci.count > 0
        return [(OBJECTS_TABLE, "it is not there, though result.json tells of foci")] if lost else []
    if foci is None:
        return [(OBJECTS_TABLE, "it is there, though result.json tells of no foci")]
    return [(OBJECTS_TABLE, why) for why in _faults(read_objects(place).to_pylist(), foci)]


def _faults(rows: list[Mapping[str, Any]], foci: FociOnRecord) -> Iterator[str]:
    if len(rows) > foci.count or len(rows) < len(foci.listed):
        yield f"it has {len(rows)} rows, result.json tells of {foci.count} foci and lists {len(foci.listed)}"
    for number, (row, focus) in enumerate(zip(rows, foci.listed, strict=False), 1):
        for name, value in focus.model_dump().items():
            if row.get(name) != value:
                yield f"row {number}: {name} is {row.get(name)!r}, result.json gives {value!r}"
    if len(rows) == foci.count:
        for column, total in (("area_px", foci.n_px_net), ("filled_px", foci.n_px_filled)):
            found = sum(int(row.get(column) or 0) for row in rows)
            if found != total:
                yield f"{column} adds up to {found} in its rows, result.json gives {total}"
