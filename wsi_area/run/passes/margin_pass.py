"""run: bands and hot spots of a slide, where its class map is final and its result is known but for them."""

from collections.abc import Sequence
from dataclasses import asdict, replace

import numpy as np
from numpy.typing import NDArray

from wsi_area.compute.bands.band_rule import BandRule
from wsi_area.compute.hotspots.window_sums import BoxSums
from wsi_area.frozen_value import frozen_value
from wsi_area.model.classes import ClassScheme
from wsi_area.model.json_tree import json_digest
from wsi_area.model.record.slide_bands import BandsOnRecord
from wsi_area.model.record.slide_hotspots import HotSpotsOnRecord
from wsi_area.model.slide_result import CountedSlide
from wsi_area.results.class_map.layered_map import grid_of
from wsi_area.results.class_map.ledger import ledger_rows
from wsi_area.results.class_map.signal_map import signal_map
from wsi_area.results.documents import earlier_result
from wsi_area.results.layout import SlideLayout
from wsi_area.results.margins.band_record import bands_on_record, rule_of
from wsi_area.results.margins.boxes import BoxMargins, Wanted, WindowGrid, boxes_of
from wsi_area.results.margins.hotspot_files import discard_hotspot_files, hotspot_files_lie, write_hotspot_files
from wsi_area.results.margins.hotspot_record import (
    Asked,
    added_up,
    grid_on,
    hotspots_on_record,
    ids_of,
    steps_px,
)
from wsi_area.results.margins.named_classes import Sets, border_sets, positive_names
from wsi_area.results.seal.contents import ledger_digest
from wsi_area.run.executors.contract import Executor
from wsi_area.run.passes.margin_task import MapOnDisk, MarginTask, count_margins
from wsi_area.run.passes.outcomes import outcomes
from wsi_area.segmenters.protocol import Signal
from wsi_area.settings.margin_settings import BandSettings, HotspotSettings

Ints = NDArray[np.int64]


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
    if not hotspots.windows_mm2:
        discard_hotspot_files(layout)
    earlier = earlier_result(layout)
    banded = _banded(slide, layout, bands, earlier) if bands.edges_um else None
    spotted = _spotted(slide, layout, hotspots, earlier) if hotspots.windows_mm2 else None
    wanted = Wanted()
    if banded is not None and banded.found is None:
        wanted = replace(wanted, borders=tuple(banded.borders.values()), rule=banded.rule)
    if spotted is not None and spotted.found is None:
        wanted = replace(wanted, positive_ids=spotted.positive_ids, grid=spotted.grid)
    parts = _counted(slide, layout, wanted, executor)
    if parts is None:
        return None
    update: dict[str, object] = {}
    if banded is not None:
        update["bands"] = banded.found or banded.on_record(slide, [part.bands for part in parts])
    if spotted is not None:
        update["hotspots"] = spotted.found or spotted.on_record(slide, layout, [part.windows for part in parts])
    return slide.model_copy(update=update)


@frozen_value(eq=False)
class _Banded:
    """The bands that are asked for on a slide."""

    key: str
    borders: Sets
    rule: BandRule
    signal: Signal | None  # whose map was kept
    found: BandsOnRecord | None  # what an earlier run made of the same

    def on_record(self, slide: CountedSlide, parts: Sequence[Ints | None]) -> BandsOnRecord:
        """Return them from what the boxes add up to."""
        counts = np.zeros((2, len(self.borders), len(self.rule.bands), 256), np.int64)
        for part in parts:
            counts += 0 if part is None else part
        return bands_on_record(slide, self.key, self.borders, self.rule, counts, self.signal)


@frozen_value(eq=False)
class _Spotted:
    """The hot spots that are asked for on a slide."""

    key: str
    asked: Asked
    grid: WindowGrid
    positive_ids: tuple[int, ...]
    found: HotSpotsOnRecord | None  # what an earlier run made of the same

    def on_record(self, slide: CountedSlide, layout: SlideLayout, parts: Sequence[BoxSums | None]) -> HotSpotsOnRecord:
        """Return them from what the boxes add up to, their files written."""
        every = added_up(parts, self.grid)
        found = hotspots_on_record(slide, self.key, self.asked, self.grid, every)
        write_hotspot_files(layout, slide, found, every)
        return found


def _key(
    slide: CountedSlide, layout: SlideLayout, settings: BandSettings | HotspotSettings, signal: Signal | None = None
) -> str:
    """Return the hash of everything that they are made from: the counts of classes and of tissue, and the settings."""
    layers = [layout, layout.tissue] if layout.tissue.result_json.exists() else [layout]
    return json_digest(
        {
            "key": slide.key,
            "mpp": [slide.work.work_mpp_x_um, slide.work.work_mpp_y_um],
            "ledgers": [ledger_digest(ledger_rows(place)) for place in layers],
            "settings": settings.model_dump(mode="json"),
            **({} if signal is None else {"signal": asdict(signal)}),
        }
    )


def _scheme(slide: CountedSlide) -> ClassScheme:
    return ClassScheme(tuple(c.tissue_class for c in slide.classes))


def _on_disk(slide: CountedSlide, layout: SlideLayout) -> MapOnDisk:
    tissue_ids = tuple(c.id for c in slide.classes if c.is_tissue)
    return MapOnDisk(slide.slide_id, layout.root.resolve(), grid_of(slide), tissue_ids)


def _banded(slide: CountedSlide, layout: SlideLayout, settings: BandSettings, earlier: CountedSlide | None) -> _Banded:
    kept = signal_map(layout)
    signal = None if kept is None else kept.signal
    key = _key(slide, layout, settings, signal)
    known = None if earlier is None or earlier.bands is None or earlier.bands.key != key else earlier.bands
    return _Banded(key, border_sets(_scheme(slide), settings.classes), rule_of(slide, settings.edges_um), signal, known)


def _spotted(
    slide: CountedSlide, layout: SlideLayout, settings: HotspotSettings, earlier: CountedSlide | None
) -> _Spotted:
    key = _key(slide, layout, settings)
    known = None if earlier is None else earlier.hotspots
    is_whole = known is not None and known.key == key and hotspot_files_lie(layout)
    names, step = positive_names(_scheme(slide), settings.classes), steps_px(slide, settings.step_um)
    asked = Asked(settings.shape, settings.windows_mm2, step, settings.best, settings.tissue_share, names)
    return _Spotted(key, asked, grid_on(slide, asked), ids_of(slide, names), known if is_whole else None)


def _counted(slide: CountedSlide, layout: SlideLayout, wanted: Wanted, executor: Executor) -> list[BoxMargins] | None:
    """Return the counts of the boxes with tissue; None if stopped before the end."""
    if wanted.rule is None and wanted.grid is None:
        return []
    of = _on_disk(slide, layout)
    size = of.grid.size_px
    tasks = [MarginTask(of, box, wanted) for box in boxes_of((size.height_px, size.width_px), wanted.side_px)]
    found = [o.found for o in outcomes(executor, count_margins, tasks, slide.slide_id, "its bands and hot spots")]
    return None if len(found) < len(tasks) else [part for part in found if part is not None]
