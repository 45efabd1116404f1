"""What happens to a slide's file, or to the disk below it, while it is being measured."""

import json
import os
from pathlib import Path

import pytest
from measuring import measure
from synthetic import box, disc, write_slide

from wsi_area.compute.cut import planning
from wsi_area.model.geometry import Size
from wsi_area.run.events import BatchDone, Event

SIZE = Size(900, 700)
CUT = ("tiling.tile_px=128", "tiling.skip_glass=false", "run.executor=serial")


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planning, "BATCH_LEVEL_PX_MIN", 1 << 16)


@pytest.mark.parametrize("lane", ["direct", "openslide"])
def test_a_file_that_is_written_into_while_it_is_measured_gives_no_result(tmp_path: Path, lane: str) -> None:
    path = write_slide(tmp_path / "s.tif", SIZE, {"tissue": disc(SIZE, 300, 350, 200)}).path
    first = path.read_bytes()
    second = write_slide(tmp_path / "other.tif", SIZE, {"tissue": box(SIZE, 10, 10, 800, 600)}).path.read_bytes()
    times = path.stat()
    done = 0

    def overwrite(event: Event) -> None:
        nonlocal done
        done += isinstance(event, BatchDone)
        if isinstance(event, BatchDone) and done == 3:
            path.write_bytes(second)  # the same file to whoever has it open

    out, settings = tmp_path / "out", (*CUT, f"reader.lane={lane}")
    outcome = measure(path, out, *settings, listener=overwrite)
    (record,) = outcome.documents
    assert (record["status"], outcome.exit_code) == ("failed", 2)
    assert "changed since it was inspected" in record["reason"]
    assert json.loads((out / "slides/s/result.json").read_text())["status"] == "failed"
    assert "another slide file" in measure(path, out, *settings).documents[0]["reason"]
    # put back as it was: what had been committed by then is of this file, and all of it
    path.write_bytes(first)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    again = measure(path, out, *settings)
    whole = measure(path, tmp_path / "whole", *settings)
    assert again.exit_code == whole.exit_code == 0
    assert again.documents[0]["counts"] == whole.documents[0]["counts"]
    assert again.documents[0]["timing"]["batches"] == whole.documents[0]["timing"]["batches"] - 3
