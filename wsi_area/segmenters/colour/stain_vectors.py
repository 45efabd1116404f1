"""segmenters: published stain vectors, and the colour deconvolution weights that follow from them."""

from collections.abc import Mapping

import numpy as np

from wsi_area.errors import SettingsError

Vector = tuple[float, float, float]

_HEMATOXYLIN: Vector = (0.65, 0.70, 0.29)
_EOSIN: Vector = (0.07, 0.99, 0.11)

# Optical density of R, G, B per unit of stain, as published; not normalised again, so that the densities
# are those of scikit-image. h-e-dab: Ruifrok & Johnston 2001 (skimage ``rgb2hed``); h-dab: G. Landini's
# Colour Deconvolution (skimage ``hdx_from_rgb``), QuPath's default; h-e: the first two of h-e-dab.
NAMED_VECTORS: dict[str, dict[str, Vector]] = {
    "h-e-dab": {"hematoxylin": _HEMATOXYLIN, "eosin": _EOSIN, "dab": (0.27, 0.57, 0.78)},
    "h-dab": {"hematoxylin": (0.650, 0.704, 0.286), "dab": (0.268, 0.570, 0.776)},
    "h-e": {"hematoxylin": _HEMATOXYLIN, "eosin": _EOSIN},
}
_SMALLEST_VOLUME = 0.03  # of the box that unit vectors span: below it, noise decides which stain is which


def normalised(vectors: Mapping[str, Vector]) -> dict[str, Vector]:
    """Return the vectors with length 1, so that a density is the OD along its stain.

    Raises
    ------
    SettingsError
        If a vector is zero.

    >>> normalised({"dab": (0.0, 3.0, 4.0)})
    {'dab': (0.0, 0.6, 0.8)}
    """
    unit = {}
    for name, vector in vectors.items():
        length = float(np.sqrt(sum(v * v for v in vector)))
        if not length > 0:
            raise SettingsError(f"stain vector {name!r} is {vector}, which has no direction; give its OD of R, G, B")
        unit[name] = (vector[0] / length, vector[1] / length, vector[2] / length)
    return unit


def density_weights(vectors: Mapping[str, Vector], target: str) -> Vector:
    """Return the weights by which the OD of R, G and B contribute to the density of the target stain.

    One column of the inverse of the stain matrix (Ruifrok & Johnston 2001), by cross products in plain
    floating point, so that every machine has the same weights. For two stains the third vector is their
    cross product: what is neither.

    Raises
    ------
    SettingsError
        If the target is not among the stains, there are not 2 or 3, or they lie in one plane.

    >>> density_weights({"red": (1.0, 0.0, 0.0), "green": (0.0, 1.0, 0.0)}, "green")
    (0.0, 1.0, 0.0)
    """
    if target not in vectors:
        raise SettingsError(f"target stain {target!r} is not among the stain vectors: {', '.join(vectors)}")
    if len(vectors) not in (2, 3):
        raise SettingsError(f"{len(vectors)} stain vectors given; a colour can be split into 2 or 3 stains")
    rows = list(vectors.values())
    if len(rows) == 2:
        rows.append(_cross(rows[0], rows[1]))
    lengths = [float(np.sqrt(_dot(row, row))) for row in rows]
    volume = _dot(rows[0], _cross(rows[1], rows[2]))
    if abs(volume) <= _SMALLEST_VOLUME * lengths[0] * lengths[1] * lengths[2]:
        raise SettingsError(f"the stain vectors {', '.join(vectors)} lie in one plane; no colour can be split by them")
    index = list(vectors).index(target)
    across = _cross(rows[(index + 1) % 3], rows[(index + 2) % 3])
    return (across[0] / volume, across[1] / volume, across[2] / volume)


def _cross(a: Vector, b: Vector) -> Vector:
    return (a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0])


def _dot(a: Vector, b: Vector) -> float:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
