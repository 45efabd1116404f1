"""slides: a header that would have a small file take all memory, refused before anything is allocated for it."""

from wsi_area.errors import SlideOpenError
from wsi_area.model.slide import SlideInfo

MAX_SLIDE_PX = 1 << 40
"""A million by a million: 25 cm a side at 0.25 µm, which is no slide."""

MAX_LEVELS = 64
MAX_STORED_TILE_PX = 1 << 26
"""8192 × 8192 px, 256 MiB decoded: the largest stored tile that is still a tile, and not a bomb."""


def refuse_hostile_header(info: SlideInfo) -> None:
    """Refuse a header that would have a small file take all memory, before anything is allocated for it.

    Raises
    ------
    SlideOpenError
    """
    size = info.size_l0_px
    if size.area_px > MAX_SLIDE_PX:
        raise SlideOpenError(
            f"{info.path}: its header claims {size.width_px} × {size.height_px} px, {size.area_px / MAX_SLIDE_PX:.0f} "
            f"times the {MAX_SLIDE_PX} that a slide may have; it is damaged or hostile, export it again"
        )
    if len(info.levels) > MAX_LEVELS:
        raise SlideOpenError(
            f"{info.path}: its header claims {len(info.levels)} levels, more than the {MAX_LEVELS} that halving the "
            "largest slide could give; it is damaged or hostile, export it again"
        )
    for level in info.levels:
        tile = level.stored_tile_px
        if tile is not None and tile.area_px > MAX_STORED_TILE_PX:
            raise SlideOpenError(
                f"{info.path}: level {level.index} is stored in tiles of {tile.width_px} × {tile.height_px} px, more "
                f"than {MAX_STORED_TILE_PX} px, each of which would be decoded whole; write it with tiles of 256 px"
            )
