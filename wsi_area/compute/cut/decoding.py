"""compute: how many pixels are decoded for some tiles: the stored tiles that they lie on, each whole and once."""

from collections.abc import Iterable

from wsi_area.compute.cut.grid import tile_at
from wsi_area.model.plan import SlidePlan


def decoded_level_px(plan: SlidePlan, tile_numbers: Iterable[int]) -> int:
    """Return the pixels of the plan's level that are decoded for some tiles, halos included.

    Of a level that is not stored in tiles, those that are read.
    """
    level = plan.slide.levels[plan.level]
    boxes = (tile_at(plan, *divmod(number, plan.grid_cols)).read_level_px for number in tile_numbers)
    stored = level.stored_tile_px
    if stored is None:
        return sum(box.area_px for box in boxes)
    found: set[tuple[int, int]] = set()
    for box in boxes:
        rows = range(box.y_px // stored.height_px, -(-box.bottom_px // stored.height_px))
        cols = range(box.x_px // stored.width_px, -(-box.right_px // stored.width_px))
        found |= {(row, col) for row in rows for col in cols}
    size = level.size_px
    return sum(
        min(stored.height_px, size.height_px - row * stored.height_px)
        * min(stored.width_px, size.width_px - col * stored.width_px)
        for row, col in found
    )
