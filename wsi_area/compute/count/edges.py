"""compute: how long the outlines of the classes are: edges between work pixels in an area and beside it."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from wsi_area.model.classes import BACKGROUND_ID, ClassScheme
from wsi_area.model.pixels import ClassMap, MaskArray

STEP = 4
"""Along every so many rows, and down every so many columns: an outline crosses many, its length need not be exact."""

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


def boundary_edges(class_map: ClassMap, areas: Sequence[AreaIds]) -> list[int]:
    """Return the edges between a pixel in each area and one beside it, from every fourth row and column of a tile.

    The rim of the tile is no edge: what lies behind it is another tile's.

    Parameters
    ----------
    class_map : uint8 (h, w)
    areas : sequence of ids
        The classes of each area; of none, 0 is returned.

    >>> disc = np.add.outer(np.arange(-40, 40) ** 2, np.arange(-40, 40) ** 2) < 30**2
    >>> boundary_edges(disc.astype(np.uint8), [(1,), ()])
    [240, 0]
    """
    rows, columns = class_map[::STEP], np.ascontiguousarray(class_map[:, ::STEP])
    if not class_map.size or not ((rows != class_map[0, 0]).any() or (columns != class_map[0, 0]).any()):
        return [0] * len(areas)
    across_share, down_share = len(class_map) / len(rows), class_map.shape[1] / columns.shape[1]
    found: dict[AreaIds, int] = {(): 0}
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
