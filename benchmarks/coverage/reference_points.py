"""benchmarks: how often the interval of an area from reference points holds the true area, and how wide it is.

``python -m benchmarks.coverage.reference_points`` draws each sample 10 000 times from maps whose truth is known, asks
the product's own functions for strata, numbers of points and intervals, and writes the table into
``docs/uncertainty.md``. It takes about half a minute on one core.
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy.places import REPO
from benchmarks.coverage.maps import MapPair, gland_pairs, map_pairs
from benchmarks.coverage.page import replaced_table
from wsi_area.compute.reference.allocation import allocated
from wsi_area.compute.reference.strata import strata_of
from wsi_area.compute.reference.stratified_area import StratifiedArea, mean_of_readers, stratified_area, with_scale

DRAWS, POINTS = 10_000, (50, 100, 200, 300, 500, 1000)
REACH_PX, U_SCALE = 3, 0.01
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Population:
    """Every pixel by stratum and by what two readers would answer: int64 (strata, classes, classes)."""

    name: str
    answers: NDArray[np.int64]
    mapped_class: NDArray[np.int64]  # (strata,)

    @property
    def sizes(self) -> NDArray[np.int64]:
        return self.answers.sum((1, 2))


@dataclass(frozen=True)
class Cell:
    """What came of one sample size on one map; coverage of the class that is covered least."""

    name: str
    points: int
    one_reader: float
    two_readers: float
    with_scale: float  # one reader, and a pixel size that is off by 1 %
    half_width: float  # one reader, of class 1 over its true area
    published: float  # coverage of the published normal interval, one reader


def population(name: str, pairs: Sequence[MapPair], *, by_slide: bool) -> Population:
    """The strata of one or many maps, each map's own or those of all together."""
    tables, classes = [], pairs[0].class_count
    for pair in pairs:
        strata = strata_of(pair.mapped, classes, REACH_PX).astype(np.int64)
        cells = (strata * classes + pair.truth) * classes + pair.other_reader
        tables.append(np.bincount(cells.ravel(), minlength=2 * classes**3).reshape(2 * classes, classes, classes))
    answers = np.concatenate(tables) if by_slide else np.sum(tables, axis=0)
    filled = answers.sum((1, 2)) > 0
    mapped = np.tile(np.repeat(np.arange(classes), 2), len(tables) if by_slide else 1)
    return Population(name, answers[filled], mapped[filled])


def cells_of(what: Population, rng: np.random.Generator, points: Sequence[int] = POINTS) -> Iterator[Cell]:
    """One cell for each number of points."""
    for asked in points:
        drawn = np.array(allocated(what.sizes.tolist(), asked))
        hits = _draws(what, drawn, rng)
        classes = range(what.answers.shape[1])
        one, two, scaled = (
            [_judged(what, drawn, hits, k, readers, scale, rng) for k in classes]
            for readers, scale in ((1, 0.0), (2, 0.0), (1, U_SCALE))
        )
        least = [min(coverage for coverage, _, _ in told) for told in (one, two, scaled)]
        yield Cell(what.name, int(drawn.sum()), *least, one[1][1], min(published for _, _, published in one))


def _draws(what: Population, drawn: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """int64 (draws, strata, classes, classes): answers of both readers to the points of each draw."""
    shape = what.answers.shape
    flat = what.answers.reshape(shape[0], -1)
    made = [rng.multinomial(n, row / row.sum(), DRAWS) for n, row in zip(drawn, flat, strict=True)]
    return np.stack(made, axis=1).reshape(DRAWS, *shape)


def _judged(
    what: Population, drawn: NDArray[np.int64], hits: NDArray[np.int64], k: int, readers: int, scale: float,
    rng: np.random.Generator,
) -> tuple[float, float, float]:  # fmt: skip
    """Coverage, relative half width and the published interval's coverage, of one class."""
    sizes, mapped = what.sizes.astype(np.float64), (what.mapped_class == k).astype(np.float64)
    of_reader = [hits[..., k, :].sum(-1), hits[..., :, k].sum(-1)][:readers]
    truths = [what.answers[:, k, :].sum(), what.answers[:, :, k].sum()][:readers]
    none = np.zeros_like(drawn)
    found = mean_of_readers([stratified_area(seen, none, drawn, sizes, mapped) for seen in of_reader])
    wrong = 1 + scale * rng.standard_normal(DRAWS)  # what the pixel size on record makes of every area
    shown = StratifiedArea(found.area * wrong, found.low_95 * wrong, found.high_95 * wrong, found.u_published * wrong)
    shown = with_scale(shown, scale)
    true = float(np.mean(truths))
    held = np.mean((shown.low_95 <= true * (1 + 1e-12)) & (true * (1 - 1e-12) <= shown.high_95))
    published = np.mean(np.abs(shown.area - true) <= 1.96 * shown.u_published)
    return float(held), float(np.mean(shown.high_95 - shown.low_95) / 2 / max(true, 1.0)), float(published)


def all_cells(seed: int) -> Iterator[Cell]:
    """Every cell of the table."""
    rng = np.random.default_rng(seed)
    for pair in map_pairs():
        yield from cells_of(population(pair.name, [pair], by_slide=False), rng)
    glands = gland_pairs()
    yield from cells_of(population("GlaS glands, 85 slides, drawn over the run", glands, by_slide=False), rng)
    few = population("GlaS glands, 10 slides, drawn in each", glands[:10], by_slide=True)
    yield from cells_of(few, rng, (500, 1000))


def table(cells: Sequence[Cell]) -> str:
    """The cells as Markdown."""
    heads = ("map", "points", "one reader", "two readers", "pixel size ± 1 %", "half width", "published ±")
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for c in cells:
        shares = (c.one_reader, c.two_readers, c.with_scale, c.half_width, c.published)
        lines.append(f"| {c.name} | {c.points} | {' | '.join(f'{share:.1%}' for share in shares)} |")
    least = min(min(c.one_reader, c.two_readers, c.with_scale) for c in cells)
    lines += ["", f"The least of {3 * len(cells)} coverages is {least:.2%}."]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--page", type=Path, default=REPO / "docs" / "uncertainty.md")
    given = parser.parse_args()
    made = table(list(all_cells(given.seed)))
    print(made)
    replaced_table(given.page, "reference points", made)


if __name__ == "__main__":
    main()
