"""`wsi-area report`: where it writes, what it prints, and how it refuses."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from measuring import fingerprint, measure
from synthetic import box, write_slide

from wsi_area.cli.commands.report import command
from wsi_area.errors import ResultError
from wsi_area.model.geometry import Size


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    size = Size(300, 200)
    slide = write_slide(folder / "s.tiff", size, {"tissue": box(size, 20, 20, 100, 100)})
    measure(slide.path, folder / "out")
    return folder / "out"


def test_it_prints_the_path_of_what_it_wrote(run: Path) -> None:
    result = CliRunner().invoke(command, [str(run)])
    assert (result.exit_code, result.stdout.strip()) == (0, str(run / "report.html"))
    assert (run / "report.html").read_text(encoding="utf-8").startswith("<!doctype html>")


def test_json_names_every_file_with_its_size(run: Path) -> None:
    document = json.loads(CliRunner().invoke(command, [str(run), "--json"]).stdout)
    assert document["slides"] == 1
    assert [Path(file["path"]).name for file in document["files"]] == ["report.html"]
    assert document["files"][0]["size_bytes"] == (run / "report.html").stat().st_size


def test_a_folder_without_a_run_is_refused(tmp_path: Path) -> None:
    result = CliRunner().invoke(command, [str(tmp_path)])
    assert isinstance(result.exception, ResultError)
    assert not (tmp_path / "report.html").exists()


def test_a_run_that_is_read_only_is_reported_elsewhere_and_no_byte_of_it_changes(run: Path, tmp_path: Path) -> None:
    (run / "report.html").unlink(missing_ok=True)
    before = fingerprint(run)
    result = CliRunner().invoke(command, [str(run), "--out", str(tmp_path / "papers")])
    assert (result.exit_code, result.stdout.strip()) == (0, str(tmp_path / "papers/report.html"))
    assert fingerprint(run) == before
    CliRunner().invoke(command, [str(run)])
    assert (run / "report.html").read_bytes() == (tmp_path / "papers/report.html").read_bytes()


def test_a_report_never_goes_into_another_run(run: Path, tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text("{}")
    result = CliRunner().invoke(command, [str(run), "--out", str(tmp_path)])
    assert isinstance(result.exception, ResultError)
    assert "holds a run; choose another --out" in str(result.exception)
    assert not (tmp_path / "report.html").exists()
