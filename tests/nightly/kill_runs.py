"""Kill runs at random moments, resume them, and hold every byte against a run that nobody disturbed.

    python tests/nightly/kill_runs.py --kills 30 --seed 1 [--executor threads|processes]

Each round kills (SIGKILL) the coordinator, or with processes sometimes one of its workers, at a random moment of a run
over a painted slide, then gives the same command again until it ends by itself. The stores must be byte-identical to
the undisturbed run's, and a run that was killed must never have called itself complete before it was.
"""

import argparse
import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from synthetic import disc, write_slide

from wsi_area.model.geometry import Size

SIZE = Size(8300, 6300)
SETTINGS = (
    "segmenter.name=tissue", "segmenter.background=bright", "segmenter.threshold=60", "tiling.tile_px=256",
    "tiling.skip_margin_um=10", "run.workers=2",
)  # fmt: skip
COMMAND = [sys.executable, "-c", "from wsi_area.cli.main import main; main()", "run"]
END_S = 300


def started(slide: Path, out: Path, executor: str) -> subprocess.Popen[bytes]:
    sets = [part for text in (*SETTINGS, f"run.executor={executor}") for part in ("--set", text)]
    command = [*COMMAND, str(slide), "--out", str(out), *sets]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)


def stores(out: Path) -> dict[str, bytes]:
    return {
        str(p.relative_to(out)): p.read_bytes()
        for name in ("ledger.zarr", "mask.ome.zarr")
        for p in sorted((out / "slides/s" / name).rglob("*"))
        if p.is_file() and not p.name.endswith(".partial")
    }


def counts(out: Path) -> object:
    return json.loads((out / "slides/s/result.json").read_text())["counts"]


def workers_of(pid: int) -> list[int]:
    """Return the worker processes below a coordinator: those that were spawned by multiprocessing."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            line = (folder / "cmdline").read_bytes()
        except (OSError, ValueError):
            continue
        if parent == pid and b"spawn_main" in line:
            found.append(int(folder.name))
    return found


def end_group(process: subprocess.Popen[bytes]) -> None:
    """Take the workers away that outlived a killed coordinator; a cluster's job control does the same."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def one_round(slide: Path, out: Path, executor: str, rng: random.Random, wall_s: float) -> tuple[int, int]:
    """Return how often the coordinator and how often a worker was killed until a run ended by itself."""
    coordinators = workers = 0
    for _ in range(rng.randint(1, 3)):
        process = started(slide, out, executor)
        time.sleep(rng.random() * wall_s)
        victims = workers_of(process.pid) if executor == "processes" and rng.random() < 0.5 else []
        if process.poll() is None and victims:
            os.kill(rng.choice(victims), signal.SIGKILL)
            workers += 1
            if process.wait(END_S) != 0:
                sys.exit(f"{out}: a run that lost one worker once ended with {process.returncode}")
        elif process.poll() is None:
            process.kill()
            coordinators += 1
        end_group(process)
    process = started(slide, out, executor)
    if process.wait(END_S) != 0:
        sys.exit(f"{out}: the resumed run ended with {process.returncode}")
    return coordinators, workers


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--executor", choices=["threads", "processes", "serial"], default="threads")
    options = parser.parse_args()
    rng = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        slide = write_slide(folder / "s.tif", SIZE, {"tissue": disc(SIZE, 3100, 3300, 2990)}).path
        began = time.monotonic()
        if started(slide, folder / "undisturbed", options.executor).wait(END_S) != 0:
            sys.exit("the undisturbed run did not end well")
        wall_s = time.monotonic() - began
        expected, expected_counts = stores(folder / "undisturbed"), counts(folder / "undisturbed")
        coordinators = workers = rounds = 0
        while coordinators + workers < options.kills:
            out = folder / str(rounds)
            more = one_round(slide, out, options.executor, rng, wall_s)
            coordinators, workers, rounds = coordinators + more[0], workers + more[1], rounds + 1
            if stores(out) != expected or counts(out) != expected_counts:
                sys.exit(f"seed {options.seed}, round {rounds}: the resumed run differs from the undisturbed one")
    print(
        f"{coordinators} kills of the coordinator and {workers} of a worker in {rounds} runs ({options.executor}): "
        "every resumed run is byte-identical to the undisturbed one"
    )


if __name__ == "__main__":
    main()
