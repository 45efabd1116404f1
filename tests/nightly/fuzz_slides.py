"""Damage real slides at random and measure each in a process of its own: no hang, no crash, no lie.

    python tests/nightly/fuzz_slides.py --count 300 --seed 1 [--keep FOLDER]

A mutant that hangs, crashes its process, or is called complete although OpenSlide itself cannot read some of it is
printed with its seed, by which it can be made again, and makes the exit code 1.
"""

import argparse
import collections
import json
import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

MEMORY_BYTES = 3 << 30
TIME_LIMIT_S = 120
SUFFIXES = {".svs", ".ndpi", ".tif", ".tiff", ".dcm"}
BEYOND_LIMITS = {"hang", "crash", "bug", "complete on damaged pixels", "needs_calibration on damaged pixels"}

MEASURE = """
import json, sys
from pathlib import Path
from wsi_area.run.inputs import SlideInput
from wsi_area.run.pipeline import run_slides
from wsi_area.run.settings import load
settings = load(None, ["run.executor=serial", "run.slides_in_flight=1", "tiling.skip_glass=false"])
outcome = run_slides([SlideInput(sys.argv[1], "mutant")], settings, Path(sys.argv[2]))
print(json.dumps({"code": outcome.exit_code, "status": [r["status"] for r in outcome.records],
                  "reason": [r["reason"] for r in outcome.records],
                  "reader": [r.get("reader") for r in outcome.records]}))
"""

READ_ALL = """
import sys, openslide
slide = openslide.OpenSlide(sys.argv[1])
for y in range(0, slide.dimensions[1], 512):
    for x in range(0, slide.dimensions[0], 512):
        slide.read_region((x, y), 0, (min(512, slide.dimensions[0] - x), min(512, slide.dimensions[1] - y)))
"""


@dataclass(frozen=True)
class Ended:
    """How one mutant ended."""

    verdict: str
    detail: str


def mutate(data: bytearray, rng: random.Random) -> str:
    """Damage the bytes of a slide in place, in one of the ways that disks, copies and strangers do; return which."""
    kind = rng.choice(["flip", "flip header", "flip tail", "truncate", "zero", "enlarge", "swap"])
    if kind == "flip":
        for _ in range(rng.choice([1, 8, 64, 512])):
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    elif kind in {"flip header", "flip tail"}:
        reach = min(len(data), 4096)
        for _ in range(rng.choice([1, 4, 16])):
            at = rng.randrange(reach)
            data[at if kind == "flip header" else len(data) - 1 - at] = rng.randrange(256)
    elif kind == "truncate":
        del data[rng.randrange(len(data)) :]
    elif kind == "zero":
        at = rng.randrange(len(data))
        end = min(len(data), at + rng.choice([512, 4096, 65536]))
        data[at:end] = bytes(end - at)
    elif kind == "enlarge":  # a number of the header or of a directory becomes as large as it can be
        reach = rng.choice([range(min(len(data), 4096)), range(max(0, len(data) - 65536), len(data))])
        at = rng.choice(reach) & ~1
        data[at : at + 4] = rng.choice([b"\xff\xff\xff\x7f", b"\xff\xff\xff\xff", b"\x00\x00\x00\x40", bytes(4)])
    else:
        a, b = (rng.randrange(max(1, len(data) - 4096)) for _ in range(2))
        data[a : a + 4096], data[b : b + 4096] = data[b : b + 4096], data[a : a + 4096]
    return kind


def limited(code: str, *arguments: str) -> tuple[int | None, str, str]:
    """Run code in a process that may use so much memory and time; None where it was too slow."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"}
    command = [sys.executable, "-c", code, *arguments]
    try:
        ended = subprocess.run(
            command, capture_output=True, text=True, timeout=TIME_LIMIT_S, preexec_fn=limit, env=environment
        )
    except subprocess.TimeoutExpired:
        return None, "", ""
    return ended.returncode, ended.stdout, ended.stderr


def judged(mutant: Path, out: Path) -> Ended:
    """Measure a mutant and say how that ended."""
    code, stdout, stderr = limited(MEASURE, str(mutant), str(out))
    if code is None:
        return Ended("hang", f"no end within {TIME_LIMIT_S} s")
    if code != 0:
        return Ended("crash", f"exit {code}: {stderr[-1500:]}")
    found = json.loads(stdout.splitlines()[-1])
    (status,) = found["status"]
    if "Traceback" in stderr:
        return Ended("bug", stderr[-1500:])
    by_openslide = found["reader"] != ["plain"]  # what OpenSlide does not take for a slide, it cannot judge
    if status in {"complete", "needs_calibration"} and by_openslide and limited(READ_ALL, str(mutant))[0] != 0:
        return Ended(f"{status} on damaged pixels", f"lane {found['reader']}")
    return Ended(status, found["reason"][0][:200])


def fuzz(slides: list[Path], count: int, first_seed: int, keep: Path | None) -> int:
    """Return how many mutants ended as none may."""
    verdicts: collections.Counter[str] = collections.Counter()
    for seed in range(first_seed, first_seed + count):
        rng = random.Random(seed)
        slide = slides[seed % len(slides)]
        with tempfile.TemporaryDirectory() as folder:
            mutant = Path(folder) / slide.name
            data = bytearray(slide.read_bytes())
            kind = mutate(data, rng)
            mutant.write_bytes(data)
            ended = judged(mutant, Path(folder) / "out")
            verdicts[ended.verdict] += 1
            if ended.verdict in BEYOND_LIMITS:
                print(f"seed {seed} {slide.name} {kind}: {ended.verdict}: {ended.detail}", flush=True)
                if keep is not None:
                    shutil.copy(mutant, keep / f"{seed}-{slide.name}")
    print(json.dumps({"mutants": count, "first_seed": first_seed, "slides": len(slides), **verdicts}))
    return sum(verdicts[name] for name in BEYOND_LIMITS)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="folder for the mutants that ended badly")
    options = parser.parse_args()
    data = os.environ.get("WSI_AREA_TESTDATA", Path(__file__).resolve().parents[3] / "shared" / "data")
    slides = sorted(p for p in Path(data, "slides").rglob("*") if p.suffix in SUFFIXES and p.stat().st_size < 64 << 20)
    if not slides:
        sys.exit(f"no slides below {data}; set WSI_AREA_TESTDATA")
    if options.keep is not None:
        options.keep.mkdir(parents=True, exist_ok=True)
    sys.exit(1 if fuzz(slides, options.count, options.seed, options.keep) else 0)


if __name__ == "__main__":
    main()
