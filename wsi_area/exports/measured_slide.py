"""exports: a measured slide of a run as every format wants it: classes, exact counts, the class map in bands."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wsi_area.compute.count.counting import count_class_map
from wsi_area.compute.count.recount import WorkGrid
from wsi_area.compute.cut.grid import l0_edges_px
from wsi_area.errors import CountMismatchError, ResultError, SegmentationError
from wsi_area.model.calibration import Mpp
from wsi_area.model.classes import TissueClass
from wsi_area.model.counts import ClassCounts
from wsi_area.model.geometry import Region, Size
from wsi_area.model.pixels import ClassMap
from wsi_area.results.class_map.stored_class_map import open_class_map, zarr_errors_of
from wsi_area.results.layout import SlideLayout
from wsi_area.results.opened_run import OpenedRun
from wsi_area.results.opened_slide import OpenedSlide
from wsi_area.results.record import is_counted
from wsi_area.storage.place import Place

_BAND_BYTES = 1 << 26


@dataclass(frozen=True, slots=True, eq=False)
class MeasuredSlide:
    """What one slide's result.json says, and where its class map lies."""

    layout: SlideLayout
    slide_id: str
    status: str
    reason: str
    file_name: str  # of the slide, without its folder
    fingerprint: str  # of the slide's file
    key: str  # of everything that the result depends on
    version: str  # of wsi_area, when it was measured
    mpp: Mpp | None
    grid: WorkGrid
    classes: tuple[TissueClass, ...]
    counts: ClassCounts

    @property
    def edges_l0_px(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the level-0 edges of the class map's columns and rows."""
        size, level, f = self.grid.size_l0_px, self.grid.level_px, self.grid.reduce_factor
        return l0_edges_px(size.width_px, level.width_px, f), l0_edges_px(size.height_px, level.height_px, f)

    @property
    def drawn_classes(self) -> tuple[TissueClass, ...]:
        """Return the classes that cover something, without the background."""
        return tuple(c for c in self.classes[1:] if self.counts.px_by_class[c.class_id])

    def bands(self) -> Iterator[ClassMap]:
        """Yield the class map from top to bottom in whole rows, 64 MB at once, whole tiles where they fit.

        Raises
        ------
        ResultError
            A part of it cannot be read.
        """
        array, size = open_class_map(self.layout), self.grid.size_px
        fitting = max(1, _BAND_BYTES // size.width_px)
        rows = fitting - fitting % self.grid.tile_px or fitting
        for y in range(0, size.height_px, rows):
            yield read_box(array, Region(0, y, size.width_px, min(rows, size.height_px - y)), self.layout.class_map)


def boxes(size: Size, edge_px: int) -> Iterator[Region]:
    """Yield the boxes of a grid, row by row; those at the rim shrink.

    >>> [box.width_px for box in boxes(Size(5, 2), 2)]
    [2, 2, 1]
    """
    for y in range(0, size.height_px, edge_px):
        for x in range(0, size.width_px, edge_px):
            yield Region(x, y, min(edge_px, size.width_px - x), min(edge_px, size.height_px - y))


def read_box(array: Any, box: Region, where: Place) -> ClassMap:
    """Return a box of a class map, uint8 (h, w).

    Raises
    ------
    ResultError
        It cannot be read.
    """
    with zarr_errors_of(where):
        return np.asarray(array[box.y_px : box.bottom_px, box.x_px : box.right_px], dtype=np.uint8)


def refuse_other_counts(slide: MeasuredSlide, array: Any, edge_px: int, where: Place) -> None:
    """Count a class map again, box by box, and refuse what is not what was measured.

    Raises
    ------
    CountMismatchError
        With both counts.
    """
    widths, heights = slide.grid.weights()
    total = ClassCounts.empty(len(slide.classes))
    for box in boxes(slide.grid.size_px, edge_px):
        columns, rows = widths[box.x_px : box.right_px], heights[box.y_px : box.bottom_px]
        try:
            total += count_class_map(read_box(array, box, where), columns, rows, len(slide.classes))
        except SegmentationError as error:
            raise CountMismatchError(f"{where}: {error}; measure the slide again with --force") from error
    c = slide.counts
    found = (*total.px_by_class, total.unscanned_px, total.outside_roi_px, total.unreadable_px)
    told = (*c.px_by_class, c.unscanned_px, c.outside_roi_px, c.unreadable_px)
    if found != told:
        raise CountMismatchError(
            f"{where}: its codes cover {found} level-0 px, result.json says {told}; nothing was exported. Run "
            "`wsi-area verify`, then measure the slide again with --force"
        )


def measured_slide(run: OpenedRun, slide_id: str) -> MeasuredSlide:
    """Return a slide of a run, ready to be exported.

    Raises
    ------
    ResultError
        The run holds no such slide, or it was not counted and there is nothing to export.
    """
    try:
        opened = run[slide_id]
    except KeyError as error:
        raise ResultError(str(error.args[0])) from error
    if not is_counted(opened.record):
        reason = opened.record.get("reason")
        raise ResultError(f"{slide_id} is {opened.status} and has no class map ({reason}); measure it again")
    try:
        return _from_record(opened)
    except (KeyError, TypeError, IndexError) as error:
        raise ResultError(
            f"{opened.layout.result_json} is not a result as this version writes it ({type(error).__name__}: {error}); "
            "run the same command again"
        ) from error


def _from_record(opened: OpenedSlide) -> MeasuredSlide:
    record = opened.record
    work, counts, calibration = record["work"], record["counts"], record["calibration"]
    level = record["levels"][work["level"]]["size_px"]
    x, y = calibration["mpp_x_um"], calibration["mpp_y_um"]
    return MeasuredSlide(
        layout=opened.layout,
        slide_id=record["slide_id"],
        status=opened.status,
        reason=record["reason"],
        file_name=Path(record["path"]).name,
        fingerprint=record["fingerprint"],
        key=record["key"],
        version=record["wsi_area_version"],
        mpp=None if x is None or y is None else Mpp(x, y),
        grid=WorkGrid(
            Size(record["width_px"], record["height_px"]),
            Size(level["width_px"], level["height_px"]),
            work["reduce_factor"],
            work["tile_px"],
        ),
        classes=tuple(_class(entry) for entry in record["classes"]),
        counts=ClassCounts(
            tuple(counts["n_px_by_class"]),
            counts["n_px_unscanned"],
            counts["n_px_outside_roi"],
            counts["n_px_unreadable"],
            (0,) * len(record["classes"]),
            work["tiles"],
        ),
    )


def _class(entry: Mapping[str, Any]) -> TissueClass:
    r, g, b = entry["color_rgb"]
    return TissueClass(
        entry["id"], entry["name"], (r, g, b), entry["is_tissue"], entry["is_tumor"], entry["is_excluded"]
    )
