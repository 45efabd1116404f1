"""audit: the bands and hot spots of a slide counted again on its class map, and held against its document."""

import io
from collections.abc import Iterator
from typing import Any

import numpy as np
from PIL import Image

from wsi_area.model.classes import ClassScheme
from wsi_area.model.record.slide_hotspots import HotSpotsOnRecord
from wsi_area.model.slide_result import CountedSlide
from wsi_area.results.class_map.layered_map import LayeredMap, grid_of
from wsi_area.results.layout import HEAT_MAP_NAME, HOTSPOTS_NAME, SlideLayout
from wsi_area.results.margins.band_record import bands_on_record, rule_of
from wsi_area.results.margins.boxes import Wanted, boxes_of, margins_of_box
from wsi_area.results.margins.hotspot_files import geojson_bytes, heat_map_png
from wsi_area.results.margins.hotspot_record import AllWindows, Asked, added_up, grid_on, hotspots_on_record, ids_of
from wsi_area.results.margins.named_classes import border_sets


def margins_faults(layout: SlideLayout, slide: CountedSlide) -> Iterator[tuple[str, str]]:
    """Yield what in the bands and hot spots of a slide is not what its class map shows.

    Raises
    ------
    ResultError
        If the class map or the tissue layer cannot be read.
    SettingsError
        If the document tells of a border of no class.
    """
    if slide.bands is None and slide.hotspots is None:
        return
    tissue_ids = [c.id for c in slide.classes if c.is_tissue]
    layered = LayeredMap.on_record(layout, grid_of(slide), tissue_ids)
    scheme = ClassScheme(tuple(c.tissue_class for c in slide.classes))
    borders = border_sets(scheme, slide.bands.border_classes) if slide.bands is not None else {}
    rule = None if slide.bands is None else rule_of(slide, slide.bands.edges_um)
    asked = None if slide.hotspots is None else _asked(slide.hotspots)
    grid, positive = (None, ()) if asked is None else (grid_on(slide, asked), ids_of(slide, asked.positive))
    wanted = Wanted(tuple(borders.values()), rule, positive, grid)
    boxes = boxes_of(layered.shape, wanted.side_px)
    parts = [part for box in boxes if (part := margins_of_box(layered, box, wanted)) is not None]
    if slide.bands is not None and rule is not None:
        counts = np.zeros((2, len(borders), len(rule.bands), 256), np.int64)
        for part in parts:
            counts += 0 if part.bands is None else part.bands
        signal = None if layered.signal_map is None else layered.signal_map.signal
        banded = bands_on_record(slide, slide.bands.key, borders, rule, counts, signal)
        yield from _rows_differ("bands", slide.bands.listed, banded.listed)
    if slide.hotspots is not None and asked is not None and grid is not None:
        every = added_up((part.windows for part in parts), grid)
        again = hotspots_on_record(slide, slide.hotspots.key, asked, grid, every)
        yield from _hotspots_differ(layout, slide, slide.hotspots, again, every)


def _asked(told: HotSpotsOnRecord) -> Asked:
    step = (told.step_x_px, told.step_y_px)
    return Asked(told.shape, told.windows_mm2, step, told.best, told.tissue_share, told.positive_classes)


def _hotspots_differ(
    layout: SlideLayout, slide: CountedSlide, told: HotSpotsOnRecord, again: HotSpotsOnRecord, every: AllWindows
) -> Iterator[tuple[str, str]]:
    yield from _rows_differ("hotspots", told.listed, again.listed)
    if told.mean_pct != again.mean_pct:
        yield "hotspots", f"the mean is {told.mean_pct!r}, the class map gives {again.mean_pct!r}"
    made = {HOTSPOTS_NAME: geojson_bytes(slide, again), HEAT_MAP_NAME: heat_map_png(every.of_area[0])}
    for name, content in made.items():
        place = layout.root / name
        if not place.is_file():
            yield name, "it is not there; run the same command again"
        elif not _same(name, place.read_bytes(), content):
            yield name, "it is not what the class map makes"


def _rows_differ(what: str, told: tuple[Any, ...], again: tuple[Any, ...]) -> Iterator[tuple[str, str]]:
    """Yield the first row that is not what is counted again, and where there are more or fewer."""
    if len(told) != len(again):
        yield what, f"result.json lists {len(told)} rows, the class map gives {len(again)}"
        return
    for number, (row, wanted) in enumerate(zip(told, again, strict=True), 1):
        for name, value in row.model_dump().items():
            if value != (due := getattr(wanted, name, None) if name != "class" else wanted.class_):
                yield what, f"row {number}: {name} is {value!r} in result.json, the class map gives {due!r}"
                return


def _same(name: str, found: bytes, made: bytes) -> bool:
    """Return True if two files say the same; of pictures the pixels count, which another library may pack otherwise."""
    if name != HEAT_MAP_NAME:
        return found == made
    try:
        first, second = (np.asarray(Image.open(io.BytesIO(content))) for content in (found, made))
    except (OSError, ValueError):
        return False
    return bool(np.array_equal(first, second))
