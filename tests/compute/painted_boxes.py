"""tests: tissue of known shape painted onto boxes, as the pieces of a slide and its cores are found on."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from wsi_area.compute.sections.boxes import TissueBoxes
from wsi_area.model.calibration import Mpp

Floats = NDArray[np.float64]
SQUARE = Mpp(0.5, 0.5)
_FINE = 5  # points across a box at which a shape is asked


def painted(
    inside: Callable[[Floats, Floats], NDArray[np.bool_]],
    size_mm: tuple[float, float],
    mpp: Mpp = SQUARE,
    box_um: float = 40.0,
) -> TissueBoxes:
    """Boxes over a slide of a size, with tissue where a function of x and y in µm says so."""
    side_x, side_y = round(box_um / mpp.x), round(box_um / mpp.y)
    columns = np.arange(round(size_mm[0] * 1000 / mpp.x / side_x) + 1, dtype=np.int64) * side_x
    rows = np.arange(round(size_mm[1] * 1000 / mpp.y / side_y) + 1, dtype=np.int64) * side_y
    x = (np.arange((len(columns) - 1) * _FINE) + 0.5) * side_x / _FINE * mpp.x
    y = (np.arange((len(rows) - 1) * _FINE) + 0.5) * side_y / _FINE * mpp.y
    fine = inside(x[None, :], y[:, None])
    share = fine.reshape(len(rows) - 1, _FINE, len(columns) - 1, _FINE).mean(axis=(1, 3))
    return TissueBoxes(share, share >= 0.5, np.zeros(share.shape, np.bool_), columns, rows, mpp)


def discs(
    centres_um: Sequence[Sequence[float]] | Floats, radius_um: float
) -> Callable[[Floats, Floats], NDArray[np.bool_]]:
    """Discs round some centres."""

    def inside(x: Floats, y: Floats) -> NDArray[np.bool_]:
        found = np.zeros((y.size, x.size), np.bool_)
        for cx, cy in centres_um:
            found |= (x - cx) ** 2 + (y - cy) ** 2 <= radius_um**2
        return found

    return inside


def grid_um(
    rows: int,
    columns: int,
    pitch_um: float,
    turn_deg: float = 0.0,
    shear: float = 0.0,
    jitter_um: float = 0.0,
    bend_um: float = 0.0,
    pitch_y: float = 1.0,
    seed: int = 7,
) -> Floats:
    """Centres of a grid, float64 (rows, columns, 2), in the middle of a slide of 24 × 20 mm."""  # fmt: skip
    r, c = np.mgrid[:rows, :columns].astype(np.float64)
    r, c = r - (rows - 1) / 2, c - (columns - 1) / 2
    x, y = (c + shear * r) * pitch_um, r * pitch_um * pitch_y + bend_um * (c / (columns / 2)) ** 2
    turn = np.radians(turn_deg)
    turned = np.stack([x * np.cos(turn) - y * np.sin(turn), x * np.sin(turn) + y * np.cos(turn)], axis=-1)
    moved = np.random.default_rng(seed).normal(0, jitter_um, turned.shape)
    return np.asarray(turned + moved + np.array([12_000.0, 10_000.0]))
