"""exports: a measured slide of a run as every format wants it: classes, exact counts, the class map in bands."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from wsi_area.compute.count.counting import count_class_map
from wsi_area.compute.count.recount import WorkGrid
from wsi_area.errors import CountMismatchError, ResultError, SegmentationError
from wsi_area.frozen_value import frozen_value
from wsi_area.model.classes import TissueClass
from wsi_area.model.counts import ClassCounts
from wsi_area.model.geometry import Region, Size
from wsi_area.model.pixels import ClassMap
from wsi_area.model.slide_result import CountedSlide
from wsi_area.results.amended import require_base
from wsi_area.results.class_map.layered_map import grid_of
from wsi_area.results.class_map.sparse_class_map import sparse_class_map
from wsi_area.results.class_map.stored_class_map import zarr_errors_of
from wsi_area.results.documents import read_result
from wsi_area.results.layout import SlideLayout
from wsi_area.results.opened_run import OpenedRun
from wsi_area.results.opened_slide import NO_CLASS_MAP
from wsi_area.storage.in_order import for_each
from wsi_area.storage.place import Place

_BAND_BYTES, _MOST_BAND_BYTES = 1 << 24, 1 << 26


@frozen_value(eq=False)
class MeasuredSlide:
    """A slide that was counted, its grid, and where its class map lies."""

    layout: SlideLayout
    result: CountedSlide
    grid: WorkGrid
    elsewhere: Place | None = None  # where its exports go, if not into its own folder

    @property
    def exports(self) -> Place:
        """Return the folder that its exports go into."""
        return self.layout.root if self.elsewhere is None else self.elsewhere

    @property
    def classes(self) -> tuple[TissueClass, ...]:
        """Return the slide's classes, by their ids."""
        return tuple(c.tissue_class for c in self.result.classes)

    @property
    def counts(self) -> ClassCounts:
        """Return the counts on record."""
        return self.result.counts.class_counts

    @property
    def drawn_classes(self) -> tuple[TissueClass, ...]:
        """Return the classes that cover something, without the background."""
        return tuple(c for c in self.classes[1:] if self.counts.px_by_class[c.class_id])

    def bands(self) -> Iterator[ClassMap]:
        """Yield the class map from top to bottom in whole rows, whole tiles where these fit into 64 MB.

        Raises
        ------
        ResultError
            A part of it cannot be read.
        """
        array, size, tile_px = sparse_class_map(self.layout), self.grid.size_px, self.grid.tile_px
        most = max(1, _MOST_BAND_BYTES // size.width_px)
        rows = max(1, _BAND_BYTES // size.width_px) // tile_px * tile_px or min(tile_px, most)
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


def refuse_other_counts(slide: MeasuredSlide, array: Any, edge_px: int, where: Place, threads: int = 1) -> None:
    """Count a class map again, box by box and by some threads, and refuse what is not what was measured.

    Raises
    ------
    CountMismatchError
        With both counts.
    """
    widths, heights = slide.grid.weights()

    def count(box: Region) -> ClassCounts:
        columns, rows = widths[box.x_px : box.right_px], heights[box.y_px : box.bottom_px]
        try:
            return count_class_map(read_box(array, box, where), columns, rows, len(slide.classes))
        except SegmentationError as error:
            raise CountMismatchError(f"{where}: {error}; measure the slide again with --force") from error

    total = sum(for_each(boxes(slide.grid.size_px, edge_px), count, threads), ClassCounts.empty(len(slide.classes)))
    c = slide.counts
    found = (*total.px_by_class, total.unscanned_px, total.outside_roi_px, total.unreadable_px)
    told = (*c.px_by_class, c.unscanned_px, c.outside_roi_px, c.unreadable_px)
    if found != told:
        raise CountMismatchError(
            f"{where}: its codes cover {found} level-0 px, result.json says {told}; nothing was exported. Run "
            "`wsi-area verify`, then measure the slide again with --force"
        )


def measured_slide(run: OpenedRun, slide_id: str, elsewhere: Place | None = None) -> MeasuredSlide:
    """Return a slide of a run, ready to be exported into its own folder, or into another.

    Raises
    ------
    ResultError
        The run holds no such slide, or it was not counted and there is nothing to export.
    """
    try:
        opened = run[slide_id]
    except KeyError as error:
        raise ResultError(str(error.args[0])) from error
    if not opened.is_counted:
        reason = opened.result.reason
        raise ResultError(f"{slide_id} is {opened.status} and has no class map ({reason}); measure it again")
    if opened.counted.amendment is not None:
        require_base(opened.layout)
    if opened.counted.estimate is not None:
        raise ResultError(f"{slide_id} is an estimate {NO_CLASS_MAP}")
    return MeasuredSlide(opened.layout, opened.counted, opened.grid, elsewhere)


def layer_of(slide: MeasuredSlide) -> MeasuredSlide:
    """Return the tissue layer of a slide that has one, as it is exported.

    Raises
    ------
    ResultError
        It cannot be read.
    """
    found = read_result(slide.layout.tissue)
    if not isinstance(found, CountedSlide):
        raise ResultError(f"{slide.layout.tissue.root} holds no tissue; measure the slide again with --force")
    return MeasuredSlide(slide.layout.tissue, found, grid_of(found), slide.elsewhere)
