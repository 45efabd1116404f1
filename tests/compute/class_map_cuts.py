"""A class map cut into boxes of any size, for tests that hold the merged answer against that of the whole."""

import numpy as np
from numpy.typing import NDArray

from wsi_area.compute.objects.components import Box, summarise_foci
from wsi_area.compute.objects.object_merge import FociMerge
from wsi_area.compute.objects.run_lengths import BoxRuns, class_map_of, runs_of
from wsi_area.compute.objects.size_filter import apply_stage, merge_stage, stages_of, summarise_stage
from wsi_area.model.calibration import Mpp
from wsi_area.model.classes import ClassScheme, TissueClass
from wsi_area.model.objects import Foci, SizeChange, SizeFilters

SCHEME = ClassScheme(
    (
        TissueClass(0, "background", (255, 255, 255)),
        TissueClass(1, "stroma", (0, 0, 200), is_tissue=True),
        TissueClass(2, "carcinoma", (200, 0, 0), is_tissue=True, is_tumor=True),
        TissueClass(3, "in_situ", (200, 99, 0), is_tissue=True, is_tumor=True),
        TissueClass(4, "pen", (0, 99, 0), is_excluded=True),
    )
)
TUMOUR = (2, 3)
Edges = tuple[NDArray[np.int64], NDArray[np.int64]]


def unit_edges(class_map: NDArray[np.uint8], factor: int = 1) -> Edges:
    """Edges of columns and rows that each stand for ``factor`` level-0 pixels."""
    height, width = class_map.shape
    return np.arange(width + 1) * factor, np.arange(height + 1) * factor


def boxes_of(class_map: NDArray[np.uint8], box_px: int, edges: Edges) -> list[tuple[BoxRuns, Box]]:
    """The map cut into boxes."""
    height, width = class_map.shape
    found = []
    for row, y in enumerate(range(0, height, box_px)):
        for col, x in enumerate(range(0, width, box_px)):
            right, bottom = min(x + box_px, width), min(y + box_px, height)
            seams = (x > 0, y > 0, right < width, bottom < height)
            box = Box(row, col, x, y, edges[0][x : right + 1], edges[1][y : bottom + 1], seams)
            found.append((runs_of(class_map[y:bottom, x:right]), box))
    return found


def foci_of(
    class_map: NDArray[np.uint8],
    box_px: int = 10**6,
    mpp: Mpp | None = None,
    edges: Edges | None = None,
    kept_most: int = 10**6,
) -> Foci:
    """The foci, found in boxes that are described in a scrambled order."""
    boxes = boxes_of(class_map, box_px, edges or unit_edges(class_map))
    merge = FociMerge("tumor", mpp, kept_most)
    for n in np.random.default_rng(0).permutation(len(boxes)):
        merge.add(summarise_foci(*boxes[n], TUMOUR, mpp, kept_most))
    return merge.merged()


def cleaned(
    class_map: NDArray[np.uint8], filters: SizeFilters, box_px: int = 10**6, mpp: Mpp | None = None
) -> tuple[NDArray[np.uint8], list[SizeChange]]:
    """The map after its size filters, found in boxes, and what they changed."""
    mpp = mpp or Mpp(1.0, 1.0)
    boxes = boxes_of(class_map, box_px, unit_edges(class_map))
    changes = []
    for stage in stages_of(filters, SCHEME, mpp):
        decision = merge_stage([summarise_stage(runs, box, stage) for runs, box in reversed(boxes)], stage)
        boxes = [(apply_stage(r, b, stage, decision.classes[b.row, b.col]), b) for r, b in boxes]
        changes.append(decision.change)
    out = np.empty_like(class_map)
    for runs, box in boxes:
        height, width = box.shape
        out[box.y_px : box.y_px + height, box.x_px : box.x_px + width] = class_map_of(runs)
    return out, changes
