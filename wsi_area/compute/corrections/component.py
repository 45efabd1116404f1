"""compute: the connected part of one class at a point, found tile by tile; corners join."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from wsi_area.frozen_value import frozen_value
from wsi_area.model.geometry import Region, Size
from wsi_area.model.pixels import ClassMap, MaskArray

Ints = NDArray[np.int64]
_TILE_PX = 512
_CORNERS_JOIN = np.ones((3, 3), np.int8)


@frozen_value(eq=False)
class Component:
    """The work pixels of a component, one mask for each tile that has any."""

    tiles: Mapping[tuple[int, int], MaskArray]  # by tile row and column
    n_px: int  # level-0 px
    code: int  # what its pixels were
    is_whole: bool  # False where it is larger than was asked for: then not all of it was found

    def mask(self, box_work_px: Region) -> MaskArray:
        """Return the pixels of a box that belong to it, bool (h, w)."""
        b = box_work_px
        found = np.zeros((b.height_px, b.width_px), np.bool_)
        for row in range(b.y_px // _TILE_PX, -(-b.bottom_px // _TILE_PX)):
            for col in range(b.x_px // _TILE_PX, -(-b.right_px // _TILE_PX)):
                tile = self.tiles.get((row, col))
                if tile is not None:
                    _copy(found, b, tile, row * _TILE_PX, col * _TILE_PX)
        return found

    def meets(self, box_work_px: Region) -> bool:
        """Return True if a tile of it reaches into a box."""
        b = box_work_px
        return any(
            row * _TILE_PX < b.bottom_px
            and (row + 1) * _TILE_PX > b.y_px
            and col * _TILE_PX < b.right_px
            and (col + 1) * _TILE_PX > b.x_px
            for row, col in self.tiles
        )


def _copy(found: MaskArray, box: Region, tile: MaskArray, y_px: int, x_px: int) -> None:
    top, left = max(box.y_px, y_px), max(box.x_px, x_px)
    bottom, right = min(box.bottom_px, y_px + tile.shape[0]), min(box.right_px, x_px + tile.shape[1])
    found[top - box.y_px : bottom - box.y_px, left - box.x_px : right - box.x_px] = tile[
        top - y_px : bottom - y_px, left - x_px : right - x_px
    ]


def component_at(
    codes_of: Callable[[Region], ClassMap],
    seed_work_px: tuple[int, int],
    size: Size,
    column_weights: Ints,
    row_weights: Ints,
    most_px: float,
) -> Component:
    """Return the 8-connected component of one class that has a pixel in it.

    Parameters
    ----------
    codes_of
        Returns the codes of a box of work pixels, uint8 (h, w).
    seed_work_px : (x, y)
        The pixel.
    size
        Of the class map, work px.
    column_weights, row_weights : int64 (w,), (h,)
        Level-0 pixels that each column and row stands for.
    most_px : float
        Level-0 pixels; where the component has more, the search ends, and what was found is not whole.
    """
    x, y = seed_work_px
    code = int(codes_of(Region(x, y, 1, 1))[0, 0])
    tiles: dict[tuple[int, int], MaskArray] = {}
    waiting: dict[tuple[int, int], list[Ints]] = defaultdict(list)
    waiting[y // _TILE_PX, x // _TILE_PX].append(np.array([[y, x]], np.int64))
    n_px = 0
    while waiting:
        at, seeds = waiting.popitem()
        box = _tile_box(at, size)
        labels, _ = ndimage.label(codes_of(box) == code, _CORNERS_JOIN)
        points = np.concatenate(seeds) - np.array([box.y_px, box.x_px])
        wanted = np.unique(labels[points[:, 0], points[:, 1]])
        mask = np.isin(labels, wanted[wanted > 0])
        known = tiles.get(at)
        new = mask if known is None else mask & ~known
        if not new.any():
            continue
        tiles[at] = new if known is None else known | new
        widths, heights = column_weights[box.x_px : box.right_px], row_weights[box.y_px : box.bottom_px]
        n_px += int(heights @ (new @ widths))
        if n_px > most_px:
            return Component(tiles, n_px, code, False)
        for beside, points in _beside(new, box, size):
            waiting[beside].append(points)
    return Component(tiles, n_px, code, True)


def _tile_box(at: tuple[int, int], size: Size) -> Region:
    y, x = at[0] * _TILE_PX, at[1] * _TILE_PX
    return Region(x, y, min(_TILE_PX, size.width_px - x), min(_TILE_PX, size.height_px - y))


def _beside(mask: MaskArray, box: Region, size: Size) -> Iterator[tuple[tuple[int, int], Ints]]:
    """Yield the tiles next to one, each with its pixels that touch a mask, int64 (n, 2) of y and x on the work grid."""
    rim = np.zeros_like(mask)
    rim[[0, -1]], rim[:, [0, -1]] = mask[[0, -1]], mask[:, [0, -1]]
    points = np.argwhere(rim) + np.array([box.y_px, box.x_px])
    steps = np.array([(dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)])
    around = np.unique((points[:, None, :] + steps[None]).reshape(-1, 2), axis=0)
    y, x = around.T
    outside = (y < box.y_px) | (y >= box.bottom_px) | (x < box.x_px) | (x >= box.right_px)
    within = (y >= 0) & (x >= 0) & (y < size.height_px) & (x < size.width_px)
    around = around[outside & within]
    tiles = around // _TILE_PX
    for tile in np.unique(tiles, axis=0):
        yield (int(tile[0]), int(tile[1])), around[(tiles == tile).all(axis=1)]
