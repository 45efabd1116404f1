"""compute: how long the outlines of the classes are: edges between work pixels in an area and beside it."""

from collections.abc import Collection, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from wsi_area.compute.machine_code import address_of, native_function
from wsi_area.compute.native import Native
from wsi_area.model.classes import BACKGROUND_ID, ClassScheme
from wsi_area.model.pixels import ClassMap

LINES = 64
"""About so many rows of a tile are looked along, and so many columns down: its outlines cross many of them, and their
length need not be exact."""

AreaIds = tuple[int, ...]
_AREAS_AT_ONCE = 8  # each of them is a bit of a byte
_ARGUMENTS = "uint8* int64 int64 int64 int64 uint8* uint8* int64 int64 uint8* uint8* uint8* uint64* int64*"
NATIVE = (Native("wsi_area.compute.count.compiled_edges", "count_edges", _ARGUMENTS),)


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
    counted = _with_edges(tuple(areas), None if present is None else frozenset(present)) if class_map.size else ()
    if not counted:
        return [0] * len(areas)
    step = max(1, min(class_map.shape) // LINES)
    found = dict(zip(counted, _counted(class_map, counted, step), strict=True))
    return [found.get(ids, 0) for ids in areas]


@lru_cache(maxsize=64)
def _with_edges(areas: tuple[AreaIds, ...], present: frozenset[int] | None) -> tuple[AreaIds, ...]:
    """Return the areas that may have an edge, each once: all those that have some of the codes, and not all of them."""
    return tuple(
        ids
        for ids in dict.fromkeys(areas)
        if ids and not (present is not None and (present.isdisjoint(ids) or present.issubset(ids)))
    )


@lru_cache(maxsize=64)
def _ids_and_marks(areas: tuple[AreaIds, ...]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return the ids of all classes of at most eight areas, uint8 (ids,), and for each the bits of its areas.

    Nobody writes into them, though they are not locked: the address of an array that may be written is had quickly.
    """
    marks = {class_id: 0 for ids in areas for class_id in ids}
    for bit, ids in enumerate(areas):
        for class_id in ids:
            marks[class_id] |= 1 << bit
    return np.array([*marks], np.uint8), np.array([*marks.values()], np.uint8)


def _counted(class_map: ClassMap, areas: tuple[AreaIds, ...], step: int) -> list[int]:
    """Return the edges of areas along every ``step``-th row and column, for all rows and columns."""
    pixels = class_map if class_map.strides[1] == 1 and class_map.strides[0] > 0 else np.ascontiguousarray(class_map)
    height, width = pixels.shape
    rows, columns = -(-height // step), -(-width // step)
    most_px = max(rows * width, height * columns)
    codes, changes = np.empty((2, most_px), np.uint8), np.empty(-(-most_px // 8), np.uint64)
    edges = np.empty((len(areas), 2), np.int64)
    count = native_function(*NATIVE[0])
    for first in range(0, len(areas), _AREAS_AT_ONCE):
        some = areas[first : first + _AREAS_AT_ONCE]
        ids, marks = _ids_and_marks(some)
        count(
            address_of(pixels[0]), height, width, pixels.strides[0], step, address_of(ids), address_of(marks), len(ids),
            len(some), address_of(codes[0]), address_of(codes[1]), address_of(changes), address_of(changes),
            address_of(edges[first]),
        )  # fmt: skip
    across_share, down_share = height / rows, width / columns
    return [round(across * across_share + down * down_share) for across, down in edges.tolist()]
