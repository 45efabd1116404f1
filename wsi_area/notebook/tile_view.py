"""notebook: one tile of the ledger: the very pixels that were classified, their classes, and the counts."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wsi_area.compute.count.reduction import box_mean
from wsi_area.errors import ResultError, StaleResultError
from wsi_area.frozen_value import frozen_value
from wsi_area.model.calibration import Mpp
from wsi_area.model.geometry import Region
from wsi_area.model.ledger import NOT_COMMITTED, TileStatus
from wsi_area.model.pixels import ClassMap, MaskArray, RgbArray
from wsi_area.notebook.overlay import Entry, class_names, rgba
from wsi_area.results.class_map.class_codes import OUTSIDE_RGB
from wsi_area.results.opened_slide import OpenedSlide
from wsi_area.slides import borrow_reader, inspect, read_around_damage


@frozen_value(eq=False, repr=False)
class TileView:
    """A tile: its core, without the halo that a segmenter may have looked at besides."""

    slide_id: str
    row: int
    col: int
    status: str  # read, skipped (counted as background without being read) or unreadable
    region_l0_px: Region  # what it owns of the slide
    rgb: RgbArray  # uint8 (h, w, 3), at the work pixel size
    valid: MaskArray  # bool (h, w), False where the scanner never looked, and where the file is damaged
    class_map: ClassMap  # uint8 (h, w)
    counts: dict[str, int]  # level-0 pixels by the name of the class or of what is in none
    legend: tuple[Entry, ...]
    mpp: Mpp | None

    def __repr__(self) -> str:
        counted = ", ".join(f"{name} {n_px}" for name, n_px in self.counts.items() if n_px)
        return f"<tile row {self.row} col {self.col} of {self.slide_id}, {self.status}: {counted} level-0 px>"

    def overlay(self) -> NDArray[np.uint8]:
        """Return uint8 (h, w, 4): the classes as washes with rims."""
        return rgba(self.class_map, self.legend)

    def plot(self, ax: Any = None, *, overlay: bool = True) -> Any:
        """Return matplotlib axes with the pixels, their classes and a bar; in mm of the slide."""
        from wsi_area.notebook.plotting import plot_tile  # matplotlib takes 0.4 s to load

        return plot_tile(self, ax, overlay=overlay)


def tile_view(slide: OpenedSlide, row: int, col: int, file: str | Path | None) -> TileView:
    """Return a tile of a counted slide; its pixels are read from the slide's file as the run read them."""
    if not slide.is_counted:
        raise ResultError(f"{slide.slide_id} ended as {slide.status} and was not counted; it has no tiles")
    ledger = slide.ledger()
    if not (0 <= row < ledger.shape[0] and 0 <= col < ledger.shape[1]):
        raise ResultError(
            f"{slide.slide_id} has tile rows 0 to {ledger.shape[0] - 1} and columns 0 to {ledger.shape[1] - 1}; "
            f"there is no row {row}, col {col}"
        )
    counted = ledger[row, col]
    if counted[0] == NOT_COMMITTED:
        raise ResultError(f"{slide.slide_id}: tile row {row} col {col} was not measured; run the same command again")
    names, columns = class_names(slide), slide.ledger_columns
    core = slide.grid.tile(row, col)
    y, x = core.y_px, core.x_px
    pixels = _pixels(slide, core, file)
    of_column = {f"px_class_{c.id}": c.name for c in slide.counted.classes}
    of_column |= {"unscanned_px": "unscanned", "outside_roi_px": "outside_roi", "unreadable_px": "unreadable"}
    class_map = np.asarray(slide.class_map_array()[y : core.bottom_px, x : core.right_px], np.uint8)
    colours = {c.id: c.color_rgb for c in slide.counted.classes}
    return TileView(
        slide.slide_id,
        row,
        col,
        TileStatus(int(counted[columns.index("status")])).name.lower(),
        _l0_region(slide, core),
        *pixels,
        class_map,
        {of_column[column]: int(n) for column, n in zip(columns, counted, strict=True) if column in of_column},
        tuple(
            Entry(code, names[code], colours.get(code, OUTSIDE_RGB)) for code in np.unique(class_map).tolist() if code
        ),
        slide.mpp,
    )


def _pixels(slide: OpenedSlide, core: Region, file: str | Path | None) -> tuple[RgbArray, MaskArray]:
    result = slide.counted
    info = inspect(result.path if file is None else file, slide_id=slide.slide_id, choice=result.choice)
    if info.fingerprint != result.fingerprint:
        raise StaleResultError(
            f"{info.path} is not the file that was measured (its fingerprint is {info.fingerprint[:12]}…, on record is "
            f"{result.fingerprint[:12]}…); give that file with tile(…, file=…), or measure the slide again"
        )
    level, factor = result.work.level, result.work.reduce_factor
    size = info.levels[level].size_px
    x, y = core.x_px * factor, core.y_px * factor
    right, bottom = min(core.right_px * factor, size.width_px), min(core.bottom_px * factor, size.height_px)
    with borrow_reader(info, result.reader) as reader:
        read, _ = read_around_damage(reader, level, Region(x, y, right - x, bottom - y))
    pixels = box_mean(read.rgb, read.valid, factor)
    return pixels.rgb, pixels.valid


def _l0_region(slide: OpenedSlide, core: Region) -> Region:
    columns, rows = slide.grid.edges_l0_px
    left, right = int(columns[core.x_px]), int(columns[core.right_px])
    top, bottom = int(rows[core.y_px]), int(rows[core.bottom_px])
    return Region(left, top, right - left, bottom - top)
