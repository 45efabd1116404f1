"""Which slides are measurements of one thing: subjects and blocks of one run, slides of several, readers of a slide."""

from pathlib import Path

import pytest
from command_line import wsi_area
from measuring import measure
from synthetic import FileForm, box, write_slide
from synthetic_textures import write_outlines
from test_repeat_command import SIZE, TALL, manifest, scanner, slide

from wsi_area.inputs.collect import collect_slides
from wsi_area.model.calibration import Mpp
from wsi_area.run.pipeline import run_slides
from wsi_area.settings.run_settings import load


def cohort(folder: Path, rows: list[tuple[str, str, str, int, int]]) -> Path:
    """A run of slides: name, subject, block, width and height of the tissue."""
    for name, _, _, width, height in rows:
        slide(folder / f"{name}.tif", width, height)
    table = [{"path": f"{name}.tif", "subject": subject, "block": block} for name, subject, block, _, _ in rows]
    measure([], folder / "out", "tiling.skip_glass=false", manifest=manifest(folder / "m.csv", table))
    return folder / "out"


def test_blocks_of_one_subject_are_kept_apart(tmp_path: Path) -> None:
    rows = [
        (f"{subject}{block}{n}", subject, block, width, 100 + 40 * (block == "B"))
        for subject in ("p", "q")
        for block in ("A", "B")
        for n, width in enumerate((200, 220))
    ]
    run = cohort(tmp_path, rows)
    ended = wsi_area("repeat", run, "--by", "block", "--json")
    assert ended.code == 0, ended.err
    assert {r["subject"] for r in ended.document["repeats"]} == {"p, A", "p, B", "q, A", "q, B"}
    (pair,) = ended.document["areas"][0]["pairs"]
    assert pair["bias_ratio"]["value"] == pytest.approx(1.1)
    ended = wsi_area("repeat", run, "--by", "subject", "--out", tmp_path / "other.json")
    assert ended.code == 1
    assert "--by block" in ended.err


def test_the_number_of_repeats_is_the_one_that_most_subjects_have(tmp_path: Path) -> None:
    rows = [(f"{s}{n}", s, "", 200 + 3 * n, height) for s, height in TALL.items() for n in range(3 if s == "s1" else 2)]
    rows.append(("once", "alone", "", 200, 90))
    ended = wsi_area("repeat", cohort(tmp_path, rows), "--json")
    assert ended.code == 2
    assert ended.document["occasions"] == ["1", "2"]
    assert ended.document["areas"][0]["subjects"] == 4
    told = {left["subject"]: left["reason"] for left in ended.document["left_out"]}
    assert "one more than the 2" in told["s1"]
    assert "one slide only" in told["alone"]


def test_readers_of_the_same_slides_are_occasions_and_the_same_drawing_twice_is_none(tmp_path: Path) -> None:
    config = tmp_path / "c.toml"
    config.write_text(
        '[segmenter]\nname = "regions"\n[tiling]\nwork_mpp = 1.0\n[[segmenter.classes]]\nid = 0\nname = "background"\n'
        'color = "#ffffff"\n[[segmenter.classes]]\nid = 1\nname = "tumor"\ncolor = "#ff0000"\nis_tissue = true\n'
        'is_tumor = true\nmatch = ["tumor"]\n',
        "utf-8",
    )
    for name in TALL:
        write_slide(
            tmp_path / f"{name}.tif", SIZE, {"tissue": box(SIZE, 20, 20, 500, 400)}, FileForm(mpp=Mpp(1.0, 1.0))
        )
    for reader, width in (("miller", 200), ("okafor", 250), ("copy", 200)):
        for name, height in TALL.items():
            (tmp_path / reader).mkdir(exist_ok=True)
            write_outlines(tmp_path / reader / f"{name}.geojson", {"tumor": [(50, 50, 50 + width, 50 + height)]})
        inputs = collect_slides([str(tmp_path / f"{name}.tif") for name in TALL], annotations=tmp_path / reader)
        run_slides(inputs, load(config, []), tmp_path / f"run_{reader}")
    ended = wsi_area("repeat", tmp_path / "run_miller", tmp_path / "run_okafor", "--json")
    assert ended.code == 0, ended.err
    found = {(a["kind"], a["name"]): a["pairs"][0] for a in ended.document["areas"]}
    assert found["total", "tumor"]["bias_ratio"]["value"] == pytest.approx(1.25)
    ended = wsi_area("repeat", tmp_path / "run_miller", tmp_path / "run_copy", "--out", tmp_path / "none.json")
    assert ended.code == 1
    assert "one drawing" in ended.err


def test_a_run_named_twice_is_refused(tmp_path: Path) -> None:
    run = scanner(tmp_path / "a", 200, {"s1": 100, "s2": 120, "s3": 140})
    ended = wsi_area("repeat", run, run)
    assert ended.code == 1
    assert "named alike" in ended.err
