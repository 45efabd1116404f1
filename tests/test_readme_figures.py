"""The table of speeds in the README follows the newest bench: no ratio is more than a quarter away from it."""

import json
from pathlib import Path
from statistics import median
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
OURS = "ours-auto-1"
KEYS = {
    "ours": OURS,
    "OpenSlide + scikit-image + dask": "openslide_skimage",
    "TIAToolbox": "tiatoolbox_patches",
    "large-image": "large_image_tiff",
    "pyvips": "pyvips_numpy",
    "cuCIM (CPU)": "cucim_cpu",
    "ours, OpenSlide lane": "ours-openslide-1",
}


def newest() -> tuple[str, dict[str, Any]]:
    """The day and the samples of the newest bench in which everybody measured cold slides."""
    for path in sorted((ROOT / "benchmarks" / "results").glob("[0-9]*.json"), reverse=True):
        bench: dict[str, Any] = json.loads(path.read_text())
        if set(KEYS.values()) <= {s["key"] for s in bench["samples"] if s["part"] == "cold" and not s["failed"]}:
            return path.stem, bench
    raise AssertionError("no bench has everybody")


def table() -> dict[tuple[float, str], float]:
    """The ratios of the README, by work pixel in µm and column."""
    lines = (ROOT / "README.md").read_text().splitlines()
    first = next(n for n, line in enumerate(lines) if line.startswith("| work pixel |"))
    names = [cell.strip() for cell in lines[first].strip("| ").split("|")][1:]
    found = {}
    for line in lines[first + 2 :]:
        if not line.startswith("|"):
            break
        pixel, *ratios = (cell.strip() for cell in line.strip("| ").split("|"))
        found |= {(float(pixel.removesuffix(" µm")), name): float(r) for name, r in zip(names, ratios, strict=True)}
    return found


def measured(bench: dict[str, Any], work_mpp: float, key: str) -> float:
    """The median, over the repeats, of somebody's CPU by ours of the same repeat."""
    cold = [s for s in bench["samples"] if s["part"] == "cold" and s["work_mpp"] == work_mpp and not s["failed"]]
    ours = {s["repeat"]: s["cpu_s"] for s in cold if s["key"] == OURS}
    return median(s["cpu_s"] / ours[s["repeat"]] for s in cold if s["key"] == key and s["repeat"] in ours)


def test_the_table_has_every_pixel_and_everybody_of_the_bench() -> None:
    _, bench = newest()
    pixels = {s["work_mpp"] for s in bench["samples"] if s["part"] == "cold" and s["key"] == OURS}
    assert set(table()) == {(pixel, name) for pixel in pixels for name in KEYS}


@pytest.mark.parametrize(("work_mpp", "name"), table())
def test_a_ratio_is_within_a_quarter_of_the_newest_bench(work_mpp: float, name: str) -> None:
    _, bench = newest()
    assert table()[work_mpp, name] == pytest.approx(measured(bench, work_mpp, KEYS[name]), rel=0.25)


def test_the_table_names_the_day_of_that_bench() -> None:
    assert f"interleaved runs on {newest()[0]}" in (ROOT / "README.md").read_text()
