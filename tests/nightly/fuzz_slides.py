"""Damage slides of every kind at random and measure each in a process of its own: no hang, no crash, no lie.

    python tests/nightly/fuzz_slides.py --each 2000 [--kind plain.jpg] [--way zero] [--seed 1] [--keep FOLDER]

Each mutant has its own process, forked from one in which libraries and compiled code are loaded and no thread of Python
runs, with limits on time and memory. Large files are cut down first (small_slides), so that a mutant costs about 0.2 s
of CPU. Ended badly has a mutant that hangs, kills its process, needs too much memory, brings out a bug (an error that
is none of ours, a traceback), or for which a result was given although OpenSlide cannot read some of the pixels, or
reads others than the direct lane; or for which a plain image is complete although its end or a sector of it is gone. It
is printed with its seed, which makes it again; then the exit code is 1. Seeds from 10 000 on know every way to damage.
"""

import argparse
import collections
import json
import os
import resource
import shutil
import signal
import sys
import tempfile
import traceback
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

from judging import warm_up, worst_of
from mutations import mutate
from small_slides import small_slide, write_plain_images

EXTRA_MEMORY_BYTES = 2 << 30
CPU_LIMIT_S, TIME_LIMIT_S = 60, 300  # the second is for what waits: other people may use the machine
PIECE_OF = "CMU-1-Small-Region.svs"
"""The slide of which a piece is written as plain images."""
SUFFIXES = {".svs", ".ndpi", ".tif", ".tiff", ".dcm"}
FINE = {"complete", "incomplete", "needs_calibration", "failed"}


@dataclass(frozen=True, slots=True)
class Ended:
    """How one mutant ended, and what memory its process took beyond what it was born with."""

    verdict: str
    detail: str
    grown_bytes: int = 0


def limited_child(mutant: Path, folder: Path, whole: Path | None) -> None:
    """Measure and judge a mutant in this process, which is a mutant's own, and end it."""
    answer, code = folder / "answer", 0
    with (folder / "errors").open("w") as errors:
        os.dup2(errors.fileno(), 2)
        os.dup2(errors.fileno(), 1)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(TIME_LIMIT_S)
    now_bytes = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (now_bytes + EXTRA_MEMORY_BYTES,) * 2)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_LIMIT_S, CPU_LIMIT_S + 1))
    born_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:
        for stage, facts in worst_of(mutant, folder / "out", whole):
            grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - born_kb) << 10
            with answer.open("a") as file:
                file.write(json.dumps({"stage": stage, "grown_bytes": grown, **facts}) + "\n")
    except BaseException:
        traceback.print_exc()
        code = 3
    os._exit(code)  # whatever a library does at exit is no part of this


def ended(mutant: Path, folder: Path, whole: Path | None) -> Ended:
    """Return the end of a mutant, from a process of its own."""
    child = os.fork()
    if child == 0:
        limited_child(mutant, folder, whole)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    answer, errors = folder / "answer", (folder / "errors").read_text(errors="replace")
    stages = [json.loads(line) for line in answer.read_text().splitlines()] if answer.exists() else []
    grown = max((s["grown_bytes"] for s in stages), default=0)
    if code in {-signal.SIGALRM, -signal.SIGXCPU}:
        return Ended("hang", f"no end within {CPU_LIMIT_S} s of CPU, after {len(stages)} stages", grown)
    if code != 0:
        verdict = "crash of the judge" if stages else "crash"
        return Ended(verdict, f"exit {code}: {errors[-1500:]}", grown)
    if "Traceback" in errors:
        return Ended("bug", errors[-1500:], grown)
    return _verdict(stages, grown)


def _verdict(stages: list[dict[str, Any]], grown: int) -> Ended:
    measured, judged = stages
    text = f"{measured['status']} ({measured['reader']}): {measured['reason'][:300]}"
    if measured["foreign"]:
        return Ended("bug", f"{measured['foreign']}: {text}", grown)
    if judged["lie"]:
        return Ended(f"{measured['status']} on damaged pixels", f"lane {measured['reader']}: {judged['lie']}", grown)
    return Ended(measured["status"], text, grown)


def fuzz(slide: Path, seeds: Sequence[int], keep: Path | None, only_ways: Collection[str]) -> int:
    """Return the number of mutants of one slide that ended as none may."""
    verdicts: collections.Counter[str] = collections.Counter()
    ways: collections.Counter[str] = collections.Counter()
    whole, most_grown, heaviest = small_slide(slide), 0, seeds[0]
    for seed in seeds:
        with tempfile.TemporaryDirectory(dir=_memory_folder()) as name:
            folder = Path(name)
            mutant = folder / "slide" / slide.name  # alone in its folder: of a DICOM slide others would join
            mutant.parent.mkdir()
            data = bytearray(whole)
            way = mutate(data, seed, only_ways)
            mutant.write_bytes(data)
            end = ended(mutant, folder, slide if is_never_missed(way, whole, data) else None)
            verdicts[end.verdict] += 1
            ways[way] += 1
            if end.grown_bytes > most_grown:
                most_grown, heaviest = end.grown_bytes, seed
            if end.verdict not in FINE:
                print(f"seed {seed} {slide.name} {way}: {end.verdict}: {end.detail}", flush=True)
                if keep is not None:
                    shutil.copy(mutant, keep / f"{seed}-{slide.name}")
    about = {"slide": slide.name, "mutants": len(seeds), "first_seed": seeds[0], **verdicts}
    print(json.dumps({**about, "most_grown_mib": most_grown >> 20, "by_seed": heaviest, "ways": ways}), flush=True)
    return sum(n for verdict, n in verdicts.items() if verdict not in FINE)


def is_never_missed(way: str, whole: bytes, data: bytes) -> bool:
    """Return True if damage is such that a strict decoder sees it: the end is gone, or a disk's sector and more.

    That a few bytes were changed, a JPEG may hide: it has no checksum.
    """
    changed = sum(a != b for a, b in zip(whole, data, strict=False)) if way == "zero" else 0
    return way == "truncate" or changed >= 512


def _memory_folder() -> str | None:
    """Return a folder in memory where there is one: a mutant's files live for a moment."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--each", type=int, default=200, help="mutants of each kind of slide")
    parser.add_argument("--kind", action="append", help="name of a slide or plain image (default: all)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", type=int, nargs="+", help="these seeds and no others")
    parser.add_argument("--way", action="append", default=[], help="damage done (default: every way there is)")
    parser.add_argument("--keep", type=Path, help="folder for the mutants that ended badly")
    options = parser.parse_args()
    data = os.environ.get("WSI_AREA_TESTDATA", Path(__file__).resolve().parents[3] / "shared" / "data")
    slides = sorted(p for p in Path(data, "slides").rglob("*") if p.suffix in SUFFIXES)
    if not slides:
        sys.exit(f"no slides below {data}; set WSI_AREA_TESTDATA")
    if options.keep is not None:
        options.keep.mkdir(parents=True, exist_ok=True)
    warm_up()
    seeds = options.only or range(options.seed, options.seed + options.each)
    with tempfile.TemporaryDirectory() as folder:
        slides += write_plain_images(next(p for p in slides if p.name == PIECE_OF), Path(folder))
        chosen = [p for p in slides if options.kind is None or p.name in options.kind]
        bad = sum(fuzz(slide, seeds, options.keep, options.way) for slide in chosen)
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
