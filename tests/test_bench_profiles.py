"""The page of profiles says what its figures say, and counts what works, not what waits."""

import json
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.profile_page import SHOWN, page  # noqa: E402  (a checkout has it, a wheel does not)
from benchmarks.profile_rows import PROFILED  # noqa: E402
from benchmarks.profiles import by_function  # noqa: E402

RESULTS = sorted((ROOT / "benchmarks" / "results").glob("profiles-*.json"))
MACHINE = {"cpu": "a", "cores": 2, "load_before": 0.5}


def document(key: str, **sides: object) -> dict[str, object]:
    about = {"date": "2026-01-01", "slide_px": 64, "rate": 100, "before": "b00", "now": "c00", "machine": MACHINE}
    return {**about, "rows": {key: sides}}


@pytest.mark.parametrize("path", RESULTS, ids=lambda path: path.stem)
def test_each_page_of_profiles_is_made_from_the_figures_beside_it(path: Path) -> None:
    assert path.with_suffix(".md").read_text() == page(json.loads(path.read_text()))


def test_the_newest_profiles_have_every_row_before_and_now() -> None:
    rows = json.loads(RESULTS[-1].read_text())["rows"]
    assert set(rows) == {row.key for row in PROFILED}
    shares = [[share for _, share in side["functions"]] for sides in rows.values() for side in sides.values()]
    assert len(shares) == 2 * len(PROFILED)
    assert all(0 < sum(some) <= 1 + 1e-9 and some == sorted(some, reverse=True) for some in shares)


def test_a_function_takes_its_share_of_the_measured_seconds_and_the_page_ends_after_the_first_ten() -> None:
    many = [[f"f{n}", 0.04] for n in range(SHOWN + 5)]
    before = {"cpu_s": 8.0, "looks": 100, "functions": [["slow", 0.75], *many][:SHOWN]}
    now = {"cpu_s": 2.0, "looks": 100, "functions": [["fast", 0.25]]}
    told = page(document("verify", before=before, now=now))
    assert "| before | 8.00 CPU s | now | 2.00 CPU s |" in told
    assert "| `slow` | 6.00 (75 %) | `fast` | 0.50 (25 %) |" in told
    assert "| `f8` | 0.32 (4 %) |  |  |" in told
    assert "`f9`" not in told


def test_a_program_that_came_to_nothing_is_named_with_the_reason_and_the_other_has_its_figures() -> None:
    now = {"cpu_s": 2.0, "looks": 100, "functions": [["fast", 0.25]]}
    told = page(document("geojson", before={"error": "not done after 9 s"}, now=now))
    assert "| before | not known: not done after 9 s | now | 2.00 CPU s |" in told
    assert "|  |  | `fast` | 0.50 (25 %) |" in told


@pytest.mark.parametrize("file", ["threading.py", "selectors.py", "concurrent/futures/thread.py", "subprocess.py"])
def test_a_thread_that_waits_takes_nothing(file: str) -> None:
    raw = f"main (a.py:1);work (wsi_area/b.py:2) 3\nmain (a.py:1);wait ({file}:9) 500\n"
    assert by_function(raw) == {"wsi_area/b.py work": 3}


def test_what_a_package_takes_to_load_counts_for_the_first_that_ours_asked_for() -> None:
    find = "_find_and_load (<frozen importlib._bootstrap>:1)"
    ours, theirs, inner = "<module> (wsi_area/a.py:1)", "<module> (pyarrow/__init__.py:1)", "<module> (numpy/core.py:1)"
    raw = "\n".join(
        [
            f"main (m.py:1);{find};{ours} 1",
            f"main (m.py:1);{find};{ours};{find};{theirs};{find};{inner};f (numpy/core.py:5) 20",
            f"main (m.py:1);work (wsi_area/b.py:2);{find};{inner} 300",
            "main (m.py:1);work (wsi_area/b.py:2);dot (numpy/core.py:5) 4000",
        ]
    )
    assert by_function(raw) == {
        "loading of wsi_area": 1, "loading of pyarrow": 20, "loading of numpy": 300, "numpy/core.py dot": 4000
    }  # fmt: skip


def test_of_a_part_of_a_run_only_stacks_through_its_file_count() -> None:
    raw = "main (a.py:1);prepare (run/prepare.py:2);read (b.py:2) 3\nmain (a.py:1);read (b.py:2) 40\n"
    assert by_function(raw, "run/prepare.py") == {"b.py read": 3}


def test_rows_of_profiles_say_what_was_changed_and_have_names_of_their_own() -> None:
    assert len({row.key for row in PROFILED}) == len({row.title for row in PROFILED}) == len(PROFILED)
    assert all(row.changed.endswith(".") for row in PROFILED)


@pytest.mark.parametrize("path", RESULTS, ids=lambda path: path.stem)
def test_no_page_of_profiles_names_a_folder_of_the_machine(path: Path) -> None:
    assert not re.findall(r"(?:^|[\s`(])/\w+/", path.with_suffix(".md").read_text())
