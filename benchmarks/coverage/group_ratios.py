"""benchmarks: how often the interval of a ratio over few slides or patients holds the true one.

``python -m benchmarks.coverage.group_ratios`` draws groups with replacement from the 15 patients, or the 85 images, of
the gland data, asks the product's own function, and writes the table into ``docs/uncertainty.md``.
"""

import csv

import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy.places import testdata
from benchmarks.coverage.maps import gland_pairs
from benchmarks.coverage.page import arguments, replaced_table
from wsi_area.compute.judge.agreement import class_agreements, cluster_intervals

DRAWS, REPLICATES, GROUPS = 10_000, 200, (3, 5, 10, 20)
RATIOS = ("area_ratio", "dice", "recall")


def populations() -> dict[str, NDArray[np.int64]]:
    """Confusion matrices, int64 (groups, 2, 2), by what a group is."""
    with (testdata() / "glas_train" / "grade.csv").open(newline="", encoding="utf-8") as file:
        patient_of = {row["name"]: row["patient_id"] for row in csv.DictReader(file)}
    images, patients = [], {}
    for pair in gland_pairs():
        cells = pair.truth.astype(np.int64) * 2 + pair.mapped
        matrix = np.bincount(cells.ravel(), minlength=4).reshape(2, 2)
        images.append(matrix)
        patients[patient_of[pair.name]] = patients.get(patient_of[pair.name], 0) + matrix
    return {"15 patients": np.stack(list(patients.values())), "85 images": np.stack(images)}


def coverage(population: NDArray[np.int64], groups: int, draws: int, rng: np.random.Generator) -> list[float]:
    """The share of draws whose interval holds the population's ratio, for each ratio."""
    truth = class_agreements(population.sum(axis=0))[1]
    held = np.zeros(len(RATIOS))
    for n in range(draws):
        chosen = list(population[rng.integers(0, len(population), groups)])
        found = cluster_intervals(chosen, n, replicates=REPLICATES)
        for k, ratio in enumerate(RATIOS):
            low, high = found.of(1, ratio) or (1.0, 0.0)
            held[k] += low <= getattr(truth, ratio) <= high
    return (held / draws).tolist()


def main() -> None:
    given = arguments(__doc__, DRAWS)
    rng = np.random.default_rng(given.seed)
    lines = [f"| drawn from | groups | {' | '.join(r.replace('_', ' ') for r in RATIOS)} |", "|---|---|---|---|---|"]
    for name, population in populations().items():
        for groups in GROUPS:
            told = " | ".join(f"{share:.1%}" for share in coverage(population, groups, given.draws, rng))
            lines.append(f"| {name} | {groups} | {told} |")
    lines += ["", f"{given.draws} draws for each line."]
    print("\n".join(lines))
    replaced_table(given.page, "group ratios", "\n".join(lines))


if __name__ == "__main__":
    main()
