"""compute: a class map made small enough to look at, on any grid that begins at its origin; pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wsi_area.model.pixels import ClassMap

_NEAREST_BELOW = 2.0  # work pixels across a picture pixel; fewer have no majority worth the name
_SAMPLE_PX = 8  # work pixels that are asked across a picture pixel, at least, where there are more
_BAND_PX = 1024  # work rows held at once of an array without shards
_WASH = 140  # of 255
_MOST_RIM = 0.4  # of what is coloured


@dataclass(frozen=True, slots=True)
class PictureGrid:
    """Where the pixels of a picture lie on the work grid of a class map.

    Both begin at the slide's origin; ``box`` is the width of a picture pixel in work pixels.
    """

    width_px: int
    height_px: int
    box_x_work_px: float
    box_y_work_px: float


def majority_picture(class_map: Any, grid: PictureGrid, codes: Sequence[int]) -> ClassMap:
    """Return, for each picture pixel, the class that most of the work pixels in it have; uint8 (h, w).

    A work pixel belongs to the picture pixel that holds its centre. A tie goes to the lower code. Where fewer than
    2 × 2 work pixels lie in a picture pixel, it shows the one at its centre; where 16 × 16 or more do, a regular
    sample of at least 8 × 8 of them is asked.

    Parameters
    ----------
    class_map : uint8 (h, w), numpy or zarr
        Read shard by shard, never whole.
    grid : PictureGrid
    codes : sequence of int
        Every code that the class map may hold, in ascending order.

    >>> halves = np.array([[1, 1, 1, 2]] * 4, np.uint8)
    >>> majority_picture(halves, PictureGrid(2, 2, 2.0, 2.0), [0, 1, 2]).tolist()
    [[1, 1], [1, 1]]
    >>> majority_picture(halves, PictureGrid(4, 1, 1.0, 4.0), [0, 1, 2]).tolist()
    [[1, 1, 1, 2]]
    """
    if min(grid.box_x_work_px, grid.box_y_work_px) < _NEAREST_BELOW:
        return _nearest(class_map, grid)
    height, width = class_map.shape
    rows, columns = _owner(height, grid.box_y_work_px, grid.height_px), _owner(width, grid.box_x_work_px, grid.width_px)
    step_y, step_x = (max(1, int(box // _SAMPLE_PX)) for box in (grid.box_y_work_px, grid.box_x_work_px))
    seen = np.zeros((len(codes), grid.height_px, grid.width_px), np.int32)
    for y, x in _shards(class_map):
        box = np.asarray(class_map[y, x])
        # the sample is counted from the slide's origin, so that it does not depend on the shards
        first_y, first_x = -y.start % step_y, -x.start % step_x
        sample = box[first_y::step_y, first_x::step_x]
        if sample.size:
            own_rows, own_columns = rows[y][first_y::step_y], columns[x][first_x::step_x]
            _count(seen, sample, own_rows, own_columns, codes)
    picture = np.asarray(np.asarray(codes, np.uint8)[seen.argmax(axis=0)])
    # a last row or column narrower than the sample's step may hold none of it
    if not seen[:, -1].any():
        picture[-1] = picture[-2]
    if not seen[:, :, -1].any():
        picture[:, -1] = picture[:, -2]
    return picture


def _shards(class_map: Any) -> Iterator[tuple[slice, slice]]:
    """Yield the boxes in which a class map lies on the disk."""
    height, width = class_map.shape
    side_y, side_x = getattr(class_map, "shards", None) or (_BAND_PX, width)
    for y in range(0, height, side_y):
        for x in range(0, width, side_x):
            yield slice(y, min(y + side_y, height)), slice(x, min(x + side_x, width))


def _owner(count: int, box: float, picture_px: int) -> NDArray[np.int64]:
    """Return which picture pixel holds the centre of each work pixel; none of them is left without any."""
    owner = np.minimum(((np.arange(count) + 0.5) / box).astype(np.int64), picture_px - 1)
    owner[-1] = picture_px - 1  # the last box may be cut so narrow that no centre lies in it
    return owner


def _count(
    seen: NDArray[np.int32],
    sample: ClassMap,
    rows: NDArray[np.int64],
    columns: NDArray[np.int64],
    codes: Sequence[int],
) -> None:
    """Add the work pixels of one box to the picture pixels that own them, code by code."""
    row_ids, row_starts = np.unique(rows, return_index=True)
    column_ids, column_starts = np.unique(columns, return_index=True)
    where = np.ix_(row_ids, column_ids)
    for place, code in enumerate(codes):
        # down first: whole lines added to each other, which vectorises; few numbers are left for the other way
        down = np.add.reduceat((sample == code).view(np.uint8), row_starts, axis=0, dtype=np.uint16)
        seen[place][where] += np.add.reduceat(down, column_starts, axis=1, dtype=np.int32)


def _nearest(class_map: Any, grid: PictureGrid) -> ClassMap:
    height, width = class_map.shape
    rows = np.minimum(((np.arange(grid.height_px) + 0.5) * grid.box_y_work_px).astype(np.int64), height - 1)
    columns = np.minimum(((np.arange(grid.width_px) + 0.5) * grid.box_x_work_px).astype(np.int64), width - 1)
    # never more than a few times the picture: the boxes are small
    whole = np.asarray(class_map[: int(rows[-1]) + 1])
    return np.asarray(whole[rows][:, columns], np.uint8)


def outlined(picture: ClassMap, colours: Mapping[int, tuple[int, int, int]]) -> tuple[ClassMap, bytes, bytes]:
    """Return a picture of classes as palette indices, the palette (RGB) and its opacities; class 0 is clear.

    Each class is a light wash, so that what lies under it stays in sight, with an opaque rim of its colour where
    classes lie in patches; a fine mixture of classes would be nothing but rims and has none.

    Parameters
    ----------
    picture : uint8 (h, w) of class codes
    colours : mapping
        Code → RGB of every code but 0.

    >>> indices, palette, opacity = outlined(np.array([[0, 1, 1, 1]], np.uint8), {1: (9, 9, 9)})
    >>> indices.tolist(), list(opacity)
    ([[0, 2, 1, 1]], [0, 140, 255])
    """
    indices = np.zeros(picture.shape, np.uint8)
    palette, opacity = [255, 255, 255], [0]
    for place, code in enumerate(sorted(code for code in colours if code)):
        indices[picture == code] = 2 * place + 1
        palette += [*colours[code], *(int(0.62 * channel) for channel in colours[code])]
        opacity += [_WASH, 255]
    rim = _rim(picture) & (indices > 0)
    if rim.sum() <= _MOST_RIM * (indices > 0).sum():
        indices[rim] += 1
    return indices, bytes(palette), bytes(opacity)


def _rim(picture: ClassMap) -> NDArray[np.bool_]:
    """Return where a pixel's neighbour, left, right, above or below, is of another class."""
    rim = np.zeros(picture.shape, np.bool_)
    across, down = picture[:, 1:] != picture[:, :-1], picture[1:] != picture[:-1]
    rim[:, 1:] |= across
    rim[:, :-1] |= across
    rim[1:] |= down
    rim[:-1] |= down
    return rim
