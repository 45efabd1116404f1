"""segmenters: how much fine and coarser detail there is round each pixel, in whole numbers."""

import numpy as np
from numpy.typing import NDArray

from wsi_area.compute.machine_code import address_of, native_function
from wsi_area.compute.native import Native
from wsi_area.errors import SettingsError
from wsi_area.model.pixels import MaskArray

STEPS_PER_GREY = 4  # in which a detail is measured

_LARGEST_BOX_PX, _LARGEST_RADIUS_PX = 2048, 8192  # what sums of 32 and 64 bits hold
_COMPILED = "wsi_area.segmenters.exclusions.compiled_sharpness"
_DETAIL = "uint8* int64 int64 int64 int32* int32* int16*"
_VOTES = "uint8* int16* int16* int64 int64 int64 int64* int64* int16*"
NATIVE = (Native(_COMPILED, "detail", _DETAIL), Native(_COMPILED, "vote", _VOTES))


def detail(grey: NDArray[np.uint8], valid: MaskArray, box_px: int) -> tuple[NDArray[np.int16], MaskArray]:
    """Return the Laplacian of box means a box apart, int16 (h, w) in quarters of a grey level, and where it is known.

    Whole numbers from sums of whole boxes: the same for each pixel whatever tile it was cut out with. It is unknown
    where a box reaches over the rim of the tile or over what is not valid.

    Raises
    ------
    SettingsError
        If a box is too large to be summed.
    """
    if box_px > _LARGEST_BOX_PX:
        raise SettingsError(
            f"a detail of {box_px} px is too large to be summed; make exclusions.focus_scale_um smaller, "
            f"so that it has at most {_LARGEST_BOX_PX} px"
        )
    details, known = np.zeros(grey.shape, np.int16), np.zeros(grey.shape, np.bool_)
    height, width = grey.shape
    if min(height, width) < 3 * box_px:
        return details, known
    shown = np.ascontiguousarray(grey)
    columns, sums = np.zeros((3, width), np.int32), np.empty((2 * box_px + 1, width), np.int32)
    write = native_function(_COMPILED, "detail", _DETAIL)
    write(address_of(shown), height, width, box_px, address_of(columns), address_of(sums), address_of(details))
    before, after = box_px + (box_px - 1) // 2, 2 * box_px - 1 - (box_px - 1) // 2
    if valid.all():
        known[before : height - after, before : width - after] = True
    else:
        known[before : height - after, before : width - after] = _of_valid_boxes(valid, box_px)
    return details, known


def _of_valid_boxes(valid: MaskArray, box_px: int) -> MaskArray:
    """Return bool (h - 3 box + 1, w - 3 box + 1), True where a box and the four beside it are valid."""
    sums = np.zeros((valid.shape[0] + 1, valid.shape[1] + 1), np.int32)
    np.cumsum(np.cumsum(valid, axis=0, dtype=np.int32), axis=1, out=sums[1:, 1:])
    n = box_px
    whole = sums[n:, n:] - sums[:-n, n:] - sums[n:, :-n] + sums[:-n, :-n] == n * n
    parts = (
        np.s_[n:-n, n:-n], np.s_[: -2 * n, n:-n], np.s_[2 * n :, n:-n], np.s_[n:-n, : -2 * n], np.s_[n:-n, 2 * n :]
    )  # fmt: skip
    found: MaskArray = np.logical_and.reduce([whole[part] for part in parts])
    return found


def blur_votes(
    judged: MaskArray,
    fine: NDArray[np.int16],
    coarse: NDArray[np.int16],
    radius: int,
    least_energy: int,
    ratio: tuple[int, int],
) -> NDArray[np.int16]:
    """Return the vote of each pixel's window, int16 (h, w): 1 for blurred, -1 for sharp, 0 where it cannot say.

    Parameters
    ----------
    judged
        bool (h, w), the pixels that have a say, and of which the details are known.
    fine, coarse
        int16 (h, w), details of two sizes; what they are elsewhere does not matter.
    radius
        The window is ``2 * radius + 1`` pixels a side.
    least_energy
        Mean square of the coarse details below which nothing is said.
    ratio
        Numerator and denominator of energy of fine details / energy of coarse ones, blurred below it.

    Raises
    ------
    SettingsError
        If the window is too large to be summed.
    """
    if radius > _LARGEST_RADIUS_PX:
        raise SettingsError(
            f"a window of {2 * radius + 1} px a side is too large to be summed; make exclusions.focus_window_um smaller"
        )
    height, width = judged.shape
    limits, columns = np.array([least_energy, *ratio], np.int64), np.zeros((9, width), np.int64)
    votes = np.empty(judged.shape, np.int16)
    write = native_function(_COMPILED, "vote", _VOTES)
    shown, of_fine, of_coarse = (np.ascontiguousarray(plane) for plane in (judged, fine, coarse))
    if votes.size:
        write(
            address_of(shown), address_of(of_fine), address_of(of_coarse), height, width, radius, address_of(limits),
            address_of(columns), address_of(votes),
        )  # fmt: skip
    return votes
