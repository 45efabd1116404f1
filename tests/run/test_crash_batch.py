"""A batch with bad slides in it: every slide has its row, whatever became of it; killed midway it ends undisturbed."""

import csv
import json
import math
import os
from pathlib import Path
from typing import Any

import pytest
from crash_children import Fault, Nursery
from mixed_batch import BAD, write_batch

from wsi_area.audit.verify import verify_run
from wsi_area.results.layout import read_json

COUNT = int(os.environ.get("WSI_AREA_BATCH_SLIDES", "40"))
"""Ten of them bad, whatever their number: 300 take a minute or two."""
SETTINGS = ("segmenter.name=tissue", "segmenter.background=bright", "segmenter.threshold=60", "run.executor=serial")
TABLES = ("summary.csv", "summary.parquet", "summary.xlsx", "areas.parquet", "flags.csv", "failed.csv")
FILES_OF_A_SLIDE, FILES_OF_A_BATCH = 7, 2
"""A document, a picture, and a group and an array of each store; of a batch its shard of the class map and its rows."""


def command(folder: Path, out: Path) -> list[str | Path]:
    sets = [part for text in SETTINGS for part in ("--set", text)]
    return ["run", folder, "--out", out, "--no-report", *sets]


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def told(out: Path, event: str) -> list[dict[str, Any]]:
    lines = (json.loads(line) for line in (out / "logs/run.jsonl").read_text(encoding="utf-8").splitlines())
    return [line for line in lines if line["event"] == event]


@pytest.fixture(scope="module")
def batch(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    folder = tmp_path_factory.mktemp("batch") / "slides"
    return folder, write_batch(folder, COUNT, len(BAD))


@pytest.fixture(scope="module")
def nursery(batch: tuple[Path, dict[str, str]], tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("warm")
    with Nursery(folder / "log", command(batch[0] / "s000.tif", folder / "out")) as made:
        yield made


@pytest.fixture(scope="module")
def undisturbed(nursery: Nursery, batch: tuple[Path, dict[str, str]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("undisturbed") / "out"
    assert nursery.run(command(batch[0], out)) == 2
    return out


def test_every_slide_has_its_row_and_the_bad_ones_their_reason(
    batch: tuple[Path, dict[str, str]], undisturbed: Path
) -> None:
    ends, summary = batch[1], rows(undisturbed / "summary.csv")
    assert {row["slide_id"]: row["status"] for row in summary} == ends
    assert [row["slide_id"] for row in summary] == sorted(ends)
    lost = {name for name, status in ends.items() if status in {"failed", "incomplete"}}
    assert len(lost) == 8
    failed = rows(undisturbed / "failed.csv")
    assert {row["slide_id"] for row in failed} == lost
    assert all(row["reason"] and Path(row["path"]).exists() for row in failed)
    assert read_json(undisturbed / "run.json")["statuses"] == {
        status: list(ends.values()).count(status) for status in set(ends.values())
    }
    assert verify_run(undisturbed).disagreements == ()


def test_the_log_has_each_slide_once_and_in_the_end_what_to_do(
    batch: tuple[Path, dict[str, str]], undisturbed: Path
) -> None:
    ends = batch[1]
    assert {line["slide"]: line["status"] for line in told(undisturbed, "slide done")} == ends
    assert len(told(undisturbed, "slide done")) == len(ends)
    (summary,) = told(undisturbed, "run ended")
    assert {line["slide"] for line in summary["not_complete"]} == {n for n, s in ends.items() if s != "complete"}
    assert all(line["remedy"] for line in summary["not_complete"])


@pytest.mark.parametrize("nth", [3, COUNT * 9 // 20])
def test_killed_midway_and_resumed_the_tables_are_the_same_to_the_byte(
    nursery: Nursery, batch: tuple[Path, dict[str, str]], undisturbed: Path, tmp_path: Path, nth: int
) -> None:
    out = tmp_path / "out"
    death = Fault("wsi_area.run.measure_slide:slide_document", "after", nth)
    assert nursery.run(command(batch[0], out), death) == -9
    assert not (out / "summary.csv").exists()
    assert read_json(out / "run.json")["state"] == "running"
    assert nursery.run(command(batch[0], out)) == 2
    for name in TABLES:
        assert (out / name).read_bytes() == (undisturbed / name).read_bytes(), name
    resumed = [line for line in told(out, "slide done")[-COUNT:] if line["already_measured"]]
    assert len(resumed) >= nth - 2  # two are in flight


def test_a_slide_takes_few_files_however_it_ended(undisturbed: Path) -> None:
    for folder in (undisturbed / "slides").iterdir():
        work = read_json(folder / "result.json").get("work")
        batches = 0
        if work is not None:
            edge_px = work["batch_tiles"] * work["tile_px"]
            batches = math.ceil(work["work_width_px"] / edge_px) * math.ceil(work["work_height_px"] / edge_px)
        files = sum(path.is_file() for path in folder.rglob("*"))
        assert 1 <= files <= FILES_OF_A_SLIDE + FILES_OF_A_BATCH * batches, folder
