"""exports: the named regions of a slide as GeoJSON for QuPath: outlines as drawn, with id, name, class and areas."""

import json
import uuid
from typing import Any

import shapely

from wsi_area.annotations.qupath_properties import KEPT_ID
from wsi_area.errors import ResultError
from wsi_area.exports.measured_slide import MeasuredSlide
from wsi_area.model.record.slide_regions import RegionOnRecord
from wsi_area.results.layout import NAMED_REGIONS_NAME
from wsi_area.results.tables.region_tables import OUTLINE, REGIONS_TABLE, read_regions, rows_in
from wsi_area.storage.place import Place
from wsi_area.storage.whole_files import gzipped

_OBJECTS = uuid.UUID("0c1d5b8e-53f0-5d3c-8a53-2f0d5f4f9b7a")
"""The namespace of ids for regions whose own id is no UUID; this one must never change."""
_MEASURED = ("area_mm2", "outline_area_mm2", "tissue_area_mm2", "pct_tissue", "tumor_area_mm2", "tumor_pct_tissue",
             "positive_area_mm2", "positive_pct_tissue", "largest_focus_mm2")  # fmt: skip


def write_regions(slide: MeasuredSlide) -> Place | None:
    """Return the file with the regions of a slide that have an outline, written; None where there is none.

    Raises
    ------
    ResultError
        If the slide's table of regions cannot be read, or the file cannot be written.
    """
    place = slide.layout.root / REGIONS_TABLE
    if slide.result.regions is None or not place.is_file():
        return None
    table = read_regions(place)
    outlines = zip(rows_in(table), table[OUTLINE].to_pylist(), strict=True)
    features = [
        _feature(slide, row, shapely.from_wkb(bytes.fromhex(outline)))
        for row, outline in outlines
        if outline is not None
    ]
    if not features:
        return None
    written = slide.exports / NAMED_REGIONS_NAME
    try:
        with gzipped(written) as file:
            file.write(json.dumps({"type": "FeatureCollection", "features": features}, ensure_ascii=False).encode())
    except OSError as error:
        raise ResultError(f"{written} cannot be written ({error.strerror or error}); give another --out") from error
    return written


def _feature(slide: MeasuredSlide, row: RegionOnRecord, outline: shapely.Geometry) -> dict[str, Any]:
    is_uuid = _is_uuid(row.region_id)
    own = row.region_id if is_uuid else str(uuid.uuid5(_OBJECTS, f"{slide.result.slide_id}/{row.region_id}"))
    measured = {name: value for name in _MEASURED if (value := getattr(row, name)) is not None}
    if row.signal is not None and row.signal.mean is not None:
        measured[f"mean_{row.signal.name}"] = row.signal.mean
    properties: dict[str, Any] = {"objectType": "annotation", "isLocked": True}
    properties |= {"name": row.name} if row.name else {}
    properties |= {"classification": {"name": row.region_class}} if row.region_class else {}
    properties |= {"measurements": {"n_px": row.n_px, **measured}}
    properties |= {"parent": row.parent_id} if row.parent_id else {}
    properties |= {} if is_uuid else {"metadata": {KEPT_ID: row.region_id}}
    geometry = json.loads(shapely.to_geojson(outline))
    return {"type": "Feature", "id": own, "geometry": geometry, "properties": properties}


def _is_uuid(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text.lower()
    except ValueError:
        return False
