"""compute: where discs of the size of a core cover most tissue; pure."""

import numpy as np
from numpy.typing import NDArray

from wsi_area.compute.sections.boxes import TissueBoxes
from wsi_area.frozen_value import frozen_value

Floats = NDArray[np.float64]

_LEAST_COVER = 0.12  # of a disc, so that dust is no core
_LEAST_APART = 0.7  # core diameters between two spots


@frozen_value(eq=False)
class Spots:
    """Places at which a core may lie."""

    xy_um: Floats  # (n, 2), from the slide's origin
    cover: Floats  # (n,), what of the disc is tissue, 0 to 1


def find_spots(boxes: TissueBoxes, core_um: float) -> Spots:
    """Return places where a disc of a core's diameter covers more tissue than anywhere near; centred on that tissue.

    A core in fragments is one spot, and two cores that touch are two: what decides is the disc, not what hangs
    together.

    Parameters
    ----------
    boxes
        At most an eighth of a core wide, so that its disc is one.
    core_um
        Nominal diameter of a core.
    """
    from scipy import ndimage
    from scipy.signal import fftconvolve

    disc = _disc(boxes.box_um, core_um / 2)
    cover = np.clip(fftconvolve(boxes.share, disc / disc.sum(), mode="same"), 0, 1)
    # a core smaller than the disc has a flat top; smoothed, it has one highest place
    smooth = ndimage.gaussian_filter(cover, [core_um / 12 / side for side in boxes.box_um[::-1]])
    top = (smooth >= ndimage.maximum_filter(smooth, footprint=_disc(boxes.box_um, 0.4 * core_um) > 0) - 1e-9) & (
        cover >= _LEAST_COVER
    )
    columns_um, rows_um = boxes.centres_um
    row, column = np.nonzero(top)
    places = np.column_stack([columns_um[column], rows_um[row]])
    centred = np.array([_centred(boxes, place, core_um) for place in places]).reshape(-1, 3)
    return _apart(centred, _LEAST_APART * core_um)


def disc_cover(boxes: TissueBoxes, xy_um: Floats, core_um: float) -> float:
    """Return the share of a disc round a place that is tissue, 0 to 1; beyond the slide there is none."""
    share, _, _ = _in_disc(boxes, xy_um, core_um)
    width, height = boxes.box_um
    return float(min(1.0, share.sum() * width * height / (np.pi * core_um**2 / 4)))


def disc_is_cut(boxes: TissueBoxes, xy_um: Floats, core_um: float) -> bool:
    """Return True if a disc reaches beyond the slide, or over a part of it that was not measured."""
    mpp, radius = boxes.mpp, core_um / 2
    right, bottom = int(boxes.columns_l0_px[-1]) * mpp.x, int(boxes.rows_l0_px[-1]) * mpp.y
    if not (radius <= xy_um[0] <= right - radius and radius <= xy_um[1] <= bottom - radius):
        return True
    x, y = boxes.centres_um
    inside = (x - xy_um[0]) ** 2 + (y[:, None] - xy_um[1]) ** 2 <= radius**2
    return bool(boxes.is_cut[inside].any())


def largest_part(boxes: TissueBoxes, xy_um: Floats, core_um: float) -> float:
    """Return the share of the tissue in a disc that hangs together with its largest part, 0 to 1; of none 1."""
    from scipy import ndimage

    share, _, _ = _in_disc(boxes, xy_um, core_um)
    label, count = ndimage.label(share >= 0.5, np.ones((3, 3)))
    if not count:
        return 1.0
    parts = np.bincount(label.ravel(), share.ravel())[1:]
    return float(parts.max() / parts.sum())


def _disc(box_um: tuple[float, float], radius_um: float) -> Floats:
    across, down = (max(1, int(radius_um / side)) for side in box_um)
    x, y = np.arange(-across, across + 1) * box_um[0], np.arange(-down, down + 1) * box_um[1]
    return np.asarray((x**2 + y[:, None] ** 2 <= radius_um**2).astype(np.float64))


def _in_disc(boxes: TissueBoxes, xy_um: Floats, core_um: float) -> tuple[Floats, Floats, Floats]:
    """Return the tissue in the boxes round a place, 0 where their centre is not in the disc, and their centres, µm."""
    columns_um, rows_um = boxes.centres_um
    left, right = np.searchsorted(columns_um, xy_um[0] + np.array([-core_um, core_um]) / 2)
    top, bottom = np.searchsorted(rows_um, xy_um[1] + np.array([-core_um, core_um]) / 2)
    x, y = columns_um[left:right], rows_um[top:bottom]
    inside = (x - xy_um[0]) ** 2 + (y[:, None] - xy_um[1]) ** 2 <= core_um**2 / 4
    return boxes.share[top:bottom, left:right] * inside, x, y


def _centred(boxes: TissueBoxes, place: Floats, core_um: float) -> tuple[float, float, float]:
    """Return the place moved onto the middle of the tissue in its disc, some steps, and what of the disc is tissue."""
    for _ in range(5):
        share, x, y = _in_disc(boxes, place, core_um)
        if not share.sum():
            break
        place = np.array([share.sum(axis=0) @ x, share.sum(axis=1) @ y]) / share.sum()
    return float(place[0]), float(place[1]), disc_cover(boxes, place, core_um)


def _apart(found: Floats, least_um: float) -> Spots:
    """Return the spots with none near another that covers more."""
    kept: list[int] = []
    for n in np.lexsort((found[:, 0], found[:, 1], -found[:, 2])).tolist():
        away = found[kept, :2] - found[n, :2]
        if found[n, 2] >= _LEAST_COVER and not (np.hypot(away[:, 0], away[:, 1]) < least_um).any():
            kept.append(n)
    return Spots(found[kept, :2], found[kept, 2])
