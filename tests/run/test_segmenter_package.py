"""The version of somebody else's segmenter is part of what a result depends on; ours have a version of their own."""

import hashlib
import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import jsonschema
import pytest
from command_line import wsi_area
from measuring import FLAT
from synthetic import disc, write_slide

from wsi_area.audit.same_rules import rules_apart
from wsi_area.errors import StaleResultError
from wsi_area.inputs.collect import SlideInput, collect_slides
from wsi_area.model.geometry import Size
from wsi_area.results.layout import read_json
from wsi_area.results.opened_run import open_run
from wsi_area.results.schema import result_schema
from wsi_area.run.array.division import ArrayTask
from wsi_area.run.array.merge import merge_run
from wsi_area.run.array.task_run import run_task
from wsi_area.run.continuation import Origin
from wsi_area.run.pipeline import run_slides
from wsi_area.run.run_document import RunOutcome
from wsi_area.segmenters.registry import segmenter_package
from wsi_area.settings.run_settings import load

SIZE = Size(300, 250)
LAB = ("segmenter.name=lab", "run.executor=serial")
MODULE = """
from wsi_area.segmenters.colour.tissue import TissueSegmenter


class Lab(TissueSegmenter):
    pass
"""
Install = Callable[[str], None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Have a version of a package with a segmenter on the path, in the place of another."""

    def installed(version: str) -> None:
        site = tmp_path / f"site-{version}"
        info = site / f"lab_seg-{version}.dist-info"
        if not site.exists():
            info.mkdir(parents=True)
            (site / "lab_seg.py").write_text(MODULE)
            (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: lab-seg\nVersion: {version}\n")
            (info / "entry_points.txt").write_text("[wsi_area.segmenters]\nlab = lab_seg:Lab\n")
        others = [place for place in sys.path if not Path(place).name.startswith("site-1.")]
        monkeypatch.setattr(sys, "path", [*others, str(site)])

    return installed


@pytest.fixture
def slides(tmp_path: Path) -> tuple[SlideInput, ...]:
    folder = tmp_path / "slides"
    folder.mkdir()
    for n in range(2):
        write_slide(folder / f"s{n}.tif", SIZE, {"tissue": disc(SIZE, 150, 120, 60 + 30 * n)})
    return collect_slides([str(folder)])


def run(slides: tuple[SlideInput, ...], out: Path, force: bool = False) -> RunOutcome:
    return run_slides(slides, load(None, LAB), out, force=force)


def test_only_the_package_of_somebody_else_s_segmenter_is_named(install: Install) -> None:
    install("1.0")
    assert segmenter_package("lab") == "lab-seg 1.0"
    install("1.1")
    assert segmenter_package("lab") == "lab-seg 1.1"
    assert [segmenter_package(name) for name in ("tissue", "stain", "regions", "onnx", "pixel_classifier")] == [
        None
    ] * 5


def test_an_upgraded_segmenter_is_refused_on_resume_with_both_versions(
    slides: tuple[SlideInput, ...], tmp_path: Path, install: Install
) -> None:
    install("1.0")
    assert run(slides, tmp_path / "out").exit_code == 0
    record = read_json(tmp_path / "out/slides/s0/result.json")
    assert record["made_from"]["segmenter_package"] == "lab-seg 1.0"
    jsonschema.validate(record, result_schema())
    assert run(slides, tmp_path / "out").exit_code == 0  # the same version goes on
    install("1.1")
    with pytest.raises(StaleResultError, match=r"segmenter package lab-seg 1\.0 -> 1\.1; choose another --out, or --f"):
        run(slides, tmp_path / "out")
    assert read_json(tmp_path / "out/slides/s0/result.json") == record
    assert run(slides, tmp_path / "out", force=True).exit_code == 0
    again = read_json(tmp_path / "out/slides/s0/result.json")
    assert again["made_from"]["segmenter_package"] == "lab-seg 1.1"
    assert again["key"] != record["key"]
    assert again["config_hash"] == record["config_hash"]


def test_a_slide_whose_stores_another_version_wrote_is_refused_by_itself_too(
    slides: tuple[SlideInput, ...], tmp_path: Path, install: Install
) -> None:
    install("1.0")
    run(slides, tmp_path / "out")
    (tmp_path / "out/run.json").unlink()
    install("1.1")
    outcome = run(slides, tmp_path / "out")
    assert outcome.exit_code == 2
    assert [r["error"] for r in outcome.documents] == ["StaleResultError"] * 2
    assert "made with another segmenter package (lab-seg 1.0 -> 1.1)" in outcome.documents[0]["reason"]


def test_tasks_of_an_array_with_two_versions_are_never_mixed(
    slides: tuple[SlideInput, ...], tmp_path: Path, install: Install
) -> None:
    out = tmp_path / "out"
    install("1.0")
    settings = load(None, LAB)
    run_task(slides, settings, out, ArrayTask(1, 2))
    install("1.1")
    with pytest.raises(StaleResultError, match=r"segmenter_package was 'lab-seg 1\.0', is 'lab-seg 1\.1'"):
        run_task(slides, settings, out, ArrayTask(2, 2))
    install("1.0")
    run_task(slides, settings, out, ArrayTask(2, 2))
    install("1.1")
    with pytest.raises(StaleResultError, match=r"measured with lab-seg 1\.0, installed here is lab-seg 1\.1"):
        merge_run(out)
    install("1.0")
    assert merge_run(out).exit_code == 0
    assert read_json(out / "run.json")["segmenter_package"] == "lab-seg 1.0"


def test_diff_says_that_two_runs_used_two_versions(
    slides: tuple[SlideInput, ...], tmp_path: Path, install: Install
) -> None:
    for version in ("1.0", "1.1"):
        install(version)
        assert run(slides, tmp_path / version).exit_code == 0
    ended = wsi_area("diff", tmp_path / "1.0", tmp_path / "1.1", "--json")
    assert ended.code == 0
    found = {"key": "segmenter_package", "first": "lab-seg 1.0", "second": "lab-seg 1.1"}
    assert found in ended.document["settings"]
    told = wsi_area("diff", tmp_path / "1.0", tmp_path / "1.1").out
    assert "setting segmenter_package: 'lab-seg 1.0' → 'lab-seg 1.1'" in told
    old, new = (open_run(tmp_path / version) for version in ("1.0", "1.1"))
    apart = rules_apart(old.run_record, old["s0"].counted, new.run_record, new["s0"].counted)
    assert apart == ["segmenter package lab-seg 1.0 → lab-seg 1.1"]  # which refuses a change between two dates


def test_the_keys_of_our_own_segmenters_are_what_they_were(slides: tuple[SlideInput, ...], tmp_path: Path) -> None:
    run_slides(slides[:1], load(None, [*FLAT, "run.executor=serial"]), tmp_path / "out")
    record = read_json(tmp_path / "out/slides/s0/result.json")
    parts = ["slide_file", "pixel_size", "settings", "drawings", "tiles", "fit", "measurement_version"]
    assert list(record["made_from"]) == parts
    text = json.dumps([record["made_from"][part] for part in parts], sort_keys=True, default=str)
    assert record["key"] == hashlib.sha256(text.encode()).hexdigest()
    assert "segmenter_package" not in read_json(tmp_path / "out/run.json")


def test_a_part_that_does_not_apply_changes_no_key() -> None:
    ours = Origin("file", "0.5 × 0.5 µm", "s", "d", "t", "f", "1")
    assert ours.parts == {name: value for name, value in asdict(ours).items() if name != "segmenter_package"}
    theirs = Origin("file", "0.5 × 0.5 µm", "s", "d", "t", "f", "1", "lab-seg 1.0")
    assert len({ours.key, theirs.key, Origin(**{**theirs.parts, "segmenter_package": "lab-seg 1.1"}).key}) == 3
