"""compute: the envelope of tissue: closed over narrow gaps, and filled where no wide gap lies; pure.

Fat, lace and pale cytoplasm are tissue to a pathologist and glass to a rule of colour. The envelope takes them in, by
two scales in µm. It works on boxes, each tissue or not, and never on single pixels.
"""

import numpy as np
from numpy.typing import NDArray

from wsi_area.model.pixels import MaskArray


def envelope(tissue: MaskArray, box_um: tuple[float, float], closing_um: float, fill_um: float) -> MaskArray:
    """Return the envelope of a mask, bool (h, w), True wherever the mask is.

    Parameters
    ----------
    tissue : bool (h, w)
        Which boxes are tissue.
    box_um
        Width and height of a box, µm.
    closing_um
        Radius of the disc that the mask is closed with: gaps narrower than twice that are taken in.
    fill_um
        A gap that the closed mask encloses is filled where no disc of this radius fits into it.

    >>> ring = np.zeros((7, 7), bool)
    >>> ring[1:6, 1:6] = True
    >>> ring[2:5, 2:5] = False
    >>> [int(envelope(ring, (10.0, 10.0), 0.0, fill_um).sum()) for fill_um in (10.0, 30.0)]
    [16, 25]
    """
    rows, columns = (np.flatnonzero(np.any(tissue, axis=axis)) for axis in (1, 0))
    if not len(rows):
        return tissue.copy()
    margin = _reach(max(closing_um, fill_um), min(box_um)) + 1
    top, bottom, left, right = int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1
    padded = np.pad(tissue[top:bottom, left:right], margin)
    mask = _closed(padded, box_um, closing_um)
    wide = ~_dilated(mask, box_um, fill_um)  # the margin is wide at its rim, so that what is open is reached
    filled = ~_reached(wide, ~mask)
    out = tissue.copy()
    out[top:bottom, left:right] = filled[margin:-margin, margin:-margin]
    return out


def closed(mask: MaskArray, box_um: tuple[float, float], radius_um: float) -> MaskArray:
    """Return a mask closed with a disc: gaps narrower than twice its radius are taken in; the rim closes nothing.

    >>> gap = np.array([[True, False, True, False, False]] * 3)
    >>> closed(gap, (10.0, 10.0), 10.0).astype(int).tolist()
    [[1, 0, 1, 0, 0], [1, 1, 1, 0, 0], [1, 0, 1, 0, 0]]
    """
    margin = _reach(radius_um, min(box_um)) + 1
    return _closed(np.pad(mask, margin), box_um, radius_um)[margin:-margin, margin:-margin]


def _closed(padded: MaskArray, box_um: tuple[float, float], radius_um: float) -> MaskArray:
    return ~_dilated(~_dilated(padded, box_um, radius_um), box_um, radius_um)


def within(mask: MaskArray) -> MaskArray:
    """Return a mask without the boxes that touch another one, by side or corner; the rim of the slide touches none.

    >>> within(np.array([[True, True, True, False]])).tolist()
    [[True, True, False, False]]
    """
    inside = mask.copy()
    inside[1:] &= mask[:-1]
    inside[:-1] &= mask[1:]
    across = inside.copy()
    across[:, 1:] &= inside[:, :-1]
    across[:, :-1] &= inside[:, 1:]
    return across


def _reach(radius_um: float, px_um: float) -> int:
    return int(radius_um / px_um)


def _dilated(mask: MaskArray, box_um: tuple[float, float], radius_um: float) -> MaskArray:
    """Return a mask with all boxes whose centre is no further than a radius from that of a True one."""
    across, down = _reach(radius_um, box_um[0]), _reach(radius_um, box_um[1])
    # rows of the disc by their half width; wide ones are grown from narrow ones
    rows_of: dict[int, list[int]] = {}
    for dy in range(down + 1):
        half = int(np.sqrt(max(0.0, radius_um**2 - (dy * box_um[1]) ** 2)) / box_um[0] + 1e-9)
        rows_of.setdefault(min(half, across), []).append(dy)
    out, line = mask.copy(), mask.copy()
    for half in range(across + 1):
        if half:
            line[:, half:] |= mask[:, :-half]
            line[:, :-half] |= mask[:, half:]
        for dy in rows_of.get(half, ()):
            out[dy:] |= line[: len(line) - dy]
            out[: len(out) - dy] |= line[dy:]
    return out


def _reached(start: MaskArray, free: MaskArray) -> MaskArray:
    """Return the pixels that hang together with the start, up, down, left and right, within what is free."""
    reached = start & free
    while True:
        before = int(np.count_nonzero(reached))
        reached = _along_rows(_along_rows(reached, free).T, free.T).T
        if int(np.count_nonzero(reached)) == before:
            return reached


def _along_rows(reached: MaskArray, free: MaskArray) -> MaskArray:
    """Return all of each free run of a row that has anything reached in it."""
    height, width = free.shape
    lines: NDArray[np.bool_] = np.zeros((height, width + 1), np.bool_)  # a last column that parts the rows
    lines[:, :width] = free
    flat = lines.ravel()
    run_of = np.cumsum(~flat, dtype=np.int32)  # each pixel of a run has the number of the barrier before it
    hit = np.zeros(int(run_of[-1]) + 1, np.bool_)
    seen = np.zeros_like(lines)
    seen[:, :width] = reached
    hit[run_of[seen.ravel()]] = True
    found: MaskArray = (hit[run_of] & flat).reshape(height, width + 1)[:, :width]
    return found
