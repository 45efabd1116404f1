"""compute: by how much an area changes where it is counted in other pixels, and what that says of its error; pure."""

import math

import numpy as np
from numpy.typing import NDArray

from wsi_area.compute.budget.rows import exact, rectangular, uncorrected, unknown
from wsi_area.frozen_value import frozen_value
from wsi_area.model.record.budget.uncertainty_budget import BudgetRow

Ints = NDArray[np.int64]

FINE_UM = 2.1
"""Level 0 with larger pixels than that is an overview: it shows no lace, and what it hides nobody knows."""
_REMEDY = "a finer tiling.work_mpp, which costs more pixels"


@frozen_value
class OtherPixels:
    """One area in parts of some tiles, counted in work pixels and in pixels of another size."""

    change: float  # of the area in the other pixels over that in work pixels, less 1
    change_u: float  # standard uncertainty of that, from the spread over the tiles
    tiles: int
    of_tiles: int  # that were read


@frozen_value
class PixelSteps:
    """How a work pixel came about: what lies between it, the pixels it was compared with, and level 0."""

    work_um: float
    reduce_factor: int  # level pixels along the edge of a work pixel; above 1 the level's were compared, else 2 × 2
    level_um: float
    level_0_um: float

    @property
    def is_level_0(self) -> bool:
        """Return True if the work pixels are those of level 0."""
        return math.isclose(self.work_um, self.level_0_um, rel_tol=1e-3)

    @property
    def other_um(self) -> float:
        """Return the size of the pixels that the work pixels were compared with."""
        return self.level_um if self.reduce_factor > 1 else 2 * self.work_um

    @property
    def reach(self) -> float:
        """Return the number of times the change seen that the error against level 0 may be.

        Towards finer pixels a halving changes an area by no more than the step that was seen, as far as real tissue and
        masks show (`benchmarks.coverage.area_budget`). Of the steps that were not looked at, three count: beyond them
        the outlines are smooth.

        >>> PixelSteps(2.0, 4, 0.5, 0.5).reach, PixelSteps(2.0, 2, 1.0, 0.25).reach, PixelSteps(2.0, 1, 2.0, 0.5).reach
        (1.0, 3.0, 2.0)
        """
        unseen = min(3.0, math.log2(self.level_um / self.level_0_um))
        if self.reduce_factor == 1:
            return max(1.0, unseen)
        return 1 + unseen / math.log2(self.reduce_factor)


def other_pixels(here: Ints, other: Ints, of_tiles: int, share: float) -> OtherPixels | None:
    """Return the change of an area in other pixels; None where none of it lies in the parts that were compared.

    A ratio of sums over tiles with its standard uncertainty as a ratio estimator, less where much of all was compared.

    Parameters
    ----------
    here, other : int64 (tiles, 2)
        Level-0 px of the area, and of all classes, in the parts compared: in work pixels, and in the others.
    of_tiles : int
        Tiles that were read.
    share : float
        Of all that was read, what was compared.

    >>> other_pixels(np.array([[100, 200], [50, 100]]), np.array([[110, 200], [55, 100]]), 2, 0.25).change
    0.10000000000000009
    """
    compared = here[:, 1] > 0
    here, other = here[compared].astype(float), other[compared].astype(float)
    if not here[:, 0].sum() or not other[:, 1].sum():
        return None
    level = here[:, 1].sum() / other[:, 1].sum()  # what half-scanned boxes make of the sums
    ratio = float(other[:, 0].sum() * level / here[:, 0].sum())
    n = len(here)
    residuals = other[:, 0] * level - ratio * here[:, 0]
    spread = math.sqrt(n / (n - 1) * float((residuals**2).sum())) / here[:, 0].sum() if n > 1 else abs(ratio - 1)
    return OtherPixels(ratio - 1, math.sqrt(max(0.0, 1 - share)) * float(spread), n, of_tiles)


def student_95(degrees_of_freedom: int) -> float:
    """Return Student's t that holds 95 %, by its expansion about the normal; for fewer than 2 that of 2.

    Abramowitz and Stegun 26.7.5, two terms: within 4 % from 3 on. Nothing is imported for it.

    >>> [round(student_95(n), 2) for n in (3, 10, 1000)]
    [3.06, 2.23, 1.96]
    """
    z, n = 1.959964, max(2, degrees_of_freedom)
    return z + (z**3 + z) / (4 * n) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * n**2)


def signed_percent(percent: float) -> str:
    """Return a percentage with its sign.

    >>> signed_percent(-3.814), signed_percent(0.2)
    ('−3.81 %', '+0.20 %')
    """
    return f"{percent:+.2f} %".replace("-", "−")


def work_pixel_row(
    area_mm2: float, steps: PixelSteps, seen: OtherPixels | None, u_count_mm2: float, is_drawn: bool
) -> BudgetRow:
    """Return the row of the size of the work pixel: what level 0 would have shown, from what other pixels show.

    Parameters
    ----------
    area_mm2
        As it was counted.
    steps
        The pixels in question.
    seen
        How the area changes; None where nothing was compared.
    u_count_mm2
        Of counting in work pixels: boxes of two by two are counted √8 times less surely, and so is what they show.
    is_drawn
        Whether somebody drew it: the outline knows no pixels.
    """
    if is_drawn:
        return exact("work_pixel", "drawn: the outline has no pixels, and counting holds those of the grid")
    if steps.is_level_0 and steps.level_0_um > FINE_UM:
        why = f"not assessed: nothing finer than {steps.level_0_um:.4g} µm was scanned"
        return unknown("work_pixel", why, "scan the slide with finer pixels")
    if steps.is_level_0:
        return exact("work_pixel", "counted in the pixels of level 0")
    if not area_mm2:
        return exact("work_pixel", "nothing was counted")
    if seen is None:
        why = f"not assessed in pixels of {steps.work_um:.4g} µm: no tile was counted in others, for neighbours or a "
        return unknown("work_pixel", f"{why}model decide, or none of it lay in the tiles compared", _REMEDY)
    of_boxes = 0.0 if steps.reduce_factor > 1 else math.sqrt(8) * u_count_mm2 / area_mm2
    half = steps.reach * math.hypot(seen.change, student_95(seen.tiles - 1) * seen.change_u, 1.96 * of_boxes)
    is_seen = steps.reduce_factor > 1 and steps.reach == 1
    further = "these are those of level 0" if is_seen else f"against level 0 no more than {steps.reach:.2g} times that"
    source = (
        f"counted again in pixels of {steps.other_um:.4g} µm in parts of {seen.tiles} of the {seen.of_tiles} tiles "
        f"read: {signed_percent(100 * seen.change)}; {further}"
    )
    row = uncorrected if steps.reduce_factor > 1 else rectangular
    return row("work_pixel", source, half * area_mm2, 100 * seen.change, "%", _REMEDY)
