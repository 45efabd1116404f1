"""benchmarks: what the newest full bench of each processor says, side by side: ``python -m benchmarks.processors``.

A ratio of CPU seconds is not the same on every processor: caches, memory and vectors serve decoding and counting
differently. Results pages lie in ``benchmarks/results/``; one that was made on another machine and is put there shows.
This writes the table of speeds in README.md, with ranges over all of them, and ``results/processors.md``, with each
target on each processor. A test holds both to the results.
"""

import json
from pathlib import Path
from typing import Any

from benchmarks.figures import OURS_1, Samples, processor_text, spread
from benchmarks.report import table
from benchmarks.targets import target_rows

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"
README, PAGE = ROOT / "README.md", RESULTS / "processors.md"
BEGIN, END = "<!-- speeds: python -m benchmarks.processors -->", "<!-- end of speeds -->"
SIDE_PX = 40_960
COLUMNS = {
    "OpenSlide + scikit-image + dask": "openslide_skimage",
    "TIAToolbox": "tiatoolbox_patches",
    "large-image": "large_image_tiff",
    "pyvips": "pyvips_numpy",
    "cuCIM (CPU)": "cucim_cpu",
    "ours, OpenSlide lane": "ours-openslide-1",
}

Bench = dict[str, Any]


def processor(bench: Bench) -> str:
    """Return the processor of a bench."""
    return processor_text(bench["machine"])


def newest_by_processor(results: Path = RESULTS) -> list[Bench]:
    """Return the newest bench of each processor in which everybody measured the slide of 40 960²."""
    found: list[Bench] = []
    for path in sorted(results.glob("[0-9]*.json")):
        bench = json.loads(path.read_text())
        took_part = {s["key"] for s in bench["samples"] if s["part"] == "cold" and not s["failed"]}
        if {OURS_1, *COLUMNS.values()} <= took_part and bench["slide"]["width_px"] == SIDE_PX:
            found = [*(earlier for earlier in found if not _is_same_machine(earlier, bench)), bench]
    return found


def _is_same_machine(earlier: Bench, bench: Bench) -> bool:
    """Return True if a bench takes an earlier one's place; one that does not tell its processor's kind may be any."""
    was, on = earlier["machine"], bench["machine"]
    told = {was.get("kind", ""), on.get("kind", "")} - {""}
    return (was["cpu"], was["cores"]) == (on["cpu"], on["cores"]) and len(told) < 2


def multiples(bench: Bench, work_mpp: float, key: str) -> list[float]:
    """Return somebody's CPU by ours of the same repeat, for each repeat."""
    cold = [s for s in bench["samples"] if s["part"] == "cold" and s["work_mpp"] == work_mpp and not s["failed"]]
    ours = {s["repeat"]: s["cpu_s"] for s in cold if s["key"] == OURS_1}
    return [s["cpu_s"] / ours[s["repeat"]] for s in cold if s["key"] == key and s["repeat"] in ours]


def cell(benches: list[Bench], work_mpp: float, key: str) -> str:
    """Return the least and the most multiple over all repeats of all processors."""
    found = spread([times for bench in benches for times in multiples(bench, work_mpp, key)])
    if found is None:
        return ""
    low, high = f"{found.low:.1f}", f"{found.high:.1f}"
    return low if low == high else f"{low}–{high}"


def _runs(count: int) -> str:
    return f"{count} run{'s' if count != 1 else ''}"


def speeds(benches: list[Bench]) -> str:
    """Return the part of the README, Markdown, between its marks."""
    pixels = sorted({s["work_mpp"] for bench in benches for s in bench["samples"] if s["part"] == "cold"})
    rows = [[f"{mpp:g} µm", *(cell(benches, mpp, key) for key in COLUMNS.values())] for mpp in pixels]
    where = "; ".join(f"{processor(bench)} ({bench['date']}, {_runs(bench['repeats'])})" for bench in benches)
    return (
        "One slide of 40 960² px (Aperio-style JPEG, 44 % tissue), the same rule for everybody, one cold process each; "
        "CPU of the others\nas multiples of ours, least to most of all interleaved runs, on each processor that there "
        f"are results of:\n{where}.\n\n{table(['work pixel', *COLUMNS], rows)}\n\n{_besides(benches)}"
    )


def _besides(benches: list[Bench]) -> str:
    """Return the cost of a batch and the memory, of the benches that measured them."""
    told = {}
    for bench in benches:
        for target, measured, _, _ in target_rows(Samples(bench["samples"])):
            told.setdefault(target, []).append(measured)
    sentences = {
        "1 µm/px: our CPU ÷ pyvips's, ten slides in one process each": "In one process for ten slides at 1 µm a slide "
        "costs ours {} of pyvips.",
        "0.25 µm/px: inner part's CPU ÷ raw decode of the kept tiles": "At 0.25 µm our tile work takes {} times what "
        "decoding the tiles alone does.",
        "peak memory with two workers, MB": "Peak memory with two workers is {} MB.",
    }
    return "\n".join(text.format(" and ".join(told[key])) for key, text in sentences.items() if key in told)


def page(benches: list[Bench]) -> str:
    """Return the page of targets by processor, Markdown."""
    by_target: dict[str, dict[str, str]] = {}
    wanted: dict[str, str] = {}
    for bench in benches:
        for target, measured, asked, _ in target_rows(Samples(bench["samples"])):
            by_target.setdefault(target, {})[processor(bench)] = measured
            wanted[target] = asked
    names = [processor(bench) for bench in benches]
    rows = [[target, *(by_target[target].get(name, "") for name in names), wanted[target]] for target in by_target]
    dates = ", ".join(f"{processor(bench)}: `{bench['date']}.json`" for bench in benches)
    return (
        "# The targets, by processor\n\nMade by `python -m benchmarks.processors` from the newest full bench of each "
        f"processor.\n{dates}.\n\n{table(['target', *names, 'wanted'], rows)}\n"
    )


def with_speeds(readme: str, benches: list[Bench]) -> str:
    """Return the README with the part between its marks made again."""
    before, _, rest = readme.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{speeds(benches)}\n{END}{after}"


def main() -> None:
    benches = newest_by_processor()
    README.write_text(with_speeds(README.read_text(), benches))
    PAGE.write_text(page(benches))


if __name__ == "__main__":
    main()
