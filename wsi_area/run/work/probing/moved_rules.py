"""run: the tissue of one tile at other thresholds, by a colour rule: each is the same rule with its threshold moved."""

from collections.abc import Mapping, Sequence

import numpy as np

from wsi_area.frozen_value import frozen_value
from wsi_area.model.pixels import ClassMap
from wsi_area.model.plan import Tile
from wsi_area.model.threshold import SHIFTS
from wsi_area.run.work.probing.probed_tile import count_by_shift, is_probed, tissue_ids
from wsi_area.run.work.slide_job import SlideJob
from wsi_area.run.work.tile_spot import Ints, TileSpot
from wsi_area.segmenters.colour.colour_rule import ColourRule, FittedColourRule
from wsi_area.segmenters.colour.kernels import Patch, classify_patches


@frozen_value
class MovedRules:
    """The rules that a tile is sorted by besides its own, none that is the same, and what that has come to.

    Where filters by size follow, each rule has a class map of its own for them. Else nothing but its counts is needed,
    and all of them write over one map.
    """

    rules: Mapping[str, ColourRule]
    maps: Mapping[str, ClassMap]
    counts: Mapping[str, Ints]

    @classmethod
    def of(cls, job: SlideJob, tile: Tile, spot: TileSpot) -> "MovedRules | None":
        """Return the rules for a tile of which nothing is sorted yet; None where it is not probed."""
        if not is_probed(job, tile) or job.probe is None:
            return None
        rules: dict[str, ColourRule] = {}
        if isinstance(job.fitted, FittedColourRule):
            rules = {s: rule for s, rule in job.fitted.rules_by_shift.items() if rule != job.fitted.colour_rule}
        if job.probe.stages:
            maps = {shift: np.zeros_like(spot.class_map) for shift in rules}
        else:
            maps = dict.fromkeys(rules, np.empty_like(spot.class_map))
        return cls(rules, maps, {shift: np.zeros(len(spot.row[spot.layout.px_columns]), np.int64) for shift in rules})

    def classify(self, patches: Sequence[Patch], spot: TileSpot, factor: int) -> None:
        """Sort and count some patches of the tile by each of the rules."""
        unused = np.zeros(spot.layout.class_count, np.int64)
        for shift, rule in self.rules.items():
            weights = spot.column_weights, spot.row_weights
            classify_patches(patches, rule, *weights, factor, self.maps[shift], self.counts[shift], unused)

    def write(self, job: SlideJob, tile: Tile, spot: TileSpot) -> None:
        """Write the tissue at each threshold, level-0 px, into the tile's row, whose own classes are counted."""
        if job.probe is not None and job.probe.stages:
            count_by_shift(job, tile, spot, self.maps)
            return
        tissue, own = tissue_ids(job), spot.row[spot.layout.px_columns]
        spot.row[spot.layout.threshold_columns] = [int(self.counts.get(shift, own)[tissue].sum()) for shift in SHIFTS]
