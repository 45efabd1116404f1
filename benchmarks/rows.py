"""benchmarks: what surrounds the fast path, a row each: finished slides, verify, artefacts, processes, prepare.

``make bench-quick`` takes some minutes: a slide of 10 240² and twenty of 2 048²; ``python -m benchmarks.rows --size
40960`` measures where it is hardest. Rows take turns, so that a slow minute hits all of them; each figure is a ratio of
CPU seconds within one process. Results: ``benchmarks/results/rows-<date>-<side>.json`` and the page made from it, .md.
"""

import argparse
import json
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.figures import Spread, spread
from benchmarks.measure import ROOT, machine, run_measured, warm
from benchmarks.memory import CONFIGURATIONS, WORKERS

RESULTS = ROOT / "benchmarks" / "results"
MEMORY_MB = 300
SMALL_PX, SMALL_SLIDES, SMALL_SEED = 2048, 20, 100


@dataclass(frozen=True)
class Row:
    """One line of the page: a ratio of two parts, or the seconds of one."""

    key: str  # of what is measured
    title: str
    over: str
    under: str  # "" where the figure is seconds, or MiB
    wanted: float | None = None  # None: nothing was asked for, so that it is a figure to watch


ROWS = (
    Row(
        "finished-small", f"{SMALL_SLIDES} finished slides of {SMALL_PX}², given again ÷ measured", "again", "run", 0.05
    ),
    Row("finished", "a finished slide, given again ÷ measured", "again", "run", 0.05),
    Row("finished", "`verify`, all of it ÷ the run", "verify", "run", 0.5),
    Row("clean", "`he_tissue_clean` ÷ `he_tissue`, tiles alone, 1 µm/px", "he_tissue_clean", "he_tissue", 15),
    Row("executors", "processes ÷ threads, tiles alone, 0.25 µm/px", "processes", "threads", 1.15),
    Row("geojson", "GeoJSON of a stained slide ÷ its run, 1 µm/px", "export", "run", 2),
    Row("labels", "OME-Zarr labels of a stained slide ÷ its run, 1 µm/px", "export", "run", 2),
    Row("evaluate", "`evaluate` against outlines of 2 µm/px ÷ the run, tissue, 1 µm/px", "evaluate", "run"),
    Row("passes", "a run with tumour foci ÷ without, 1 µm/px", "foci", "plain"),
    Row("passes", "a run with five bands round the tumour ÷ without, 1 µm/px", "bands", "plain"),
    Row("passes", "a run with hot spots of three sizes ÷ without, 1 µm/px", "hot spots", "plain"),
    Row("filters", "a run with filters by size ÷ without, tissue, 1 µm/px", "filtered", "plain"),
    Row("prepare", "CPU s before the tiles of a further slide, stain, 1 µm/px", "stain", "", 0.2),
    Row("prepare", "CPU s before the tiles of a further slide, tissue, 1 µm/px", "tissue", "", 0.2),
    Row("flat", "before the tiles of a slide with one level ÷ it and its tiles, 0.25 µm/px", "before", "run", 0.1),
    Row("formats", "DICOM of JPEG read directly ÷ through OpenSlide", "jpeg-420 direct", "jpeg-420 openslide", 0.25),
    Row("formats", "DICOM of JPEG 2000, likewise", "jpeg2000-ict direct", "jpeg2000-ict openslide", 0.8),
    Row("formats", "DICOM of raw pixels, likewise", "raw direct", "raw openslide", 0.25),
    Row("formats", "NDPI of 4:4:4, likewise", "ndpi-444 direct", "ndpi-444 openslide", 0.5),
    Row("formats", "NDPI of 4:2:2, likewise", "ndpi-422 direct", "ndpi-422 openslide", 0.5),
    *(
        Row("memory", f"peak MiB, {name}, {WORKERS} workers, {state}", f"{name}, {state}", "", wanted)
        for name in CONFIGURATIONS
        for state, wanted in (("warm", MEMORY_MB), ("cold", None))
    ),
)


def figure(row: Row, samples: list[dict[str, Any]]) -> Spread | None:
    """Return the spread of a row's figure over the repeats that came to something."""
    parts = [s["parts"] for s in samples if s["key"] == row.key and "parts" in s]
    return spread([p[row.over] / (p[row.under] if row.under else 1.0) for p in parts])


def page(document: dict[str, Any]) -> str:
    """Return the page of a results file, Markdown."""
    samples, size = document["samples"], document["side_px"]
    on, repeats = document["machine"], max(s["repeat"] for s in samples) + 1
    lines = [
        f"# Around the fast path, {document['date']}, a slide of {size}²",
        "",
        f"Made from `rows-{document['date']}-{size}.json` by `python -m benchmarks.rows`. CPU seconds (user + system),",
        f"warm, in one process for each row; turns: {repeats}, median with least and most.",
        f"{on['cpu']}, {on['cores']} cores, load {on['load_before']} before the start.",
        "",
        "| what | measured | wanted | |",
        "|---|---:|---:|---|",
    ]
    for row in ROWS:
        found = figure(row, samples)
        if found is not None:
            lines.append(f"| {row.title} | {found.text()} | {verdict(row.wanted, found.median)} |")
    failed = [f"- {s['key']}, turn {s['repeat']}: {s['error']}" for s in samples if "error" in s]
    return "\n".join([*lines, *(["", "Came to nothing:", "", *failed] if failed else []), ""])


def verdict(wanted: float | None, median: float) -> str:
    """Return the last two cells of a row: what was wanted, and whether that is reached."""
    if wanted is None:
        return "– | "
    return f"≤ {wanted:g} | {'reached' if median <= wanted else '**falls short**'}"


def small_slides(work: Path) -> Path:
    """Return the folder of the small slides, written now unless they are there."""
    from benchmarks.slide import SlideBuilder  # numpy must stay out of the process that measures

    folder = work / f"small_{SMALL_PX}"
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(SMALL_SLIDES):
        path = folder / f"s{number:03d}.svs"
        if not path.exists():
            SlideBuilder(SMALL_PX, SMALL_PX, 0.44, SMALL_SEED + number).write(path)
    return folder


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=10240, help="side of the slide in pixels")
    parser.add_argument("--repeats", type=int, default=3, help="turns")
    parser.add_argument("--only", default="", help="keys of rows, with commas; others keep what the file has of them")
    parser.add_argument("--page", type=Path, help="make the page of this results file again, and measure nothing")
    args = parser.parse_args()
    if args.page is not None:
        args.page.with_suffix(".md").write_text(page(json.loads(args.page.read_text())))
        return
    from benchmarks.slide import WORK, build

    slide, flat, small = build(args.size, args.size), build(args.size, args.size, flat=True), small_slides(WORK)
    document: dict[str, Any] = {
        "date": datetime.now(UTC).date().isoformat(), "side_px": args.size, "machine": machine(), "samples": [],
    }  # fmt: skip
    path = RESULTS / f"rows-{document['date']}-{args.size}.json"
    for file in (slide, flat, *small.glob("*.svs")):
        warm(file)
    places = {row.key: slide for row in ROWS} | {"finished-small": small, "flat": flat}
    only = set(filter(None, args.only.split(",")))
    if unknown := sorted(only - set(places)):
        parser.error(f"no rows are called {', '.join(unknown)}; there are {', '.join(places)}")
    if only and path.exists():
        kept = json.loads(path.read_text())["samples"]
        document["samples"] = [sample for sample in kept if sample["key"] not in only]
    for repeat in range(args.repeats):
        for key, place in places.items():
            if only and key not in only:
                continue
            told = _parts(key, place, WORK, small / "s000.svs")
            document["samples"].append({"key": key, "repeat": repeat, **told})
            print(key, told, file=sys.stderr)
            path.write_text(json.dumps(document, indent=1) + "\n")  # what ends it later costs the rest alone
            path.with_suffix(".md").write_text(page(document))
    print(path.with_suffix(".md").read_text())


def _parts(key: str, place: Path, work: Path, warm_up: Path) -> dict[str, Any]:
    """Return the parts of a row, or why there are none."""
    name = key.partition("-")[0]
    if name == "memory":
        command = ["benchmarks.memory", place, work / "memory", work / "models"]
    else:
        command = ["benchmarks.row_parts", name, place, work / "rows", warm_up]
    cost = run_measured([sys.executable, "-m", *command])
    return {"parts": json.loads(last_json(cost.stdout))} if not cost.exit_code else {"error": cost.last_error}


def last_json(text: str) -> str:
    """Return the last line of what a child said."""
    return [line for line in text.splitlines() if line.strip()][-1]


if __name__ == "__main__":
    main()
