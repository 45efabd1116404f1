"""run: one tile by a colour rule: decoded tiles are classified while they are in the cache."""

from collections.abc import Sequence

from wsi_area.frozen_value import frozen_value
from wsi_area.model.geometry import Region
from wsi_area.model.pixels import MaskArray
from wsi_area.model.plan import Tile
from wsi_area.run.work.damaged_pixels import damaged_work_px, spread
from wsi_area.run.work.probing.moved_rules import MovedRules
from wsi_area.run.work.probing.other_pixel import count_other_pixels, is_compared
from wsi_area.run.work.slide_job import SlideJob
from wsi_area.run.work.tile_spot import TileSpot
from wsi_area.segmenters.colour.colour_rule import ColourRule
from wsi_area.segmenters.colour.kernels import Patch, classify_patches
from wsi_area.slides import DamagedPart, DecodedTile, SlideReader, read_around_damage


def classify_by_colour(
    rule: ColourRule, job: SlideJob, reader: SlideReader, tile: Tile, spot: TileSpot
) -> tuple[DamagedPart, ...]:
    """Classify each decoded tile while it is in the cache, assembling no block of the tile; return what is damaged."""
    f, core, level = job.plan.reduce_factor, tile.core_level_px, job.plan.level
    sorting = _Sorting.of(rule, job, tile, spot)
    damaged: list[DamagedPart] = []
    for some in reader.decoded_tiles(level, core):
        if not all(_ends_with_work_pixels(decoded.region_level_px, core, f) for decoded in some):
            spot.clear()
            return _classify_assembled(_Sorting.of(rule, job, tile, spot), reader)
        sorting.classify([_patch(decoded, core, f, spot.inside) for decoded in some])
        damaged += [DamagedPart(d.region_level_px, d.damage) for d in some if d.damage is not None]
    sorting.end(damaged_work_px(damaged, core, f, spot.class_map.shape) if damaged else None)
    return tuple(damaged)


def _classify_assembled(sorting: "_Sorting", reader: SlideReader) -> tuple[DamagedPart, ...]:
    """Classify a tile as one block, since some of its work pixels lie in several decoded tiles; return the damage."""
    spot, plan, core = sorting.spot, sorting.job.plan, sorting.tile.core_level_px
    f = plan.reduce_factor
    block, damaged = read_around_damage(reader, plan.level, core)
    valid, lost = block.valid, None
    if damaged:  # to the kernel it was never scanned
        lost = damaged_work_px(damaged, core, f, spot.class_map.shape)
        valid = valid & ~spread(lost, f, valid.shape)
    sorting.classify([_patch(DecodedTile(core, block.rgb, valid), core, f, spot.inside)])
    sorting.end(lost)
    return damaged


@frozen_value
class _Sorting:
    """One tile that is being sorted by a rule, patch by patch, with all that is counted on the way."""

    rule: ColourRule
    job: SlideJob
    tile: Tile
    spot: TileSpot
    moved: MovedRules | None
    is_compared: bool

    @classmethod
    def of(cls, rule: ColourRule, job: SlideJob, tile: Tile, spot: TileSpot) -> "_Sorting":
        """Return a tile of which nothing is sorted yet."""
        return cls(rule, job, tile, spot, MovedRules.of(job, tile, spot), is_compared(job, tile))

    def classify(self, patches: Sequence[Patch]) -> None:
        """Write the classes of some patches, and count them."""
        spot, layout, f = self.spot, self.spot.layout, self.job.plan.reduce_factor
        counts, signal = spot.row[layout.px_columns], spot.row[layout.signal_columns]
        weights = spot.column_weights, spot.row_weights
        classify_patches(patches, self.rule, *weights, f, spot.class_map, counts, signal, spot.signal)
        if self.moved is not None:
            self.moved.classify(patches, spot, f)
        if self.is_compared:
            count_other_pixels(self.job, self.tile, spot, patches)

    def end(self, lost: MaskArray | None) -> None:
        """Give what could not be read, bool of the class map's shape, and what lies outside the region its own code."""
        spot = self.spot
        if lost is not None:
            spot.move_unreadable_from(spot.layout.unscanned_column, lost)
        spot.move_outside_from(spot.layout.unscanned_column)
        if self.moved is not None:
            self.moved.write(self.job, self.tile, spot)


def _ends_with_work_pixels(at: Region, core: Region, f: int) -> bool:
    """Return True if no work pixel of a core, f level pixels wide, lies partly in a decoded tile, partly beside it."""
    return f == 1 or (
        not ((at.x_px - core.x_px) % f or (at.y_px - core.y_px) % f)
        and (at.right_px == core.right_px or at.right_px % f == core.x_px % f)
        and (at.bottom_px == core.bottom_px or at.bottom_px % f == core.y_px % f)
    )


def _patch(decoded: DecodedTile, core: Region, f: int, inside: MaskArray | None) -> Patch:
    """Return the patch of a tile's core that was decoded; to the kernel what lies outside was never scanned."""
    at, valid = decoded.region_level_px, decoded.valid
    x, y = (at.x_px - core.x_px) // f, (at.y_px - core.y_px) // f
    if inside is not None:  # the counts are put right when the tile is done
        height, width = decoded.rgb.shape[:2]
        within = spread(inside[y : y - (-height // f), x : x - (-width // f)], f, (height, width))
        valid = within if valid is None else valid & within
    return x, y, decoded.rgb, valid
