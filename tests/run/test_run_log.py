"""A run's log is JSON lines that a crash cannot spoil: what began, how it ended, and what to do about it."""

import errno
import json
import logging
import os
import threading
from pathlib import Path
from typing import Any

import pytest
from measuring import measure
from recorded import counted_slide
from synthetic import FileForm, disc, write_slide

from wsi_area.model.geometry import Size
from wsi_area.model.record.slide_origin import TileError
from wsi_area.run.run_document import RunOutcome
from wsi_area.run.run_log import RunLog, opened_log

SIZE = Size(600, 500)
LINE = ("run.executor=serial",)


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(text) for text in path.read_text(encoding="utf-8").splitlines()]


def test_a_run_tells_of_each_slide_and_in_the_end_what_to_do(tmp_path: Path) -> None:
    good, unsized, broken = (tmp_path / f"{name}.tif" for name in ("good", "unsized", "broken"))
    write_slide(good, SIZE, {"tissue": disc(SIZE, 300, 250, 100)})
    write_slide(unsized, SIZE, {"tissue": disc(SIZE, 300, 250, 100)}, FileForm(mpp=None))
    broken.write_bytes(b"no slide")
    out = tmp_path / "out"
    assert measure([good, unsized, broken], out, *LINE).exit_code == 2
    told = lines(out / "logs/run.jsonl")
    assert all({"time", "level", "slide", "event"} <= set(line) for line in told)
    assert (told[0]["event"], told[-1]["event"]) == ("run started", "run ended")
    ends = {line["slide"]: line for line in told if line["event"] == "slide done"}
    assert {name: (line["status"], line["level"]) for name, line in ends.items()} == {
        "good": ("complete", "info"),
        "unsized": ("needs_calibration", "warning"),
        "broken": ("failed", "error"),
    }
    assert sorted(line["slide"] for line in told if line["event"] == "slide started") == sorted(ends)
    assert all(line["seconds"] >= 0 for line in ends.values())
    record = json.loads((out / "slides/unsized/result.json").read_text())
    assert ends["unsized"]["findings"] == len(record["findings"])
    assert ends["unsized"]["warnings"] == [f["code"] for f in record["findings"] if f["severity"] != "info"]
    summary = told[-1]
    assert summary["statuses"] == {"complete": 1, "needs_calibration": 1, "failed": 1}
    assert {row["slide"]: "--mpp" in row["remedy"] for row in summary["not_complete"]} == {
        "unsized": True,
        "broken": False,
    }
    assert summary["what_to_do"].endswith("do what it says; then run again")


def test_where_slides_lie_is_not_told(tmp_path: Path) -> None:
    folder = tmp_path / "SECRET_NAME"
    folder.mkdir()
    write_slide(folder / "good.tif", SIZE, {"tissue": disc(SIZE, 300, 250, 100)})
    assert measure(folder / "good.tif", tmp_path / "out", *LINE, argv=[str(folder / "good.tif")]).exit_code == 0
    assert "SECRET_NAME" not in (tmp_path / "out/logs/run.jsonl").read_text()


def test_a_second_run_appends_and_a_torn_line_spoils_only_itself(tmp_path: Path) -> None:
    path = tmp_path / "logs/run.jsonl"
    log = RunLog(path)
    log.write("info", "first")
    log.close()
    path.write_bytes(path.read_bytes() + b'{"time": "2026-')  # as a kill within a write leaves it
    log = RunLog(path)
    log.write("info", "second", "sl\udce4ide")  # a name that is no text
    log.close()
    first, torn, second = path.read_text().splitlines()
    assert (json.loads(first)["event"], json.loads(second)["event"]) == ("first", "second")
    assert torn == '{"time": "2026-'


def test_each_line_is_on_the_disk_when_it_is_written_and_is_whole_whoever_else_writes(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    logs = [RunLog(path), RunLog(path)]

    def write(log: RunLog, slide_id: str) -> None:
        for n in range(200):
            log.write("info", "line", slide_id, n=n, text="x" * 300)

    threads = [threading.Thread(target=write, args=(log, f"s{i}")) for i, log in enumerate((*logs, *logs))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    told = lines(path)  # before the files are closed
    assert len(told) == 800
    for name in ("s0", "s1", "s2", "s3"):
        assert [line["n"] for line in told if line["slide"] == name] == list(range(200))
    for log in logs:
        log.close()


def test_what_the_package_warns_of_is_in_the_log_with_its_slide(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    logger = logging.getLogger("wsi_area.somewhere")
    with opened_log(path) as log, log.slide("s"):
        logger.warning("look at %s", "this")
        logger.info("not this")
        try:
            raise ValueError("a bug")
        except ValueError:
            logger.exception("s: please report this")
    logger.warning("after the run")
    _, warned, raised = lines(path)
    assert (warned["level"], warned["slide"], warned["message"]) == ("warning", "s", "look at this")
    assert (raised["level"], raised["logger"]) == ("error", "wsi_area.somewhere")
    assert "ValueError: a bug" in raised["traceback"]


def test_tiles_that_could_not_be_read_are_named(tmp_path: Path) -> None:
    slide = counted_slide("out/incomplete")
    slide = slide.model_copy(update={"tile_errors": (TileError(row=1, col=2, message="torn"),)})
    with opened_log(tmp_path / "run.jsonl") as log:
        with log.slide("s") as told:
            told.done(slide, resumed=False)
        log.run_ended(RunOutcome((slide,), True, 3))
    _, tile, _, ended = lines(tmp_path / "run.jsonl")
    assert (tile["event"], tile["slide"], tile["row"], tile["col"]) == ("tile unreadable", "s", 1, 2)
    assert (ended["exit_code"], ended["not_reached"]) == (130, 2)
    assert "goes on where it stopped" in ended["what_to_do"]


def test_a_log_that_cannot_be_written_costs_no_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    slide, out = tmp_path / "good.tif", tmp_path / "out"
    write_slide(slide, SIZE, {"tissue": disc(SIZE, 300, 250, 100)})
    out.mkdir()
    (out / "logs").write_text("a file in the way of the folder")
    assert measure(slide, out, *LINE).exit_code == 0
    assert "the run goes on without a log" in caplog.text
    log = RunLog(tmp_path / "full.jsonl")

    def full(descriptor: int, content: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    caplog.clear()
    with monkeypatch.context() as patched:
        patched.setattr(os, "write", full)
        log.write("info", "one")
        log.write("info", "two")
    assert caplog.text.count("No space left on device") == 1
