"""results: the final class map of a slide with the tissue and the signal under it, box by box.

Whoever counts something inside tissue asks here, and need not know whether the tissue is a layer of its own, on a
grid of its own, or the tissue classes of the class map itself.
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from wsi_area.compute.count.recount import WorkGrid
from wsi_area.compute.count.two_grids import covered_l0_px, pieces_of
from wsi_area.errors import ResultError
from wsi_area.frozen_value import frozen_value
from wsi_area.model.classes import ClassScheme, TissueClass
from wsi_area.model.pixels import ClassMap
from wsi_area.model.plan import SlidePlan
from wsi_area.model.slide_result import CountedSlide
from wsi_area.results.class_map.signal_map import SignalMap, signal_map
from wsi_area.results.class_map.sparse_class_map import SparseClassMap, sparse_class_map
from wsi_area.results.class_map.stored_class_map import StoredClassMap
from wsi_area.results.documents import read_result
from wsi_area.results.layout import SlideLayout

Ints = NDArray[np.int64]


@frozen_value(eq=False)
class TissueLayer:
    """The tissue of a slide as it was measured beside its classes: a class map on a grid of its own."""

    stored: SparseClassMap | StoredClassMap
    columns_l0_px: Ints  # (w + 1,), edges of its work columns
    rows_l0_px: Ints  # (h + 1,)
    is_tissue: NDArray[np.bool_]  # (256,), by code

    def part(self, rows_l0_px: Ints, columns_l0_px: Ints) -> tuple[slice, slice]:
        """Return the rows and the columns of work pixels that a box touches.

        Parameters
        ----------
        rows_l0_px, columns_l0_px : int64 (n + 1,), (m + 1,)
            Edges of the box, level-0 px.
        """
        return _touched(self.rows_l0_px, rows_l0_px), _touched(self.columns_l0_px, columns_l0_px)


@frozen_value(eq=False)
class LayeredMap:
    """The classes of a slide, its tissue and its signal, on the work grid; read box by box, nothing is kept."""

    stored: SparseClassMap | StoredClassMap
    columns_l0_px: Ints  # (w + 1,), level-0 edges of the work columns
    rows_l0_px: Ints  # (h + 1,)
    is_tissue: NDArray[np.bool_]  # (256,), whether a code of the class map is tissue
    layer: TissueLayer | None  # None where the tissue classes are the tissue
    signal_map: SignalMap | None = None  # None where none was kept

    @classmethod
    def of(cls, layout: SlideLayout, plan: SlidePlan, scheme: ClassScheme) -> "LayeredMap":
        """Return the layered map of a slide whose class map is final, and whose tissue layer, if any, is measured.

        Raises
        ------
        ResultError
            If the class map or the tissue layer cannot be opened.
        """
        level_px = plan.slide.levels[plan.level].size_px
        grid = WorkGrid(plan.slide.size_l0_px, level_px, plan.reduce_factor, plan.tile_px)
        return cls.over(layout, grid, scheme.classes)

    @classmethod
    def over(cls, layout: SlideLayout, grid: WorkGrid, classes: Iterable[TissueClass]) -> "LayeredMap":
        """Return the same from what is on record of a slide; for errors as `of`."""
        tissue_ids = [c.class_id for c in classes if c.is_tissue]
        return cls.on_record(layout, grid, tissue_ids)

    @classmethod
    def on_record(cls, layout: SlideLayout, grid: WorkGrid, tissue_ids: list[int]) -> "LayeredMap":
        """Return the layered map of a slide by what its result says: its grid, and which classes are tissue.

        Raises
        ------
        ResultError
            If the class map or the tissue layer cannot be opened.
        """
        columns, rows = grid.edges_l0_px
        stored, signal = sparse_class_map(layout), signal_map(layout)
        if signal is not None and signal.shape != stored.shape:
            raise ResultError(
                f"{layout.signal_map} has {signal.shape} pixels, the class map {stored.shape}; measure the slide again "
                "with --force"
            )
        return cls(stored, columns, rows, _by_code(tissue_ids), tissue_layer(layout), signal)

    @property
    def shape(self) -> tuple[int, int]:
        """Return height and width in work pixels."""
        return self.stored.shape

    def classes(self, rows: slice, cols: slice) -> ClassMap:
        """Return the codes of a box of work pixels, uint8 (h, w); not scanned, outside and unreadable among them.

        Raises
        ------
        ResultError
            If a part of it is damaged.
        """
        return self.stored[rows, cols]

    def signal(self, rows: slice, cols: slice) -> NDArray[np.int32] | None:
        """Return the signal of a box of work pixels in whole steps, int32 (h, w); None where none was kept.

        Raises
        ------
        ResultError
            If a part of it is damaged.
        """
        return None if self.signal_map is None else self.signal_map[rows, cols]

    def l0_px(self, rows: slice, cols: slice) -> NDArray[np.uint32]:
        """Return the number of level-0 pixels that each work pixel of a box stands for, uint32 (h, w)."""
        heights, widths = np.diff(self._edges(self.rows_l0_px, rows)), np.diff(self._edges(self.columns_l0_px, cols))
        return np.multiply.outer(heights.astype(np.uint32), widths.astype(np.uint32))

    def tissue_l0_px(self, rows: slice, cols: slice, classes: ClassMap | None = None) -> NDArray[np.uint32]:
        """Return the number of level-0 pixels of each work pixel of a box that lie in tissue, uint32 (h, w).

        With a tissue layer, the exact overlap with the layer's tissue, whatever the class; else all of a work pixel
        whose class is tissue.

        Parameters
        ----------
        rows, cols : slice
            Of the work grid.
        classes : uint8 (h, w) or None
            The box as `classes` returned it, where it is at hand; read again otherwise.

        Raises
        ------
        ResultError
            If a part of it is damaged.
        """
        if self.layer is None:
            codes = self.classes(rows, cols) if classes is None else classes
            # through bytes: an index into an array of booleans would first become one of eight bytes a pixel
            flags = np.frombuffer(codes.tobytes().translate(self.is_tissue.tobytes()), np.uint8)
            l0_px = self.l0_px(rows, cols)
            return np.multiply(l0_px, flags.reshape(codes.shape), out=l0_px)
        own_rows, own_columns = self._edges(self.rows_l0_px, rows), self._edges(self.columns_l0_px, cols)
        in_rows, in_columns = self.layer.part(own_rows, own_columns)
        mask = self.layer.is_tissue[self.layer.stored[in_rows, in_columns]]
        if not mask.any():
            return np.zeros((len(own_rows) - 1, len(own_columns) - 1), np.uint32)
        layer_rows = self.layer.rows_l0_px[in_rows.start : in_rows.stop + 1]
        layer_columns = self.layer.columns_l0_px[in_columns.start : in_columns.stop + 1]
        return covered_l0_px(mask, pieces_of(own_rows, layer_rows), pieces_of(own_columns, layer_columns))

    def _edges(self, edges: Ints, part: slice) -> Ints:
        start, stop, _ = part.indices(len(edges) - 1)
        return edges[start : stop + 1]


def tissue_layer(layout: SlideLayout) -> TissueLayer | None:
    """Return the tissue layer of a slide; None where its tissue is not a layer of its own.

    Raises
    ------
    ResultError
        If it is there and cannot be opened.
    """
    place = layout.tissue
    if not place.result_json.exists():
        return None
    found = read_result(place)
    if not isinstance(found, CountedSlide):
        raise ResultError(f"{place.root} holds no tissue; measure the slide again with --force")
    grid = grid_of(found)
    columns, rows = grid.edges_l0_px
    return TissueLayer(sparse_class_map(place), columns, rows, _by_code([c.id for c in found.classes if c.is_tissue]))


def grid_of(slide: CountedSlide) -> WorkGrid:
    """Return the grid that a slide was counted on, as its result says it."""
    return WorkGrid(slide.size_l0_px, slide.level_size_px, slide.work.reduce_factor, slide.work.tile_px)


def _by_code(tissue_ids: list[int]) -> NDArray[np.bool_]:
    """Return for each code whether it is tissue, bool (256,)."""
    is_tissue = np.zeros(256, np.bool_)
    is_tissue[tissue_ids] = True
    return is_tissue


def _touched(edges: Ints, wanted: Ints) -> slice:
    """Return the cells of an axis that have something of a range."""
    first = int(np.searchsorted(edges, wanted[0], side="right")) - 1
    last = int(np.searchsorted(edges, wanted[-1], side="left"))
    return slice(first, last)
