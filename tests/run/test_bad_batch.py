"""A batch of which a tenth is bad in every way: each input has its row or its line, and nothing is said twice."""

import csv
import os
import re
from collections import Counter
from pathlib import Path

from bad_inputs import BAD, LINE, ROW, written_batch
from command_line import wsi_area

from wsi_area.results.documents import read_run
from wsi_area.results.layout import RunLayout

COUNT = int(os.environ.get("WSI_AREA_BAD_BATCH", "210"))  # by night 1000: see the Makefile
RULES = ("--set", "segmenter.background=bright", "--set", "segmenter.threshold=60", "--no-report")


def test_each_input_of_a_bad_batch_has_its_row_or_its_line_and_nothing_is_repeated(tmp_path: Path) -> None:
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    bad = written_batch(folder, COUNT, seed=15)
    assert {way for way, _ in bad.values()} == set(BAD)
    ended = wsi_area("run", folder, *RULES, "--out", out)
    assert ended.code == 2
    with (out / "summary.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    status = {Path(row["path"]).name: row["status"] for row in rows}
    failed = {name for name, (_, becomes) in bad.items() if becomes == ROW}
    assert {name for name, ended_as in status.items() if ended_as == "failed"} == failed
    assert set(status.values()) == {"complete", "failed"}
    assert len(rows) == len(status) == COUNT - sum(becomes == LINE for _, becomes in bad.values())
    left = [path for entry in read_run(RunLayout(out)).left_out or () for path in entry.paths]
    assert sorted(Path(path).name for path in left) == sorted(n for n, (_, becomes) in bad.items() if becomes == LINE)
    complete = [row["tissue_area_mm2"] for row in rows if row["status"] == "complete"]
    assert len(complete) == COUNT - len(bad)
    assert len(set(complete)) == 1
    # nothing is said twice, nothing orders the terminal, and the count at the end is true
    lines = [line for line in ended.out.splitlines() if line.strip()]
    assert not [line for line, times in Counter(lines).items() if times > 1]
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f]", ended.out + ended.err)
    assert f"{len(complete)} of {len(rows)} slides are complete; {len(failed)} failed" in ended.out
    assert sum(name in ended.out for name in failed) == len(failed)
    # the same again measures nothing, and says the same
    again = wsi_area("run", folder, *RULES, "--out", out)
    assert again.code == 2
    assert [line for line in again.out.splitlines() if line.startswith("left out")] == [
        line for line in lines if line.startswith("left out")
    ]
