"""reports: the outlines of the pieces and cores that were found on a slide, as its picture shows them."""

from dataclasses import dataclass

from wsi_area.errors import ResultError
from wsi_area.model.slide_result import CountedSlide
from wsi_area.reports.photo_layers import Frame
from wsi_area.results.layout import SlideLayout
from wsi_area.results.tables.region_tables import OUTLINE, REGIONS_TABLE, read_regions, rows_in

SHOWN = 600
"""Pieces and cores that a picture shows; the tables have all of them."""
_DETAIL = 1 / 800  # of the picture's width: what is smaller is drawn straight


@dataclass(frozen=True, slots=True)
class FoundOutline:
    """One piece or core, drawn over the picture of its slide."""

    path: str  # of SVG, in the units of the frame
    title: str
    label: str
    x: float  # of the middle of the label
    y: float
    font_size: float
    is_doubtful: bool  # broken, missing, cut or without its name: drawn with dashes


def found_outlines(layout: SlideLayout, record: CountedSlide, frame: Frame, notes: list[str]) -> list[FoundOutline]:
    """Return the pieces and cores that were found on a slide; what cannot be read is said among the notes."""
    if record.regions is None or not any(row.source == "found" for row in record.regions.listed):
        return []
    import numpy as np
    import shapely

    try:
        table = read_regions(layout.root / REGIONS_TABLE)
    except ResultError as error:
        notes.append(f"The pieces and cores cannot be shown: {error}")
        return []
    to_frame = np.array([1.0, frame.y_scale])
    shown = []
    for row, outline in zip(rows_in(table), table[OUTLINE].to_pylist(), strict=True):
        if row.source != "found" or row.status == "rest" or outline is None:
            continue
        geometry = shapely.transform(shapely.from_wkb(bytes.fromhex(outline)), lambda points: points * to_frame)
        geometry = shapely.simplify(geometry, frame.width * _DETAIL)
        is_core = row.region_class == "core"
        left, top, right, bottom = geometry.bounds
        label = row.name if is_core else row.name.removeprefix("section ")
        size = min(frame.width * 0.022, 1.5 * (right - left) / max(3, len(label)))
        # a core has its name inside, a piece above it, where it is in nobody's way
        y = (top + bottom) / 2 if is_core else max(size / 2, top - 0.7 * size)
        whole = row.status == "complete"
        title = row.name if whole else f"{row.name}: {row.status}"
        shown.append(FoundOutline(_path(geometry), title, label, (left + right) / 2, y, size, not whole))
    if len(shown) > SHOWN:
        notes.append(f"The picture shows the first {SHOWN} of {len(shown)} pieces and cores.")
    return shown[:SHOWN]


def _path(geometry: object) -> str:
    import shapely

    rings = shapely.get_rings(shapely.get_parts(geometry))
    lines = (" ".join(f"{x:.1f} {y:.1f}" for x, y in shapely.get_coordinates(ring)[:-1]) for ring in rings)
    return "".join(f"M{line}Z" for line in lines)
