"""run: the pass over the named regions of a slide, ordered where its class map is final."""

import hashlib
from collections.abc import Iterator
from dataclasses import asdict

import numpy as np

from wsi_area.compute.cut.grid import batch_box, work_edges_l0_px
from wsi_area.compute.regions.boundaries import Boundaries, boundaries_of
from wsi_area.compute.regions.merged_tallies import RegionCounts, merged
from wsi_area.compute.regions.tally import BoxTally, Groups
from wsi_area.model.calibration import Mpp
from wsi_area.model.classes import ClassScheme
from wsi_area.model.drawn import NamedRegions
from wsi_area.model.json_tree import json_digest
from wsi_area.model.plan import SlidePlan
from wsi_area.model.record.slide_regions import RegionsOnRecord
from wsi_area.results.class_map.layered_map import tissue_layer
from wsi_area.results.class_map.ledger import ledger_attributes, ledger_rows
from wsi_area.results.class_map.region_boxes import meets, near
from wsi_area.results.class_map.signal_map import signal_map
from wsi_area.results.layout import SlideLayout
from wsi_area.results.region_record import regions_on_record, rows_of
from wsi_area.results.tables.region_tables import discard_regions, read_slide_regions, write_slide_regions
from wsi_area.run.executors.contract import Executor
from wsi_area.run.passes.outcomes import outcomes
from wsi_area.run.work.region_task import RegionTask, tally_batch
from wsi_area.segmenters.protocol import Signal


def measure_regions(
    layout: SlideLayout,
    plan: SlidePlan,
    scheme: ClassScheme,
    mpp: Mpp | None,
    relative_u_area: float | None,
    named: NamedRegions,
    executor: Executor,
) -> RegionsOnRecord | None:
    """Return the named regions of a slide, their table written; None if stopped before the end.

    Parameters
    ----------
    layout
        Of the slide; its class map, and its layer of tissue if it has one, are final.
    plan, scheme, mpp
        The slide's cut, its classes, µm per level-0 pixel.
    relative_u_area
        Standard uncertainty of an area over the area, from the pixel size.
    named
        Whoever finds further regions joins them to these.
    executor
        Who does the work.

    Raises
    ------
    IncompleteResultError
        If a batch came to no end.
    ResultError
        If the class map cannot be read.
    """
    kept = signal_map(layout)
    signal = None if kept is None else kept.signal
    key = _key(layout, named, scheme, relative_u_area, signal)
    if (earlier := read_slide_regions(layout, key)) is not None:
        return regions_on_record(named, earlier)
    discard_regions(layout)
    tallies = _tallies(layout, plan, scheme, named, executor)
    if tallies is None:
        return None
    groups = Groups.of(scheme)
    counts: RegionCounts = merged(tallies, len(named.regions), groups.count)
    has_layer = tissue_layer(layout) is not None
    rows = rows_of(named, counts, scheme, mpp, relative_u_area, signal, has_layer=has_layer)
    write_slide_regions(layout, named, rows, key)
    return regions_on_record(named, rows)


def _tallies(
    layout: SlideLayout, plan: SlidePlan, scheme: ClassScheme, named: NamedRegions, executor: Executor
) -> list[BoxTally] | None:
    tasks = list(_tasks(layout, plan, scheme, named))
    counted = outcomes(executor, tally_batch, tasks, plan.slide.slide_id, "its regions")
    found = [outcome.found for outcome in counted if outcome.found is not None]
    return found if len(found) == len(tasks) else None


def _tasks(layout: SlideLayout, plan: SlidePlan, scheme: ClassScheme, named: NamedRegions) -> Iterator[RegionTask]:
    """Yield a task for each batch that a region may meet."""
    boundaries: Boundaries = boundaries_of([region.wkb_l0_px for region in named.regions])
    masks = []
    for n, mask in enumerate(named.masks):
        region_of_code = np.full(256, -1, np.int32)
        for number, region in enumerate(named.regions):
            if region.mask_code is not None and region.mask_code[0] == n:
                region_of_code[region.mask_code[1]] = number
        masks.append((mask, region_of_code))
    edges, folder = work_edges_l0_px(plan), layout.root.resolve()
    for batch in range(plan.batch_rows * plan.batch_cols):
        box = batch_box(plan, batch)
        if masks or meets(boundaries, edges, box):
            yield RegionTask(plan, scheme, folder, batch, box, near(boundaries, edges, box), tuple(masks))


def _key(
    layout: SlideLayout, named: NamedRegions, scheme: ClassScheme, relative_u_area: float | None, signal: Signal | None
) -> str:
    """Return the hash of the class map's origin and of its every count, of the tissue's, and of the regions."""
    digest = hashlib.sha256(f"{ledger_attributes(layout)['key']} ".encode() + ledger_rows(layout).tobytes())
    if tissue_layer(layout) is not None:
        digest.update(f"{ledger_attributes(layout.tissue)['key']} ".encode() + ledger_rows(layout.tissue).tobytes())
    if signal is not None:
        digest.update(json_digest(asdict(signal)).encode())
    meant = [[c.name, c.role, c.weight] for c in scheme.classes]
    digest.update(json_digest([meant, relative_u_area, [[d.sha256, d.scale] for d in named.drawn]]).encode())
    for r in named.regions:
        told = [r.region_id, r.name, r.region_class, r.parent_id, r.source, r.status, r.mask_code]
        digest.update(json_digest(told).encode() + (r.wkb_l0_px or b""))
    return digest.hexdigest()
