"""benchmarks: how often the intervals of repeated measurements hold the true spread, ICC, bias and limits.

``python -m benchmarks.coverage.repeats`` draws tables of subjects and occasions from normal distributions, asks the
product's own functions, and writes the least coverage of each number of subjects and occasions into
``docs/uncertainty.md``.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from benchmarks.coverage.page import arguments, replaced_table
from wsi_area.compute.repeats.limits_of_agreement import Z_95, limits_of_agreement
from wsi_area.compute.repeats.next_measurement import (
    COVERAGE,
    Spread,
    on_another_occasion,
    on_these_occasions,
    relative_u,
)
from wsi_area.compute.repeats.two_way import (
    Interval,
    icc_agreement,
    icc_published,
    repeatability_sd,
    reproducibility_sd,
    two_way,
)

DRAWS, AT_ONCE, ICC_DRAWS = 10_000, 1000, 1500
SUBJECTS, OCCASIONS = (3, 5, 10, 20, 50), (2, 3, 5)
SD_SUBJECTS = 0.8
SPREADS = ((0.0, 0.1), (0.05, 0.1), (0.2, 0.05))  # of occasions, of errors
NAMES = (
    "CV on one occasion", "CV on any occasion", "ICC(2,1)", "ICC(2,1) as published", "bias", "limits",
    "one more on another occasion", "one more on one of these",
)  # fmt: skip


def tables(
    draws: int, subjects: int, occasions: int, spread: tuple[float, float], rng: np.random.Generator
) -> Iterator[NDArray[np.float64]]:
    """Blocks of tables, float64 (tables, subjects, occasions), and what their occasions add, in the last subject."""
    for first in range(0, draws, AT_ONCE):
        many = min(AT_ONCE, draws - first)
        added = rng.normal(0, 1, (many, 1, occasions)) * spread[0]
        values = rng.normal(0, SD_SUBJECTS, (many, subjects, 1)) + added
        yield np.concatenate([values + rng.normal(0, spread[1], (many, subjects, occasions)), added], axis=1)


def held(found: Interval, truth: float | NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether each interval holds the truth."""
    return np.asarray((found.low_95 <= truth) & (truth <= found.high_95))


def coverage(
    draws: int, subjects: int, occasions: int, spread: tuple[float, float], rng: np.random.Generator
) -> NDArray[np.float64]:
    """The share of tables whose interval holds the truth, by `NAMES`; of the two limits the one held less often."""
    within = float(np.hypot(*spread))
    icc = SD_SUBJECTS**2 / (SD_SUBJECTS**2 + within**2)
    found: list[list[NDArray[np.bool_]]] = []
    for block in tables(draws, subjects, occasions, spread, rng):
        values, added = block[:, :-1], block[:, -1]
        table, pair = two_way(values), limits_of_agreement(values[:, :, 1] - values[:, :, 0])
        own = added[:, 0] - added.mean(axis=1)
        bias, reach = added[:, 1] - added[:, 0], Z_95 * np.sqrt(2) * spread[1]
        found.append(
            [
                held(repeatability_sd(table), spread[1]), held(reproducibility_sd(table), within),
                held(icc_agreement(table, ICC_DRAWS), icc), held(icc_published(table), icc), held(pair.bias, bias),
                held(pair.lower, bias - reach), held(pair.upper, bias + reach),
                reaches(on_another_occasion(table), rng.normal(0, within, len(block))),
                reaches(on_these_occasions(table), own + rng.normal(0, spread[1], len(block))),
            ]
        )  # fmt: skip
    shares = np.array([np.concatenate(column).mean() for column in zip(*found, strict=True)])
    return np.array([*shares[:5], shares[5:7].min(), *shares[7:]])


def reaches(spread: Spread, error: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether the true area lies within t u of one more measurement, whose logarithm is off by an error."""
    freedom = np.maximum(1.0, np.floor(spread.degrees_of_freedom))
    half = stdtrit(freedom, (1 + COVERAGE) / 2) * relative_u(spread.sd)
    true = np.exp(-error)
    return np.asarray((np.maximum(0, 1 - half) <= true) & (true <= 1 + half))


def main() -> None:
    given = arguments(__doc__, DRAWS)
    rng = np.random.default_rng(given.seed)
    lines = [f"| subjects | occasions | {' | '.join(NAMES)} |", "|" + "---|" * (2 + len(NAMES))]
    for subjects in SUBJECTS:
        for occasions in OCCASIONS:
            least = np.min([coverage(given.draws, subjects, occasions, s, rng) for s in SPREADS], axis=0)
            told = " | ".join(f"{share:.1%}" for share in least)
            lines.append(f"| {subjects} | {occasions} | {told} |")
            print(lines[-1], flush=True)
    lines += ["", f"{given.draws} draws for each of {len(SPREADS)} pairs of spreads; each cell is the least of these."]
    replaced_table(given.page, "repeats", "\n".join(lines))


if __name__ == "__main__":
    main()
