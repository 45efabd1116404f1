"""run: one tile by a colour rule: decoded tiles are classified while they are in the cache."""

from collections.abc import Sequence

from wsi_area.model.geometry import Region
from wsi_area.model.pixels import MaskArray
from wsi_area.model.plan import Tile
from wsi_area.run.work.slide_job import SlideJob
from wsi_area.run.work.tile_spot import TileSpot
from wsi_area.segmenters.colour.colour_rule import ColourRule
from wsi_area.segmenters.colour.kernels import Patch, classify_patches
from wsi_area.slides import DecodedTile, SlideReader


def classify_by_colour(rule: ColourRule, job: SlideJob, reader: SlideReader, tile: Tile, spot: TileSpot) -> None:
    """Classify each decoded tile while it is in the cache; no block of the tile is ever assembled."""
    f, core, level = job.plan.reduce_factor, tile.core_level_px, job.plan.level
    counts, signal = spot.row[spot.layout.px_columns], spot.row[spot.layout.signal_columns]

    def classify(patches: Sequence[Patch]) -> None:
        classify_patches(patches, rule, spot.column_weights, spot.row_weights, f, spot.class_map, counts, signal)

    for some in reader.decoded_tiles(level, core):
        if not all(_ends_with_work_pixels(decoded.region_level_px, core, f) for decoded in some):
            break  # the tile must be assembled first
        classify([_patch(decoded, core, f, spot.inside) for decoded in some])
    else:
        spot.move_outside_from(spot.layout.unscanned_column)
        return
    spot.clear()
    block = reader.read(level, core)
    classify([_patch(DecodedTile(core, block.rgb, block.valid), core, f, spot.inside)])
    spot.move_outside_from(spot.layout.unscanned_column)


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
        within = inside[y : y - (-height // f), x : x - (-width // f)].repeat(f, 0).repeat(f, 1)[:height, :width]
        valid = within if valid is None else valid & within
    return x, y, decoded.rgb, valid
