"""compute: how long the outlines of the classes are: edges between work pixels in an area and beside it."""

import sys
from collections.abc import Collection, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wsi_area.compute.bit_planes import bit_planes
from wsi_area.compute.machine_code import address_of, native_function
from wsi_area.compute.native import Native
from wsi_area.frozen_value import frozen_value
from wsi_area.model.classes import BACKGROUND_ID, ClassScheme
from wsi_area.model.pixels import ClassMap

LINES = 64
"""About so many rows of a tile are looked along, and so many columns down: its outlines cross many of them, and their
length need not be exact."""

WORD_PX = 64
"""Pixels in a word of a bit plane: of rows that are whole words, the bit planes may be used as they are."""
STEPS_AT_ONCE = 16
"""Rows that are looked along at once: their bit planes, 24 KB of a tile of 512 px, stay in the nearest cache."""
AreaIds = tuple[int, ...]
_ARGUMENTS = "uint64* int64 int64 int64 int64 uint64* uint64* uint8* int64* int64 uint64* int64*"
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


def boundary_edges(
    class_map: ClassMap,
    areas: Sequence[AreaIds],
    present: Collection[int] | None = None,
    planes: NDArray[np.uint8] | None = None,
) -> list[int]:
    """Return the edges between a pixel in each area and one beside it, from some of the rows and columns of a tile.

    The rim of the tile is no edge: what lies behind it is another tile's.

    Parameters
    ----------
    class_map : uint8 (h, w)
    areas : sequence of ids
        The classes of each area; of none, 0 is returned.
    present : collection of int or None
        The codes that the tile holds, where they are known: an area that has none of them, or all, has no edge.
    planes : uint8 (planes, h·w / 8) or None
        From `bit_planes`, where they are at hand; ``w`` is a multiple of 64.

    >>> disc = np.add.outer(np.arange(-40, 40) ** 2, np.arange(-40, 40) ** 2) < 30**2
    >>> boundary_edges(disc.astype(np.uint8), [(1,), ()])
    [236, 0]
    """
    counted = _with_edges(tuple(areas), None if present is None else frozenset(present)) if class_map.size else ()
    if not counted:
        return [0] * len(areas)
    if planes is None:
        planes = bit_planes(_in_whole_words(class_map))
    if planes is None:  # all of it is background
        return [0] * len(areas)
    found = dict(zip(counted, _counted(planes, class_map.shape, counted), strict=True))
    return [found.get(ids, 0) for ids in areas]


@lru_cache(maxsize=64)
def _with_edges(areas: tuple[AreaIds, ...], present: frozenset[int] | None) -> tuple[AreaIds, ...]:
    """Return the areas that may have an edge, each once: all those that have some of the codes, and not all of them."""
    return tuple(
        ids
        for ids in dict.fromkeys(areas)
        if ids and not (present is not None and (present.isdisjoint(ids) or present.issubset(ids)))
    )


def _in_whole_words(class_map: ClassMap) -> ClassMap:
    """Return a class map whose rows are whole words, contiguous; what is added on the right is background."""
    height, width = class_map.shape
    if not width % WORD_PX:
        return np.ascontiguousarray(class_map)
    whole = np.zeros((height, -(-width // WORD_PX) * WORD_PX), np.uint8)
    whole[:, :width] = class_map
    return whole


@lru_cache(maxsize=16)
def _looked_along(rows: int, width: int, step: int) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Return what of some rows is looked along, uint64 (rows, words), a bit a pixel, the first the lowest.

    First the pixels of every ``step``-th row that have one to their right, then those of every ``step``-th column.
    """
    looked = np.zeros((2, rows, -(-width // WORD_PX) * WORD_PX), np.bool_)
    looked[0, ::step, : width - 1] = True
    looked[1, :, :width:step] = True
    across, down = np.packbits(looked, axis=2, bitorder="little").view("<u8").astype(np.uint64)
    return across, down


@frozen_value(eq=False)
class _Looks:
    """How pictures of one size are looked along for some areas: what the kernel is told each time, made once.

    The addresses are those of the arrays. Nobody writes into these, though they are not locked: the address of an array
    that may be written is had quickly.
    """

    arguments: tuple[int, ...]  # of `count_edges`, from the height on, but for the last two
    members_length: int  # words that the kernel needs for itself
    across_share: float  # rows of the picture to a row that is looked along
    down_share: float  # and so its columns
    arrays: tuple[NDArray[Any], ...]


@lru_cache(maxsize=64)
def _looks(height: int, width: int, areas: tuple[AreaIds, ...]) -> _Looks:
    """Return how pictures of a size are looked along for some areas.

    The kernel is told the ids of the classes of one area after the other, uint8, and where those of each end, int64
    (areas,).
    """
    step = max(1, min(height, width) // LINES)
    rows_at_once = step * STEPS_AT_ONCE
    across, down = _looked_along(rows_at_once, width, step)
    ids = np.array([class_id for of_area in areas for class_id in of_area], np.uint8)
    ends = np.cumsum([len(of_area) for of_area in areas], dtype=np.int64)
    line_words, addresses = down.shape[1], [address_of(array) for array in (across, down, ids, ends)]
    return _Looks(
        (height, line_words, rows_at_once, *addresses, len(areas)),
        down.size + line_words + 1,
        height / -(-height // step),
        width / -(-width // step),
        (across, down, ids, ends),
    )


def _counted(planes: NDArray[np.uint8], shape: tuple[int, ...], areas: tuple[AreaIds, ...]) -> list[int]:
    """Return the edges of areas along some rows and columns, for all rows and columns."""
    looks = _looks(*shape, areas)
    words = planes.view("<u8").astype(np.uint64) if sys.byteorder == "big" else planes
    members, edges = np.empty(looks.members_length, np.uint64), np.empty((len(areas), 2), np.int64)
    count = native_function(*NATIVE[0])
    count(address_of(words), len(words), *looks.arguments, address_of(members), address_of(edges))
    across_share, down_share = looks.across_share, looks.down_share
    return [round(right * across_share + below * down_share) for right, below in edges.tolist()]
