"""A name that is no UTF-8, or that orders something, costs nothing but a clean name: every document is written."""

import csv
import os
import re
import shutil
from pathlib import Path

import pytest
from command_line import wsi_area
from synthetic import disc, write_slide

from wsi_area.model.geometry import Size
from wsi_area.plain_text import named_file
from wsi_area.results.documents import read_result
from wsi_area.results.layout import RunLayout

SMALL = Size(320, 256)
RULES = ("--set", "segmenter.background=bright", "--set", "segmenter.threshold=60")
LATIN = os.fsdecode(b"M\xfcller")
NAMES = [
    os.fsdecode(b"caf\xe9"), os.fsdecode(b"caf\xe8"), LATIN, "\x1b[31mred\x07", "=SUM(A1)", "日本", "-dash", "a\u202eb",
]  # fmt: skip
_ORDER = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]")


@pytest.fixture
def slide(tmp_path: Path) -> Path:
    return write_slide(tmp_path / "good.svs", SMALL, {"tissue": disc(SMALL, 160, 128, 60)}).path


def text_of(path: Path) -> str:
    text = path.read_bytes().decode("utf-8")
    assert not _ORDER.search(text), path
    return text


def test_slides_of_any_name_are_measured_and_every_document_is_written(slide: Path, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for name in NAMES:
        shutil.copy(slide, folder / f"{name}.svs")
    ended = wsi_area("run", folder, *RULES, "--out", tmp_path / "out")
    assert ended.code == 0
    assert not _ORDER.search(ended.out + ended.err)
    with (tmp_path / "out" / "summary.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["status"] for row in rows} == {"complete"}
    assert len({row["slide_id"] for row in rows}) == len(NAMES)
    assert len({row["tissue_area_mm2"] for row in rows}) == 1
    assert "日本" in {row["slide_id"] for row in rows}
    assert not any(cell[:1] in "=+@" for row in rows for cell in row.values() if cell)
    for path in (tmp_path / "out").rglob("*"):
        if path.suffix in {".csv", ".json", ".html", ".jsonl"}:
            text_of(path)
    layout = RunLayout(tmp_path / "out")
    paths = {named_file(read_result(layout.slide(row["slide_id"])).path) for row in rows}
    assert paths == {str(folder / f"{name}.svs") for name in NAMES}
    assert wsi_area("verify", tmp_path / "out").code == 0


def test_folders_drawings_settings_and_results_may_have_such_names_too(
    slide: Path, tmp_path: Path, configs: Path
) -> None:
    folder = tmp_path / LATIN
    folder.mkdir()
    shutil.copy(slide, folder / f"{LATIN}.svs")
    shutil.copy(configs / "he_tissue.toml", folder / f"{LATIN}.toml")
    ring = "[[40,40],[240,40],[240,200],[40,200],[40,40]]"
    drawn = f'{{"type":"Feature","geometry":{{"type":"Polygon","coordinates":[{ring}]}},"properties":{{}}}}'
    (folder / f"{LATIN}.geojson").write_text(f'{{"type":"FeatureCollection","features":[{drawn}]}}')
    out, given = folder / f"out{LATIN}", (folder / f"{LATIN}.svs", "--config", folder / f"{LATIN}.toml")
    ended = wsi_area("run", *given, "--roi", folder / f"{LATIN}.geojson", "--out", out)
    assert ended.code == 0, ended.err
    for name in ("summary.csv", "run.json", "report.html", "flags.csv"):
        text_of(out / name)
    for command in (("verify", out), ("explain", out), ("diff", out, out), ("report", out), ("check", given[0])):
        assert wsi_area(*command).code == 0, command
    for command in (("plan", *given), ("check", given[0])):
        assert wsi_area(*command, "--json").code == 0


def test_the_tasks_of_an_array_agree_on_slides_of_such_names(slide: Path, tmp_path: Path) -> None:
    folder = tmp_path / LATIN
    folder.mkdir()
    for name in (LATIN, "b"):
        shutil.copy(slide, folder / f"{name}.svs")
    for shard in ("1/2", "2/2"):
        assert wsi_area("run", folder, *RULES, "--out", tmp_path / "out", "--shard", shard).code == 0
    assert wsi_area("merge", tmp_path / "out").code == 0
