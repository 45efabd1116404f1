"""benchmarks: how often the interval of an estimate from random spots holds the true area.

``python -m benchmarks.coverage.spot_estimates`` draws spots of real maps with other seeds, by the product's own rounds
until the interval is as narrow as was asked, and writes the table into ``docs/uncertainty.md``.
"""

import argparse
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy.places import REPO
from benchmarks.coverage.maps import MapPair, gland_pairs, map_pairs
from benchmarks.coverage.page import replaced_table
from wsi_area.compute.estimate.estimator import totals_of
from wsi_area.compute.estimate.frame import SpotFrame, random_numbers
from wsi_area.compute.estimate.rounds import first_sample, is_exact, next_sample
from wsi_area.compute.estimate.slide_frame import Quantity, slide_frame

DRAWS, WANTED_PCT = 10_000, (10.0, 5.0, 2.0)
MOST = 0.5
"""Share of the spots beyond which nobody estimates: a line ends there, exact enough or not."""
SPOT_PX = {"CAMELYON": 8, "BCSS": 16, "OS-2": 16}
GLAND_SPOT_PX = 32


@dataclass(frozen=True)
class Population:
    """A map cut into spots: what each holds, and what a coarse look says of it."""

    name: str
    counted_px: NDArray[np.float64]  # (n, classes)
    frame: SpotFrame
    has_look: bool


def populations() -> Iterator[Population]:
    """Every map with a coarse look that errs as maps do; and without one."""
    pairs = list(map_pairs())
    for pair in pairs:
        spot_px = next(px for name, px in SPOT_PX.items() if pair.name.startswith(name))
        yield _population(pair.name, [pair], spot_px, pair.class_count, has_look=True)
    glands = gland_pairs()
    yield _population("GlaS glands, 85 images side by side", glands, GLAND_SPOT_PX, 2, has_look=True)
    for name in ("BCSS, four classes, smoothed", "OS-2 brown, coarse and another threshold"):
        pair = next(pair for pair in pairs if pair.name == name)
        yield _population(f"{name.split(',')[0]}, no coarse look", [pair], 16, pair.class_count, has_look=False)
    yield _population("GlaS glands, no coarse look", glands, GLAND_SPOT_PX, 2, has_look=False)


def _population(name: str, pairs: list[MapPair], spot_px: int, classes: int, *, has_look: bool) -> Population:
    truth, look = (
        np.concatenate([_counts(getattr(p, of), spot_px, classes) for p in pairs], axis=1)
        if len(pairs) == 1
        else _mosaic([_counts(getattr(p, of), spot_px, classes) for p in pairs])
        for of in ("truth", "mapped")
    )
    area = truth.sum(axis=2)
    aim = Quantity("class", "", (1,))
    shares = look / np.maximum(look.sum(axis=2, keepdims=True), 1) if has_look else None
    frame = slide_frame(area > 0, np.zeros_like(area, np.bool_), area.astype(np.int64), shares, aim, 0, 0.0)
    return Population(name, truth[area > 0].astype(np.float64), frame, has_look)


def _counts(codes: NDArray[np.uint8], spot_px: int, classes: int) -> NDArray[np.int64]:
    rows, cols = (side // spot_px for side in codes.shape)
    spots = codes[: rows * spot_px, : cols * spot_px].reshape(rows, spot_px, cols, spot_px)
    return np.stack([(spots == k).sum(axis=(1, 3)) for k in range(classes)], axis=2)


def _mosaic(images: list[NDArray[np.int64]]) -> NDArray[np.int64]:
    """Images of one size side by side in five rows; those of another size are cut to the commonest."""
    rows, cols = min(i.shape[0] for i in images), min(i.shape[1] for i in images)
    cut = [image[:rows, :cols] for image in images]
    return np.concatenate([np.concatenate(cut[k::5], axis=1) for k in range(5)], axis=0)


@dataclass(frozen=True)
class Line:
    """What the draws of one map came to, for one width that was asked."""

    share_drawn: float
    coverage: NDArray[np.float64]  # by class
    half_width: float  # mean, over the true area
    rmse: float


Drawn = tuple[int, NDArray[np.bool_], float, float]
"""Of one seed: spots drawn, which classes' intervals hold the truth, half width and error of the aim over its area."""


def lines_of(population: Population, draws: int) -> list[Line]:
    """A line for each width that was asked for, all from the same draws."""
    return [_line(rows, len(population.frame)) for rows in draws_of(population, range(draws))]


def draws_of(population: Population, seeds: Iterable[int]) -> list[list[Drawn]]:
    """What each seed comes to, for each width that was asked for."""
    true = population.counted_px.sum(axis=0)
    found: list[list[Drawn]] = [[] for _ in WANTED_PCT]
    for seed in seeds:
        frame = replace(population.frame, number=random_numbers(seed, population.frame.place))
        sample = first_sample(frame, has_look=population.has_look)
        for n, wanted in enumerate(WANTED_PCT):
            while True:
                drawn = sample.drawn
                totals = totals_of(sample.frame, drawn, population.counted_px[drawn])
                if is_exact(totals, 1, wanted) or len(drawn) > MOST * len(frame):
                    break
                larger = next_sample(sample, totals, 1, wanted, lambda _: True)
                if larger is None:
                    break
                sample = larger
            holds = (totals.low_px <= true + 1e-6) & (totals.high_px >= true - 1e-6)
            half, off = totals.half_width_px[1] / true[1], totals.estimate_px[1] / true[1] - 1
            found[n].append((len(drawn), holds, float(half), float(off)))
    return found


def _line(rows: list[Drawn], spots: int) -> Line:
    drawn, holds, halves, errors = zip(*rows, strict=True)
    rmse = float(np.sqrt(np.mean(np.square(errors))))
    return Line(float(np.mean(drawn)) / spots, np.mean(holds, axis=0), float(np.mean(halves)), rmse)


def main() -> None:
    """Draw, print each line as it is done, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=DRAWS)
    parser.add_argument("--part", metavar="I/N", default="1/1", help="every N-th map, from the I-th: printed only")
    parser.add_argument("--page", type=Path, default=REPO / "docs" / "uncertainty.md")
    given = parser.parse_args()
    part, parts = (int(n) for n in given.part.split("/"))
    rows = []
    for n, population in enumerate(populations()):
        if n % parts != part - 1:
            continue
        for wanted, line in zip(WANTED_PCT, lines_of(population, given.draws), strict=True):
            rows.append(
                f"| {population.name} | {len(population.frame)} | ± {wanted:g}% | {line.share_drawn:.1%} | "
                f"{line.coverage[1]:.1%} | {line.coverage.min():.1%} | {line.half_width:.2%} | "
                f"{1.96 * line.rmse:.2%} | {given.draws} |"
            )
            print(rows[-1], flush=True)
    if parts > 1:
        return
    write_table(given.page, rows)


def write_table(page: Path, rows: list[str]) -> None:
    """Write the lines into the page, as a table."""
    head = "| map | spots | asked | drawn | held, aim | held, least class | half width | 1.96 × rmse | draws |"
    least = min(float(row.split("|")[6].strip(" %")) for row in rows)
    told = f"The least of {len(rows)} lines is {least:.1f}%."
    replaced_table(page, "spot estimates", "\n".join([head, "|---|---|---|---|---|---|---|---|---|", *rows, "", told]))


if __name__ == "__main__":
    main()
