"""Kill runs at random moments, resume them, and hold every byte against a run that nobody disturbed.

    python tests/nightly/kill_runs.py --kills 30 --seed 1 [--executor threads|serial|processes]
    python tests/nightly/kill_runs.py --kills 200 --forked

Each round kills (SIGKILL) the coordinator, or with processes sometimes one of its workers, at a random moment of a run
over a painted slide, then gives the same command again until it ends by itself. The stores must be byte-identical to
the undisturbed run's, and a run that was killed must never have called itself complete before it was.

Forked, a start costs a tenth, because every command is the child of a process that has all loaded, and none of the
moments fall into the loading: they are random, or just before or after a random rename or chunk.
"""

import argparse
import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "run"))

from crash_children import RENAME, Fault, Nursery
from measuring import stores
from synthetic import disc, write_slide
from worker_processes import workers_below

from wsi_area.model.geometry import Size
from wsi_area.model.ledger import NOT_COMMITTED
from wsi_area.results.class_map.ledger import ledger_rows
from wsi_area.results.layout import SlideLayout

SIZE = Size(8300, 6300)
SETTINGS = (
    "segmenter.name=tissue", "segmenter.background=bright", "segmenter.threshold=60", "tiling.tile_px=256",
    "tiling.skip_margin_um=10", "run.workers=2",
)  # fmt: skip
COMMAND = [sys.executable, "-c", "from wsi_area.cli.main import main; main()"]
END_S = 300
SMALL = Size(1500, 1200)
CHUNK, MAX_CHUNK = "wsi_area.results.class_map.overlaid:write_shard", 30
MAX_RENAME = 75  # about as many as a run has: some outrun it
ALIKE = ": every resumed run is byte-identical to the undisturbed one"


def started(slide: Path, out: Path, executor: str) -> subprocess.Popen[bytes]:
    command = [*COMMAND, *map(str, arguments(slide, out, executor))]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)


def arguments(slide: Path, out: Path, executor: str) -> list[str | Path]:
    sets = [part for text in (*SETTINGS, f"run.executor={executor}") for part in ("--set", text)]
    return ["run", slide, "--out", out, *sets]


def counts(out: Path) -> object:
    return json.loads((out / "slides/s/result.json").read_text())["counts"]


def end_group(process: subprocess.Popen[bytes]) -> None:
    """Take the workers away that outlived a killed coordinator; a cluster's job control does the same."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def one_round(slide: Path, out: Path, executor: str, rng: random.Random, wall_s: float) -> tuple[int, int]:
    """Return the number of times that the coordinator and a worker were killed until a run ended by itself."""
    coordinators = workers = 0
    for _ in range(rng.randint(1, 3)):
        process = started(slide, out, executor)
        time.sleep(rng.random() * wall_s)
        victims = workers_below(process.pid) if executor == "processes" and rng.random() < 0.5 else []
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


def random_fault(rng: random.Random, wall_s: float) -> Fault:
    """Return a death at a random moment, or at a random one of the calls by which things get to their place."""
    when = rng.choice(["before", "after"])
    way = rng.choice(["moment", "rename", "rename", "chunk"])
    if way == "moment":
        return Fault(after_s=rng.random() * wall_s)
    return Fault(
        RENAME if way == "rename" else CHUNK, when, rng.randint(1, MAX_RENAME if way == "rename" else MAX_CHUNK)
    )


def forked_round(nursery: Nursery, slide: Path, out: Path, executor: str, rng: random.Random, wall_s: float) -> int:
    """Return the number of kills until a forked run ended by itself; one that outran its death ends well."""
    kills = 0
    command = arguments(slide, out, executor)
    for _ in range(rng.randint(1, 3)):
        code = nursery.run(command, random_fault(rng, wall_s))
        if code not in {0, -signal.SIGKILL}:
            sys.exit(f"{out}: a run that was to be killed ended with {code}")
        kills += code == -signal.SIGKILL
        refuse_lie(out)
    if (code := nursery.run(command)) != 0:
        sys.exit(f"{out}: the resumed run ended with {code}")
    return kills


def refuse_lie(out: Path) -> None:
    """End where a killed run calls the slide complete although tiles are missing."""
    result = out / "slides/s/result.json"
    if result.exists() and json.loads(result.read_text())["status"] == "complete":
        rows = ledger_rows(SlideLayout(out / "slides/s"))
        if (rows[..., -1] == NOT_COMMITTED).any():
            sys.exit(f"{out}: called complete, with tiles missing")


def kill_forked(folder: Path, slide: Path, kills: int, executor: str, rng: random.Random) -> str:
    """Return the words on so many kills of forked runs."""
    done = rounds = 0
    with Nursery(folder / "log", arguments(slide, folder / "warm", "serial")) as nursery:
        began = time.monotonic()
        if nursery.run(arguments(slide, folder / "undisturbed", executor)) != 0:
            sys.exit("the undisturbed run did not end well")
        wall_s = time.monotonic() - began
        expected, expected_counts = stores(folder / "undisturbed"), counts(folder / "undisturbed")
        while done < kills:
            out = folder / str(rounds)
            done, rounds = done + forked_round(nursery, slide, out, executor, rng, wall_s), rounds + 1
            if stores(out) != expected or counts(out) != expected_counts:
                sys.exit(f"round {rounds}: the resumed run differs from the undisturbed one")
            shutil.rmtree(out)
    return f"{done} kills of the coordinator in {rounds} runs ({executor}, forked)"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--executor", choices=["threads", "processes", "serial"], default="threads")
    parser.add_argument("--forked", action="store_true", help="children of a warm process, on a small slide")
    options = parser.parse_args()
    rng = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if options.forked:
            slide = write_slide(folder / "s.tif", SMALL, {"tissue": disc(SMALL, 700, 600, 500)}).path
            print(kill_forked(folder, slide, options.kills, options.executor, rng) + ALIKE)
            return
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
        f"{coordinators} kills of the coordinator and {workers} of a worker in {rounds} runs ({options.executor})"
        + ALIKE
    )


if __name__ == "__main__":
    main()
