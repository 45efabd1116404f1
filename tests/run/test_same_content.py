"""The same file under two names is a finding of both wherever the run is read, and of no slide's own document."""

import csv
import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from command_line import wsi_area
from measuring import FLAT, measure
from recorded import counted_slide
from synthetic import disc, write_slide

from wsi_area.audit.verify import verify_run
from wsi_area.inputs.collect import collect_slides
from wsi_area.model.geometry import Size
from wsi_area.reports.attention import warned
from wsi_area.reports.documents import read_documents
from wsi_area.results.layout import read_json, write_json
from wsi_area.results.opened_run import open_run
from wsi_area.results.same_content import same_content, with_same_content
from wsi_area.run.array.division import ArrayTask
from wsi_area.run.array.merge import merge_run
from wsi_area.run.array.task_run import run_task
from wsi_area.settings.run_settings import load

SIZE = Size(600, 500)


@pytest.fixture
def slide(tmp_path: Path) -> Path:
    return Path(write_slide(tmp_path / "a.tif", SIZE, {"tissue": disc(SIZE, 300, 250, 120)}).path)


@pytest.fixture
def copy(slide: Path, tmp_path: Path) -> Path:
    """The same bytes, of another day."""
    path = Path(shutil.copyfile(slide, tmp_path / "b.tif"))
    os.utime(path, (1e9, 1e9))
    return path


@pytest.fixture
def other(tmp_path: Path) -> Path:
    return Path(write_slide(tmp_path / "c.tif", SIZE, {"tissue": disc(SIZE, 300, 251, 120)}).path)


def flags(out: Path) -> list[tuple[str, str]]:
    with (out / "flags.csv").open(encoding="utf-8") as file:
        return [(row["slide_id"], row["code"]) for row in csv.DictReader(file) if row["severity"] == "warning"]


def own_codes(out: Path, slide_id: str) -> list[str]:
    return [f["code"] for f in read_json(out / "slides" / slide_id / "result.json")["findings"]]


def says_so_everywhere(out: Path) -> None:
    """Of a run of which a and b hold the same, and c does not."""
    assert read_json(out / "run.json")["same_content"] == [["a", "b"]]
    assert flags(out) == [("a", "SLIDE_TWICE"), ("b", "SLIDE_TWICE")]
    run = open_run(out)
    assert run.summary["flags"].fillna("").str.contains("SLIDE_TWICE").to_dict() == {"a": True, "b": True, "c": False}
    assert list(run.findings.query("code == 'SLIDE_TWICE'")["slide_id"]) == ["a", "b"]
    (found,) = [w for w in warned(read_documents(out).slides) if w.code == "SLIDE_TWICE"]
    assert [name for _, name in found.slides] == ["a", "b"]
    assert not any("SLIDE_TWICE" in own_codes(out, name) for name in "abc")
    assert verify_run(out).disagreements == ()


def test_both_carry_the_finding_in_tables_frames_and_report_and_a_third_slide_does_not(
    slide: Path, copy: Path, other: Path, tmp_path: Path
) -> None:
    outcome = measure([slide, copy, other], tmp_path / "out")
    assert outcome.exit_code == 0
    says_so_everywhere(tmp_path / "out")
    told = {r["slide_id"]: f for r in outcome.documents for f in r["findings"] if f["code"] == "SLIDE_TWICE"}
    assert set(told) == {"a", "b"}
    assert (told["a"]["measured"], told["a"]["limit"], told["a"]["unit"]) == (2.0, 1.0, "slides")
    assert told["a"]["message"].startswith("its file holds the same as that of b: ")
    assert told["b"]["message"].startswith("its file holds the same as that of a: ")
    last = json.loads((tmp_path / "out/logs/run.jsonl").read_text().splitlines()[-1])
    assert last["warnings"]["SLIDE_TWICE"] == 2


def test_tasks_of_a_job_array_measure_them_apart_and_the_merge_finds_them(
    slide: Path, copy: Path, other: Path, tmp_path: Path
) -> None:
    out, slides = tmp_path / "out", collect_slides([str(path) for path in (slide, copy, other)])
    for index in (3, 1, 2):
        run_task(slides, load(None, [*FLAT, "run.executor=serial"]), out, ArrayTask(index, 3))
    for path in (slide, copy):
        path.rename(path.with_suffix(".archived"))  # the documents are enough
    merged = merge_run(out)
    assert [f["slide_id"] for r in merged.run.documents for f in r["findings"] if f["code"] == "SLIDE_TWICE"] == [
        "a",
        "b",
    ]
    says_so_everywhere(out)


def test_a_copy_that_joins_the_folder_later_is_found_though_the_first_file_is_gone(
    slide: Path, copy: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    measure(slide, out)
    assert flags(out) == []
    slide.unlink()
    measure(copy, out)
    assert flags(out) == [("a", "SLIDE_TWICE"), ("b", "SLIDE_TWICE")]


def test_its_remedy_leaves_one_out_and_measures_nothing_twice(slide: Path, copy: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    (first, _) = measure([slide, copy], out).documents
    assert "remove run.json" in next(f["remedy"] for f in first["findings"] if f["code"] == "SLIDE_TWICE")
    copy.unlink()
    (out / "run.json").unlink()
    (left,) = measure(slide, out).documents
    assert left["timing"] == first["timing"]  # of when its tiles were measured
    assert flags(out) == []
    assert list(open_run(out)) == ["a"]
    assert verify_run(out).disagreements == ()
    assert "not in this run any more" in wsi_area("explain", out, "b").err


def test_its_remedy_holds_for_a_job_array(slide: Path, copy: Path, tmp_path: Path) -> None:
    out, line = tmp_path / "out", load(None, [*FLAT, "run.executor=serial"])
    for index in (1, 2):
        run_task(collect_slides([str(slide), str(copy)]), line, out, ArrayTask(index, 2))
    (first, _) = merge_run(out).run.documents
    (out / "run.json").unlink()
    shutil.rmtree(out / "shards")
    for index in (1, 2):
        run_task(collect_slides([str(slide)]), line, out, ArrayTask(index, 2))
    (left,) = merge_run(out).run.documents
    assert left["timing"] == first["timing"]
    assert flags(out) == []
    assert verify_run(out).disagreements == ()


def test_a_right_file_copied_back_and_measured_with_force_ends_the_finding(
    slide: Path, copy: Path, other: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    measure([slide, copy], out)
    other.replace(copy)
    measure(copy, out, force=True)
    assert flags(out) == []
    assert set(open_run(out).summary["status"]) == {"complete"}
    assert verify_run(out).disagreements == ()


def test_the_console_says_it_once_with_both_names_and_the_remedy(slide: Path, copy: Path, tmp_path: Path) -> None:
    ended = wsi_area("run", slide, copy, "--set", "segmenter.name=tissue", "--out", tmp_path / "out", "--no-report")
    assert ended.code == 0
    assert (ended.out + ended.err).count("SLIDE_TWICE") == 1
    assert ended.out.count("→ leave all but one of the files out") == 1


def test_a_run_json_that_names_other_twins_than_the_documents_is_noticed(
    slide: Path, copy: Path, other: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    measure([slide, copy, other], out)
    about: dict[str, Any] = dict(read_json(out / "run.json"))
    write_json(out / "run.json", {**about, "same_content": [["a", "c"]]})
    told = {"summary.csv", "summary.parquet", "summary.xlsx", "flags.csv"}  # of which each says who has a twin
    assert {fault.what for fault in verify_run(out).disagreements} == {"run.json", "seal.json", *told}


def test_files_of_one_length_with_other_bytes_are_two_slides(slide: Path, tmp_path: Path) -> None:
    content = bytearray(slide.read_bytes())
    content[-1] ^= 1
    (tmp_path / "b.tif").write_bytes(content)
    measure([slide, tmp_path / "b.tif"], tmp_path / "out")
    assert "same_content" not in read_json(tmp_path / "out/run.json")


def test_of_many_twins_five_are_named_and_the_others_counted() -> None:
    twins = [counted_slide().model_copy(update={"slide_id": f"s{n}", "findings": ()}) for n in range(9)]
    (found,) = with_same_content(twins[0], same_content(twins)).findings
    assert "that of s1 and s2 and s3 and s4 and s5 and 3 more: " in found.message
    assert "count this tissue 9 times" in found.message
