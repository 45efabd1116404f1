"""compute: a class map made small enough to look at, on any grid that begins at its origin; pure."""

from collections.abc import Iterator, Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from wsi_area.compute.machine_code import address_of, native_function
from wsi_area.compute.native import Native
from wsi_area.frozen_value import frozen_value
from wsi_area.model.classes import BACKGROUND_ID
from wsi_area.model.pixels import ClassMap

_NEAREST_BELOW = 2.0  # work pixels across a picture pixel; fewer have no majority worth the name
_SAMPLE_PX = 8  # work pixels that are asked across a picture pixel, at least, where there are more
_BAND_PX = 1024  # work rows held at once of an array without shards
_ARGUMENTS = "uint8* int64 int64 int64 int64* int64 int64* int64 uint8* uint16* int64 int64 int64"
NATIVE = (Native("wsi_area.compute.picture.compiled_picture", "count_sample", _ARGUMENTS),)


@frozen_value
class PictureGrid:
    """Where the pixels of a picture lie on the work grid of a class map.

    Both begin at the slide's origin; ``box`` is the width of a picture pixel in work pixels.
    """

    width_px: int
    height_px: int
    box_x_work_px: float
    box_y_work_px: float


@runtime_checkable
class InTiles(Protocol):
    """A class map that hands out only those of its tiles that are not background."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Return its height and width in work pixels."""

    def tiles_with_content(self) -> Iterator[tuple[int, int, ClassMap]]:
        """Yield the first row and column of a tile, and its pixels, uint8 (h, w), until the next one is asked for."""


def majority_picture(class_map: Any, grid: PictureGrid, codes: Sequence[int]) -> ClassMap:
    """Return, for each picture pixel, the class that most of the work pixels in it have; uint8 (h, w).

    A work pixel belongs to the picture pixel that holds its centre. A tie goes to the lower code. Where fewer than
    2 × 2 work pixels lie in a picture pixel, it shows the one at its centre; where 16 × 16 or more do, a regular
    sample of at least 8 × 8 of them is asked.

    Parameters
    ----------
    class_map : uint8 (h, w), numpy or zarr, or `InTiles`
        Read shard by shard or tile by tile, never whole.
    grid : PictureGrid
    codes : sequence of int
        Every code that the class map may hold, in ascending order.

    >>> halves = np.array([[1, 1, 1, 2]] * 4, np.uint8)
    >>> majority_picture(halves, PictureGrid(2, 2, 2.0, 2.0), [0, 1, 2]).tolist()
    [[1, 1], [1, 1]]
    >>> majority_picture(halves, PictureGrid(4, 1, 1.0, 4.0), [0, 1, 2]).tolist()
    [[1, 1, 1, 2]]
    """
    if not has_majorities(grid):
        return _nearest(class_map, grid)
    counts = majority_counts(class_map.shape, grid, codes)
    for y, x, block in _blocks(class_map):
        counts.add(y, x, block)
    return picture_of_counts(counts, codes)


def has_majorities(grid: PictureGrid) -> bool:
    """Return True if enough work pixels lie in each pixel of a picture to have a majority."""
    return min(grid.box_x_work_px, grid.box_y_work_px) >= _NEAREST_BELOW


def majority_counts(shape: tuple[int, ...], grid: PictureGrid, codes: Sequence[int]) -> "SampleCounts":
    """Return the counts of a class map, (height, width), of which no tile was taken in, for `picture_of_counts`."""
    place_of = np.full(256, min(len(codes), 255), np.uint8)
    place_of[list(codes)] = range(len(codes))
    return SampleCounts.of(shape, grid, place_of, len(codes) + 1)


def picture_of_counts(counts: "SampleCounts", codes: Sequence[int]) -> ClassMap:
    """Return the picture of counts that took in every tile; uint8 (h, w) as `majority_picture` makes it at once.

    Codes that the class map does not hold change nothing.
    """
    seen, asked = counts.seen(), counts.asked
    # line by line: of the whole, what argmax returns is larger than what has been counted
    names = np.asarray(codes, np.uint8)
    picture = np.stack([names[line[:, : len(codes)].argmax(axis=1)] for line in seen])
    # a last row or column narrower than the sample's step may hold none of it
    if not asked[-1].any():
        picture[-1] = picture[-2]
    if not asked[:, -1].any():
        picture[:, -1] = picture[:, -2]
    return picture


@frozen_value(eq=False)
class _Sample:
    """Along one axis: every how many work pixels one is asked, from the slide's origin on, and who owns it."""

    step: int
    owner: NDArray[np.int64]  # (sampled work pixels,): the picture pixel
    px_of: NDArray[np.int64]  # (picture pixels,): how many of the sample are its own

    @classmethod
    def of(cls, count: int, box: float, picture_px: int, sample_px: int = _SAMPLE_PX) -> "_Sample":
        step = max(1, int(box // sample_px))
        owner = np.minimum(((np.arange(count) + 0.5) / box).astype(np.int64), picture_px - 1)
        owner[-1] = picture_px - 1  # the last box may be cut so narrow that no centre lies in it
        sampled = np.ascontiguousarray(owner[::step])
        return cls(step, sampled, np.bincount(sampled, minlength=picture_px))

    def within(self, start: int, count: int) -> tuple[int, NDArray[np.int64]]:
        """Return the offset at which the sample begins in ``count`` work pixels, and the owner of each of them."""
        first, stop = -(-start // self.step), -(-(start + count) // self.step)
        return first * self.step - start, self.owner[first:stop]


@frozen_value(eq=False)
class SampleCounts:
    """What a regular sample of a class map holds in each pixel of a picture, tile by tile in any order."""

    group_of: NDArray[np.uint8]  # (256,): the group of each code
    asked: NDArray[np.uint16]  # (h, w): work pixels of the sample in each picture pixel
    _seen: NDArray[np.uint16]  # (h, w, groups)
    _down: _Sample
    _across: _Sample

    @classmethod
    def of(
        cls,
        shape: tuple[int, ...],
        grid: PictureGrid,
        group_of: NDArray[np.uint8],
        groups: int,
        sample_px: int = _SAMPLE_PX,
    ) -> "SampleCounts":
        """Return counts of a class map, (height, width), of which no tile was taken in; arguments of `sample_counts`.

        Raises
        ------
        ValueError
            If a picture pixel holds more of it than can be counted.
        """
        down = _Sample.of(shape[0], grid.box_y_work_px, grid.height_px, sample_px)
        across = _Sample.of(shape[1], grid.box_x_work_px, grid.width_px, sample_px)
        most = int(down.px_of.max() * across.px_of.max())
        if most > np.iinfo(np.uint16).max:
            raise ValueError(f"{most} work pixels in a picture pixel: the grid does not reach over the class map")
        asked = np.outer(down.px_of.astype(np.uint16), across.px_of.astype(np.uint16))
        return cls(group_of, asked, np.zeros((*asked.shape, groups), np.uint16), down, across)

    def add(self, y: int, x: int, tile: ClassMap) -> None:
        """Take in a tile, uint8 (h, w), by its first row and column; pixels of a line lie side by side."""
        (first_y, rows), (first_x, columns) = self._down.within(y, tile.shape[0]), self._across.within(x, tile.shape[1])
        if rows.size and columns.size:
            line_px = tile.strides[0]
            native_function(*NATIVE[0])(
                tile.ctypes.data + first_y * line_px + first_x, line_px, self._down.step, self._across.step,
                address_of(rows), rows.size, address_of(columns), columns.size,
                address_of(self.group_of), address_of(self._seen), *self._seen.shape,
            )  # fmt: skip

    def seen(self) -> NDArray[np.uint16]:
        """Return the sample's pixels of each group in each picture pixel, (h, w, groups); asked for once, at the end.

        What no tile held is background.
        """
        left_out = self.asked.copy()
        for group in range(self._seen.shape[2]):  # numpy is ten times slower along a short axis
            left_out -= self._seen[..., group]
        self._seen[..., self.group_of[BACKGROUND_ID]] += left_out
        return self._seen


def sample_counts(
    class_map: Any, grid: PictureGrid, group_of: NDArray[np.uint8], groups: int, sample_px: int = _SAMPLE_PX
) -> tuple[NDArray[np.uint16], NDArray[np.uint16]]:
    """Return the share of each group of codes in each picture pixel, by a regular sample as in `majority_picture`.

    Parameters
    ----------
    class_map : uint8 (h, w), numpy or zarr, or `InTiles`
    grid : PictureGrid
    group_of : uint8 (256,)
        The group of each code, 0 to ``groups - 1``.
    groups : int
    sample_px : int
        Work pixels that are asked across a picture pixel, at least, where there are more.

    Returns
    -------
    seen : uint16 (h, w, groups)
        Work pixels of the sample: all of them where a picture pixel is less than twice ``sample_px`` of them across.
    asked : uint16 (h, w)
        Their sum.
    """
    counts = SampleCounts.of(class_map.shape, grid, group_of, groups, sample_px)
    for y, x, block in _blocks(class_map):
        counts.add(y, x, block)
    return counts.seen(), counts.asked


def _blocks(class_map: Any) -> Iterator[tuple[int, int, ClassMap]]:
    """Yield the boxes in which a class map lies on the disk; pixels of a line lie side by side."""
    if isinstance(class_map, InTiles):
        yield from class_map.tiles_with_content()
        return
    height, width = class_map.shape
    side_y, side_x = getattr(class_map, "shards", None) or (_BAND_PX, width)
    for y in range(0, height, side_y):
        for x in range(0, width, side_x):
            yield y, x, np.ascontiguousarray(class_map[y : y + side_y, x : x + side_x], np.uint8)


def _nearest(class_map: Any, grid: PictureGrid) -> ClassMap:
    height, width = class_map.shape
    rows = np.minimum(((np.arange(grid.height_px) + 0.5) * grid.box_y_work_px).astype(np.int64), height - 1)
    columns = np.minimum(((np.arange(grid.width_px) + 0.5) * grid.box_x_work_px).astype(np.int64), width - 1)
    picture = np.full((grid.height_px, grid.width_px), BACKGROUND_ID, np.uint8)
    for y, x, block in _blocks(class_map):
        top, bottom = np.searchsorted(rows, (y, y + block.shape[0]))
        left, right = np.searchsorted(columns, (x, x + block.shape[1]))
        picture[top:bottom, left:right] = block[rows[top:bottom, None] - y, columns[None, left:right] - x]
    return picture
