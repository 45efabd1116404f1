"""audit: a slide's table of regions held against its document, and counted again from the class map."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from wsi_area.annotations.masks.standing import mask_as_it_was
from wsi_area.compute.count.area import area_mm2
from wsi_area.compute.regions.tally import Groups
from wsi_area.model.classes import ClassScheme
from wsi_area.model.drawn import NamedRegion, NamedRegions
from wsi_area.model.drawn_mask import DrawnMask
from wsi_area.model.record.slide_regions import LISTED_MOST, RegionOnRecord
from wsi_area.model.slide_result import CountedSlide
from wsi_area.results.class_map.layered_map import LayeredMap, grid_of
from wsi_area.results.class_map.region_boxes import counted_regions
from wsi_area.results.layout import SlideLayout
from wsi_area.results.region_record import MASK, rows_of
from wsi_area.results.tables.region_tables import (
    OUTLINE,
    REGIONS_TABLE,
    ROW,
    read_regions,
    rows_in,
    slide_table,
)

MOST_TOLD = 20
_OF_THE_FILE = ("source", "mask_file", "mask_code")
"""What of a row is told of its drawing, and not counted."""


def regions_faults(layout: SlideLayout, slide: CountedSlide) -> list[tuple[str, str]]:
    """Return the faults by which the table of regions of a slide contradicts its document, its class map or itself.

    A region with an outline is counted again, and so is one that is a code of a mask, if the mask still lies where it
    was read, as it was; else it is held against the document alone.

    Raises
    ------
    ResultError
        If the table or the class map cannot be read.
    """
    place, told = layout.root / REGIONS_TABLE, slide.regions
    if told is None or not place.is_file():
        lost = told is not None and told.count > 0
        if not lost and not place.is_file():
            return []
        return [(REGIONS_TABLE, "it is not there, though result.json tells of regions" if lost else
                 "it is there, though result.json tells of no region")]  # fmt: skip
    table = read_regions(place)
    rows = rows_in(table)
    faults = list(_document_faults(rows, slide))
    if not table.drop_columns([OUTLINE, ROW]).equals(slide_table(layout.slide_id, rows)):
        faults.append("its columns do not say what its rows say")
    outlines = [None if text is None else bytes.fromhex(text) for text in table[OUTLINE].to_pylist()]
    if not faults:
        faults += _counted_faults(layout, slide, rows, outlines)
    return [(REGIONS_TABLE, why) for why in faults[:MOST_TOLD]]


def _document_faults(rows: Sequence[RegionOnRecord], slide: CountedSlide) -> Iterator[str]:
    told = slide.regions
    assert told is not None  # see the caller
    if len(rows) != told.count:
        yield f"it has {len(rows)} rows, result.json tells of {told.count} regions"
    for number, (row, listed) in enumerate(zip(rows[:LISTED_MOST], told.listed, strict=False), 1):
        if row != listed:
            yield f"row {number} ({row.region_id}) is not what result.json lists"
    for number, row in enumerate(rows, 1):
        if sum(c.n_px for c in row.classes) != row.n_px_classed:
            yield f"row {number} ({row.region_id}): its classes do not add up to its pixels"
        if slide.mpp is not None and row.area_mm2 != area_mm2(row.n_px, slide.mpp):
            yield f"row {number} ({row.region_id}): {row.area_mm2} mm² are not {row.n_px} px"


def _counted_faults(
    layout: SlideLayout, slide: CountedSlide, rows: Sequence[RegionOnRecord], outlines: Sequence[bytes | None]
) -> Iterator[str]:
    """Yield the regions whose every number, made again from outline and class map, is another one."""
    scheme = ClassScheme(tuple(c.tissue_class for c in slide.classes))
    layered = LayeredMap.over(layout, grid_of(slide), scheme.classes)
    signal = None if layered.signal_map is None else layered.signal_map.signal
    masks = _masks_again(slide, rows)
    counts = counted_regions(layered, Groups.of(scheme), outlines, list(masks.values()))
    regions = tuple(
        NamedRegion(row.region_id, row.name, row.region_class, row.parent_id, "found", row.status, outline)
        for row, outline in zip(rows, outlines, strict=True)
    )
    again = rows_of(
        NamedRegions(regions), counts, scheme, slide.mpp, slide.calibration.relative_u_area, signal,
        has_layer=layered.layer is not None,
    )  # fmt: skip
    for number, (row, made, outline) in enumerate(zip(rows, again, outlines, strict=True), 1):
        if outline is None and row.mask_file not in masks:
            continue
        as_told = made.model_copy(update={name: getattr(row, name) for name in _OF_THE_FILE})
        if row != as_told:
            names = [name for name in type(row).model_fields if getattr(row, name) != getattr(as_told, name)]
            yield f"row {number} ({row.region_id}): counted again, {', '.join(names)} are others"


def _masks_again(slide: CountedSlide, rows: Sequence[RegionOnRecord]) -> dict[int, tuple[DrawnMask, NDArray[np.int32]]]:
    """Return the masks whose codes have rows, by the number of the file, each with the row of each code, else -1."""
    found: dict[int, tuple[DrawnMask, NDArray[np.int32]]] = {}
    for number, file in enumerate(() if slide.regions is None else slide.regions.files):
        if file.kind != MASK:
            continue
        mask = mask_as_it_was(file.path, file.sha256, file.scale_l0_px_per_unit, slide.size_l0_px)
        if mask is None:
            continue
        row_of_code = np.full(256, -1, np.int32)
        for at, row in enumerate(rows):
            if row.mask_file == number and row.mask_code is not None:
                row_of_code[row.mask_code] = at
        found[number] = (mask, row_of_code)
    return found
