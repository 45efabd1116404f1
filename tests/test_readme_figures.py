"""The table of speeds in the README is that of the results, of every processor that there are results of."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.processors import (  # noqa: E402  (a checkout has it, a wheel does not)
    COLUMNS,
    PAGE,
    README,
    newest_by_processor,
    page,
    processor,
    speeds,
    with_speeds,
)


def test_the_readme_and_the_page_of_processors_are_made_from_the_results() -> None:
    benches = newest_by_processor()
    assert benches
    assert README.read_text() == with_speeds(README.read_text(), benches)
    assert PAGE.read_text() == page(benches)


def test_the_peers_of_the_newest_rows_stand_in_the_readme() -> None:
    rows = max((ROOT / "benchmarks" / "results").glob("rows-*-40960.json"))
    turns = [sample["parts"] for sample in json.loads(rows.read_text())["samples"] if sample["key"] == "cold"]
    readme = " ".join(README.read_text().split())
    assert rows.with_suffix(".md").name in readme
    for mpp in ("0.25", "1"):
        told = []
        for peer in ("pyvips", "cuCIM"):
            times = [parts[f"{peer} {mpp}"] / parts[f"ours {mpp}"] for parts in turns]
            told.append(f"{peer} {min(times):.2f}–{max(times):.2f}")
        assert f"at {mpp} µm {' and '.join(told)}" in readme


def bench(date: str, kind: str, pyvips: tuple[float, ...], width_px: int = 40_960) -> dict[str, Any]:
    """A bench in which ours takes 2 s, others 4 s, and pyvips what is said, a repeat each."""
    keys = ["ours-auto-1", *COLUMNS.values()]
    of = {"part": "cold", "work_mpp": 0.25, "failed": ""}
    return {
        "date": date, "repeats": len(pyvips), "slide": {"width_px": width_px},
        "machine": {"cpu": "Acme", "cores": 2} | ({"kind": kind} if kind else {}),
        "samples": [
            {
                **of, "key": key, "title": key, "repeat": n,
                "cpu_s": 2.0 if key == "ours-auto-1" else its_s if key == "pyvips_numpy" else 4.0,
                "inner_cpu_s": 1.5, "inner_wall_s": 1.5, "peak_mb": 100.0,
            }
            for key in keys
            for n, its_s in enumerate(pyvips)
        ],
    }  # fmt: skip


def put(folder: Path, *benches: dict[str, Any]) -> list[str]:
    """Put pages into a folder of results, and return the days of those that count."""
    for some in benches:
        (folder / f"{some['date']}.json").write_text(json.dumps(some))
    return [found["date"] for found in newest_by_processor(folder)]


def test_a_page_of_another_processor_widens_the_ranges_and_has_a_column(tmp_path: Path) -> None:
    here, there = bench("2026-01-01", "model 1", (6.0, 7.0)), bench("2026-01-02", "model 2", (3.0, 5.0))
    assert put(tmp_path, here, there) == ["2026-01-01", "2026-01-02"]
    told = speeds([here, there])
    assert "| 0.25 µm | 2.0 | 2.0 | 2.0 | 1.5–3.5 | 2.0 | 2.0 |" in told
    assert processor(here) in told
    assert processor(there) in told
    assert f"| target | {processor(here)} | {processor(there)} | wanted |" in page([here, there])


@pytest.mark.parametrize(("first", "second"), [("model 1", "model 1"), ("", "model 1"), ("", ""), ("model 1", "")])
def test_of_one_processor_the_newest_page_counts_and_one_that_does_not_tell_its_kind_may_be_any(
    first: str, second: str, tmp_path: Path
) -> None:
    pages = bench("2026-01-01", first, (6.0,)), bench("2026-01-02", second, (3.0,))
    assert put(tmp_path, *pages) == ["2026-01-02"]


def test_a_page_of_a_smaller_slide_or_without_a_peer_is_no_page_of_the_table(tmp_path: Path) -> None:
    whole, small, without = (bench(f"2026-01-0{n}", "", (6.0,)) for n in (1, 2, 3))
    small["slide"]["width_px"] = 8192
    without["samples"] = [s for s in without["samples"] if s["key"] != "cucim_cpu"]
    assert put(tmp_path, whole, small, without) == ["2026-01-01"]


def test_a_run_that_failed_has_no_figure(tmp_path: Path) -> None:
    some = bench("2026-01-01", "", (6.0, 8.0))
    for sample in some["samples"]:
        if sample["key"] == "pyvips_numpy" and sample["repeat"] == 1:
            sample["failed"] = "no room"
    assert "| 3.0 |" in speeds([some])
