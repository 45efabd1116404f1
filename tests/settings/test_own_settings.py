"""A manifest gives single slides settings of their own: bright, dark and coarse slides need only one run."""

import json
from pathlib import Path
from typing import Any

import pytest
from command_line import wsi_area
from measuring import class_maps_of
from synthetic import FileForm, disc, write_slide

from wsi_area.audit.difference import compare_runs
from wsi_area.errors import SettingsError
from wsi_area.inputs.collect import SlideInput, collect_slides
from wsi_area.inputs.manifest import read_manifest
from wsi_area.inputs.slide_settings import refuse_wrong_settings, settings_of
from wsi_area.model.calibration import Mpp
from wsi_area.model.geometry import Size
from wsi_area.results.opened_run import open_run
from wsi_area.run.array.agreement import read_array_plan
from wsi_area.run.array.array_plan import array_plan
from wsi_area.run.array.division import ArrayTask
from wsi_area.run.array.merge import merge_run
from wsi_area.run.array.task_run import run_task
from wsi_area.run.pipeline import run_slides
from wsi_area.run.run_document import RunOutcome
from wsi_area.settings.own_settings import OWN_SECTIONS
from wsi_area.settings.run_settings import RunSettings, load

SIZE = Size(900, 700)
RUN = ("segmenter.threshold=60", "run.executor=serial", "tiling.tile_px=128", "run.piece_mib=0")
HEADER = "path,segmenter.threshold,tiling.work_mpp,config"
# pink tissue, brown tissue, and one that is to be looked at coarsely; 150 is more than pink differs from glass
ROWS = ("pink.tif,,,", "brown.tif,150,,", "coarse.tif,,2,", "both.tif,,,of its own/both.toml")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four slides, their manifest, and the settings file of one."""
    place = tmp_path_factory.mktemp("mixed")
    for name, paint in (("pink", "tissue"), ("brown", "dab"), ("coarse", "tissue"), ("both", "dab")):
        write_slide(place / f"{name}.tif", SIZE, {paint: disc(SIZE, 400, 350, 200.5)}, FileForm(mpp=Mpp(0.5, 0.5)))
    (place / "of its own").mkdir()
    (place / "of its own/both.toml").write_text("[segmenter]\nthreshold = 150\n\n[tiling]\nwork_mpp = 1.0\n")
    manifest(place)
    return place


def manifest(place: Path, *rows: str, header: str = HEADER, name: str = "slides.csv") -> Path:
    path = place / name
    path.write_text("\n".join([header, *(rows or ROWS), ""]))
    return path


def inputs(path: Path) -> tuple[SlideInput, ...]:
    return collect_slides([], manifest=path)


def run_of(folder: Path, out: Path, *further: str, **options: Any) -> RunOutcome:
    return run_slides(inputs(folder / "slides.csv"), load(None, [*RUN, *further]), out, **options)


@pytest.fixture(scope="module")
def mixed(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("out") / "mixed"
    assert run_of(folder, out).exit_code == 0
    return out


OWN = {
    "pink": (),
    "brown": ("segmenter.threshold=150",),
    "coarse": ("tiling.work_mpp=2",),
    "both": ("segmenter.threshold=150", "tiling.work_mpp=1"),
}


@pytest.mark.parametrize("name", OWN)
def test_each_slide_is_measured_as_a_run_of_its_own_with_those_settings_would(
    folder: Path, mixed: Path, tmp_path: Path, name: str
) -> None:
    alone = run_slides(collect_slides([str(folder / f"{name}.tif")]), load(None, [*RUN, *OWN[name]]), tmp_path)
    record, (by_itself,) = open_run(mixed)[name].result.model_dump(mode="json"), alone.documents
    assert record["counts"] == by_itself["counts"]
    assert (record["key"], record["config_hash"]) == (by_itself["key"], by_itself["config_hash"])
    assert record["work"] == by_itself["work"]
    assert (class_maps_of(mixed)[name] == class_maps_of(tmp_path)[name]).all()


def test_the_settings_make_the_difference_that_they_are_for(folder: Path, mixed: Path, tmp_path: Path) -> None:
    painted = int(disc(SIZE, 400, 350, 200.5).mask.sum())
    assert [open_run(mixed)[name].counted.tissue.n_px for name in ("pink", "brown")] == [painted, painted]
    wrong = manifest(folder, "pink.tif,150,,", name="wrong.csv")  # brown's threshold
    (record,) = run_slides(inputs(wrong), load(None, RUN), tmp_path).documents
    assert record["tissue"]["n_px"] == 0
    work = {name: open_run(mixed)[name].counted.work.work_mpp_x_um for name in OWN}
    assert work == {"pink": 0.5, "brown": 0.5, "coarse": 2.0, "both": 1.0}
    assert len({open_run(mixed)[name].counted.config_hash for name in OWN}) == 4


def test_run_json_says_which_slide_had_what_and_where_that_was_said(folder: Path, mixed: Path) -> None:
    about = json.loads((mixed / "run.json").read_text())
    told = about["slide_settings"]
    assert {name: entry["settings"] for name, entry in told.items()} == {
        "brown": {"segmenter.threshold": 150},
        "coarse": {"tiling.work_mpp": 2},
        "both": {"segmenter.threshold": 150, "tiling.work_mpp": 1.0},
    }
    assert told["coarse"]["said_by"] == f"{folder / 'slides.csv'}, line 4"
    assert about["settings"]["segmenter"]["threshold"] == 60
    assert wsi_area("verify", mixed).code == 0
    assert wsi_area("report", mixed).code == 0


def test_diff_names_the_slide_whose_own_settings_differ(folder: Path, mixed: Path, tmp_path: Path) -> None:
    path = manifest(folder, *ROWS[:2], "coarse.tif,,4,", "both.tif,,1.0,", name="other.csv")
    run_slides(inputs(path), load(None, [*RUN, "segmenter.threshold=150"]), tmp_path)
    found = {d.key: (d.first, d.second) for d in compare_runs(mixed, tmp_path, 0.0).settings}
    assert found == {
        "segmenter.threshold": (60, 150),
        "coarse: tiling.work_mpp": (2, 4),  # brown and both have 150 in either run, whoever said so
    }


def test_what_a_further_run_leaves_alone_is_still_said(folder: Path, tmp_path: Path) -> None:
    run_of(folder, tmp_path / "out")
    more = tmp_path / "more.tif"
    write_slide(more, SIZE, {"tissue": disc(SIZE, 400, 350, 100)})
    assert run_slides(collect_slides([str(more)]), load(None, RUN), tmp_path / "out").exit_code == 0
    assert set(json.loads((tmp_path / "out/run.json").read_text())["slide_settings"]) == {"brown", "coarse", "both"}


def test_another_setting_for_one_slide_is_not_mixed_with_what_was_measured(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run_of(folder, out)
    path = manifest(folder, *ROWS[:2], "coarse.tif,,4,", ROWS[3], name="other.csv")
    outcome = run_slides(inputs(path), load(None, RUN), out)
    status = {r["slide_id"]: r["status"] for r in outcome.documents}
    assert status == {"pink": "complete", "brown": "complete", "coarse": "failed", "both": "complete"}
    (refused,) = [r for r in outcome.documents if r["status"] == "failed"]
    assert "other settings" in refused["reason"]
    assert run_slides(inputs(path), load(None, RUN), out, force=True).exit_code == 0


@pytest.mark.parametrize("count", [1, 3])
def test_tasks_of_an_array_give_the_same_and_say_the_same(
    folder: Path, mixed: Path, tmp_path: Path, count: int
) -> None:
    out, slides = tmp_path / "out", inputs(folder / "slides.csv")
    for n in range(1, count + 1):
        assert run_task(slides, load(None, RUN), out, ArrayTask(n, count)).exit_code == 0
    assert merge_run(out).exit_code == 0
    for name in ("summary.csv", "areas.parquet", "flags.csv"):
        assert (out / name).read_bytes() == (mixed / name).read_bytes()
    ours, theirs = (json.loads((f / "run.json").read_text())["slide_settings"] for f in (out, mixed))
    assert ours == theirs


def test_a_divided_slide_has_its_own_settings_in_every_task(folder: Path, tmp_path: Path) -> None:
    slides = inputs(manifest(folder, ROWS[3], name="one.csv"))
    out, by_one = tmp_path / "out", tmp_path / "by_one"
    run_slides(slides, load(None, RUN), by_one)
    for n in (2, 1):
        run_task(slides, load(None, RUN), out, ArrayTask(n, 2))
    assert read_shard_plan_of(out) == array_plan(slides, load(None, RUN), 2)
    merge_run(out)
    assert counts_of_run(out) == counts_of_run(by_one)
    other = inputs(manifest(folder, "both.tif,,4,", name="one.csv"))
    assert array_plan(other, load(None, RUN), 2).key != array_plan(slides, load(None, RUN), 2).key


def read_shard_plan_of(out: Path) -> Any:
    from wsi_area.results.layout import RunLayout

    return read_array_plan(RunLayout(out))


def counts_of_run(out: Path) -> list[Any]:
    run = open_run(out)
    return [(run[name].counted.counts, run[name].counted.key) for name in run]


def test_a_column_counts_for_more_than_the_file_and_an_empty_cell_for_nothing(folder: Path) -> None:
    path = manifest(folder, "both.tif,90,,of its own/both.toml", "pink.tif,,,", name="over.csv")
    both, pink = (settings_of(load(None, RUN), slide) for slide in inputs(path))
    assert (both.segmenter.own["threshold"], both.tiling.work_mpp) == (90, 1.0)
    assert pink == load(None, RUN)
    assert both.run == load(None, RUN).run


@pytest.mark.parametrize(
    ("header", "cell", "key", "value"),
    [
        ("path;tiling.work_mpp", "pink.tif;0,5", "tiling.work_mpp", 0.5),
        ("path,tiling.skip_glass", "pink.tif,FALSE", "tiling.skip_glass", False),
        ("path,Segmenter.Background,objects.foci", "pink.tif,bright,false", "segmenter.background", "bright"),
        ("path,segmenter.background", "pink.tif,bright", "segmenter.background", "bright"),
        ("path,exclusions.pen", 'pink.tif,"mark"', None, None),
    ],
)
def test_cells_are_read_as_spreadsheets_write_them(
    folder: Path, header: str, cell: str, key: str | None, value: object
) -> None:
    path = manifest(folder, cell, header=header, name="cells.csv")
    if key is None:
        with pytest.raises(SettingsError, match=r"cells\.csv, line \d"):
            refuse_wrong_settings(load(None, RUN), inputs(path))
        return
    (row,) = read_manifest(path)
    assert row.own is not None
    section, name = key.split(".")
    assert row.own.tree[section][name] == value
    refuse_wrong_settings(load(None, RUN), inputs(path))


@pytest.mark.parametrize(
    ("header", "row", "told"),
    [
        ("path,segmenter.threshold", "pink.tif,dark", r"line 2, column segmenter\.threshold: .*threshold"),
        ("path,tiling.work_mpp", "pink.tif,-1", r"line 2, column tiling\.work_mpp: .* = -1.*than 0"),
        ("path,tiling.work_mp", "pink.tif,2", r"column tiling\.work_mp: unknown key.*did you mean tiling\.work_mpp"),
        ("path,segmenter.treshold", "pink.tif,2", r"line 2, column segmenter\.treshold: .*threshold"),
        ("path,run.workers", "pink.tif,2", r"line 1: column 'run\.workers': who does the work"),
        ("path,tilling.work_mpp", "pink.tif,2", r"line 1: unknown column 'tilling\.work_mpp'"),
        ("path,segmenter.name", "pink.tif,stain", r"column segmenter\.name: segmenter\.name decides which classes"),
        ("path,segmenter.classes", 'pink.tif,"[{id=0,name=""a"",color=""#ffffff""}]"', r"segmenter\.classes decides"),
        ("path,config", "pink.tif,missing.toml", r"line 2, column config \(missing\.toml\): .* cannot be read"),
        ("path,config", "pink.tif,../slides.toml", r"column config .* beside the manifest or below"),
        ("path,config", "pink.tif,/etc/hostname", r"column config .* beside the manifest or below"),
        ("path,config", "pink.tif,link.toml", r"column config .* beside the manifest or below"),
        ("path,config", "pink.tif,no.toml", r"column config \(no\.toml\): .* is not TOML"),
        ("path,config", "pink.tif,run.toml", r"column config \(run\.toml\): \[run\] is no section .* one slide"),
        ("path,config", "pink.tif,key.toml", r"column config \(key\.toml\): unknown key tiling\.x"),
        ("path,config", "pink.tif,large.toml", r"larger than 1 MiB"),
        ("path,config", "pink.tif,day.toml", r"a date is no setting"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_refused_by_row_and_column_before_any_slide_is_opened(
    folder: Path, tmp_path: Path, header: str, row: str, told: str
) -> None:
    place = tmp_path / "here"
    place.mkdir()
    (tmp_path / "slides.toml").write_text("[tiling]\nwork_mpp = 1\n")
    (place / "pink.tif").write_text("never opened")
    (place / "link.toml").symlink_to(tmp_path / "slides.toml")
    (place / "no.toml").write_text("work_mpp: 1")
    (place / "run.toml").write_text("[run]\nworkers = 1\n")
    (place / "key.toml").write_text("[tiling]\nx = 1\n")
    (place / "large.toml").write_text("#" * (1 << 20) + "\n[tiling]\nwork_mpp = 1\n")
    (place / "day.toml").write_text("[segmenter]\nthreshold = 2026-01-01\n")
    path = manifest(place, row, header=header)
    with pytest.raises(SettingsError, match=told) as refusal:
        run_slides(inputs(path), load(None, RUN), tmp_path / "out")
    assert "slides.csv" in str(refusal.value)
    assert not (tmp_path / "out").exists()


def test_every_section_of_the_settings_is_either_a_slide_s_own_or_the_run_s() -> None:
    of_the_run = {"run", "cluster", "tls", "storage", "report", "uncertainty", "estimate"}
    assert set(RunSettings.model_fields) == set(OWN_SECTIONS) | of_the_run


def test_plan_shows_what_is_otherwise_for_a_slide_and_plans_with_it(folder: Path) -> None:
    asked = ("plan", "--manifest", folder / "slides.csv", *(f"--set={text}" for text in RUN))
    ended = wsi_area(*asked, "--json")
    assert ended.code == 0, ended.err
    work = {row["slide_id"]: row["work_mpp_x_um"] for row in ended.document["slides"]}
    assert work == {"pink": 0.5, "brown": 0.5, "coarse": 2.0, "both": 1.0}
    assert ended.document["slide_settings"]["coarse"]["settings"] == {"tiling.work_mpp": 2}
    told = wsi_area(*asked)
    assert "both: segmenter.threshold=150, tiling.work_mpp=1.0 (" in told.out
    wrong = wsi_area("plan", "--manifest", manifest(folder, "pink.tif,x,,", name="wrong.csv"))
    assert wrong.code == 1
    assert "wrong.csv, line 2, column segmenter.threshold" in wrong.err


def test_check_judges_each_slide_by_its_own_calibration_settings(folder: Path) -> None:
    header = "path,calibration.band_um,segmenter.threshold"
    path = manifest(folder, 'pink.tif,"[0.6, 60]",', "brown.tif,,200", header=header, name="check.csv")
    ended = wsi_area("check", "--manifest", path, "--json")
    status = {row["slide_id"]: row["status"] for row in ended.document["slides"]}
    assert status == {"pink": "needs_calibration", "brown": "calibrated"}
    assert ended.code == 3
    wrong = manifest(folder, 'pink.tif,"[0.6]",', header=header, name="check.csv")
    refused = wsi_area("check", "--manifest", wrong)
    assert refused.code == 1
    assert "check.csv, line 2, column calibration.band_um" in refused.err
