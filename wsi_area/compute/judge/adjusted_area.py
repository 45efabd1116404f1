"""compute: the area of each class on a map, freed of the map's bias by a reference sample; pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from wsi_area.compute.judge.agreement import Z_95, Ints
from wsi_area.errors import CountMismatchError


@dataclass(frozen=True, slots=True)
class AdjustedArea:
    """One class's area, freed of the map's bias, with the half width of its 95 % interval; units of the given areas."""

    area: float
    half_width_95: float


def error_adjusted_areas(sample: Ints, mapped_areas: Sequence[float]) -> tuple[AdjustedArea, ...]:
    """Return the area of each class as a reference sample corrects it.

    Olofsson et al. 2014 (Remote Sensing of Environment 148, eq. 4, 9, 10): ``p_ij = W_i n_ij / n_i.``,
    ``A_k = A Σ_i p_ik``, ``S(p_.k)² = Σ_i (W_i p_ik − p_ik²) / (n_i. − 1)``, interval ``± 1.96 A S``.

    Parameters
    ----------
    sample
        int (k, k): reference units by **mapped** class (row; the strata they were drawn from) and true class (column):
        the transpose of a confusion matrix of `wsi_area.compute.judge.agreement`.
    mapped_areas
        Area of each class on the map, in any unit.

    Raises
    ------
    CountMismatchError
        If a mapped class with an area has fewer than two reference units: its error is unknown.

    >>> [round(a.area) for a in error_adjusted_areas(np.array([[45, 5], [0, 50]]), [100, 900])]
    [90, 910]
    """
    drawn = sample.sum(axis=1)
    total = math.fsum(mapped_areas)
    means, variances = np.zeros(len(mapped_areas)), np.zeros(len(mapped_areas))
    for row, n, area in zip(sample, drawn.tolist(), mapped_areas, strict=True):
        if not area:
            continue
        if n < 2:
            raise CountMismatchError(f"a mapped class of area {area} has {n} reference units; draw two or more from it")
        weight = area / total
        shares = weight * row / n
        means += shares
        variances += (weight * shares - shares**2) / (n - 1)
    half_widths = Z_95 * total * np.sqrt(variances)
    return tuple(AdjustedArea(float(total * m), float(h)) for m, h in zip(means, half_widths, strict=True))
