"""A slide that a run did not come to has a row that says why, and what to do."""

import csv
from pathlib import Path

from command_line import wsi_area
from synthetic import disc, write_slide, write_text_slide

from wsi_area.model.geometry import Size

SIZE = Size(300, 200)


def test_after_a_failure_that_ended_the_run_the_others_say_so(tmp_path: Path) -> None:
    folder = tmp_path / "slides"
    folder.mkdir()
    write_text_slide(folder / "a.svs")
    for name in ("b", "c"):
        write_slide(folder / f"{name}.tif", SIZE, {"tissue": disc(SIZE, 150, 100, 60)})
    options = ("--set", "run.fail_fast=true", "--set", "run.slides_in_flight=1", "--out", tmp_path / "out")
    assert wsi_area("run", folder, *options).code == 2
    with (tmp_path / "out/failed.csv").open(newline="", encoding="utf-8") as file:
        reasons = {row["slide_id"]: row["reason"] for row in csv.DictReader(file)}
    assert list(reasons) == ["a", "b", "c"]
    for name in ("b", "c"):
        assert reasons[name].startswith("not reached: another slide failed, and run.fail_fast ended the run")
        assert "interrupted" not in reasons[name]
    (folder / "a.svs").unlink()
    write_slide(folder / "a.tif", SIZE, {"tissue": disc(SIZE, 150, 100, 60)})
    again = wsi_area("run", folder / "b.tif", folder / "c.tif", *options)
    assert again.code == 0
