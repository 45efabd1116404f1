"""benchmarks: how often the interval of a run holds, of which some slides were drawn, and points on these alone.

``python -m benchmarks.coverage.drawn_slides`` draws slides from runs whose truth is known, and points on each by the
product's own strata and numbers, asks the product's function, and writes the table into ``docs/uncertainty.md``.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from benchmarks.coverage.maps import MapPair, gland_pairs, map_pairs
from benchmarks.coverage.page import arguments, replaced_table
from wsi_area.compute.reference.allocation import allocated
from wsi_area.compute.reference.drawn_slides import AreaOfAll, area_of_all
from wsi_area.compute.reference.strata import strata_of

DRAWS, AT_ONCE, SLIDES, POINTS = 10_000, 1000, (3, 5, 10, 20), (40, 100)
REACH_PX = 3
FIELDS_PX = {"CAMELYON tumour, outline 1 px wide of it, small foci missed": 150, "CAMELYON tumour, a third missed": 150,
             "BCSS tumour, 15 % too large": 250, "OS-2 brown, coarse and another threshold": 250}  # fmt: skip
"""Pictures that are cut into fields, each of which stands for a slide: work px."""


def fields(pair: MapPair, side_px: int) -> list[MapPair]:
    """A picture cut into square fields."""
    rows, columns = (range(0, n - side_px + 1, side_px) for n in pair.truth.shape)
    boxes = [np.s_[y : y + side_px, x : x + side_px] for y in rows for x in columns]
    return [replace(pair, mapped=pair.mapped[b], truth=pair.truth[b], other_reader=pair.other_reader[b]) for b in boxes]


def runs() -> Iterator[tuple[str, NDArray[np.int64]]]:
    """Each run with the pixels of its slides by stratum and true class: int64 (slides, 4, 2)."""
    yield "GlaS glands, 85 slides", _tables(gland_pairs())
    for pair in map_pairs():
        if pair.name in FIELDS_PX:
            cut = fields(pair, FIELDS_PX[pair.name])
            yield f"{pair.name}, {len(cut)} fields", _tables(cut)


def _tables(pairs: Sequence[MapPair]) -> NDArray[np.int64]:
    found = []
    for pair in pairs:
        cells = strata_of(pair.mapped, 2, REACH_PX).astype(np.int64) * 2 + pair.truth
        found.append(np.bincount(cells.ravel(), minlength=8).reshape(4, 2))
    return np.stack(found)


def draws(
    tables: NDArray[np.int64], slides: int, points: int, rng: np.random.Generator, many: int
) -> Iterator[AreaOfAll]:
    """What the product says of class 1 in each draw, block by block."""
    sizes, mapped = tables.sum(2), np.array([0.0, 0.0, 1.0, 1.0])
    numbers = np.array([allocated(row.tolist(), points) for row in sizes])
    share = tables[..., 1] / np.maximum(sizes, 1)
    own, whole = (sizes @ mapped), sizes.sum(1)
    for first in range(0, many, AT_ONCE):
        chosen = np.argsort(rng.random((min(AT_ONCE, many - first), len(tables))), axis=1)[:, :slides]
        hits = rng.binomial(numbers[chosen], share[chosen]) / np.maximum(numbers[chosen], 1)
        adjusted = (sizes[chosen] * np.where(numbers[chosen] > 0, hits, mapped)).sum(2)
        yield area_of_all(
            adjusted, own[chosen], whole[chosen].sum(1).astype(float), float(own.sum()), float(whole.sum())
        )


def main() -> None:
    given = arguments(__doc__, DRAWS)
    rng = np.random.default_rng(given.seed)
    heads = (
        "run",
        "slides drawn",
        "points on each",
        "holds the truth",
        "of those that say something",
        "half width",
        "say nothing",
    )
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for name, tables in runs():
        for slides in (n for n in SLIDES if n < len(tables)):
            for points in POINTS:
                blocks = list(draws(tables, slides, points, rng, given.draws))
                low, high, known = (
                    np.concatenate([getattr(b, n) for b in blocks]) for n in ("low_95", "high_95", "is_known")
                )
                true = float(tables[..., 1].sum())
                held = (low <= true * (1 + 1e-12)) & (true * (1 - 1e-12) <= high)
                width = np.median((high - low)[known]) / 2 / true if known.any() else np.nan
                of_known = held[known].mean() if known.sum() >= 1000 else np.nan
                told = [f"{held.mean():.1%}", _share(of_known), _share(width), f"{1 - known.mean():.1%}"]
                lines.append(f"| {name} | {slides} | {points} | {' | '.join(told)} |")
                print(lines[-1], flush=True)
    lines += ["", f"{given.draws} draws for each line."]
    replaced_table(given.page, "drawn slides", "\n".join(lines))


def _share(value: float) -> str:
    return "–" if np.isnan(value) else f"{value:.1%}"


if __name__ == "__main__":
    main()
