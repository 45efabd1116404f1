"""demo: seamless textures of real stained pixels, kept on the side of the thresholds that they stand for.

Source: ``skimage.data.immunohistochemistry``, colon with haematoxylin and DAB. What is done to its pixels:

1. Windows of 104 px are chosen: for *stained* tissue, epithelium that is DAB-positive over most of its area
   and has next to no lumen; for *unstained* tissue, stroma that has next to no DAB.
2. Windows, turned and mirrored at random, are laid over each other with wavy, 10-px-soft rims until a square
   is full; it continues itself at its edges. So every pixel is a real one, or a mixture of real ones at a rim.
3. Stained: DAB is added where a pixel has less than ``STAINED_FLOOR_OD`` of it (chiefly in nuclei).
   Unstained: DAB beyond ``UNSTAINED_CEILING_OD`` is taken away, and an even wash of haematoxylin is added.
4. Both: haematoxylin is added where 255 - min(R, G, B) would stay below ``DARKNESS_FLOOR``, which the pale
   stroma of this picture does: to a threshold that part of it is glass.

Steps 3 and 4 add or take away optical density along a stain's own vector, which is what more or less stain
does (Beer-Lambert). Both published sets of H-DAB vectors are held to the bounds.
"""

import numpy as np
from numpy.typing import NDArray
from skimage.data import immunohistochemistry

from wsi_area.frozen_value import frozen_value
from wsi_area.model.pixels import RgbArray
from wsi_area.segmenters.colour.stain_vectors import NAMED_VECTORS, density_weights

PERIOD_PX = 1280  # a texture repeats after this
MARGIN_PX = 256  # and is stored this much further, so that a tile is one slice of it
STAINED_FLOOR_OD = 0.32  # every stained pixel has at least this density of DAB, before JPEG
UNSTAINED_CEILING_OD = 0.10  # no unstained pixel has more
DARKNESS_FLOOR = 60  # of 255 - min(R, G, B) of every tissue pixel, before JPEG

_WINDOW_PX = 104
_PITCH_PX = 56  # of the windows' centres, so that they cover the square
_RIM_PX = 10
_WASH_OD = 0.12  # of haematoxylin, over the unstained tissue
_SOFT_OD = 0.02  # width of the bend of the darkness floor, so that pale tissue keeps its grain
_VECTORS = NAMED_VECTORS["h-dab"]
_HAEMATOXYLIN = np.array(_VECTORS["hematoxylin"], np.float32)
_DAB = np.array(_VECTORS["dab"], np.float32)
_DAB_WEIGHTS = np.array([density_weights(NAMED_VECTORS[n], "dab") for n in ("h-dab", "h-e-dab")], np.float32)


@frozen_value(eq=False)
class Texture:
    """A square of tissue or glass that continues itself."""

    rgb: RgbArray  # uint8 (PERIOD_PX + MARGIN_PX, PERIOD_PX + MARGIN_PX, 3) RGB

    def cut(self, x_px: int, y_px: int, width_px: int, height_px: int) -> RgbArray:
        """Return uint8 (h, w, 3) RGB of a box of at most ``MARGIN_PX`` a side, anywhere in the plane."""
        x, y = x_px % PERIOD_PX, y_px % PERIOD_PX
        return self.rgb[y : y + height_px, x : x + width_px]


def stained_texture(rng: np.random.Generator) -> Texture:
    """Return DAB-positive tissue: at least ``STAINED_FLOOR_OD`` and ``DARKNESS_FLOOR`` in every pixel."""
    return Texture(_bounded(_quilt(rng, stained=True), stained=True))


def unstained_texture(rng: np.random.Generator) -> Texture:
    """Return tissue without DAB: at most ``UNSTAINED_CEILING_OD``, at least ``DARKNESS_FLOOR``."""
    return Texture(_bounded(_quilt(rng, stained=False), stained=False))


def glass_texture(rng: np.random.Generator) -> Texture:
    """Return empty glass: (243, 243, 243) with a slight noise, the same in R, G and B."""
    side = PERIOD_PX + MARGIN_PX
    grey = 243 + np.clip(np.rint(rng.normal(0.0, 1.2, (side, side, 1))), -4, 4)
    return Texture(np.repeat(grey.astype(np.uint8), 3, axis=2))


def _windows(picture: RgbArray, stained: bool) -> list[RgbArray]:
    """Return the windows of the picture that show one kind of tissue, uint8 (104, 104, 3) each."""
    positive = _dab_od(_optical_density(picture)).min(axis=-1) > 0.2
    darkness = 255 - picture.min(axis=2)
    found = []
    for y in range(0, picture.shape[0] - _WINDOW_PX + 1, 8):
        for x in range(0, picture.shape[1] - _WINDOW_PX + 1, 8):
            box = np.s_[y : y + _WINDOW_PX, x : x + _WINDOW_PX]
            if stained:
                fits = positive[box].mean() > 0.7 and (darkness[box] < DARKNESS_FLOOR).mean() < 0.01
            else:
                fits = positive[box].mean() < 0.04 and (darkness[box] < 25).mean() < 0.12
            if fits:
                found.append(picture[box])
    return found


def _quilt(rng: np.random.Generator, *, stained: bool) -> RgbArray:
    """Return a full square, uint8 (side, side, 3) RGB with its margin, of windows laid over each other."""
    windows = _windows(immunohistochemistry(), stained)
    # the ground shows only where no window came to lie: one window, mirrored both ways
    ground = np.concatenate([windows[0], windows[0][::-1]])
    ground = np.concatenate([ground, ground[:, ::-1]], axis=1)
    repeats = -(-PERIOD_PX // ground.shape[0])
    square = np.tile(ground, (repeats, repeats, 1))[:PERIOD_PX, :PERIOD_PX].astype(np.float32)
    rims = [_rim(rng) for _ in range(24)]
    across = -(-PERIOD_PX // _PITCH_PX)
    for place in rng.permutation(across * across):
        corner = np.array(divmod(int(place), across)) * _PITCH_PX + rng.integers(-18, 19, 2)
        window = np.rot90(windows[rng.integers(len(windows))], int(rng.integers(4)))[:: rng.choice((-1, 1))]
        rows, columns = (np.arange(_WINDOW_PX)[:, None] + corner).T % PERIOD_PX
        box = np.ix_(rows, columns)
        below = square[box]
        square[box] = below + rims[rng.integers(len(rims))] * (window - below)
    return np.pad(np.rint(square).astype(np.uint8), ((0, MARGIN_PX), (0, MARGIN_PX), (0, 0)), mode="wrap")


def _rim(rng: np.random.Generator) -> NDArray[np.float32]:
    """Return the opacity of a window, float32 (104, 104, 1): 1 inside a wavy rim, 0 outside."""
    row, column = np.mgrid[:_WINDOW_PX, :_WINDOW_PX] - (_WINDOW_PX - 1) / 2
    turn, phases = np.arctan2(row, column), rng.uniform(0.0, 2 * np.pi, 2)
    radius = 36 + 3 * np.cos(2 * turn + phases[0]) + 3 * np.cos(3 * turn + phases[1])
    opaque = np.clip((radius - np.hypot(row, column)) / _RIM_PX + 1, 0, 1)
    rim: NDArray[np.float32] = opaque.astype(np.float32)[..., None]
    return rim


def _bounded(rgb: RgbArray, *, stained: bool) -> RgbArray:
    """Return the pixels with their stains held to the bounds; by bands, to need little memory."""
    need_od = float(np.log10(255 / (255 - DARKNESS_FLOOR - 2)))  # 2 for rounding and for the bend
    bounded = np.empty_like(rgb)
    for top in range(0, rgb.shape[0], 128):
        od = _optical_density(rgb[top : top + 128])
        dab = _dab_od(od)
        if stained:
            od += np.maximum(0, STAINED_FLOOR_OD + 0.005 - dab.min(axis=-1))[..., None] * _DAB
        else:
            od -= np.maximum(0, dab.max(axis=-1) - UNSTAINED_CEILING_OD + 0.01)[..., None] * _DAB
            od += _WASH_OD * _HAEMATOXYLIN
        lacking = (need_od - od[..., :2].max(axis=-1)) / _HAEMATOXYLIN[0]
        od += (_SOFT_OD * np.logaddexp(0, lacking / _SOFT_OD))[..., None] * _HAEMATOXYLIN
        bounded[top : top + 128] = np.clip(np.rint(255 * 10**-od), 0, 255)
    return bounded


def _optical_density(rgb: RgbArray) -> NDArray[np.float32]:
    """Return -log10(v / 255), float32 (h, w, 3), with 0 counted as 1."""
    table = -np.log10(np.maximum(np.arange(256), 1) / 255).astype(np.float32)
    od: NDArray[np.float32] = table[rgb]
    return od


def _dab_od(od: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the density of DAB by either set of vectors, float32 (h, w, 2)."""
    density: NDArray[np.float32] = od @ _DAB_WEIGHTS.T
    return density
