"""benchmarks: docs/scaling.md, made from the newest results: ``python -m benchmarks.scaling_page`` writes it again.

The units and sums are those of ``scaling-<date>.json``; what a decoded gigapixel costs on a machine that does nothing
else is from the newest full bench, ``<date>.json``, what memory each configuration takes from the newest rows of it,
``rows-<date>-<size>.json``, for each size of slide that they were measured on. The words stand in
``scaling_page.md.jinja``; a test holds the page to all of them.
"""

import json
import math
from collections.abc import Iterator, Sequence
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


def newest() -> tuple[Path, Path]:
    """Return the newest units and sums, and bench of cold slides at the finest level."""
    benches = sorted(p for p in RESULTS.glob("*.json") if p.stem[0].isdigit())
    finest = [p for p in benches if _finest(json.loads(p.read_text()), OURS)]
    return max(RESULTS.glob("scaling-*.json")), finest[-1]


def newest_peaks() -> list[Figures]:
    """Return the newest peaks of the configurations for each size of slide that has been measured, least first."""
    by_size = {size_of(rows): rows for rows in _rows() if peaks(rows)}
    return [by_size[size] for size in sorted(by_size)]


def _rows() -> Iterator[Figures]:
    """Yield what each file of rows holds, the oldest first."""
    for path in sorted(RESULTS.glob("rows-*.json"), key=lambda path: path.stem.rsplit("-", 1)[0]):
        yield json.loads(path.read_text())


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


def peaks(rows: Figures) -> dict[str, tuple[float, float]]:
    """Return the peak memory of a run by configuration, MiB: warm, and cold; empty where none was measured."""
    found = [s["parts"] for s in rows["samples"] if s["key"] == MEMORY and "parts" in s]
    names = [name.removesuffix(", warm") for name in found[0] if name.endswith(", warm")] if found else []
    return {name: _warm_and_cold(found, name) for name in names}


def _warm_and_cold(found: list[dict[str, float]], name: str) -> tuple[float, float]:
    warm, cold = (median(parts[f"{name}, {state}"] for parts in found) for state in ("warm", "cold"))
    return warm, cold


def peaks_table(by_size: Sequence[Figures]) -> str:
    """Return the peaks of each configuration of the first size, Markdown: two columns a size, – where it has none."""
    sizes = [" × ".join(map(whole, size_of(rows))) for rows in by_size]
    figures = [peaks(rows) for rows in by_size]
    titles = [f"{size}: {state}" for size in sizes for state in ("warm", "cold")]
    lines = [f"| configuration | {' | '.join(titles)} |", f"|---|{'---:|' * len(titles)}"]
    for name in figures[0]:
        cells = [whole(mib) if mib else "–" for of_size in figures for mib in of_size.get(name, (0.0, 0.0))]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def page(scaling: Figures, bench: Figures, by_size: Sequence[Figures], date: str) -> str:
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
        peak_dates=" and ".join(sorted({rows["date"] for rows in by_size})),
        peaks=peaks_table(by_size),
        mb_per_core_s=SLIDE_BYTES_PER_PX * 1e3 / quiet,
    )


def page_of_newest() -> str:
    """Return the page of the newest results."""
    scaling, bench = newest()
    date = scaling.stem.removeprefix("scaling-")
    return page(*(json.loads(path.read_text()) for path in (scaling, bench)), newest_peaks(), date)


def main() -> None:
    PAGE.write_text(page_of_newest())


if __name__ == "__main__":
    main()
