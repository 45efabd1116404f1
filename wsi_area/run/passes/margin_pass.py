"""run: bands and hot spots of a slide, where its class map is final and its result is known but for them."""

from typing import TypeVar

import numpy as np

from wsi_area.errors import ResultError
from wsi_area.model.classes import ClassScheme
from wsi_area.model.json_tree import json_digest
from wsi_area.model.record.slide_bands import BandsOnRecord
from wsi_area.model.record.slide_hotspots import HotSpotsOnRecord
from wsi_area.model.slide_result import CountedSlide
from wsi_area.results.class_map.layered_map import grid_of
from wsi_area.results.class_map.store import ledger_rows
from wsi_area.results.documents import read_result
from wsi_area.results.layout import SlideLayout
from wsi_area.results.margins.band_record import bands_on_record, rule_of
from wsi_area.results.margins.boxes import SIDE_PX, boxes_of
from wsi_area.results.margins.hotspot_files import hotspot_files_lie, write_hotspot_files
from wsi_area.results.margins.hotspot_record import (
    Asked,
    added_up,
    grid_on,
    hotspots_on_record,
    ids_of,
    steps_px,
)
from wsi_area.results.margins.named_classes import border_sets, positive_names
from wsi_area.results.seal.contents import ledger_digest
from wsi_area.run.executors.contract import Executor
from wsi_area.run.passes.margin_task import BandTask, MapOnDisk, WindowTask, count_bands, sum_windows
from wsi_area.run.passes.outcomes import outcomes
from wsi_area.settings.margin_settings import BandSettings, HotspotSettings

T = TypeVar("T")


def with_margins(
    slide: CountedSlide, layout: SlideLayout, bands: BandSettings, hotspots: HotspotSettings, executor: Executor
) -> CountedSlide | None:
    """Return the result of a slide with what was asked of bands and hot spots; None if stopped before the end.

    What an earlier run made from the same counts is taken over. Without a pixel size there is neither.

    Raises
    ------
    IncompleteResultError
        If a box came to no end.
    ResultError
        If the class map cannot be read.
    """
    if slide.mpp is None or not slide.was_read:
        return slide
    earlier = _earlier(layout)
    if bands.edges_um:
        found = _bands(slide, layout, bands, executor, earlier)
        if found is None:
            return None
        slide = slide.model_copy(update={"bands": found})
    if hotspots.windows_mm2:
        spots = _hotspots(slide, layout, hotspots, executor, earlier)
        if spots is None:
            return None
        slide = slide.model_copy(update={"hotspots": spots})
    return slide


def _earlier(layout: SlideLayout) -> CountedSlide | None:
    try:
        found = read_result(layout)
    except ResultError:
        return None
    return found if isinstance(found, CountedSlide) else None


def _key(slide: CountedSlide, layout: SlideLayout, settings: BandSettings | HotspotSettings) -> str:
    """Return the hash of everything that they are made from: the counts of classes and of tissue, and the settings."""
    layers = [layout, layout.tissue] if layout.tissue.result_json.exists() else [layout]
    return json_digest(
        {
            "key": slide.key,
            "mpp": [slide.work.work_mpp_x_um, slide.work.work_mpp_y_um],
            "ledgers": [ledger_digest(ledger_rows(place)) for place in layers],
            "settings": settings.model_dump(mode="json"),
        }
    )


def _scheme(slide: CountedSlide) -> ClassScheme:
    return ClassScheme(tuple(c.tissue_class for c in slide.classes))


def _on_disk(slide: CountedSlide, layout: SlideLayout) -> MapOnDisk:
    tissue_ids = tuple(c.id for c in slide.classes if c.is_tissue)
    return MapOnDisk(slide.slide_id, layout.root.resolve(), grid_of(slide), tissue_ids)


def _bands(
    slide: CountedSlide, layout: SlideLayout, settings: BandSettings, executor: Executor, earlier: CountedSlide | None
) -> BandsOnRecord | None:
    key = _key(slide, layout, settings)
    if earlier is not None and earlier.bands is not None and earlier.bands.key == key:
        return earlier.bands
    borders, rule = border_sets(_scheme(slide), settings.classes), rule_of(slide, settings.edges_um)
    of = _on_disk(slide, layout)
    height, width = of.grid.size_px.height_px, of.grid.size_px.width_px
    boxes = list(boxes_of((height, width), max(SIDE_PX, *rule.halo_px)))
    tasks = [BandTask(of, box, tuple(borders.values()), rule) for box in boxes]
    counts, done = np.zeros((len(borders), len(rule.bands), 256), np.int64), 0
    for outcome in outcomes(executor, count_bands, tasks, slide.slide_id, "its bands"):
        counts += 0 if outcome.found is None else outcome.found
        done += 1
    return None if done < len(tasks) else bands_on_record(slide, key, borders, rule, counts)


def _hotspots(
    slide: CountedSlide,
    layout: SlideLayout,
    settings: HotspotSettings,
    executor: Executor,
    earlier: CountedSlide | None,
) -> HotSpotsOnRecord | None:
    key = _key(slide, layout, settings)
    known = None if earlier is None else earlier.hotspots
    if known is not None and known.key == key and hotspot_files_lie(layout):
        return known
    names = positive_names(_scheme(slide), settings.classes)
    step = steps_px(slide, settings.step_um)
    asked = Asked(settings.shape, settings.windows_mm2, step, settings.best, settings.tissue_share, names)
    grid, of = grid_on(slide, asked), _on_disk(slide, layout)
    boxes = boxes_of((of.grid.size_px.height_px, of.grid.size_px.width_px), SIDE_PX)
    tasks = [WindowTask(of, box, ids_of(slide, names), grid) for box in boxes]
    parts = [o.found for o in outcomes(executor, sum_windows, tasks, slide.slide_id, "its hot spots")]
    if len(parts) < len(tasks):
        return None
    every = added_up(parts, grid)
    found = hotspots_on_record(slide, key, asked, grid, every)
    write_hotspot_files(layout, slide, found, every)
    return found
