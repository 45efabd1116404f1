"""results: the regions of a slide with their outlines, drawn or found, for whoever shows them over its picture."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wsi_area.frozen_value import frozen_value
from wsi_area.model.record.slide_regions import RegionOnRecord
from wsi_area.model.slide_result import CountedSlide
from wsi_area.results.layout import SlideLayout
from wsi_area.results.tables.region_tables import OUTLINE, REGIONS_TABLE, ROW, read_regions, rows_in

_DETAIL = 1 / 800  # of the slide's width: what is smaller is drawn straight


@frozen_value(eq=False)
class ShownRegion:
    """One region with its outline, made simple enough to draw."""

    row: RegionOnRecord
    rings: tuple[NDArray[Any], ...]  # float64 (n, 2), level-0 px, closed
    is_class: bool  # it was drawn as a class of the class map, whose outline is the same

    @property
    def is_found(self) -> bool:
        """Return True if it is a piece or a core that was found on the slide."""
        return self.row.source == "found"

    @property
    def label(self) -> str:
        """Return the text that is written on it: the number of a piece, the name of a core or of what was drawn."""
        is_piece = self.is_found and self.row.region_class != "core"
        return self.row.name.removeprefix("section ") if is_piece else self.row.name


def shown_regions(layout: SlideLayout, record: CountedSlide, most: int = 600) -> Iterator[ShownRegion]:
    """Yield the regions of a slide that have an outline, of the first ``most`` rows of its table, in their order.

    The rest of the slide, which is in no piece, and the codes of a mask have none.

    Raises
    ------
    ResultError
        If the slide's table of regions is damaged.
    """
    if record.regions is None or not record.regions.count:
        return
    import shapely  # only where there is something to draw

    classes = _names_of_classes(record)
    table = read_regions(layout.root / REGIONS_TABLE, (OUTLINE, ROW)).slice(0, most)
    for row, outline in zip(rows_in(table), table[OUTLINE].to_pylist(), strict=True):
        if row.status != "rest" and outline is not None:
            geometry = shapely.simplify(shapely.from_wkb(bytes.fromhex(outline)), record.width_px * _DETAIL)
            rings = [np.asarray(shapely.get_coordinates(r)) for r in shapely.get_rings(shapely.get_parts(geometry))]
            is_class = row.source == "annotations" and (row.region_class or row.name) in classes
            if rings:
                yield ShownRegion(row, tuple(rings), is_class)


def _names_of_classes(record: CountedSlide) -> set[str]:
    """Return the names in a drawing that became classes of the class map."""
    told = record.segmenter.facts.get("classes")
    listed = told if isinstance(told, list) else []
    return {name for one in listed if isinstance(one, dict) for name in one.get("names_in_file", ())}
