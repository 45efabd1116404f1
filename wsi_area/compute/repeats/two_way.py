"""compute: the spread of repeats and ICC(2,1), from a table of subjects and occasions; pure.

The table has no gap. Each value is the sum of a mean, a subject, an occasion (a scanner, a day, a reader) and an error,
the last three drawn from normal distributions. Every array may have leading axes: many tables at once, as a simulation
of coverage needs.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from wsi_area.frozen_value import frozen_value

Floats = NDArray[np.float64]

TAIL = 0.025
"""Chance that an end of an interval leaves outside."""


@frozen_value(eq=False)
class Interval:
    """A value with its 95 % interval, float64 (...)."""

    value: Floats
    low_95: Floats
    high_95: Floats


@frozen_value(eq=False)
class TwoWay:
    """The mean squares of a table of subjects and occasions, float64 (...)."""

    subjects: int
    occasions: int
    ms_subjects: Floats
    ms_occasions: Floats
    ms_error: Floats

    @property
    def df_error(self) -> int:
        """Return the degrees of freedom of the error."""
        return (self.subjects - 1) * (self.occasions - 1)

    @property
    def ms_within(self) -> Floats:
        """Return the mean square within subjects: what occasions and errors make together."""
        return (self.ms_occasions + (self.subjects - 1) * self.ms_error) / self.subjects


def two_way(values: Floats) -> TwoWay:
    """Return the mean squares of a table.

    Parameters
    ----------
    values : float64 (..., subjects, occasions)

    >>> found = two_way(np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]))
    >>> float(found.ms_subjects), float(found.ms_occasions), float(found.ms_error)
    (8.0, 1.5, 0.0)
    """
    n, k = values.shape[-2:]
    whole = values.mean(axis=(-2, -1), keepdims=True)
    rows, columns = values.mean(axis=-1, keepdims=True) - whole, values.mean(axis=-2, keepdims=True) - whole
    rest = values - whole - rows - columns
    return TwoWay(
        n, k, k * (rows**2).sum((-2, -1)) / (n - 1), n * (columns**2).sum((-2, -1)) / (k - 1),
        (rest**2).sum((-2, -1)) / ((n - 1) * (k - 1)),
    )  # fmt: skip


def repeatability_sd(table: TwoWay) -> Interval:
    """Return the standard deviation of the error: of repeats on one occasion, were the occasions all alike.

    The limits are those of a chi-square.
    """
    low, high = _chi_square_limits(table.df_error)
    return Interval(*(np.sqrt(table.ms_error * factor) for factor in (1.0, low, high)))


def reproducibility_sd(table: TwoWay) -> Interval:
    """Return the standard deviation of one measurement of a subject on any occasion: occasions and error together.

    The limits are those of a sum of two mean squares by Graybill and Wang (Journal of the American Statistical
    Association 75, 1980). Two occasions say little of all others, so that the upper one is then far away.
    """
    n, k = table.subjects, table.occasions
    parts = [(table.ms_occasions / n, k - 1), (table.ms_error * (n - 1) / n, table.df_error)]
    limits = [_chi_square_limits(df) for _, df in parts]
    within = table.ms_within
    below = np.sqrt(sum(((1 - low) * part) ** 2 for (part, _), (low, _) in zip(parts, limits, strict=True)))
    above = np.sqrt(sum(((high - 1) * part) ** 2 for (part, _), (_, high) in zip(parts, limits, strict=True)))
    return Interval(np.sqrt(within), np.sqrt(np.maximum(within - below, 0)), np.sqrt(within + above))


def degrees_of_freedom(table: TwoWay) -> Floats:
    """Return the effective degrees of freedom of the reproducibility (Welch and Satterthwaite, GUM G.4.1).

    0 where nothing differs, and nothing is known of how much could.
    """
    n, k = table.subjects, table.occasions
    occasions, error = table.ms_occasions / n, table.ms_error * (n - 1) / n
    below = occasions**2 / (k - 1) + error**2 / table.df_error
    return np.where(below > 0, (occasions + error) ** 2 / np.where(below > 0, below, 1.0), 0.0)


def icc_agreement(table: TwoWay, draws: int = 20_000) -> Interval:
    """Return ICC(2,1), the agreement of single measurements (Shrout and Fleiss, Psychological Bulletin 86, 1979).

    Its interval has the wider end of two: the published one (`icc_published`), which covers no more than 78 % where
    few occasions differ much, and the generalised one, from draws of the chi-squares that the mean squares follow
    (Weerahandi, Journal of the American Statistical Association 88, 1993). The draws are the same each time. NaN where
    all values are equal.
    """
    published = icc_published(table)
    n, k = table.subjects, table.occasions
    random = np.random.default_rng(0)
    freedoms = (n - 1, k - 1, table.df_error)
    squares = (table.ms_subjects, table.ms_occasions, table.ms_error)
    rows, columns, error = (
        np.asarray(square)[..., None] * (df / random.chisquare(df, draws))
        for square, df in zip(squares, freedoms, strict=True)
    )
    of_subjects, of_occasions = np.maximum((rows - error) / k, 0), np.maximum((columns - error) / n, 0)
    with np.errstate(invalid="ignore"):
        low, high = np.quantile(of_subjects / (of_subjects + of_occasions + error), (TAIL, 1 - TAIL), axis=-1)
    return Interval(published.value, np.fmin(low, published.low_95), np.fmax(high, published.high_95))


def icc_published(table: TwoWay) -> Interval:
    """Return ICC(2,1) with the interval of McGraw and Wong (Psychological Methods 1, 1996)."""
    from scipy.special import fdtri  # imported here: it takes longer to load than most commands take

    n, k = table.subjects, table.occasions
    rows, columns, error = table.ms_subjects, table.ms_occasions, table.ms_error
    with np.errstate(divide="ignore", invalid="ignore"):
        icc = (rows - error) / (rows + (k - 1) * error + k * (columns - error) / n)
        a, b = k * icc / (n * (1 - icc)), 1 + k * icc * (n - 1) / (n * (1 - icc))
        df = (a * columns + b * error) ** 2 / ((a * columns) ** 2 / (k - 1) + (b * error) ** 2 / table.df_error)
        least, most = fdtri(n - 1, df, 1 - TAIL), fdtri(df, n - 1, 1 - TAIL)
        rest = k * columns + (k * n - k - n) * error
        low = n * (rows - least * error) / (least * rest + n * rows)
        high = n * (most * rows - error) / (rest + n * most * rows)
    return Interval(icc, np.maximum(low, -1), np.minimum(high, 1))


def _chi_square_limits(df: int) -> tuple[float, float]:
    """Return by what a mean square is multiplied for its lower and its upper limit."""
    from scipy.special import chdtri  # imported here: it takes longer to load than most commands take

    return df / float(chdtri(df, TAIL)), df / float(chdtri(df, 1 - TAIL))


def variation(sd_log: Any) -> Any:
    """Return the coefficient of variation of an area whose logarithm has a standard deviation.

    >>> round(float(variation(0.1)), 6)
    0.100251
    """
    return np.sqrt(np.expm1(np.square(sd_log)))
