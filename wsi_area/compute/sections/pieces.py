"""compute: the pieces of tissue on a slide: what hangs together once narrow gaps are closed; pure."""

import numpy as np
import shapely
from numpy.typing import NDArray

from wsi_area.compute.objects.envelope import closed
from wsi_area.compute.sections.boxes import TissueBoxes
from wsi_area.frozen_value import frozen_value


@frozen_value(eq=False)
class Piece:
    """One piece of tissue."""

    number: int  # from 1, from the left to the right, and of those that begin in one column from above
    outline_l0_px: shapely.Geometry
    is_cut: bool  # it reaches the rim of the slide, or a part that was not measured, and may go on there


def find_pieces(boxes: TissueBoxes, closing_um: float, min_mm2: float) -> tuple[Piece, ...]:
    """Return the pieces of tissue that are large enough.

    Boxes of tissue are one piece where they touch, by side or corner, after gaps have been closed with a disc. Round a
    piece, the next box is of it, too, so that no tissue along its rim is lost. Pieces do not overlap.

    Parameters
    ----------
    closing_um
        Radius of the disc: gaps up to twice as wide are closed.
    min_mm2
        Tissue that a piece has at least.
    """
    labels = piece_labels(boxes, closing_um, min_mm2)
    # what was not measured counts where a piece touches it
    cut = np.pad(boxes.is_cut, 1, constant_values=True)
    beside = np.zeros_like(boxes.is_cut)
    for dy in range(3):
        for dx in range(3):
            beside |= cut[dy : dy + beside.shape[0], dx : dx + beside.shape[1]]
    return tuple(
        Piece(number, boxes.outline_l0_px(labels == number), bool(beside[labels == number].any()))
        for number in range(1, int(labels.max(initial=0)) + 1)
    )


def piece_labels(boxes: TissueBoxes, closing_um: float, min_mm2: float) -> NDArray[np.int32]:
    """Return the number of the piece that each box belongs to, int32 (h, w), 0 for none; as `find_pieces` says."""
    from scipy import ndimage

    joined, count = ndimage.label(closed(boxes.is_tissue, boxes.box_um, closing_um), np.ones((3, 3)))
    areas_mm2 = np.bincount(joined.ravel(), boxes.area_mm2.ravel(), count + 1)
    kept = [n for n in range(1, count + 1) if areas_mm2[n] >= min_mm2]
    places = ndimage.find_objects(joined)
    kept.sort(key=lambda n: (places[n - 1][1].start, places[n - 1][0].start))
    number_of = np.zeros(count + 1, np.int32)
    number_of[kept] = range(1, len(kept) + 1)
    labels: NDArray[np.int32] = number_of[joined]
    rim = joined == 0  # glass, or a box with too little tissue to be of it: next to a piece it is the piece's
    labels[rim] = ndimage.maximum_filter(labels, 3)[rim]
    return labels
