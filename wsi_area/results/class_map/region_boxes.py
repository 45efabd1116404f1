"""results: what of a class map lies in named regions, box by box, read from its store."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from wsi_area.compute.regions.boundaries import Boundaries, Edges, Spans, boundaries_of, mask_spans, ordered, spans_in
from wsi_area.compute.regions.merged_tallies import RegionCounts, merged
from wsi_area.compute.regions.tally import BoxTally, Groups, Place, tally_box
from wsi_area.model.drawn_mask import DrawnMask
from wsi_area.model.geometry import Region
from wsi_area.results.class_map.layered_map import LayeredMap

_BOX_PX = 2048


def tally_at(
    layered: LayeredMap,
    where: tuple[int, int],
    box: Region,
    groups: Groups,
    edges: Edges,
    masks: Sequence[tuple[DrawnMask, NDArray[np.int32]]] = (),
) -> BoxTally:
    """Return the counts of a box of a class map in each region.

    Parameters
    ----------
    layered, where, box
        The maps of the slide, the row and column of the box among all boxes, and the box, work px.
    groups
        What the codes mean.
    edges
        Those of the outlines that decide in this box (`Boundaries.near`).
    masks
        Masks whose codes are regions, each with the region of each code, below 0 for none.

    Raises
    ------
    ResultError
        If a part of the maps is damaged.
    """
    rows, columns = slice(box.y_px, box.bottom_px), slice(box.x_px, box.right_px)
    place = Place(
        *where, box.x_px, box.y_px,
        layered.columns_l0_px[box.x_px : box.right_px + 1], layered.rows_l0_px[box.y_px : box.bottom_px + 1],
    )  # fmt: skip
    classes = layered.classes(rows, columns)
    tissue = None if layered.layer is None else layered.tissue_l0_px(rows, columns, classes)
    signal = layered.signal(rows, columns)
    return tally_box(classes, tissue, place, groups, _spans(place, edges, masks), signal)


def _spans(place: Place, edges: Edges, masks: Sequence[tuple[DrawnMask, NDArray[np.int32]]]) -> Iterator[Spans]:
    x, y = place.centres_l0_px
    yield from spans_in(edges, x, y)
    for mask, region_of_code in masks:
        pieces = list(mask_spans(mask, region_of_code, x, y))
        if any(len(piece.rows) for piece in pieces):
            yield ordered(pieces)


def meets(
    boundaries: Boundaries, layered_edges_l0_px: tuple[NDArray[np.int64], NDArray[np.int64]], box: Region
) -> bool:
    """Return True if the box of any outline reaches into a box of work pixels; edges of columns, then of rows."""
    columns, rows = layered_edges_l0_px
    bounds = boundaries.bounds
    across = (bounds[:, 0] <= columns[box.right_px]) & (bounds[:, 2] >= columns[box.x_px])
    down = (bounds[:, 1] <= rows[box.bottom_px]) & (bounds[:, 3] >= rows[box.y_px])
    return bool((across & down).any())


def counted_regions(
    layered: LayeredMap,
    groups: Groups,
    outlines: Sequence[bytes | None],
    masks: Sequence[tuple[DrawnMask, NDArray[np.int32]]] = (),
) -> RegionCounts:
    """Return the counts of regions that have outlines or codes of masks, counted in this process; as `tally_at`."""
    boundaries, tallies = boundaries_of(outlines), list[BoxTally]()
    height, width = layered.shape
    edges = layered.columns_l0_px, layered.rows_l0_px
    for row, y in enumerate(range(0, height, _BOX_PX)):
        for col, x in enumerate(range(0, width, _BOX_PX)):
            box = Region(x, y, min(_BOX_PX, width - x), min(_BOX_PX, height - y))
            if masks or meets(boundaries, edges, box):
                tallies.append(tally_at(layered, (row, col), box, groups, near(boundaries, edges, box), masks))
    return merged(tallies, len(outlines), groups.count)


def near(boundaries: Boundaries, edges_l0_px: tuple[NDArray[np.int64], NDArray[np.int64]], box: Region) -> Edges:
    """Return the edges that decide in a box of work pixels."""
    x, y = (edge.astype(np.float64) for edge in edges_l0_px)
    x, y = x[box.x_px : box.right_px + 1], y[box.y_px : box.bottom_px + 1]
    return boundaries.near((x[:-1] + x[1:]) / 2, (y[:-1] + y[1:]) / 2)
