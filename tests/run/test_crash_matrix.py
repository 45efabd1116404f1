"""Killed at every step and resumed: the same bytes as undisturbed; meanwhile nothing calls itself whole that is not."""

import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from crash_bench import KILLED, KINDS, STEPS, Bench, assert_no_lie, stores
from crash_children import RENAME, Fault

from wsi_area.results.layout import read_json


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory, configs: Path) -> Iterator[Bench]:
    made = Bench(tmp_path_factory.mktemp("crash"), configs)
    with made.nursery:
        yield made


@pytest.mark.parametrize("step", STEPS)
def test_killed_at_a_named_step_a_run_loses_nothing_and_claims_nothing(bench: Bench, tmp_path: Path, step: str) -> None:
    kind, fault = STEPS[step]
    out = tmp_path / "out"
    assert bench.nursery.run(bench.command(out, kind), fault) == KILLED
    assert_no_lie(out, stores(bench.undisturbed[kind]))
    bench.resumed(out, kind)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_at_renames_all_over_one_run_it_ends_as_if_undisturbed(
    bench: Bench, tmp_path: Path, kind: str, when: str
) -> None:
    # each start dies at a rename further on, until one comes to the end by itself
    out, kills, nth = tmp_path / "out", 0, 1
    while (code := bench.nursery.run(bench.command(out, kind), Fault(RENAME, when, nth))) == KILLED:
        assert_no_lie(out, stores(bench.undisturbed[kind]))
        kills, nth = kills + 1, nth + (2 if kills < 3 else 3)
    assert code == 0
    assert kills >= 4
    bench.resumed(out, kind)


@pytest.mark.parametrize(("at", "when"), [("page_html", "before"), ("write_bytes", "before"), ("write_bytes", "after")])
def test_killed_in_its_report_a_run_is_whole_without_it_and_gets_it_next_time(
    bench: Bench, tmp_path: Path, at: str, when: str
) -> None:
    out = tmp_path / "out"
    fault = Fault(f"wsi_area.reports.report:{at}", when)
    assert bench.nursery.run(bench.command(out, "foci", "--report"), fault) == KILLED
    assert_no_lie(out, stores(bench.undisturbed["foci"]))
    assert read_json(out / "run.json")["state"] == "finished"
    bench.resumed(out, "foci", "--report")
    assert (out / "report.html").exists()


def test_killed_again_and_again_at_random_moments_it_still_ends_as_if_undisturbed(bench: Bench, tmp_path: Path) -> None:
    rng, out, kills, code = random.Random(5), tmp_path / "out", 0, KILLED
    for number in range(60):  # however fast the machine is, some of them die
        if code == 0:  # it came to its end first: the next one begins afresh
            out = tmp_path / f"out-{number}"
        code = bench.nursery.run(bench.command(out, "foci"), Fault(after_s=0.02 + rng.random() * 0.3))
        assert code in {0, KILLED}
        kills += code == KILLED
        assert_no_lie(out, stores(bench.undisturbed["foci"]))
        if kills == 6:
            break
    assert kills >= 2
    bench.resumed(out, "foci")


@pytest.mark.parametrize("step", ["stores laid out", "after a chunk, before its row", "before the tables"])
def test_killed_while_a_folder_is_begun_afresh_nothing_old_is_taken_for_new(
    bench: Bench, tmp_path: Path, step: str
) -> None:
    kind, fault = STEPS[step]
    out = tmp_path / "out"
    shutil.copytree(bench.undisturbed["filters"], out)  # another run's: other settings, complete
    assert bench.nursery.run(bench.command(out, kind)) == 1
    forced = bench.command(out, kind, "--no-report", "--force")
    assert bench.nursery.run(forced, fault) == KILLED
    assert_no_lie(out, stores(bench.undisturbed[kind]))
    bench.resumed(out, kind)
