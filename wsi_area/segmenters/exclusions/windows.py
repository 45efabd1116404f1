"""segmenters: windows judged by the sum of their scores, in whole numbers: the same whatever tile a pixel lies in."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wsi_area.compute.machine_code import address_of, native_function
from wsi_area.compute.native import Native
from wsi_area.errors import SettingsError
from wsi_area.model.geometry import Region, Size
from wsi_area.model.pixels import MaskArray

_COMPILED = "wsi_area.segmenters.exclusions.compiled_scores"
_BEHIND = "int64 uint8* int64 int64 int64 int64 int64 int64 int64 int32* uint8*"
NATIVE = (
    Native(_COMPILED, "exceeds", f"int16* {_BEHIND}"),
    Native(_COMPILED, "mask_exceeds", f"uint8* {_BEHIND}"),
)
_LARGEST_COLUMN = (1 << 31) - 1


def radius_px(scale_um: float, px_um: float) -> int:
    """Return the number of whole pixels that lie within a distance.

    >>> radius_px(25.0, 0.499)
    50
    """
    return int(scale_um / px_um)


def exceeds(
    values: NDArray[np.int16], radius: int, limit: int = 0, *, among: MaskArray | None = None, of_each: int = 0
) -> MaskArray:
    """Return bool (h, w), True where the scores of a pixel's square window add up to more than a limit.

    The window is cut at the rim of the picture. A mean becomes a sum: it is above 50 over the pixels of a mask where
    their values less 50 add up to more than 0.

    Parameters
    ----------
    values : int16 (h, w)
        The score of a pixel, above 0 or below it.
    radius
        The window is ``2 * radius + 1`` pixels a side.
    limit
        The sum must be above it.
    among, of_each
        bool (h, w), and what is added to the score of each pixel where it is True.

    >>> exceeds(np.array([[1, 1, -1, -1, -1]], np.int16), 1).tolist()
    [[True, True, False, False, False]]
    """
    if among is None:
        among = np.broadcast_to(np.zeros(values.shape[1], np.bool_), values.shape)
    return _judged(NATIVE[0], values, among, (1, of_each), radius, limit, 1 - np.iinfo(np.int16).min + abs(of_each))


def share_exceeds(
    mask: MaskArray, among: MaskArray, of_mask: int, of_others: int, radius: int, limit: int = 0
) -> MaskArray:
    """Return bool (h, w), True where the scores of a pixel's window add up to more than a limit.

    One score is that of the mask, the other that of the other pixels among which it is looked for. So a share becomes
    a sum: more than half of a window is ink where ink scores 1 and all else -1, and the sum is above 0.

    >>> share_exceeds(np.array([[True, False, False]]), np.array([[True, True, False]]), 70, -30, 1).tolist()
    [[True, True, False]]
    """
    scores = of_mask - of_others, of_others
    return _judged(NATIVE[1], mask, among, scores, radius, limit, max(abs(of_mask), abs(of_others)))


def narrowed(left: MaskArray, radius: int, judge: Callable[[Region], MaskArray]) -> MaskArray:
    """Return what a further condition leaves of a mask; it is asked for the box round the mask alone.

    Parameters
    ----------
    left
        bool (h, w), changed in place.
    radius
        The distance that the condition looks round a pixel.
    judge
        Told a box that reaches so far round the mask, it returns the condition, bool of the box's shape.
    """
    box_px = box_of(left)
    if box_px is not None:
        shown_px = box_px.grown(radius, Size(left.shape[1], left.shape[0]))
        left[box_px.slices] &= judge(shown_px)[box_px.seen_from(shown_px).slices]
    return left


def box_of(mask: MaskArray) -> Region | None:
    """Return the box round what is True, None where nothing is."""
    rows = np.flatnonzero(mask.any(axis=1))
    if not len(rows):
        return None
    top, bottom = int(rows[0]), int(rows[-1]) + 1
    columns = np.flatnonzero(mask[top:bottom].any(axis=0))
    left, right = int(columns[0]), int(columns[-1]) + 1
    return Region(left, top, right - left, bottom - top)


def _judged(
    native: Native, values: NDArray[Any], among: MaskArray, scores: tuple[int, int], radius: int, limit: int,
    largest: int,
) -> MaskArray:  # fmt: skip
    height, width = values.shape
    if min(2 * radius + 1, height) * largest > _LARGEST_COLUMN:
        raise SettingsError(f"a window of {2 * radius + 1} px a side is too large to be summed; make it smaller")
    found = np.empty((height, width), np.bool_)
    if found.size:
        values, among = _in_rows(values), _in_rows(among)
        columns = np.zeros((3, width), np.int32)
        native_function(*native)(
            address_of(values), values.strides[0] // values.itemsize, address_of(among), among.strides[0],
            height, width, *scores, radius, limit, address_of(columns), address_of(found),
        )  # fmt: skip
    return found


def _in_rows(plane: NDArray[Any]) -> NDArray[Any]:
    """Return a plane the pixels of whose rows lie side by side; a copy only where they do not."""
    is_so = plane.strides[1] == plane.itemsize and (plane.strides[0] == 0 or plane.strides[0] >= plane.shape[1])
    return plane if is_so else np.ascontiguousarray(plane)
