"""The pages of the bench say what its figures say, and a row is judged by its median."""

import json
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.memory import CONFIGURATIONS  # noqa: E402
from benchmarks.rows import ROWS, figure, page  # noqa: E402  (a checkout has it, a wheel does not)

RESULTS = sorted((ROOT / "benchmarks" / "results").glob("rows-*.json"))


@pytest.mark.parametrize("path", RESULTS, ids=lambda path: path.stem)
def test_each_page_is_made_from_the_figures_beside_it(path: Path) -> None:
    assert path.with_suffix(".md").read_text() == page(json.loads(path.read_text()))


def test_there_are_results() -> None:
    assert RESULTS


def test_a_ratio_is_taken_within_a_turn_and_its_median_decides() -> None:
    row = ROWS[0]
    turns = [(8.0, 0.4), (2.0, 0.02), (1.0, 0.9)]  # ratios 0.05, 0.01, 0.9
    samples = [
        {"key": row.key, "repeat": n, "parts": {row.under: under, row.over: over}}
        for n, (under, over) in enumerate(turns)
    ]
    found = figure(row, samples)
    assert found is not None
    assert (found.median, found.low, found.high) == (0.05, 0.01, 0.9)
    machine = {"cpu": "a", "cores": 2, "load_before": 0.5}
    told = page({"date": "2026-01-01", "side_px": 64, "machine": machine, "samples": samples})
    assert "0.05 (0.01–0.90) | ≤ 0.05 | reached" in told


def test_a_row_that_came_to_nothing_is_named_and_has_no_figure() -> None:
    samples = [{"key": "clean", "repeat": 0, "error": "no room on the disk"}]
    machine = {"cpu": "a", "cores": 2, "load_before": 0.5}
    told = page({"date": "2026-01-01", "side_px": 64, "machine": machine, "samples": samples})
    assert "clean, turn 0: no room on the disk" in told
    assert "he_tissue_clean" not in told


def test_a_row_of_which_nothing_was_asked_has_a_figure_and_no_verdict() -> None:
    row = next(row for row in ROWS if row.wanted is None)
    samples = [{"key": row.key, "repeat": 0, "parts": {row.under: 2.0, row.over: 5.0}}]
    machine = {"cpu": "a", "cores": 2, "load_before": 0.5}
    told = page({"date": "2026-01-01", "side_px": 64, "machine": machine, "samples": samples})
    assert f"| {row.title} | 2.50 | – |  |" in told


def test_every_row_has_its_parts() -> None:
    from benchmarks.row_parts import PARTS

    in_one_process = {row.key.partition("-")[0] for row in ROWS} - {"memory"}  # a peak needs a process of its own
    assert in_one_process == set(PARTS)


def test_every_configuration_has_a_row_of_its_peak_warm_and_cold() -> None:
    wanted = {row.over: row.wanted for row in ROWS if row.key == "memory"}
    assert wanted == {
        f"{name}, {state}": at for name in CONFIGURATIONS for state, at in (("warm", 300), ("cold", None))
    }
