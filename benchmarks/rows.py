"""benchmarks: what surrounds the fast path, a row each: finished slides, verify, artefacts, processes, prepare, peers.

``make bench-quick`` takes some minutes: a slide of 10 240² and twenty of 2 048²; ``--size 40960`` measures where it
is hardest, ``--size 100000x80000`` what a run of the largest costs and whether memory is flat. Rows take turns, so that
a slow minute hits all of them; each figure is a ratio of CPU seconds within one turn. ``--minutes 9`` begins nothing
after so many minutes; the same command goes on, since what today's file has of this very code is not measured again
(``--again``).
Results: ``benchmarks/results/rows-<date>-<size>.json`` and the page made from it, .md. ``--profile ROW`` measures
nothing: it prints where the CPU of one row goes.
"""

import argparse
import json
import os
import shutil
import sys
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.measure import ROOT, code_version, machine, run_measured, ship_kernels, warm
from benchmarks.row import QUICK, Turns, sides_of
from benchmarks.row_page import page, size_name
from benchmarks.row_targets import SMALL_PX, SMALL_SLIDES, TURNS

RESULTS = ROOT / "benchmarks" / "results"
SMALL_SEED = 100
BY_PROCESS = {"memory", "cold", "first", "peak"}
"""Rows whose figures are of whole processes, started by `benchmarks.<name>`; all others are parts of one process."""


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


def places_of(size: str, keys: set[str]) -> tuple[Path, dict[str, Path]]:
    """Return the working folder, and the slide or folder that each row is measured on, built now unless it is there."""
    from benchmarks.slide import WORK, build

    sides, small = sides_of(size), small_slides(WORK)
    slide = build(*sides)
    places = dict.fromkeys(keys, slide)
    if "flat" in keys:
        places["flat"] = build(*sides, flat=True)
    return WORK, places | {name: small for name in ("finished-small", "first") if name in keys}


def still_wanted(samples: list[dict[str, Any]], turns: Mapping[str, Turns], size: str) -> Iterator[tuple[int, str]]:
    """Yield the turns and rows that a file has not yet, so that the rows take turns."""
    has = {(sample["repeat"], sample["key"]) for sample in samples}
    wanted = {key: some.at(*sides_of(size)) for key, some in turns.items()}
    for repeat in range(max(wanted.values(), default=0)):
        for key, count in wanted.items():
            if repeat < count and (repeat, key) not in has:
                yield repeat, key


def measured(key: str, place: Path, work: Path) -> dict[str, Any]:
    """Return the parts of a row and how long all of it took, or why there are none."""
    warm_up = work / f"small_{SMALL_PX}" / "s000.svs"
    name = key.partition("-")[0]
    module = f"benchmarks.{name}" if name in BY_PROCESS else "benchmarks.row_parts"
    told = [place, work] if name in BY_PROCESS else [name, place, work / f"rows_{os.getpid()}"]
    cost = run_measured([sys.executable, "-m", module, *told, warm_up])
    if cost.exit_code:
        return {"error": cost.last_error}
    return {**json.loads(last_json(cost.stdout)), "wall_s": round(cost.wall_s, 1)}


def profile(key: str, size: str) -> str:
    """Return the profile of a row's CPU."""
    work, places = places_of(size, {key})
    name, place, warm_up = key.partition("-")[0], places[key], work / f"small_{SMALL_PX}" / "s000.svs"
    if name in BY_PROCESS:
        shutil.rmtree(work / "rows", ignore_errors=True)
        told = ["benchmarks.row_profile", warm_up if place.is_dir() else place, work / "rows"]
    else:
        told = ["benchmarks.row_parts", name, place, work / "rows", warm_up, "profile"]
    cost = run_measured([sys.executable, "-m", *told])
    return cost.last_error or cost.stdout[cost.stdout.index("CPU by function") :]


def last_json(text: str) -> str:
    """Return the last line of what a child said."""
    return [line for line in text.splitlines() if line.strip()][-1]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", default=QUICK, help="of the slide, SIDE or WIDTHxHEIGHT in pixels")
    parser.add_argument("--repeats", type=int, help="turns of each row; by default what benchmarks.row_targets says")
    parser.add_argument("--only", default="", help="keys of rows, with commas")
    parser.add_argument("--again", action="store_true", help="measure again what today's file has of these rows")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="begin nothing after so many")
    parser.add_argument("--profile", metavar="KEY", help="print where the CPU of a row goes, and measure nothing")
    parser.add_argument("--page", type=Path, help="make the page of this results file again, and measure nothing")
    args = parser.parse_args()
    args.only = set(filter(None, args.only.split(",")))
    if unknown := sorted((args.only | {args.profile} - {None}) - set(TURNS)):
        parser.error(f"no rows are called {', '.join(unknown)}; there are {', '.join(TURNS)}")
    return args


def main() -> None:
    args = arguments()
    if args.page is not None:
        args.page.with_suffix(".md").write_text(page(json.loads(args.page.read_text())))
        return
    if args.profile:
        print(profile(args.profile, args.size))
        return
    turns = {key: some for key, some in TURNS.items() if not args.only or key in args.only}
    if args.repeats is not None:
        turns = dict.fromkeys(turns, Turns(args.repeats, args.repeats, args.repeats))
    measure(args, turns)


def measure(args: argparse.Namespace, turns: Mapping[str, Turns]) -> None:
    """Measure what is wanted and not yet there, and write file and page after each row."""
    started = time.monotonic()
    ship_kernels()
    date = datetime.now(UTC).date().isoformat()
    path = RESULTS / f"rows-{date}-{size_name(args.size)}.json"
    about = {"date": date, "size": "x".join(map(str, sides_of(args.size))), "code": code_version()}
    document = json.loads(path.read_text()) if path.exists() else {}
    if document.get("code") != about["code"]:  # figures of two programs are no table
        document = {**about, "machine": machine(), "samples": []}
    if args.again:
        document["samples"] = [sample for sample in document["samples"] if sample["key"] not in turns]
    wanted = list(still_wanted(document["samples"], turns, args.size))
    work, places = places_of(args.size, {key for _, key in wanted})
    for place in places.values():
        for file in place.glob("*.svs") if place.is_dir() else [place]:
            warm(file)
    for done, (repeat, key) in enumerate(wanted):
        if time.monotonic() - started > 60 * args.minutes:
            print(f"{len(wanted) - done} of {len(wanted)} are left: give the same command again", file=sys.stderr)
            break
        told = measured(key, places[key], work)
        document["samples"].append({"key": key, "repeat": repeat, **told})
        print(key, told, file=sys.stderr)
        path.write_text(json.dumps(document, indent=1) + "\n")  # what ends it later costs the rest alone
        path.with_suffix(".md").write_text(page(document))
    if document["samples"]:
        print(path.with_suffix(".md").read_text())


if __name__ == "__main__":
    main()
