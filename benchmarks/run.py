"""benchmarks: one command for the whole comparison: ``python -m benchmarks.run`` (``make bench``).

Builds the slide and the peers' environments, runs everybody in turn (A B C A B C …), and writes a table, the raw
figures and a plot to ``benchmarks/results/``. ``--quick`` does it once on a small slide, for trying the bench itself.
``--minutes 9`` begins nothing after so many minutes: the same command goes on, since what today's file has of this very
code and slide is kept (``--again`` begins afresh). A slide of another size than the main one has pages of its own name.
Standard library only: the process that measures must stay small (see ``measure``).
"""

import argparse
import datetime
import json
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.contenders import PEERS, Contender, Limit, Ours, Peer, Sample, ten_links
from benchmarks.environments import HERE, ensure
from benchmarks.measure import code_version, last_line, machine, ship_kernels, warm
from benchmarks.report import write_report
from benchmarks.startup import startup_samples

PARTS = ("startup", "cold", "batch", "memory")
WORK_MPPS = (0.25, 0.5, 1.0, 2.0)
MAIN, TINY, SMALL, HUGE = "40960", "2048", "8192", "100000x80000"
OURS = Ours("auto", 1)
LANES = (OURS, Ours("auto", 2), Ours("openslide", 1), Ours("openslide", 2))
BATCH_PEERS = ("pyvips_numpy", "cucim_cpu", "large_image_tiff")


class TimeIsOver(Exception):
    """What was to be measured in this call is; the next one goes on."""


@dataclass
class Bench:
    """What was asked, and every sample so far; the raw file is rewritten after each, so that nothing is lost."""

    slide: Path
    tiny: Path
    peers: list[Contender]
    work_mpps: tuple[float, ...]
    repeats: int
    ours: tuple[Ours, ...]
    raw: Path
    facts: dict[str, Any]
    until: float  # of time.monotonic
    samples: list[Sample] = field(default_factory=list)

    def has(self, **about: Any) -> bool:
        """Return True if a sample of all this is there already."""
        return any(all(sample.get(key) == value for key, value in about.items()) for sample in self.samples)

    def go_on(self) -> None:
        """End what is measured here where the time is over."""
        if time.monotonic() > self.until:
            raise TimeIsOver

    def add(self, part: str, repeat: int, sample: Sample, **about: Any) -> None:
        """Keep one sample and say so."""
        self.samples.append({"part": part, "repeat": repeat, **about, **sample})
        self.raw.write_text(json.dumps({**self.facts, "samples": self.samples}, indent=1))
        shown = f"{sample['cpu_s']:8.2f} CPU s" if "cpu_s" in sample else " " * 14
        at = f" at {about['work_mpp']:g}" if "work_mpp" in about else ""
        print(f"{part:8} {repeat + 1}{at:8} {shown}  {sample.get('title', about.get('title'))}"
              f"{'  FAILED: ' + sample['failed'] if sample.get('failed') else ''}", file=sys.stderr)  # fmt: skip

    def turn(self, part: str, repeat: int, who: Iterable[Contender], slides: list[Path], mpp: float) -> None:
        """Let each run once."""
        for contender in who:
            about = {"key": contender.key, "title": contender.title, "work_mpp": mpp, "slides": len(slides)}
            if self.has(part=part, repeat=repeat, key=contender.key, work_mpp=mpp, slides=len(slides)):
                continue
            self.go_on()
            self.add(part, repeat, contender.run(slides, mpp), **about)

    def startup(self) -> None:
        """Measure what it costs to start; one round first that is not counted, for the caches."""
        if self.has(part="startup", repeat=self.repeats - 1):
            return
        self.samples[:] = [sample for sample in self.samples if sample["part"] != "startup"]
        for repeat in range(-1, self.repeats):
            for sample in startup_samples(self.tiny, self.peers):
                if repeat >= 0:
                    self.add("startup", repeat, sample)

    def cold(self) -> None:
        """Measure one slide a process, everybody at every work mpp."""
        for contender in (*self.ours, *self.peers):  # compiled kernels, .pyc files, the page cache
            contender.run([self.tiny], 1.0)
        warm(self.slide)
        for repeat in range(self.repeats):
            for mpp in self.work_mpps:
                extra = [Ours("auto", 1, skip_glass=False)] if mpp == min(self.work_mpps) else []
                self.turn("cold", repeat, [OURS, Limit(OURS), *self.ours[1:], *extra, *self.peers], [self.slide], mpp)

    def batch(self) -> None:
        """Measure ten slides in one process, by hard links to the one."""
        links, tiny = ten_links(self.slide), ten_links(self.tiny)
        peers = [p for p in self.peers if p.key in BATCH_PEERS]
        for repeat in range(self.repeats):
            self.turn("fixed", repeat, [OURS], [self.tiny], 1.0)
            self.turn("fixed", repeat, [OURS], tiny, 1.0)
            for mpp in self.work_mpps:
                who = [*LANES[:2], *peers] if mpp >= 1 else LANES[:2] if mpp == min(self.work_mpps) else []
                self.turn("batch", repeat, who, links, mpp)

    def memory(self, sizes: list[str]) -> None:
        """Measure the peak of our run with two workers on slides of several sizes, once each."""
        for size in sizes:
            if self.has(part="memory", size=size):
                continue
            self.go_on()
            slide = built(size)
            self.add("memory", 0, LANES[1].run([slide], min(self.work_mpps)), title=f"{size} px", size=size)


def built(size: str) -> Path:
    """Return the slide of that size, built now if need be, by a process of its own."""
    command = [sys.executable, "-m", "benchmarks.slide", "--size", size]
    return Path(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, cwd=HERE.parent).stdout.strip())


def samples_of(raw: Path, facts: dict[str, Any]) -> list[Sample]:
    """Return the samples that a file has already, if it is of this very code and slide."""
    if not raw.exists():
        return []
    there = json.loads(raw.read_text())
    same = all(there.get(key) == facts[key] for key in ("code", "slide"))
    return list(there["samples"]) if same else []


def versions() -> dict[str, str]:
    """Return the versions of what we measure ourselves with."""
    names = ("wsi-area", "numpy", "numba", "zarr", "dask", "openslide-bin", "tifffile", "imagecodecs", "simplejpeg")
    script = f"import json; from importlib.metadata import version as v; print(json.dumps([v(n) for n in {names}]))"
    found = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True).stdout
    return dict(zip(names, json.loads(found), strict=True))


def drawn(raw: Path, plot: Path) -> str:
    """Draw the plot in an environment of its own; return "" or why there is none."""
    environment = ensure("plot", HERE)
    if environment.failure:
        return environment.failure
    command = [environment.python, HERE / "plot.py", raw, plot]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return last_line(done.stderr) if done.returncode else ""


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="8192² px, one repeat, results under benchmarks/work/")
    parser.add_argument("--only", default=",".join(PARTS), help=f"parts, of {','.join(PARTS)}")
    parser.add_argument("--peers", default=",".join(PEERS), help='peers, or "" for none')
    parser.add_argument("--mpp", default=",".join(map(str, WORK_MPPS)), help="work mpp, µm/px")
    parser.add_argument("--repeats", type=int, default=None, help="default 3")
    parser.add_argument("--size", default=None, help=f"of the slide, default {MAIN}")
    parser.add_argument("--huge", action="store_true", help=f"peak memory on {HUGE} px too")
    parser.add_argument("--direct-only", action="store_true", help="leave out our OpenSlide lane: it takes minutes")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="begin nothing after so many")
    parser.add_argument("--again", action="store_true", help="begin today's file afresh")
    parser.add_argument("--no-install", action="store_true", help="leave out peers whose environment is not there")
    parser.add_argument("--out", type=Path, default=None, help="where results go")
    args = parser.parse_args()
    for asked, known in ((args.peers, PEERS), (args.only, PARTS)):
        if unknown := {name for name in asked.split(",") if name} - set(known):
            parser.error(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    args.size = args.size or (SMALL if args.quick else MAIN)
    args.repeats = args.repeats or (1 if args.quick else 3)
    args.out = args.out or (HERE / "work" / "quick" if args.quick else HERE / "results")
    return args


def main() -> None:
    args = arguments()
    args.out.mkdir(parents=True, exist_ok=True)
    ship_kernels()
    keys = [k for k in args.peers.split(",") if k]
    peers: list[Contender] = [Peer(k, ensure(k, install=not args.no_install)) for k in keys]
    slide, tiny = built(args.size), built(TINY)
    stem = datetime.date.today().isoformat() + ("" if args.quick or args.size == MAIN else f"-{args.size}")
    raw = args.out / f"{stem}.json"
    about_slide = json.loads(slide.with_suffix(".json").read_text())
    facts = {
        "date": stem[:10], "code": code_version(), "machine": machine(), "versions": versions(), "slide": about_slide,
        "repeats": args.repeats,
    }  # fmt: skip
    work_mpps = tuple(sorted(float(m) for m in args.mpp.split(",")))
    lanes = tuple(lane for lane in LANES if lane.lane == "auto" or not args.direct_only)
    kept = [] if args.again else samples_of(raw, facts)
    if kept:
        facts["machine"] = json.loads(raw.read_text())["machine"]
    until = time.monotonic() + 60 * args.minutes
    bench = Bench(slide, tiny, peers, work_mpps, args.repeats, lanes, raw, facts, until, kept)
    raw.write_text(json.dumps({**facts, "samples": kept}, indent=1))
    parts = args.only.split(",")
    try:
        if "startup" in parts:
            bench.startup()
        if "cold" in parts:
            bench.cold()
        if "batch" in parts:
            bench.batch()
        if "memory" in parts:
            bench.memory([*dict.fromkeys([TINY, SMALL, args.size])] + [HUGE] * (args.huge and args.size != HUGE))
    except TimeIsOver:
        print("time is over: give the same command again", file=sys.stderr)
    trouble = drawn(raw, args.out / f"{stem}.svg")
    report = write_report(json.loads(raw.read_text()), args.out / f"{stem}.md", trouble)
    print(report.read_text())


if __name__ == "__main__":
    main()
