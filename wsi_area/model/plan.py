"""model: how one slide is cut, level by level and tile by tile; a value that can be printed."""

from wsi_area.frozen_value import frozen_value
from wsi_area.model.calibration import Mpp
from wsi_area.model.geometry import Region, Size
from wsi_area.model.slide import SlideInfo


@frozen_value
class Tile:
    """The unit of reading and of the ledger: a core it owns inside a box it may look at."""

    row: int
    col: int
    core_work_px: Region  # what it owns, on the work grid (the class map's grid)
    core_level_px: Region  # the same on the level that is read
    read_level_px: Region  # core and halo, cut at the level's edges


@frozen_value
class SlidePlan:
    """One slide cut into tiles and batches; everything a worker needs to know but the pixels.

    The work grid is the level's grid reduced by a whole factor; the last column and row may be partial.
    A batch is ``batch_tiles × batch_tiles`` tiles: one task, and one shard of the class map.
    """

    slide: SlideInfo
    level: int
    reduce_factor: int
    asked_work_mpp_um: float | None  # as asked for; None = the finest there is
    work_mpp: Mpp | None  # µm per work pixel as used, None in pixels-only runs
    work_size_px: Size
    tile_px: int  # edge of a tile's core, work px
    halo_px: int  # what a tile may see beyond its core, work px
    batch_tiles: int
    skipped: frozenset[int]  # tile numbers (row * grid_cols + col) counted as background unread
    audited: frozenset[int]  # bare tiles that are read because a random sample chose them
    glass_read: frozenset[int]  # those, and the bare tiles next to tissue, which are always read
    projected_bytes_per_task: int
    fingerprint: str  # hash of the cut, equal for equal cuts
    roi_sha256: str | None = None  # of the region of interest, where there is one
    outside_roi: frozenset[int] = frozenset()  # tiles wholly outside it: nothing there is read

    @property
    def grid_cols(self) -> int:
        """Return the number of tile columns."""
        return -(-self.work_size_px.width_px // self.tile_px)

    @property
    def grid_rows(self) -> int:
        """Return the number of tile rows."""
        return -(-self.work_size_px.height_px // self.tile_px)

    @property
    def tile_count(self) -> int:
        """Return the number of tiles, skipped ones included."""
        return self.grid_cols * self.grid_rows

    def is_read(self, tile_number: int) -> bool:
        """Return True if a tile is read: neither bare glass nor wholly outside the region of interest."""
        return tile_number not in self.skipped and tile_number not in self.outside_roi

    @property
    def batch_cols(self) -> int:
        """Return the number of batch columns."""
        return -(-self.grid_cols // self.batch_tiles)

    @property
    def batch_rows(self) -> int:
        """Return the number of batch rows."""
        return -(-self.grid_rows // self.batch_tiles)

    @property
    def pixel_count_l0(self) -> int:
        """Return W0·H0: what every account of this slide must add up to."""
        return self.slide.size_l0_px.area_px
