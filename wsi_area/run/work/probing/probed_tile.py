"""run: the tissue of one tile at other thresholds, through everything that comes after: exclusions, filters by size."""

from collections.abc import Mapping, Sequence

import numpy as np

from wsi_area.compute.count.counting import count_class_map
from wsi_area.compute.cut.grid import work_edges_l0_px
from wsi_area.model.classes import MAX_CLASS_ID
from wsi_area.model.pixels import ClassMap
from wsi_area.model.plan import Tile
from wsi_area.model.threshold import SHIFTS
from wsi_area.run.work.slide_job import SlideJob
from wsi_area.run.work.tile_spot import TileSpot


def is_probed(job: SlideJob, tile: Tile) -> bool:
    """Return True if the tissue of a tile is counted at other thresholds too."""
    return job.probe is not None and tile.row * job.plan.grid_cols + tile.col in job.probe.tiles


def tissue_ids(job: SlideJob) -> list[int]:
    """Return the ids of the classes that are tissue."""
    return [c.class_id for c in job.fitted.scheme.classes if c.is_tissue]


def count_by_shift(job: SlideJob, tile: Tile, spot: TileSpot, moved: Mapping[str, ClassMap]) -> None:
    """Write into a tile's row its tissue, level-0 px, at each threshold, as the filters by size would leave it.

    Parameters
    ----------
    job, tile, spot
        The spot holds the class map as it is, what is of no class included.
    moved
        The class maps of the core at the other thresholds, uint8; what is of no class is taken from the spot.
    """
    tissue = tissue_ids(job)
    of_no_class = spot.class_map > MAX_CLASS_ID
    counts = []
    for shift in SHIFTS:
        classes = spot.class_map
        if shift in moved:
            classes = np.where(of_no_class, spot.class_map, moved[shift])
        px_by_class = _px_by_class(job, tile, spot, classes)
        counts.append(sum(int(px_by_class[class_id]) for class_id in tissue))
    spot.row[spot.layout.threshold_columns] = counts


def _px_by_class(job: SlideJob, tile: Tile, spot: TileSpot, classes: ClassMap) -> Sequence[int]:
    """Return the level-0 pixels by class id as the filters by size leave them.

    An object cut by the tile's rim stays what it is.
    """
    stages = () if job.probe is None else job.probe.stages
    if not stages:
        class_count = len(job.fitted.scheme.classes)
        return count_class_map(classes, spot.column_weights, spot.row_weights, class_count).px_by_class
    # imported here: compiled code that most runs need not load
    from wsi_area.compute.objects.components import Box
    from wsi_area.compute.objects.run_lengths import runs_of, tally_tiles
    from wsi_area.compute.objects.size_filter import KEPT, apply_stage

    core, size = tile.core_work_px, job.plan.work_size_px
    columns, rows = work_edges_l0_px(job.plan)
    seams = (core.x_px > 0, core.y_px > 0, core.right_px < size.width_px, core.bottom_px < size.height_px)
    edges = columns[core.x_px : core.right_px + 1], rows[core.y_px : core.bottom_px + 1]
    box, runs = Box(tile.row, tile.col, core.x_px, core.y_px, *edges, seams), runs_of(classes)
    for stage in stages:
        runs = apply_stage(runs, box, stage, np.full(1, KEPT, np.int16))
    counts: list[int] = tally_tiles(runs, max(classes.shape), *edges)[0, 0].tolist()
    return counts
