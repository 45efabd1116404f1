"""Measure many tiny slides in one run, and say what that costs: seconds and memory a slide, memory and files over time.

    python tests/nightly/many_slides.py --slides 1000 3000 10000
    python tests/nightly/many_slides.py --slides 200 --executor processes --width-px 3000

The slides are one file under many names. Each run is a process of its own, which is looked at from outside, with the
workers below it, ten times a second: resident memory and open files. Ends with 1 where a run does not end well, where
its coordinator needs 1 GB or more, where a slide costs a half more CPU in the largest run than in the smallest, or
where memory or open files of any process grow by a fifth from the second quarter of the slides to the last; the
coordinator may grow by what it keeps of each slide, which is said.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "run"))

from synthetic import disc, write_slide
from worker_processes import workers_below

from wsi_area.model.geometry import Size

COMMAND = [sys.executable, "-c", "from wsi_area.cli.main import main; main()", "run"]
SETTINGS = ("segmenter.name=tissue", "segmenter.background=bright", "segmenter.threshold=60")
LOOK_EVERY_S = 0.1
MOST_COORDINATOR_BYTES = 1_000_000_000
CPU_GROWTH, WORKER_GROWTH = 1.5, 1.2
MIB = 1 << 20


@dataclass(slots=True)
class Seen:
    """What was seen of one process, over time."""

    rss_bytes: list[int] = field(default_factory=list)
    files: list[int] = field(default_factory=list)
    at_s: list[float] = field(default_factory=list)

    def look(self, pid: int, now_s: float) -> None:
        try:
            pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
            files = len(os.listdir(f"/proc/{pid}/fd"))
        except (OSError, IndexError):
            return
        self.rss_bytes.append(pages * resource.getpagesize())
        self.files.append(files)
        self.at_s.append(now_s)

    def peaks(self, what: list[int]) -> tuple[int, int]:
        """Return the most of the second quarter of its time and the most of the last."""
        quarter = max(1, len(what) // 4)
        return max(what[quarter : 2 * quarter] or [0]), max(what[-quarter:] or [0])


def watched(command: list[str], log: Path) -> tuple[int, float, float, dict[str, Seen]]:
    """Return a command's exit code, its wall and CPU seconds, and what was seen of it and of each of its workers."""
    seen = {"coordinator": Seen()}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.monotonic()
    with log.open("wb") as stream:
        process = subprocess.Popen(command, stdout=stream, stderr=stream)
    looks = 0
    while process.poll() is None:
        seen["coordinator"].look(process.pid, time.monotonic() - began)
        if looks % 10 == 0:
            workers = workers_below(process.pid)
        for worker in workers:
            seen.setdefault(f"worker {worker}", Seen()).look(worker, time.monotonic() - began)
        looks += 1
        time.sleep(LOOK_EVERY_S)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = sum(getattr(after, name) - getattr(before, name) for name in ("ru_utime", "ru_stime"))
    return process.returncode, time.monotonic() - began, cpu_s, seen


def measured(folder: Path, slides: int, options: argparse.Namespace) -> tuple[dict[str, object], list[str]]:
    """Return the figures of a run over so many slides, and what is wrong with them."""
    size = Size(options.width_px, options.width_px * 7 // 8)
    names = folder / f"slides-{slides}"
    names.mkdir()
    radius = options.width_px / 3
    one = write_slide(names / "0.tif", size, {"tissue": disc(size, size.width_px / 2, size.height_px / 2, radius)}).path
    for n in range(1, slides):
        os.link(one, names / f"{n}.tif")
    out, log = folder / f"out-{slides}", folder / "log"
    sets = [
        part for text in (*SETTINGS, f"run.executor={options.executor}", "run.workers=2") for part in ("--set", text)
    ]
    code, wall_s, cpu_s, seen = watched([*COMMAND, str(names), "--out", str(out), "--no-report", *sets], log)
    if code != 0:
        print(log.read_text(errors="replace")[-2000:], file=sys.stderr)
    files = sum(len(found) for _, _, found in os.walk(out))
    figures: dict[str, object] = {
        "slides": slides, "executor": options.executor, "exit_code": code, "wall_s": round(wall_s, 1),
        "cpu_s": round(cpu_s, 1), "cpu_ms_per_slide": round(1000 * cpu_s / slides, 1),
        "files_per_slide": round(files / slides, 2),
    }  # fmt: skip
    wrong = [] if code == 0 else [f"{slides} slides ended with {code}"]
    for name, process in seen.items():
        early, late = process.peaks(process.rss_bytes)
        files_early, files_late = process.peaks(process.files)
        most = max(process.rss_bytes, default=0)
        figures[name] = {
            "most_mib": most // MIB, "second_quarter_mib": early // MIB, "last_quarter_mib": late // MIB,
            "most_files": max(process.files, default=0), "files_second_and_last_quarter": [files_early, files_late],
        }  # fmt: skip
        if files_late > WORKER_GROWTH * files_early + 2:
            wrong.append(f"{name}: open files grew from {files_early} to {files_late}")
        if name == "coordinator" and most >= MOST_COORDINATOR_BYTES:
            wrong.append(f"the coordinator needed {most // MIB} MiB")
        if name != "coordinator" and late > WORKER_GROWTH * early:
            wrong.append(f"{name}: memory grew from {early // MIB} to {late // MIB} MiB")
    return figures, wrong


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--slides", type=int, nargs="+", default=[1000])
    parser.add_argument("--executor", choices=["serial", "threads", "processes"], default="threads")
    parser.add_argument("--width-px", type=int, default=300, help="of a slide")
    parser.add_argument("--folder", type=Path, help="where slides and results go (default: a temporary folder)")
    options = parser.parse_args()
    wrong: list[str] = []
    costs: list[float] = []
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        for slides in options.slides:
            figures, found = measured(Path(name), slides, options)
            print(json.dumps(figures), flush=True)
            wrong += found
            costs.append(float(str(figures["cpu_s"])) / slides)
    if len(costs) > 1 and costs[-1] > CPU_GROWTH * costs[0]:
        wrong.append(f"a slide of the last run cost {costs[-1] / costs[0]:.2f} times what one of the first did")
    print("\n".join(wrong) or "linear in time, bounded in memory and files")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
