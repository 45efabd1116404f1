"""benchmarks: docs/scaling.md, made from the newest results: ``python -m benchmarks.scaling_page`` writes it again.

The units and sums are those of ``scaling-<date>.json``; what a decoded gigapixel costs on a machine that does nothing
else is from the newest full bench, ``<date>.json``. The words stand in ``scaling_page.md.jinja``; a test holds the
page to all three.
"""

import json
import math
from pathlib import Path
from statistics import median
from typing import Any

import jinja2

HERE = Path(__file__).resolve().parent
RESULTS, TEMPLATE = HERE / "results", HERE / "scaling_page.md.jinja"
PAGE = HERE.parent / "docs" / "scaling.md"
NAMES = {"coarse": "2 um/px", "fine": "0.25 um/px"}
OURS = "ours-auto-1"
WORKER_MIB = 340  # peak of the benchmark
SLIDE_BYTES_PER_PX = 262e6 / 40_960**2  # of the benchmark's slide

Figures = dict[str, Any]


def newest() -> tuple[Path, Path]:
    """Return the newest file of units and sums, and the newest bench of cold slides at the finest level."""
    benches = sorted(p for p in RESULTS.glob("*.json") if p.stem[0].isdigit())
    return max(RESULTS.glob("scaling-*.json")), [p for p in benches if _finest(json.loads(p.read_text()), OURS)][-1]


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
    """Return how many times the CPU of a slide is needed where OpenSlide reads it, at the finest level."""
    through, direct = (median(s["cpu_s"] for s in _finest(bench, key)) for key in ("ours-openslide-1", OURS))
    return float(through / direct)


def _finest(bench: Figures, key: str) -> list[Figures]:
    """Return the runs of one worker and slide at the finest level."""
    return [s for s in bench["samples"] if s["part"] == "cold" and s["key"] == key and s["work_mpp"] == 0.25]


def page(scaling: Figures, bench: Figures, date: str) -> str:
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
        worker_mib=WORKER_MIB,
        mb_per_core_s=SLIDE_BYTES_PER_PX * 1e3 / quiet,
    )


def main() -> None:
    scaling, bench = newest()
    date = scaling.stem.removeprefix("scaling-")
    PAGE.write_text(page(json.loads(scaling.read_text()), json.loads(bench.read_text()), date))


if __name__ == "__main__":
    main()
