"""audit: the class map of an amended version made a second time, from what was measured and the corrections alone."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from wsi_area.compute.objects.components import Box
from wsi_area.compute.objects.run_lengths import BoxRuns, class_map_of, runs_of
from wsi_area.compute.objects.size_filter import (
    SizeStage,
    StageDecision,
    apply_stage,
    merge_stage,
    stages_of,
    summarise_stage,
)
from wsi_area.frozen_value import frozen_value
from wsi_area.model.calibration import Mpp
from wsi_area.model.geometry import Region
from wsi_area.model.objects import SizeFilters
from wsi_area.model.pixels import ClassMap
from wsi_area.results.corrections.corrected_map import CorrectedMap
from wsi_area.results.seal.contents import ClassMapDigest

_FIELDS = {"focus": "min_focus_um2", "tissue": "min_tissue_um2", "hole": "max_hole_um2"}


@frozen_value(eq=False)
class Replay:
    """The corrections of one layer, laid over what was measured, then filtered by size as the run would."""

    corrected: CorrectedMap
    batch_px: int  # edge of a batch, work px
    stages: tuple[SizeStage, ...]
    drawn_are_filtered: bool

    def digest(self) -> str:
        """Return the digest of its pixels.

        Raises
        ------
        ResultError
            If what was measured cannot be read.
        """
        grid = self.corrected.grid
        found = ClassMapDigest((grid.size_px.height_px, grid.size_px.width_px))
        for box, codes in self._boxes():
            for y in range(0, box.height_px, grid.tile_px):
                for x in range(0, box.width_px, grid.tile_px):
                    found.add(box.y_px + y, box.x_px + x, codes[y : y + grid.tile_px, x : x + grid.tile_px])
        return found.hex

    def _boxes(self) -> Iterator[tuple[Region, ClassMap]]:
        decided: list[StageDecision] = []
        for n, stage in enumerate(self.stages):
            summaries = [summarise_stage(self._at(box, n, decided), box, stage) for box, _ in self._cut()]
            decided.append(merge_stage(summaries, stage))
        for box, region in self._cut():
            drawn = self.corrected.within(region).painted(region)
            codes = drawn.codes
            if self.stages:
                codes = class_map_of(self._at(box, len(self.stages), decided))
                if not self.drawn_are_filtered:
                    codes = np.where(drawn.held, drawn.codes, codes)
            yield region, codes

    def _at(self, box: Box, stage_count: int, decided: list[StageDecision]) -> BoxRuns:
        height, width = box.shape
        region = Region(box.x_px, box.y_px, width, height)
        runs = runs_of(self.corrected.within(region).painted(region).codes)
        for stage, decision in zip(self.stages[:stage_count], decided, strict=False):
            runs = apply_stage(runs, box, stage, decision.classes[box.row, box.col])
        return runs

    def _cut(self) -> Iterator[tuple[Box, Region]]:
        """Yield the boxes of the batches, and where each lies."""
        size, edges = self.corrected.grid.size_px, self.corrected.grid.edges_l0_px
        rows, cols = (-(-n // self.batch_px) for n in (size.height_px, size.width_px))
        for row in range(rows):
            for col in range(cols):
                x, y = col * self.batch_px, row * self.batch_px
                region = Region(x, y, min(self.batch_px, size.width_px - x), min(self.batch_px, size.height_px - y))
                seams = (col > 0, row > 0, col < cols - 1, row < rows - 1)
                x_edges = edges[0][x : region.right_px + 1]
                y_edges: NDArray[np.int64] = edges[1][y : region.bottom_px + 1]
                yield Box(row, col, x, y, x_edges, y_edges, seams), region


def filters_of(changes: tuple[tuple[str, float], ...]) -> SizeFilters:
    """Return the filters by size that made changes, each by its name and its limit in µm².

    >>> filters_of((("hole", 50.0),)).max_hole_um2
    50.0
    """
    return replace(SizeFilters(), **{_FIELDS[name]: limit for name, limit in changes})


def stages_on_record(filters: SizeFilters, corrected: CorrectedMap, mpp: Mpp | None) -> tuple[SizeStage, ...]:
    """Return the stages of some filters on a corrected map."""
    return stages_of(filters, corrected.scheme, mpp)
