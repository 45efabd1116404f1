"""benchmarks: unit costs of a large run, measured on small ones, and what they add up to (docs/scaling.md).

``python -m benchmarks.scaling`` prints a table and writes ``benchmarks/results/scaling-<date>.json``. Everything is
counted or taken as CPU seconds of a process (user + system), never as time on the clock, so that other work on the
machine changes little. Each part runs in a process of its own; about four minutes of CPU in all. What today's file
has already is not measured again (``--again``).
"""

import argparse
import json
import math
import pickle
import platform
import resource
import subprocess
import sys
import tempfile
import tracemalloc
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
RESULTS = Path(__file__).resolve().parent / "results"
BIG = (100_000, 80_000)  # px, of the slides that docs/scaling.md asks about
SLIDES = 10_000
TISSUE = 0.44  # share of the slide, as on the slide of the benchmark
TISSUE_IN_READ = 0.84  # share of the tiles that are read which is tissue: 0.44 of the slide, in 0.52 of its tiles
FEW, MANY = 20, 80  # tiny slides; what one costs is the difference by their number
TASKS = 1000
RULE = ["segmenter.name=stain", "segmenter.vectors=h-e-dab", "segmenter.target=dab", "segmenter.threshold=fixed",
        "segmenter.tissue_threshold=30"]  # fmt: skip
LABELS = ("ome-zarr",)
OUTLINES = ("ome-zarr", "geojson")  # outlines of a stain at 0.25 um are millions: measured at 2 um alone
WORK_MPP = {"2 um/px": ["tiling.work_mpp=2.0"], "0.25 um/px": []}

Figures = dict[str, Any]


def cpu_s(who: int = resource.RUSAGE_SELF) -> float:
    used = resource.getrusage(who)
    return used.ru_utime + used.ru_stime


def ran(slides: Sequence[Path | str], out: Path, *assignments: str) -> Any:
    from wsi_area.inputs.collect import collect_slides
    from wsi_area.run.pipeline import run_slides
    from wsi_area.settings.run_settings import load

    inputs = collect_slides([str(path) for path in slides])
    outcome = run_slides(inputs, load(None, [*RULE, *assignments]), out)
    assert outcome.exit_code == 0, [slide.reason for slide in outcome.slides]
    return outcome


def written(folder: Path) -> tuple[int, int]:
    """How many files lie in a folder, and their bytes."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return len(files), sum(path.stat().st_size for path in files)


# --- the parts, each in a process of its own


def tiles(folder: Path, size: str) -> Figures:
    """What reading, classifying and writing costs for each decoded pixel, and what it leaves on the disk."""
    from benchmarks.slide import build

    width, _, height = size.partition("x")
    slide = build(int(width), int(height or width), TISSUE_IN_READ)
    found: Figures = {}
    warm = folder / "warm"
    ran([slide], warm, "run.executor=serial", *WORK_MPP["2 um/px"])  # code is loaded; costs once per worker process
    afterwards(warm, OUTLINES)
    for name, asked in WORK_MPP.items():
        out = folder / name.replace(" ", "").replace("/", "")
        (record,) = ran([slide], out, "run.executor=serial", *asked).documents
        timing, counts = record["timing"], record["counts"]
        files, size_bytes = written(out / "slides")
        found[name] = {
            "cpu_s_per_decoded_gpx": timing["inner_cpu_s"] / timing["decoded_px"] * 1e9,
            "decoded_share_of_level": timing["decoded_px"] / level_px(record),
            "prepare_cpu_s": timing["prepare_cpu_s"],
            "batches": timing["batches"],
            "slide_px": counts["n_px_total"],
            "result_bytes": size_bytes,
            "result_files": files,
            "decoded_px": timing["decoded_px"],
            **afterwards(out, OUTLINES if asked else LABELS),
        }
    return found


def afterwards(out: Path, kinds: Sequence[str]) -> Figures:
    """What is done with a run that is done: verify, the report, and exports, in CPU seconds, loaded and warm."""
    from wsi_area.audit.verify import verify_run
    from wsi_area.exports.export import ExportOptions, export_run
    from wsi_area.reports.report import write_report

    work: dict[str, Callable[[], object]] = {"verify": lambda: verify_run(out), "report": lambda: write_report(out)}
    for kind in kinds:
        work[kind] = lambda kind=kind: list(export_run(out, ExportOptions(kind), (), None))  # type: ignore[misc]
    return {f"{name}_cpu_s": spent_s(some) for name, some in work.items()}


def spent_s(work: Callable[[], object]) -> float:
    before = cpu_s()
    work()
    return cpu_s() - before


def level_px(record: Any) -> int:
    size = record["levels"][record["work"]["level"]]["size_px"]
    return int(size["width_px"] * size["height_px"])


def painted_slides(folder: Path, count: int) -> list[str]:
    sys.path[:0] = [str(ROOT / "tests")]
    from synthetic import disc, write_slide  # type: ignore[import-not-found]

    from wsi_area.model.geometry import Size

    size = Size(600, 500)
    folder.mkdir()
    paths = [folder / f"s{n:04}.tif" for n in range(count)]
    for path in paths:
        write_slide(path, size, {"tissue": disc(size, 300, 250, 100)})
    return [str(path) for path in paths]


def tiny_slides(folder: Path, executor: str) -> Figures:
    """What a slide costs that has next to no pixels: CPU of all processes and of this one, memory, files."""
    slides = painted_slides(folder / "slides", MANY)
    measured: dict[int, Figures] = {}
    ran(slides[:4], folder / "warm", f"run.executor={executor}", "run.workers=1")
    for count in (FEW, MANY):
        before, before_children = cpu_s(), cpu_s(resource.RUSAGE_CHILDREN)
        ran(slides[:count], folder / f"{count}", f"run.executor={executor}", "run.workers=1")
        own, children = cpu_s() - before, cpu_s(resource.RUSAGE_CHILDREN) - before_children
        tracemalloc.start()  # again, since keeping account of memory takes CPU
        kept = ran(slides[:count], folder / f"{count} again", f"run.executor={executor}", "run.workers=1")
        held, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        del kept  # until here: what a program that asked for the outcome holds
        files, size_bytes = written(folder / f"{count}")
        measured[count] = {
            "own_cpu_s": own,
            "all_cpu_s": own + children,
            **(afterwards(folder / f"{count}", LABELS) if executor == "serial" else {}),
            "held_bytes": held,
            "peak_bytes": peak,
            "files": files,
            "bytes": size_bytes,
            "log_bytes": written(folder / f"{count}" / "logs")[1],
        }
    per_slide = {key: (measured[MANY][key] - measured[FEW][key]) / (MANY - FEW) for key in measured[FEW]}
    return {"per_slide": per_slide, "once": {k: measured[FEW][k] - FEW * per_slide[k] for k in measured[FEW]}}


def same(item: Any) -> int:
    return len(item[:1])


def scheduler(folder: Path, task_bytes: int) -> Figures:
    """What a task costs the process that holds the scheduler, with nothing to do in it, by its size when sent."""
    from distributed.diagnostics.plugin import SchedulerPlugin

    from wsi_area.run.executors import distributed
    from wsi_area.run.executors.choice import make_executor
    from wsi_area.settings.run_settings import RunSection

    distributed.MAX_BUNDLE = 1  # else such short items would be put together, and what is wanted is one task

    class Transitions(SchedulerPlugin):  # type: ignore[misc]
        name = "transitions"
        count = 0

        def transition(self, *args: Any, **kwargs: Any) -> None:
            self.count += 1

    executor = make_executor(RunSection(executor="processes", workers=1), out=folder)
    transitions = Transitions()
    executor.workforce.cluster.scheduler.add_plugin(transitions)  # type: ignore[attr-defined]
    found: Figures = {}
    try:
        list(executor.map(same, [b"x"] * 50))
        for name, size_bytes in (("small", 100), ("of a big slide", task_bytes)):
            transitions.count, before = 0, cpu_s()
            assert len(list(executor.map(same, [bytes(size_bytes)] * TASKS))) == TASKS
            found[name] = {
                "bytes": size_bytes,
                "cpu_s_per_task": (cpu_s() - before) / TASKS,
                "transitions_per_task": transitions.count / TASKS,
                "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,  # so far
            }
    finally:
        executor.close()
    return found


def plans(folder: Path) -> Figures:
    """How a big slide is cut, and how many bytes each of its tasks is: computed, no slide is read."""
    import cloudpickle
    import numpy as np

    from benchmarks.slide import draw_outline
    from wsi_area.compute.cut.grid import batches_to_measure
    from wsi_area.compute.cut.planning import Tiling, plan_slide
    from wsi_area.compute.cut.skipping import skip_glass
    from wsi_area.model.calibration import Mpp
    from wsi_area.model.geometry import Size
    from wsi_area.model.slide import Level, SlideInfo
    from wsi_area.run.work.slide_job import BatchTask, SlideJob
    from wsi_area.segmenters.registry import make_segmenter

    width, height = BIG
    levels = tuple(
        Level(i, Size(width // d, height // d), float(d), float(d), Size(256, 256)) for i, d in enumerate((1, 4, 16))
    )
    slide = SlideInfo("slide-0001", "/slides/slide-0001.svs", "aperio", Size(width, height), levels, "0" * 64, 10**9, 0)
    field = draw_outline(width, height, TISSUE, seed=20).field
    rows = np.linspace(0, field.shape[0] - 1, 820).round().astype(int)
    cols = np.linspace(0, field.shape[1] - 1, 1024).round().astype(int)
    tissue = field[np.ix_(rows, cols)] > 0
    found: Figures = {}
    for name, asked in WORK_MPP.items():
        work_mpp = float(asked[0].partition("=")[2]) if asked else None
        plan = plan_slide(slide, Mpp(0.25, 0.25), [0, 1, 2], Tiling(work_mpp))
        plan = skip_glass(plan, tissue, 100 / 0.25)
        fitted = make_segmenter("stain", {"vectors": "h-e-dab", "target": "dab", "threshold": "fixed"})
        job = SlideJob(plan, fitted, "direct", folder / "slides" / "slide-0001", "0" * 64, 1)  # type: ignore[arg-type]
        read = plan.tile_count - len(plan.skipped)
        factor = plan.reduce_factor * levels[plan.level].downsample_x
        found[name] = {
            "tiles": plan.tile_count,
            "tiles_read": read,
            "tile_px": plan.tile_px,
            "batches": len(batches_to_measure(plan)),
            "level_px_per_tile": (plan.tile_px * plan.reduce_factor) ** 2,
            "work_px": plan.work_size_px.area_px,
            "l0_px_per_work_px_edge": factor,
            "task_bytes": len(cloudpickle.dumps(BatchTask(job, 0))),
            "plan_bytes": len(pickle.dumps(plan)),
            "projected_mib_per_task": plan.projected_bytes_per_task / 2**20,
        }
    return found


def array(folder: Path) -> Figures:
    """What a task of a job array does before its first slide, for a list of so many; and the merge, a slide."""
    from wsi_area.inputs.collect import collect_slides
    from wsi_area.results.layout import RunLayout, json_bytes, write_json
    from wsi_area.run.array.array_plan import array_plan
    from wsi_area.run.array.division import ArrayTask
    from wsi_area.run.array.merge import merge_run
    from wsi_area.run.array.task_run import run_task
    from wsi_area.settings.run_settings import load

    (folder / "many").mkdir()
    for n in range(SLIDES):
        (folder / "many" / f"slide-{n:05}.svs").touch()
    settings, layout = load(None, RULE), RunLayout(folder / "planned")
    before = cpu_s()
    inputs = collect_slides([str(folder / "many")])
    listed = cpu_s() - before
    write_json(layout.array_plan, array_plan(inputs, settings, 200).document())
    before = cpu_s()
    mine = array_plan(inputs, settings, 200)
    written = json_bytes(mine.document())
    planning = cpu_s() - before
    submitted = submitted_s(layout, inputs, settings, mine)
    begun = [settling_s(layout, mine, written, settings) for _ in range(5)]
    merging = {}
    slides = painted_slides(folder / "slides", MANY)
    for count in (FEW, MANY):
        out = folder / f"{count}"
        assert run_task(collect_slides(slides[:count]), settings, out, ArrayTask(1, 1)).exit_code == 0
        before = cpu_s()
        merge_run(out)
        merging[count] = cpu_s() - before
    return {
        "slides": SLIDES,
        "list_cpu_s": listed,
        "plan_cpu_s": planning,
        "submitted_cpu_s": submitted,
        "settle_cpu_s": sorted(begun)[2],
        "plan_bytes": layout.array_plan.stat().st_size,
        "merge_cpu_s_per_slide": (merging[MANY] - merging[FEW]) / (MANY - FEW),
    }


def submitted_s(layout: Any, inputs: Any, settings: Any, plan: Any) -> float:
    """What a task does before its first slide where the plan was submitted: CPU seconds of reading and checking it."""
    from wsi_area.results.layout import json_bytes
    from wsi_area.run.array.division import ArrayTask
    from wsi_area.run.array.submitted_plan import SubmittedPlan, read_submitted, refuse_stale, write_submitted

    sent = SubmittedPlan.of(plan, inputs, [], {})
    write_submitted(layout, sent)
    name, before = sent.name, cpu_s()
    found = read_submitted(layout, name)
    assert found is not None
    refuse_stale(found, settings, ArrayTask(3, plan.count), said={}, forced=False)
    json_bytes(found.plan.document())
    return cpu_s() - before


def settling_s(layout: Any, mine: Any, written: bytes, settings: Any) -> float:
    """What a task does while all others wait: CPU seconds of agreeing on the plan, and of asking what the folder is."""
    from wsi_area.results.run_folder import Wish
    from wsi_area.run.array.agreement import PlanAct, agreed_plan
    from wsi_area.run.earlier_run import others_in, settled

    before = cpu_s()
    act, plan = agreed_plan(layout, mine, written)
    folder, what = settled(layout, settings, Wish.TASK)
    others_in(folder, what, plan.slides, plan.forced, settings)
    assert act is PlanAct.KEEP
    return cpu_s() - before


def connections(folder: Path) -> Figures:
    """How many connections a worker process costs a scheduler; by how many more it has with three than with one."""
    sys.path[:0] = [str(ROOT / "tests" / "run"), str(ROOT / "tests")]
    import psutil
    from distributed import Client
    from scheduler_processes import started_scheduler  # type: ignore[import-not-found]

    opened, memory = {}, {}
    for count in (1, 3):
        (folder / f"{count}").mkdir()
        with started_scheduler(folder / f"{count}", count) as running, Client(running.address) as client:
            client.wait_for_workers(count)
            assert sum(client.gather(client.map(len, ["x"] * 50, pure=False))) == 50
            process = psutil.Process(running.processes[0].pid)
            here = [c for c in process.net_connections("tcp") if c.status == psutil.CONN_ESTABLISHED]
            opened[count], memory[count] = len(here), process.memory_info().rss
    return {"connections_per_worker": (opened[3] - opened[1]) / 2, "scheduler_mib": memory[1] / 2**20}


# --- putting it together


def measured(part: str, **options: Any) -> Figures:
    """What a part found, in a process of its own."""
    with tempfile.TemporaryDirectory(prefix="scaling-") as folder:
        command = [sys.executable, "-m", "benchmarks.scaling", "--part", part, "--folder", folder]
        command += [word for key, value in options.items() for word in (f"--{key.replace('_', '-')}", str(value))]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{part}: {done.stderr[-2000:]}")
    found: Figures = json.loads(done.stdout.splitlines()[-1])
    return found


def extrapolated(units: Figures) -> Figures:
    """What the units add up to for so many big slides; the arithmetic of docs/scaling.md."""
    from wsi_area.run.executors import distributed

    tissue_px = TISSUE * BIG[0] * BIG[1]
    coordinator = units["tiny-processes"]["per_slide"]
    fixed, per_task = units["tiny-serial"]["per_slide"], units["scheduler"]["of a big slide"]
    found: Figures = {}
    for name, plan in units["plans"].items():
        tile = units["tiles"][name]
        decoded_gpx = plan["tiles_read"] * plan["level_px_per_tile"] / 1e9
        tiles_cpu_s, batches = decoded_gpx * tile["cpu_s_per_decoded_gpx"], plan["batches"]
        slide_cpu_s = tiles_cpu_s + fixed["all_cpu_s"] + tile["prepare_cpu_s"]
        bundle = max(1.0, min(distributed.MAX_BUNDLE, distributed.TASK_S * batches / tiles_cpu_s))
        tasks = batches / bundle + 1
        found[name] = {
            "decoded_gpx_per_slide": decoded_gpx,
            "cpu_s_per_slide": slide_cpu_s,
            "core_hours": slide_cpu_s * SLIDES / 3600,
            "batches_per_task": bundle,
            "tasks": tasks * SLIDES,
            "scheduler_core_hours": tasks * SLIDES * per_task["cpu_s_per_task"] / 3600,
            "scheduler_gb_sent": tasks * SLIDES * plan["task_bytes"] / 1e9,
            **afterwards_sums(units)[name],
            **best_tasks(slide_cpu_s * SLIDES, units["array"]["settle_cpu_s"]),
            "cores_fed": slide_cpu_s / (tasks * per_task["cpu_s_per_task"] + coordinator["own_cpu_s"]),
            "files": (fixed["files"] + 2 * (batches - 1)) * SLIDES,
            "gb_written": (tile["result_bytes"] / tile["slide_px"] * tissue_px / TISSUE_IN_READ) * SLIDES / 1e9,
        }
    found["coordinator"] = {
        "cpu_hours": coordinator["own_cpu_s"] * SLIDES / 3600,
        "held_mb": fixed["held_bytes"] * SLIDES / 1e6,  # what a scheduler remembers besides does not grow for ever
    }
    return found


def afterwards_sums(units: Figures) -> dict[str, Figures]:
    """What verify, report and exports of so many big slides cost: by the slide, and by the work pixel that is read.

    What one pixel costs is told by the two scales of one slide, so that what a run costs once falls out.
    """
    coarse, fine = WORK_MPP
    tiles, plans, by_slide = units["tiles"], units["plans"], units["tiny-serial"]["per_slide"]
    work_px = {name: tile["slide_px"] / plans[name]["l0_px_per_work_px_edge"] ** 2 for name, tile in tiles.items()}
    found: dict[str, Figures] = {name: {} for name in WORK_MPP}
    for key in ("verify_cpu_s", "report_cpu_s", "ome-zarr_cpu_s", "geojson_cpu_s"):
        more_s = tiles[fine].get(key, 0.0) - tiles[coarse][key]
        s_per_px = more_s / (work_px[fine] - work_px[coarse])
        if key not in tiles[fine]:  # outlines: next to all of it is what they are
            s_per_px = tiles[coarse][key] / work_px[coarse]
        for name in (n for n in WORK_MPP if key in tiles[n]):
            read_px = plans[name]["tiles_read"] * plans[name]["tile_px"] ** 2
            hours = (by_slide.get(key, 0.0) + s_per_px * read_px) * SLIDES / 3600
            found[name][key.replace("_cpu_s", "_core_hours")] = hours
    return found


def best_tasks(work_cpu_s: float, settle_s: float) -> Figures:
    """Into how many tasks of one core an array is best split: T(n) = W / n + n * a is least where n * n = W / a."""
    best = math.sqrt(work_cpu_s / settle_s)
    return {"best_tasks": best, "array_hours_at_best": 2 * best * settle_s / 3600}


PARTS: dict[str, Callable[[Path, argparse.Namespace], Figures]] = {
    "plans": lambda folder, asked: plans(folder),
    "tiles": lambda folder, asked: tiles(folder, asked.size),
    "tiny-serial": lambda folder, asked: tiny_slides(folder, "serial"),
    "tiny-processes": lambda folder, asked: tiny_slides(folder, "processes"),
    "scheduler": lambda folder, asked: scheduler(folder, asked.task_bytes),
    "array": lambda folder, asked: array(folder),
    "connections": lambda folder, asked: connections(folder),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", default="8192x8448", help="of the slide whose tiles are measured: WIDTHxHEIGHT")
    parser.add_argument("--again", action="store_true", help="measure what today's file has already")
    parser.add_argument("--part", choices=PARTS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--task-bytes", type=int, default=100, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.part is not None:
        print(json.dumps(PARTS[asked.part](asked.folder, asked)))
        return
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"scaling-{datetime.now(UTC):%Y-%m-%d}.json"
    units: Figures = {}
    if path.exists() and not asked.again:
        units = json.loads(path.read_text())["units"]
    host = {"machine": platform.machine(), "python": platform.python_version()}
    document: Figures = {"slides": SLIDES, "slide_px": BIG, "host": host, "units": units}
    for part in PARTS:
        if part not in units:
            options: Figures = {"tiles": {"size": asked.size}, "scheduler": {"task_bytes": _largest_task(units)}}
            units[part] = measured(part, **options.get(part, {}))
            path.write_text(json.dumps(document, indent=1) + "\n")
    document["sums"] = extrapolated(units)
    path.write_text(json.dumps(document, indent=1) + "\n")
    print(json.dumps(document, indent=1))


def _largest_task(units: Figures) -> int:
    return max((int(plan["task_bytes"]) for plan in units.get("plans", {}).values()), default=100)


if __name__ == "__main__":
    main()
