"""What docs/scaling.md says are the figures of the newest results, and the number of tasks it names is the best."""

import json
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks import scaling_page  # noqa: E402
from benchmarks.scaling import afterwards_sums, best_tasks  # noqa: E402  (a checkout has it, a wheel does not)
from benchmarks.scaling_page import PAGE, page_of_newest, quiet_s_per_gpx, two, whole, worker_mib  # noqa: E402


def test_the_page_is_made_from_the_newest_results() -> None:
    assert PAGE.read_text() == page_of_newest()


@pytest.mark.parametrize(
    ("value", "text"), [(137.07, "140"), (0.0649, "0.065"), (57_484, "57 000"), (9.96, "10"), (0.0, "0"), (1.04, "1.0")]
)
def test_a_figure_has_two_digits_that_count(value: float, text: str) -> None:
    assert two(value) == text


def test_whole_numbers_have_their_thousands_apart() -> None:
    assert (whole(16133), whole(7)) == ("16 133", "7")


@pytest.mark.parametrize(("work_s", "settle_s"), [(270_000, 0.001), (50_000, 0.7), (3600, 2.0)])
def test_no_other_number_of_tasks_ends_sooner(work_s: float, settle_s: float) -> None:
    found = best_tasks(work_s, settle_s)
    n = found["best_tasks"]
    hours = [(work_s / m + m * settle_s) / 3600 for m in (n, 0.8 * n, 1.2 * n, n / 3, 3 * n)]
    assert min(hours) == hours[0] == pytest.approx(found["array_hours_at_best"])


def test_what_is_done_afterwards_grows_with_slides_and_their_pixels_not_with_what_a_run_costs_once() -> None:
    once_s, slide_s, s_per_px = 7.0, 0.5, 2e-9
    names = {"2 um/px": (8.0, 100), "0.25 um/px": (1.0, 4000)}  # level-0 px a work px, tiles read
    units = {
        "tiny-serial": {"per_slide": {"verify_cpu_s": slide_s}},
        "plans": {n: {"l0_px_per_work_px_edge": f, "tiles_read": t, "tile_px": 500} for n, (f, t) in names.items()},
        "tiles": {
            n: {
                "slide_px": 64e6, "verify_cpu_s": once_s + s_per_px * 64e6 / f**2,
                "report_cpu_s": 1.0, "ome-zarr_cpu_s": 1.0,
            }
            for n, (f, _) in names.items()
        },
    }  # fmt: skip
    units["tiles"]["2 um/px"]["geojson_cpu_s"] = 3e-6 * 1e6
    found = afterwards_sums(units)
    for name, (_, tiles) in names.items():
        wanted_s = slide_s + s_per_px * tiles * 500**2
        assert found[name]["verify_core_hours"] == pytest.approx(wanted_s * 10_000 / 3600)
    assert found["2 um/px"]["geojson_core_hours"] == pytest.approx(3e-6 * 100 * 500**2 * 10_000 / 3600)
    assert "geojson_core_hours" not in found["0.25 um/px"]


def test_the_quiet_machine_is_judged_by_one_worker_at_the_finest_level() -> None:
    of = {"part": "cold", "key": "ours-auto-1", "work_mpp": 0.25}
    samples = [
        {**of, "inner_cpu_s": s, "decoded_px": 1e9} for s in (6.0, 5.0, 9.0)
    ] + [{**of, "key": "ours-auto-2", "inner_cpu_s": 1.0, "decoded_px": 1e9}]  # fmt: skip
    assert quiet_s_per_gpx({"samples": samples}) == 6.0


def test_a_worker_takes_what_two_of_them_took_on_the_slide_that_asked_for_most() -> None:
    cold = [
        {"part": "cold", "key": key, "peak_mb": peak} for key, peak in (("ours-auto-2", 210.0), ("ours-auto-1", 9e3))
    ]
    sizes = [{"part": "memory", "key": "ours-auto-2", "peak_mb": peak} for peak in (190.0, 245.0)]
    assert worker_mib({"samples": [*cold, *sizes]}) == 245.0
    assert worker_mib({"samples": cold}) == 210.0


def rows_of(date: str, size: str, **peaks_mib: float) -> dict[str, object]:
    """Return a results file of rows: another row, and the peaks, if any, once and once more."""
    samples: list[dict[str, object]] = [{"key": "cold", "repeat": 0, "parts": {"ours 1": 1.0}}]
    for more_mib in (0, 2) if peaks_mib else ():
        parts = {name.replace("_", ", "): mib + more_mib for name, mib in peaks_mib.items()}
        samples.append({"key": "memory", "repeat": more_mib, "parts": parts})
    return {"date": date, "size": size, "samples": samples}


def test_the_peaks_are_the_newest_of_each_size_that_has_some(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small, large, flat = "10240x10240", "40960x40960", "100000x80000"
    files = {
        "rows-2026-11-30-10240": rows_of("2026-11-30", small, a_warm=100, a_cold=110),
        "rows-2026-12-01-10240": rows_of("2026-12-01", small, a_warm=200, a_cold=210),
        "rows-2026-12-02-10240": rows_of("2026-12-02", small),
        "rows-2026-11-30-40960": rows_of("2026-11-30", large, a_warm=300, a_cold=310),
        "rows-2026-12-02-100000x80000": rows_of("2026-12-02", flat),
    }
    for name, document in files.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(document))
    monkeypatch.setattr(scaling_page, "RESULTS", tmp_path)
    found = scaling_page.newest_peaks()
    assert [(rows["date"], rows["size"]) for rows in found] == [("2026-12-01", small), ("2026-11-30", large)]


def test_the_table_of_peaks_has_two_columns_for_each_size() -> None:
    small = rows_of("2026-11-30", "1024x1024", a_warm=100, a_cold=110, b_warm=5, b_cold=6)
    large = rows_of("2026-11-30", "2048x4096", a_warm=300.4, a_cold=1310)
    assert scaling_page.peaks_table([small, large]).splitlines() == [
        "| configuration | 1 024 × 1 024: warm | 1 024 × 1 024: cold | 2 048 × 4 096: warm | 2 048 × 4 096: cold |",
        "|---|---:|---:|---:|---:|",
        "| a | 101 | 111 | 301 | 1 311 |",
        "| b | 6 | 7 | – | – |",
    ]
