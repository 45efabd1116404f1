"""segmenters: how far the light falls over the field, from the glass that a slide shows; numpy only."""

import numpy as np
from numpy.typing import NDArray

from wsi_area.model.light import GlassRgb
from wsi_area.model.pixels import MaskArray, RgbArray

BLOCKS = 32  # along the longer side
NEAR_GLASS = 0.03  # of its level: a block within that of the glass is glass
STEP = 0.03  # of its level: so much may neighbouring blocks of glass differ; the rim of tissue is a larger step
MOST_SPREAD = 6.0  # grey levels: standard deviation within a block of bare glass
LEAST_BLOCKS = 12
MOST_RESIDUAL = 0.015  # of the level, rms: light falls smoothly, tissue does not


def fall_over_field(rgb: RgbArray, wanted: MaskArray, glass: GlassRgb) -> float | None:
    """Return by what share the light falls over the field, or None where too little glass shows it.

    From blocks of the colour of the glass on, neighbours are taken in that are as flat and differ by little; through
    all of them a surface of second degree is laid. ``1 - least / most`` of it is the fall.

    Parameters
    ----------
    rgb : uint8 (h, w, 3), the overview's frame
    wanted : bool (h, w)
        True where it was scanned.
    glass
        Colour of the glass.
    """
    means, spread = _block_statistics(rgb, wanted)
    level = sum(glass) / 3
    flat = spread <= MOST_SPREAD
    chain = flat & (np.abs(means - level) <= NEAR_GLASS * level)
    while True:
        grown = chain | (flat & _has_like_neighbour(means, chain, STEP * level))
        if (grown == chain).all():
            break
        chain = grown
    y, x = np.nonzero(chain)
    if len(y) < LEAST_BLOCKS:
        return None
    u, v = x / max(chain.shape), y / max(chain.shape)
    terms = np.stack([np.ones_like(u), u, v, u * u, u * v, v * v], axis=1)
    seen = means[chain]
    fitted = terms @ np.linalg.lstsq(terms, seen, rcond=None)[0]
    if float(np.sqrt(np.mean((fitted - seen) ** 2))) > MOST_RESIDUAL * level:
        return None
    return round(max(0.0, 1 - float(fitted.min()) / float(fitted.max())), 4)


def _block_statistics(rgb: RgbArray, wanted: MaskArray) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return mean of R, G and B of each whole block, and standard deviation; infinite where not all is wanted."""
    side = max(1, -(-max(wanted.shape) // BLOCKS))
    rows, columns = wanted.shape[0] // side, wanted.shape[1] // side
    if not rows or not columns:
        return np.zeros((1, 1)), np.full((1, 1), np.inf)
    cut = np.s_[: rows * side, : columns * side]
    red, green, blue = (rgb[..., channel][cut] for channel in range(3))  # an axis of three is slow to add along
    grey = (red.astype(np.uint32) + green + blue).reshape(rows, side, columns, side)
    whole = wanted[cut].reshape(rows, side, columns, side).all(axis=(1, 3))
    means = grey.mean(axis=(1, 3))
    squares = np.einsum("iajb,iajb->ij", grey, grey, dtype=np.float64) / side**2
    spread = np.sqrt(np.maximum(squares - means**2, 0)) / 3
    return means / 3, np.where(whole, spread, np.inf)


def _has_like_neighbour(means: NDArray[np.float64], chain: MaskArray, step: float) -> MaskArray:
    """Return bool (h, w), True beside, above or below a block of the chain from which a block differs little."""
    found = np.zeros(chain.shape, np.bool_)
    for here, there in (
        (np.s_[1:, :], np.s_[:-1, :]), (np.s_[:-1, :], np.s_[1:, :]),
        (np.s_[:, 1:], np.s_[:, :-1]), (np.s_[:, :-1], np.s_[:, 1:]),
    ):  # fmt: skip
        found[here] |= chain[there] & (np.abs(means[here] - means[there]) <= step)
    return found
