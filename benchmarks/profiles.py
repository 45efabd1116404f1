"""benchmarks: where the CPU of each row goes, in an earlier program and in that of today, by function, side by side.

``python -m benchmarks.profiles --before FOLDER``, a checkout with an environment of its own (``.venv``). py-spy watches
each command from outside, in an environment that ``benchmarks.environments`` makes; all processes that a command
starts are watched. Results: ``benchmarks/results/profiles-<date>.json`` and the page made from it, .md. What is there
already of the same two programs is not measured again (``--again``); ``--only cold,verify`` measures some rows.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.environments import HERE, ensure
from benchmarks.measure import ROOT, code_version, machine, run_measured, ship_kernels
from benchmarks.memory import write_models
from benchmarks.profile_page import SHOWN, page
from benchmarks.profile_rows import PROFILED, Profiled
from benchmarks.rows import RESULTS, small_slides
from benchmarks.slide import MPP_UM, WORK, build
from wsi_area.model.geometry import Region
from wsi_area.slides import inspect
from wsi_area.slides.lanes.openslide_lane import OpenSlideReader

SIDE_PX, COPIES, RATE, LIMIT_S = 10240, 4, 300, 240
INTERVAL_PX = 2048  # of the NDPI file; the first and the last of each row are at an edge
WAITS = ("threading.py", "selectors.py", "queue.py", "concurrent/futures/thread.py", "subprocess.py", "popen_fork.py")
"""Files whose functions wait: what is last called from them is on no processor, even where it seems to run."""

MEMORY = "/dev/shm"
"""Results lie in memory: a function that waits for a disk seems to run."""


def copies(path: Path, folder: Path) -> str:
    """Return as many names of one file: a slide is named like its file."""
    links = [folder / f"s{number}{path.suffix}" for number in range(COPIES)]
    for link in links:
        link.parent.mkdir(parents=True, exist_ok=True)
        if not link.exists():
            os.link(path, link)
    return " ".join(map(str, links))


def write_others(slide: Path, work: Path) -> dict[str, str]:
    """Return the files of the whole slide as DICOM and as NDPI, by format, written now unless they are there."""
    found = {"dicom": work / "dicom" / "s.dcm", "ndpi": work / "ndpi" / "s.ndpi"}
    if not all(path.exists() for path in found.values()):
        sys.path[:0] = [str(ROOT / "tests" / "slides")]
        from dicom_files import write_dicom
        from ndpi_files import write_ndpi_slide

        reader = OpenSlideReader(inspect(slide))
        picture = reader.read(0, Region(0, 0, SIDE_PX, SIDE_PX)).rgb
        reader.close()
        for path in found.values():
            path.parent.mkdir(exist_ok=True)
        write_dicom(found["dicom"], picture, mpp=MPP_UM)
        levels = [picture, picture[::2, ::2], picture[::4, ::4]]
        write_ndpi_slide(found["ndpi"], levels, interval_mcus=INTERVAL_PX // 16, subsampling=1, mpp=MPP_UM)
    return {name: str(path) for name, path in found.items()}


def places(work: Path, results: Path) -> dict[str, str]:
    """Return what stands for the words in braces, all but each program's own; files are made now if need be."""
    slide, models, drawn = build(SIDE_PX, SIDE_PX), work / "models", work / "drawn"
    write_models(models)
    others = write_others(slide, work)
    if not drawn.exists():
        done(ROOT, f"run {slide} --config he_tissue --out {drawn} --set tiling.work_mpp=2")
        done(ROOT, f"export {drawn} --format geojson")
    return {
        "slide": str(slide), "further": copies(slide, work / "further"), **others,
        "truth": str(drawn / "slides" / slide.stem / "regions.geojson.gz"),
        "model": str(models / "network.onnx"), "foci": str(HERE / "foci.toml"),
        "out": str(results / "out"), "raw": str(work / "raw.txt"),
    }  # fmt: skip


def side_of(row: Profiled, tree: Path, spy: Path, at: dict[str, str], warm_up: Path) -> dict[str, Any]:
    """Return CPU s and functions of a row in one program, or why there are none."""
    own = {"rule": str(tree / "benchmarks" / "rule.toml"), "configs": str(tree / "configs")}
    small = {**at, **own, "slide": str(warm_up), "further": str(warm_up)}
    watch = [spy, "record", "-o", at["raw"], "-f", "raw", "-r", str(RATE), "-F", "--subprocesses", "--"]
    try:
        _work(row, tree, small)  # machine code is made, or loaded, on a small slide
        cpu_s = _work(row, tree, at | own)
        if row.within:
            cpu_s = said_s(Path(at["out"]), row.told)
        _work(row, tree, at | own, watch)
    except RuntimeError as error:
        return {"error": str(error)}
    counts = by_function(Path(at["raw"]).read_text(), row.within)
    looks = counts.total()
    return {"cpu_s": cpu_s, "looks": looks, "functions": [[name, n / looks] for name, n in counts.most_common(SHOWN)]}


def _work(row: Profiled, tree: Path, at: dict[str, str], watch: Sequence[str | Path] = ()) -> float:
    """Return the CPU seconds of a row's command, done from the beginning; it alone is watched."""
    shutil.rmtree(at["out"], ignore_errors=True)
    for command in row.first:
        done(tree, command.format(**at))
    more = f" {row.only_now}" if row.only_now and tree == ROOT else ""
    return done(tree, row.command.format(**at) + more, watch)


def done(tree: Path, command: str, watch: Sequence[str | Path] = ()) -> float:
    """Return the CPU seconds of a command of the program in a checkout.

    Raises
    ------
    RuntimeError
        It ended with an error, or not within the limit.
    """
    programs, words = tree / ".venv" / "bin", command.split()
    cost = run_measured([*watch, programs / "python", programs / "wsi-area", *words], timeout_s=LIMIT_S)
    if cost.exit_code < 0 and cost.wall_s >= LIMIT_S:
        raise RuntimeError(f"not done after {LIMIT_S} s")
    if cost.exit_code:
        raise RuntimeError(f"`{words[0]}` ended with {cost.exit_code}: {cost.last_error}")
    return cost.cpu_s


def said_s(out: Path, told: str) -> float:
    """Return the CPU seconds that the results of a run say of a part of it, added up."""
    results = [json.loads(path.read_text()) for path in out.glob("slides/*/result.json")]
    return float(sum(result["timing"][told] for result in results))


def by_function(raw: str, within: str = "") -> Counter[str]:
    """Return how often each function was the last of a stack that works, of those stacks through a file that fits.

    >>> raw = "main (a.py:1);f (b.py:2) 3\\nmain (a.py:1);wait (threading.py:9) 5\\nmain (a.py:1);f (c.py:7) 2"
    >>> by_function(raw), by_function(raw, "c.py")
    (Counter({'b.py f': 3, 'c.py f': 2}), Counter({'c.py f': 2}))
    """
    counts: Counter[str] = Counter()
    for line in raw.splitlines():
        stack, _, number = line.rpartition(" ")
        frames = [Frame.of(text) for text in stack.split(";")]
        if not frames[-1].file.endswith(WAITS) and any(re.search(within, frame.file) for frame in frames):
            counts[loaded(frames) or frames[-1].name] += int(number)
    return counts


@dataclass(frozen=True)
class Frame:
    """A function on a stack, and the file it stands in: below its package, or below Python's own modules."""

    function: str
    file: str

    @classmethod
    def of(cls, text: str) -> "Frame":
        told = re.fullmatch(r"(.+) \(([^()]+?)(?::\d+)?\)", text)
        return cls(*told.groups()) if told else cls(text, "")

    @property
    def name(self) -> str:
        """What the page calls it: a stack of no function is a process that begins."""
        return f"{self.file} {self.function}" if self.file else "start of a process"


def loaded(frames: list[Frame]) -> str:
    """Return what is loaded where a stack loads modules: the package that ours asked for; "" where it loads none.

    >>> loaded([Frame("run", "wsi_area/a.py"), Frame("_find", "<frozen importlib>"), Frame("<module>", "re.py")])
    'loading of re'
    """
    at = next((n for n, frame in enumerate(frames) if frame.file.startswith("<frozen importlib")), None)
    if at is None:
        return ""
    packages = (f.file.partition("/")[0].removesuffix(".py") for f in frames[at:] if f.function == "<module>")
    return "loading of " + next((name for name in packages if name != "wsi_area"), "wsi_area")


def commit(tree: Path) -> str:
    """Return the commit of a checkout, short."""
    command = ["git", "rev-parse", "--short=7", "HEAD"]
    return subprocess.run(command, cwd=tree, capture_output=True, text=True, check=True).stdout.strip()


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--before", type=Path, help="a checkout of the program before, with its .venv")
    parser.add_argument("--only", default="", help="keys of rows, with commas")
    parser.add_argument("--again", action="store_true", help="measure again what today's file has of these rows")
    parser.add_argument("--page", type=Path, help="make the page of this results file again, and measure nothing")
    args = parser.parse_args()
    keys = [row.key for row in PROFILED]
    args.only = set(filter(None, args.only.split(","))) or set(keys)
    if unknown := sorted(args.only - set(keys)):
        parser.error(f"no rows are called {', '.join(unknown)}; there are {', '.join(keys)}")
    if args.page is None and args.before is None:
        parser.error("give --before FOLDER, a checkout of the program before")
    return args


def main() -> None:
    args = arguments()
    if args.page is not None:
        args.page.with_suffix(".md").write_text(page(json.loads(args.page.read_text())))
        return
    environment = ensure("spy", HERE)
    if environment.failure:
        raise SystemExit(f"py-spy: {environment.failure}")
    ship_kernels()
    before = args.before.resolve()
    date = datetime.now(UTC).date().isoformat()
    path = RESULTS / f"profiles-{date}.json"
    about = {"date": date, "slide_px": SIDE_PX, "rate": RATE, "before": commit(before), "code": code_version()}
    document = json.loads(path.read_text()) if path.exists() else {}
    if any(document.get(key) != told for key, told in about.items()):
        document = {**about, "now": commit(ROOT), "machine": machine(), "rows": {}}
    work = WORK / "profiles"
    work.mkdir(parents=True, exist_ok=True)
    trees, spy = {"before": before, "now": ROOT}, environment.python.with_name("py-spy")
    warm_up = small_slides(WORK) / "s000.svs"
    with tempfile.TemporaryDirectory(dir=MEMORY) as results:
        at = places(work, Path(results))
        for row in PROFILED:
            if row.key not in args.only or (row.key in document["rows"] and not args.again):
                continue
            sides = {name: side_of(row, tree, spy, at, warm_up) for name, tree in trees.items()}
            document["rows"][row.key] = sides
            print(row.key, {name: side.get("cpu_s", side) for name, side in sides.items()}, file=sys.stderr)
            path.write_text(json.dumps(document, indent=1) + "\n")
            path.with_suffix(".md").write_text(page(document))


if __name__ == "__main__":
    main()
