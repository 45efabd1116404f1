"""compute: how long the outlines of the classes are: edges between work pixels in an area and beside it."""

from collections.abc import Collection, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from wsi_area.model.classes import BACKGROUND_ID, ClassScheme
from wsi_area.model.pixels import ClassMap, MaskArray

LINES = 64
"""About so many rows of a tile are looked along, and so many columns down: its outlines cross many of them, and their
length need not be exact."""

AreaIds = tuple[int, ...]


@lru_cache(maxsize=16)
def areas_of(scheme: ClassScheme) -> tuple[AreaIds, ...]:
    """Return the ids of the classes of each area whose edges are counted: each class but background, then the totals.

    In the order of `LedgerLayout.edge_columns`; a total that no class is of has none.
    """
    classes = scheme.classes
    single = [(c.class_id,) for c in classes if c.class_id != BACKGROUND_ID]
    tumor, positive, tissue = (
        tuple(c.class_id for c in classes if getattr(c, flag)) for flag in ("is_tumor", "is_positive", "is_tissue")
    )
    return (*single, tumor, positive, tissue)


def boundary_edges(class_map: ClassMap, areas: Sequence[AreaIds], present: Collection[int] | None = None) -> list[int]:
    """Return the edges between a pixel in each area and one beside it, from some of the rows and columns of a tile.

    The rim of the tile is no edge: what lies behind it is another tile's.

    Parameters
    ----------
    class_map : uint8 (h, w)
    areas : sequence of ids
        The classes of each area; of none, 0 is returned.
    present : collection of int or None
        The codes that the tile holds, where they are known: an area that has none of them, or all, has no edge.

    >>> disc = np.add.outer(np.arange(-40, 40) ** 2, np.arange(-40, 40) ** 2) < 30**2
    >>> boundary_edges(disc.astype(np.uint8), [(1,), ()])
    [236, 0]
    """
    found: dict[AreaIds, int] = {(): 0}
    for ids in areas:
        if present is not None and (set(present).isdisjoint(ids) or set(present) <= set(ids)):
            found[ids] = 0
    if not class_map.size or all(ids in found for ids in areas):
        return [found.get(ids, 0) for ids in areas]
    step = max(1, min(class_map.shape) // LINES)
    rows, columns = class_map[::step], np.ascontiguousarray(class_map[:, ::step])
    across_share, down_share = len(class_map) / len(rows), class_map.shape[1] / columns.shape[1]
    for ids in areas:
        if ids not in found:
            along, down = _inside(rows, ids), _inside(columns, ids)
            across = int(np.count_nonzero(along[:, 1:] != along[:, :-1]))
            under = int(np.count_nonzero(down[1:] != down[:-1]))
            found[ids] = round(across * across_share + under * down_share)
    return [found[ids] for ids in areas]


def _inside(codes: ClassMap, ids: AreaIds) -> MaskArray:
    inside: NDArray[np.bool_] = codes == ids[0]
    for class_id in ids[1:]:
        inside |= codes == class_id
    return inside
