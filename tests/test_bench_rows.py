"""The pages of the bench say what its figures say, and a row is judged by its median."""

import json
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.memory import CONFIGURATIONS  # noqa: E402
from benchmarks.row import Turns, figure  # noqa: E402  (a checkout has it, a wheel does not)
from benchmarks.row_page import page  # noqa: E402
from benchmarks.row_targets import MEMORY_MIB, ROWS, TURNS  # noqa: E402
from benchmarks.rows import BY_PROCESS, still_wanted  # noqa: E402

RESULTS = sorted((ROOT / "benchmarks" / "results").glob("rows-*.json"))


@pytest.mark.parametrize("path", RESULTS, ids=lambda path: path.stem)
def test_each_page_is_made_from_the_figures_beside_it(path: Path) -> None:
    assert path.with_suffix(".md").read_text() == page(json.loads(path.read_text()))


def test_there_are_results() -> None:
    assert RESULTS


def test_a_ratio_is_taken_within_a_turn_and_its_median_decides() -> None:
    row = next(row for row in ROWS if row.key == "finished-small")
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

    in_one_process = {row.key.partition("-")[0] for row in ROWS} - BY_PROCESS
    assert in_one_process == set(PARTS)
    assert all((ROOT / "benchmarks" / f"{name}.py").exists() for name in BY_PROCESS)


def test_every_row_is_measured_on_the_slide_of_the_quick_bench() -> None:
    assert set(TURNS) == {row.key for row in ROWS}
    assert min(turns.quick for turns in TURNS.values()) > 0


def test_a_slide_is_measured_as_often_as_its_size_allows() -> None:
    turns = Turns(5, 3, 1)
    sizes = [(2048, 2048), (10240, 10240), (20480, 20480), (40960, 40960), (100_000, 80_000)]
    assert [turns.at(*size) for size in sizes] == [5, 5, 3, 3, 1]


def test_rows_take_turns_and_what_the_file_has_is_not_measured_again() -> None:
    turns = {"a": Turns(2, 0, 0), "b": Turns(1, 0, 0), "c": Turns(3, 3, 3)}
    assert list(still_wanted([], turns, "64")) == [(0, "a"), (0, "b"), (0, "c"), (1, "a"), (1, "c"), (2, "c")]
    has = [{"repeat": 0, "key": "a"}, {"repeat": 1, "key": "c"}]
    assert list(still_wanted(has, turns, "64")) == [(0, "b"), (0, "c"), (1, "a"), (2, "c")]
    assert list(still_wanted(has, turns, "100000x80000")) == [(0, "c"), (2, "c")]


def test_a_peer_that_is_not_there_is_named_and_the_others_have_their_figures() -> None:
    of_pyvips, of_cucim = (next(r for r in ROWS if r.under == f"{who} 1") for who in ("pyvips", "cuCIM"))
    sample = {
        "key": "cold", "repeat": 0, "parts": {"ours 1": 3.0, "pyvips 1": 2.0}, "absent": {"cuCIM": "not installed"}
    }  # fmt: skip
    machine = {"cpu": "a", "cores": 2, "load_before": 0.5}
    told = page({"date": "2026-01-01", "size": "96x64", "machine": machine, "samples": [sample]})
    assert f"| {of_pyvips.title} | 1.50 | ≤ 1.5 | reached |" in told
    assert of_cucim.title not in told
    assert "- cuCIM: not installed" in told
    assert "a slide of 96x64" in told


def test_every_configuration_has_a_row_of_its_peak_warm_and_cold() -> None:
    wanted = {row.over: row.wanted for row in ROWS if row.key == "memory"}
    assert wanted == {
        f"{name}, {state}": at for name in CONFIGURATIONS for state, at in (("warm", MEMORY_MIB), ("cold", None))
    }
