"""compute: how far one more measurement may lie from what many would say on average; pure.

On one of the occasions that were tried, or on another one, of which those are a sample. Every array may have leading
axes, as in `two_way`.
"""

from typing import Any

import numpy as np

from wsi_area.compute.repeats.two_way import Floats, TwoWay, degrees_of_freedom
from wsi_area.frozen_value import frozen_value

COVERAGE = 0.9545
"""Share that an expanded uncertainty is to hold."""
_MOST_FREEDOM, _STEPS = 1e6, 60
_ROUND_UP = 1 + 1e-6  # whoever cuts degrees of freedom down to a whole number is not to lose one to rounding
_Z_95 = 1.96
_MOST_SD = 6.0


@frozen_value(eq=False)
class Spread:
    """A standard deviation of ln mm² and how well it is known itself, float64 (...)."""

    sd: Floats
    degrees_of_freedom: Floats


def on_these_occasions(table: TwoWay) -> Spread:
    """Return the spread of a measurement on one of the occasions of a table, about the mean of these.

    The offset of each is known from as many subjects as there are, so that the error's degrees of freedom count.
    """
    n, k = table.subjects, table.occasions
    square = (k - 1) / k * table.ms_occasions / n + (n - 1) / n * table.ms_error
    return Spread(np.sqrt(square), np.full(np.shape(square), float(table.df_error)))


def on_another_occasion(table: TwoWay) -> Spread:
    """Return the spread of a measurement on an occasion that a table has not, about the mean of all there could be.

    Of occasions and errors each has a reach of its own, Student's t times its part of the spread; together they reach
    as far as the root of their squares. The degrees of freedom are those at which t times the spread reaches so far.
    By Welch and Satterthwaite alone two scanners that happen to agree would pass for many.
    """
    from scipy.special import stdtrit  # imported here: it takes longer to load than most commands take

    upper, n = (1 + COVERAGE) / 2, table.subjects
    occasions, error = table.ms_occasions / n, table.ms_error * (n - 1) / n
    square = occasions + error
    reach = stdtrit(table.occasions - 1, upper) ** 2 * occasions + stdtrit(table.df_error, upper) ** 2 * error
    wanted = np.sqrt(reach / np.where(square > 0, square, 1.0))
    low, high = np.ones(np.shape(square)), np.full(np.shape(square), _MOST_FREEDOM)
    for _ in range(_STEPS):
        middle = np.sqrt(low * high)
        is_wide = stdtrit(middle, upper) > wanted
        low, high = np.where(is_wide, middle, low), np.where(is_wide, high, middle)
    return Spread(np.sqrt(square), high * _ROUND_UP)


def on_any_repeat(table: TwoWay) -> Spread:
    """Return the spread of a measurement where occasions are nothing but the order of repeats."""
    return Spread(np.sqrt(table.ms_within), degrees_of_freedom(table))


def relative_u(sd: Any) -> Any:
    """Return the standard uncertainty of an area over the area, 1.96 of which reach the farther end.

    An area whose logarithm spreads reaches farther up than down.

    >>> round(float(relative_u(0.1)), 6)
    0.110473
    """
    return np.expm1(_Z_95 * np.minimum(sd, _MOST_SD)) / _Z_95
