"""audit: the bands and hot spots of a slide counted again on its class map, and held against its document."""

import io
from collections.abc import Iterator
from typing import Any

import numpy as np
from PIL import Image

from wsi_area.model.classes import ClassScheme
from wsi_area.model.record.slide_bands import BandsOnRecord
from wsi_area.model.record.slide_hotspots import HotSpotsOnRecord
from wsi_area.model.slide_result import CountedSlide
from wsi_area.results.class_map.layered_map import LayeredMap, grid_of
from wsi_area.results.layout import HEAT_MAP_NAME, HOTSPOTS_NAME, SlideLayout
from wsi_area.results.margins.band_record import bands_on_record, rule_of
from wsi_area.results.margins.boxes import SIDE_PX, bands_of_box, boxes_of, windows_of_box
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
    if slide.bands is not None:
        yield from _rows_differ("bands", slide.bands.listed, _bands_again(layered, slide, slide.bands).listed)
    if slide.hotspots is not None:
        again, every = _hotspots_again(layered, slide, slide.hotspots)
        yield from _rows_differ("hotspots", slide.hotspots.listed, again.listed)
        if slide.hotspots.mean_pct != again.mean_pct:
            yield "hotspots", f"the mean is {slide.hotspots.mean_pct!r}, the class map gives {again.mean_pct!r}"
        made = {HOTSPOTS_NAME: geojson_bytes(slide, again), HEAT_MAP_NAME: heat_map_png(every.of_area[0])}
        for name, content in made.items():
            place = layout.root / name
            if not place.is_file():
                yield name, "it is not there; run the same command again"
            elif not _same(name, place.read_bytes(), content):
                yield name, "it is not what the class map makes"


def _bands_again(layered: LayeredMap, slide: CountedSlide, told: BandsOnRecord) -> BandsOnRecord:
    scheme = ClassScheme(tuple(c.tissue_class for c in slide.classes))
    borders, rule = border_sets(scheme, told.border_classes), rule_of(slide, told.edges_um)
    counts = np.zeros((len(borders), len(rule.bands), 256), np.int64)
    for box in boxes_of(layered.shape, max(SIDE_PX, *rule.halo_px)):
        found = bands_of_box(layered, box, list(borders.values()), rule)
        counts += 0 if found is None else found
    return bands_on_record(slide, told.key, borders, rule, counts)


def _hotspots_again(
    layered: LayeredMap, slide: CountedSlide, told: HotSpotsOnRecord
) -> tuple[HotSpotsOnRecord, AllWindows]:
    step = (told.step_x_px, told.step_y_px)
    asked = Asked(told.shape, told.windows_mm2, step, told.best, told.tissue_share, told.positive_classes)
    grid, positive = grid_on(slide, asked), ids_of(slide, told.positive_classes)
    every = added_up((windows_of_box(layered, box, positive, grid) for box in boxes_of(layered.shape)), grid)
    return hotspots_on_record(slide, told.key, asked, grid, every), every


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
    """Return whether two files say the same; of pictures the pixels count, which another library may pack otherwise."""
    if name != HEAT_MAP_NAME:
        return found == made
    try:
        first, second = (np.asarray(Image.open(io.BytesIO(content))) for content in (found, made))
    except (OSError, ValueError):
        return False
    return bool(np.array_equal(first, second))
