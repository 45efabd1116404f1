"""results: the pieces and cores that were found on a slide, each with its outline, for whoever draws them."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wsi_area.model.record.slide_regions import RegionOnRecord
from wsi_area.model.slide_result import CountedSlide
from wsi_area.results.layout import SlideLayout
from wsi_area.results.tables.region_tables import OUTLINE, REGIONS_TABLE, read_regions, rows_in

_DETAIL = 1 / 800  # of the slide's width: what is smaller is drawn straight


def found_regions(layout: SlideLayout, record: CountedSlide) -> Iterator[tuple[RegionOnRecord, list[NDArray[Any]]]]:
    """Yield each piece and core of a slide with its rings, float64 (n, 2) in level-0 px, made simple enough to draw.

    The rest of the slide, which is in none, is left out.

    Raises
    ------
    ResultError
        If the slide's table of regions is damaged.
    """
    if record.regions is None or not any(row.source == "found" for row in record.regions.listed):
        return
    import shapely  # only where there is something to draw

    table = read_regions(layout.root / REGIONS_TABLE)
    for row, outline in zip(rows_in(table), table[OUTLINE].to_pylist(), strict=True):
        if row.source == "found" and row.status != "rest" and outline is not None:
            geometry = shapely.simplify(shapely.from_wkb(bytes.fromhex(outline)), record.width_px * _DETAIL)
            rings = shapely.get_rings(shapely.get_parts(geometry))
            yield row, [np.asarray(shapely.get_coordinates(ring)) for ring in rings]


def found_label(row: RegionOnRecord) -> str:
    """Return what is written on a piece or core: the number of a piece, the name of a core."""
    return row.name if row.region_class == "core" else row.name.removeprefix("section ")
