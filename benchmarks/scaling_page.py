"""benchmarks: docs/scaling.md, made from the newest results: ``python -m benchmarks.scaling_page`` writes it again.

The units and sums are those of ``scaling-<date>.json``; what a decoded gigapixel costs on a machine that does nothing
else is from the newest full bench, ``<date>.json``, what memory each configuration takes from the newest rows of it,
``rows-<date>-<side>.json``. The words stand in ``scaling_page.md.jinja``; a test holds the page to all of them.
"""

import json
import math
from pathlib import Path
from statistics import median
from typing import Any

import jinja2

from benchmarks.row_page import size_of

HERE = Path(__file__).resolve().parent
RESULTS, TEMPLATE = HERE / "results", HERE / "scaling_page.md.jinja"
PAGE = HERE.parent / "docs" / "scaling.md"
NAMES = {"coarse": "2 um/px", "fine": "0.25 um/px"}
OURS, OURS_2, MEMORY = "ours-auto-1", "ours-auto-2", "memory"
SLIDE_BYTES_PER_PX = 262e6 / 40_960**2  # of the benchmark's slide

Figures = dict[str, Any]


def newest() -> tuple[Path, Path, Path]:
    """Return the newest units and sums, bench of cold slides at the finest level, and peaks of the configurations."""
    benches = sorted(p for p in RESULTS.glob("*.json") if p.stem[0].isdigit())
    finest = [p for p in benches if _finest(json.loads(p.read_text()), OURS)]
    rows = [p for p in sorted(RESULTS.glob("rows-*-10240.json")) if MEMORY in _keys(json.loads(p.read_text()))]
    return max(RESULTS.glob("scaling-*.json")), finest[-1], rows[-1]


def _keys(rows: Figures) -> set[str]:
    """Return the keys of the rows that came to something."""
    return {sample["key"] for sample in rows["samples"] if "parts" in sample}


def two(value: float) -> str:
    """Return a number to two digits that count, its thousands apart.

    >>> two(137.07), two(0.0649), two(57484), two(9.96)
    ('140', '0.065', '57 000', '10')
    """
    rounded = float(f"{value:.1e}")
    places = max(0, 1 - math.floor(math.log10(abs(rounded)))) if rounded else 0
    return f"{rounded:,.{places}f}".replace(",", " ")


def whole(value: float) -> str:
    """Return a whole number, its thousands apart.

    >>> whole(16133)
    '16 133'
    """
    return f"{value:,.0f}".replace(",", " ")


def quiet_s_per_gpx(bench: Figures) -> float:
    """Return the CPU seconds of a decoded gigapixel on a quiet machine, at the finest level."""
    return float(median(s["inner_cpu_s"] / s["decoded_px"] * 1e9 for s in _finest(bench, OURS)))


def openslide_times(bench: Figures) -> float:
    """Return the factor of a slide's CPU where OpenSlide reads it, at the finest level."""
    through, direct = (median(s["cpu_s"] for s in _finest(bench, key)) for key in ("ours-openslide-1", OURS))
    return float(through / direct)


def worker_mib(bench: Figures) -> float:
    """Return the peak memory of a process of two workers, MiB: the most of its slides of all sizes."""
    of_two = [s for s in bench["samples"] if s["part"] == "memory" or (s["part"] == "cold" and s["key"] == OURS_2)]
    return float(max(s["peak_mb"] for s in of_two if "peak_mb" in s))  # what failed has none


def _finest(bench: Figures, key: str) -> list[Figures]:
    """Return the runs of one worker and slide at the finest level."""
    return [s for s in bench["samples"] if s["part"] == "cold" and s["key"] == key and s["work_mpp"] == 0.25]


def peaks(rows: Figures) -> list[tuple[str, float, float]]:
    """Return each shipped configuration with the peak memory of a run, MiB: warm, and cold."""
    found = [s["parts"] for s in rows["samples"] if s["key"] == MEMORY and "parts" in s]
    names = [name.removesuffix(", warm") for name in found[0] if name.endswith(", warm")]
    return [(n, *(median(parts[f"{n}, {state}"] for parts in found) for state in ("warm", "cold"))) for n in names]


def page(scaling: Figures, bench: Figures, rows: Figures, date: str) -> str:
    """Return the page, Markdown."""
    units, sums, quiet = scaling["units"], scaling["sums"], quiet_s_per_gpx(bench)
    at = {
        short: {"plan": units["plans"][name], "tile": units["tiles"][name], "sum": sums[name]}
        for short, name in NAMES.items()
    }
    filled = jinja2.Environment(undefined=jinja2.StrictUndefined, trim_blocks=True, keep_trailing_newline=True)
    filled.filters |= {"two": two, "whole": whole}
    return filled.from_string(TEMPLATE.read_text()).render(
        **at,
        date=date,
        bench_date=bench["date"],
        units=units,
        coordinator=sums["coordinator"],
        tiny=units["tiny-serial"]["per_slide"],
        remote=units["tiny-processes"]["per_slide"],
        task=units["scheduler"]["of a big slide"],
        array=units["array"],
        quiet_s=quiet,
        # what the same work takes there: by how much faster its decoded gigapixel is
        quiet_share=min(1.0, quiet / at["fine"]["tile"]["cpu_s_per_decoded_gpx"]),
        openslide_times=openslide_times(bench),
        worker_mib=worker_mib(bench),
        rows=rows,
        rows_size_px=size_of(rows),
        peaks=peaks(rows),
        mb_per_core_s=SLIDE_BYTES_PER_PX * 1e3 / quiet,
    )


def page_of_newest() -> str:
    """Return the page of the newest results."""
    scaling, bench, rows = newest()
    date = scaling.stem.removeprefix("scaling-")
    return page(*(json.loads(path.read_text()) for path in (scaling, bench, rows)), date)


def main() -> None:
    PAGE.write_text(page_of_newest())


if __name__ == "__main__":
    main()
