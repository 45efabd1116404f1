"""Tables and workbook of a run that is given again stand where nothing of them would be another, and only there."""

import os
import shutil
from pathlib import Path

import pytest
from measuring import measure
from synthetic import disc, write_slide

from wsi_area.audit.verify import verify_run
from wsi_area.model.geometry import Size
from wsi_area.results.documents import read_seal
from wsi_area.results.layout import RunLayout
from wsi_area.results.tables.run_tables import TABLE_FILES
from wsi_area.results.tables.workbook.sheets import WORKBOOK

SIZE = Size(400, 300)
FILES = (*TABLE_FILES, WORKBOOK)
LONG_AGO_S = 1_000_000_000


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tables")
    write_slide(folder / "s.tif", SIZE, {"tissue": disc(SIZE, 200, 150, 90)})
    write_slide(folder / "t.tif", SIZE, {"tissue": disc(SIZE, 150, 150, 60)})
    assert measure(folder / "s.tif", folder / "out").exit_code == 0
    return folder


@pytest.fixture
def out(original: Path, tmp_path: Path) -> Path:
    """The run, its tables as if they had been written long ago."""
    shutil.copytree(original / "out", tmp_path / "out")
    for name in FILES:
        if (tmp_path / "out" / name).exists():
            os.utime(tmp_path / "out" / name, (LONG_AGO_S, LONG_AGO_S))
    return tmp_path / "out"


def held(out: Path) -> dict[str, bytes]:
    """What each file of tables holds, by its name."""
    return {name: (out / name).read_bytes() for name in FILES if (out / name).exists()}


def written_now(out: Path) -> set[str]:
    """The files of tables that were written since the run was copied."""
    return {name for name in held(out) if (out / name).stat().st_mtime != LONG_AGO_S}


def test_tables_of_a_run_that_is_given_again_are_not_written_again(original: Path, out: Path) -> None:
    before = held(out)
    assert measure(original / "s.tif", out).exit_code == 0
    assert held(out) == before
    assert not written_now(out)
    assert not verify_run(out).disagreements


@pytest.mark.parametrize("name", ["summary.csv", "areas.parquet", "budget.parquet", WORKBOOK])
@pytest.mark.parametrize("deed", ["changed", "cut short", "removed"])
def test_a_table_that_is_not_as_it_was_written_is_made_again_with_all_others(
    original: Path, out: Path, name: str, deed: str
) -> None:
    before = held(out)
    content = before[name]
    (out / name).unlink()
    if deed != "removed":
        (out / name).write_bytes(content[:-1] if deed == "cut short" else content[:-1] + b"!")
    assert measure(original / "s.tif", out).exit_code == 0
    assert held(out) == before
    assert written_now(out) == set(before)
    assert not verify_run(out).disagreements


@pytest.mark.parametrize("name", ["bands.parquet", "regions.csv", "subjects.parquet"])
def test_a_table_that_the_run_does_not_have_is_taken_away(original: Path, out: Path, name: str) -> None:
    shutil.copy2(out / "summary.parquet", out / name)
    assert measure(original / "s.tif", out).exit_code == 0
    assert not (out / name).exists()


def test_a_slide_that_joins_is_in_tables_and_workbook(original: Path, out: Path) -> None:
    before = held(out)
    assert measure(original / "t.tif", out).exit_code == 0
    assert all(held(out)[name] != before[name] for name in ("summary.csv", "areas.parquet", WORKBOOK))
    assert not verify_run(out).disagreements


def test_a_slide_that_lies_elsewhere_now_is_told_by_its_new_path(original: Path, out: Path, tmp_path: Path) -> None:
    sealed = read_seal(RunLayout(out))
    (tmp_path / "moved").mkdir()
    shutil.copy2(original / "s.tif", tmp_path / "moved/s.tif")
    assert measure(tmp_path / "moved/s.tif", out).exit_code == 0
    assert str(tmp_path / "moved/s.tif") in (out / "summary.csv").read_text()
    assert "summary.csv" in written_now(out)
    again = read_seal(RunLayout(out))
    assert again.seal == sealed.seal  # where it lies is not sealed
    assert again.made_of != sealed.made_of


@pytest.mark.parametrize(("name", "told"), [("code_digest", lambda: "edited"), ("zstandard.__version__", "99.0")])
def test_another_program_makes_its_own_tables(
    original: Path, out: Path, monkeypatch: pytest.MonkeyPatch, name: str, told: object
) -> None:
    sealed = read_seal(RunLayout(out))
    monkeypatch.setattr(f"wsi_area.run.closing.{name}", told)
    assert measure(original / "s.tif", out).exit_code == 0
    assert written_now(out) == set(held(out))
    again = read_seal(RunLayout(out))
    assert again.seal == sealed.seal  # what was measured is the same
    assert again.made_of != sealed.made_of


def test_a_run_sealed_by_a_version_that_said_nothing_of_its_tables_gets_them_anew(original: Path, out: Path) -> None:
    layout = RunLayout(out)
    text = layout.seal_json.read_text()
    made_of = read_seal(layout).made_of
    layout.seal_json.write_text(text.replace(f'"made_of": "{made_of}"', '"made_of": null'))
    assert measure(original / "s.tif", out).exit_code == 0
    assert written_now(out) == set(held(out))
    assert read_seal(layout).made_of == made_of
