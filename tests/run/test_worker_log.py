"""Each worker process tells in a log of its own what it did and what it was warned of, with slide and tiles."""

import importlib
import json
import logging
import pkgutil
import threading
from pathlib import Path
from typing import Any

import pytest
from measuring import measure
from synthetic import disc, write_slide

from wsi_area import run
from wsi_area.model.geometry import Size
from wsi_area.run.work.slide_job import BatchResult, TileFailure
from wsi_area.run.work.worker_log import about, log_outcome, logged_call

SIZE = Size(600, 500)


def lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for path in folder.glob("worker-*.jsonl") for line in path.read_text().splitlines()]


def test_worker_processes_say_who_they_are_and_which_tiles_they_measured(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_slide(tmp_path / f"{name}.tif", SIZE, {"tissue": disc(SIZE, 300, 250, 100)})
    out = tmp_path / "out"
    outcome = measure(
        [tmp_path / "one.tif", tmp_path / "two.tif"], out, "run.executor=processes", "run.workers=2",
        "tiling.tile_px=64", "tiling.skip_glass=false",
    )  # fmt: skip
    assert outcome.exit_code == 0
    told = lines(out / "logs")
    started = [line for line in told if line["event"] == "worker started"]
    assert 1 <= len({line["pid"] for line in started}) == len(list((out / "logs").glob("worker-*.jsonl"))) <= 2
    for slide in ("one", "two"):
        about_slide = [line for line in told if line["slide"] == slide]
        measured = [line for line in about_slide if line["event"] == "task done" and "tiles" in line]
        assert sum(line["tiles"] for line in measured) == 10 * 8  # of 600 × 500 px in tiles of 64
        cells = {
            (row, col)
            for line in measured
            for row in range(line["tile_rows"][0], line["tile_rows"][1] + 1)
            for col in range(line["tile_cols"][0], line["tile_cols"][1] + 1)
        }
        assert cells == {(row, col) for row in range(8) for col in range(10)}
        assert len([line for line in about_slide if line["event"] == "task started"]) == len(
            [line for line in about_slide if line["event"] == "task done"]
        )
    assert all(line["seconds"] >= 0 and line["cpu_s"] >= 0 for line in told if line["event"] == "task done")


def task_types() -> list[type]:
    """Each class of ours below `run` whose name says that it is a task for a worker."""
    names = [found.name for found in pkgutil.walk_packages(run.__path__, "wsi_area.run.")]
    below = [importlib.import_module(name) for name in names if not name.startswith("wsi_area.run.array")]
    found = {thing for module in below for name, thing in vars(module).items() if name.endswith("Task")}
    return sorted((t for t in found if isinstance(t, type)), key=lambda t: t.__name__)


def test_every_type_of_task_names_its_slide() -> None:
    types = task_types()
    assert {"BatchTask", "MarginTask", "CrossingTask", "RegionTask", "SectionsTask"} <= {t.__name__ for t in types}
    assert [t.__name__ for t in types if not hasattr(t, "slide_id")] == []


@pytest.mark.parametrize(
    ("asked", "functions"),
    [
        (("tissue.name=tissue", "tissue.threshold=60", "tissue.work_mpp=2"), {"cross_batch"}),
        (("bands.edges_um=[0, 20]", 'bands.classes=["tissue"]'), {"count_margins"}),
        (("sections.find=true", "sections.min_mm2=0.0001"), {"find_sections", "tally_batch"}),
    ],
)  # fmt: skip
def test_no_line_of_a_pass_over_the_class_map_is_about_no_slide(
    tmp_path: Path, asked: tuple[str, ...], functions: set[str]
) -> None:
    write_slide(tmp_path / "s.tif", SIZE, {"tissue": disc(SIZE, 300, 250, 100)})
    settings = ("run.executor=processes", "run.workers=1", "tiling.work_mpp=1", *asked)
    assert measure(tmp_path / "s.tif", tmp_path / "out", *settings).exit_code == 0
    of_tasks = [line for line in lines(tmp_path / "out/logs") if line["event"] != "worker started"]
    assert functions <= {line.get("task") for line in of_tasks}
    assert {line["slide"] for line in of_tasks} == {"s"}


def test_in_one_process_there_is_no_second_log(tmp_path: Path) -> None:
    write_slide(tmp_path / "s.tif", SIZE, {"tissue": disc(SIZE, 300, 250, 100)})
    assert measure(tmp_path / "s.tif", tmp_path / "out", "run.executor=threads").exit_code == 0
    assert [path.name for path in (tmp_path / "out/logs").iterdir()] == ["run.jsonl"]


def warn(item: int) -> int:
    logging.getLogger("wsi_area.somewhere").warning("look at %d", item)
    logging.getLogger("wsi_area.somewhere").info("not this")
    other = threading.Thread(target=lambda: logging.getLogger("wsi_area.elsewhere").warning("another task's"))
    other.start()
    other.join()
    return -item


def test_what_a_task_warns_of_stands_in_its_log_and_nothing_of_other_threads(tmp_path: Path) -> None:
    assert logged_call(warn, 7, str(tmp_path)) == -7
    warned = [line for line in lines(tmp_path) if line["event"] == "log"]
    assert [(line["level"], line["message"]) for line in warned] == [("warning", "look at 7")]


def die(_: int) -> None:
    raise SystemExit


def test_a_task_that_never_came_back_is_the_last_that_was_started(tmp_path: Path) -> None:
    with pytest.raises(SystemExit):
        logged_call(die, 1, str(tmp_path))
    assert (lines(tmp_path)[-1]["event"], lines(tmp_path)[-1]["task"]) == ("task started", "die")


def test_tiles_that_could_not_be_measured_are_named_and_a_batch_that_failed_says_why(tmp_path: Path) -> None:
    said: list[tuple[Any, ...]] = []

    class Told:
        def write(self, *words: Any, **facts: Any) -> None:
            said.append((*words, facts))

    log_outcome(Told(), "s", "measure_batch", BatchResult(3, 5, 0, (TileFailure(1, 2, "torn"),), 0.1), {})  # type: ignore[arg-type]
    log_outcome(Told(), "s", "measure_batch", BatchResult(3, 0, 0, (), 0.1, "the disk is full"), {"batch": 3})  # type: ignore[arg-type]
    assert said[0] == ("warning", "tile unreadable", "s", {"row": 1, "col": 2, "message": "torn"})
    assert said[1][:3] == ("info", "task done", "s")
    assert said[2][:3] == ("error", "task failed", "s")
    assert said[2][3]["error"] == "the disk is full"


def test_a_task_about_no_slide_is_about_none() -> None:
    assert about(7) == (None, {})
