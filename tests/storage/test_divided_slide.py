"""Several tasks share one slide whose run lies in a bucket: each writes its own objects, the merge makes one run."""

from pathlib import Path

import pytest
from measuring import FLAT
from synthetic_shapes import disc
from synthetic_slides import write_slide

from wsi_area.compute.cut import planning
from wsi_area.inputs.collect import collect_slides
from wsi_area.model.geometry import Size
from wsi_area.results.layout import RunLayout
from wsi_area.results.opened_run import open_run
from wsi_area.run.array.division import ArrayTask
from wsi_area.run.array.merge import merge_run
from wsi_area.run.array.task_run import run_task
from wsi_area.run.pipeline import run_slides
from wsi_area.settings.run_settings import load
from wsi_area.storage.object_path import ObjectPath

LINE = (*FLAT, "run.executor=serial", "run.piece_mib=0", "tiling.tile_px=64")


def test_three_tasks_and_a_merge_give_in_a_bucket_what_one_process_gives_on_a_disk(
    bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planning, "BATCH_LEVEL_PX_MIN", 1 << 15)
    size = Size(700, 600)
    slides = collect_slides([str(write_slide(tmp_path / "s.tif", size, {"tissue": disc(size, 350, 300, 220)}).path)])
    out, on_disk = ObjectPath(bucket, "out"), tmp_path / "out"
    assert run_slides(slides, load(None, LINE), on_disk).exit_code == 0
    for n in (2, 3):
        (part,) = run_task(slides, load(None, LINE), out, ArrayTask(n, 3)).shares
        assert part.status == "measured"
        assert part.batches
    run_task(slides, load(None, LINE), out, ArrayTask(1, 3))
    assert not RunLayout(out).slide("s").result_json.exists()
    assert merge_run(out).exit_code == 0
    ours, theirs = (open_run(place)["s"] for place in (out, on_disk))
    assert (ours.class_map() == theirs.class_map()).all()
    assert {k: v for k, v in ours.result.model_dump(mode="json").items() if k != "timing"} == {
        k: v for k, v in theirs.result.model_dump(mode="json").items() if k != "timing"
    }
