"""`wsi-area doctor`: all good here; and it says what is wrong where something is."""

import json
import os
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from synthetic import FileForm, box, write_slide, write_text_slide

from wsi_area.cli.commands.doctor import command
from wsi_area.cli.doctoring import trial as doctor_trial
from wsi_area.model.calibration import Mpp
from wsi_area.model.geometry import Size


def doctor(*arguments: str | Path) -> Result:
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


def by_name(result: Result) -> dict[str, Any]:
    return {check["name"]: check for check in json.loads(result.stdout)["checks"]}


def test_this_installation_can_measure(tmp_path: Path) -> None:
    result = doctor("--json", "--out", tmp_path / "not" / "yet")
    assert result.exit_code == 0, result.stdout
    checks = by_name(result)
    assert {check["verdict"] for check in checks.values()} <= {"ok", "warning", "absent"}
    assert checks["numpy"]["found"] == installed_version("numpy")
    assert checks["OpenSlide library"]["found"].startswith("4.")
    assert checks["both lanes"]["verdict"] == checks["compiled kernel"]["verdict"] == "ok"
    assert checks["cores"]["found"].startswith(str(len(os.sched_getaffinity(0))))
    assert str(tmp_path) in checks["disk"]["found"]  # the nearest folder that is there
    assert not (tmp_path / "not").exists()
    assert {"train", "onnx", "pdf"} <= {name for name, check in checks.items() if check["part"] == "extras"}


def test_the_text_names_every_part_and_ends_with_the_verdict() -> None:
    result = doctor()
    for part in ("machine", "packages", "extras", "reading", "kernel"):
        assert f"\n{part}\n" in result.stdout
    assert "fault" not in result.stdout.splitlines()[-1]


def test_a_slide_is_opened_and_read(tmp_path: Path) -> None:
    size = Size(600, 500)
    slide = write_slide(tmp_path / "one.tiff", size, {"tissue": box(size, 9, 9, 99, 99)}, FileForm(mpp=Mpp(0.5, 0.5)))
    checks = by_name(doctor(slide.path, "--json"))
    assert "600 × 500 px, 1 levels" in checks["one"]["found"]
    assert checks["pixel size"]["found"].startswith("0.5 µm")
    assert "read by the direct lane" in checks["pixels"]["found"]


def test_a_file_that_is_no_slide_is_a_fault(tmp_path: Path) -> None:
    result = doctor(write_text_slide(tmp_path / "text.svs"), "--json")
    assert result.exit_code == 1
    assert by_name(result)["text"]["verdict"] == "fault"


def test_a_missing_package_is_a_fault_with_its_remedy_and_a_missing_extra_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def version(name: str) -> str:
        if name in {"shapely", "onnxruntime"}:
            raise PackageNotFoundError(name)
        return installed_version(name)

    monkeypatch.setattr("wsi_area.cli.doctoring.checks.version", version)
    result = doctor("--json")
    assert result.exit_code == 1
    checks = by_name(result)
    assert (checks["shapely"]["verdict"], checks["onnx"]["verdict"]) == ("fault", "absent")
    assert checks["shapely"]["remedy"].startswith("pip install")
    assert checks["onnx"]["remedy"] == "pip install 'wsi-area[onnx]'"


def test_a_package_that_is_too_old_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "wsi_area.cli.doctoring.checks.version", lambda name: "1.9.9" if name == "numpy" else installed_version(name)
    )
    checks = by_name(doctor("--json"))
    assert checks["numpy"]["verdict"] == "fault"
    assert "needs 2" in checks["numpy"]["found"]


def test_a_kernel_that_counts_wrong_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    true_kernel = doctor_trial.classify_and_count

    def off_by_one(*arguments: Any) -> None:
        true_kernel(*arguments)
        arguments[7][1] += 1  # the counts

    monkeypatch.setattr(doctor_trial, "classify_and_count", off_by_one)
    result = doctor("--json")
    assert result.exit_code == 1
    assert "0 of 262144 pixels got another class" in by_name(result)["compiled kernel"]["found"]


def test_lanes_that_differ_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    from wsi_area.slides.lanes.direct_lane import DirectReader

    true_read = DirectReader.read

    def darker(self: Any, *arguments: Any) -> Any:
        pixels = true_read(self, *arguments)
        pixels.rgb[0, 0, 0] -= 3
        return pixels

    monkeypatch.setattr(DirectReader, "read", darker)
    assert "1 of 65536 pixels differ" in doctor_trial.lanes_fault()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_a_fault(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    result = doctor("--json", "--out", tmp_path / "out")
    assert result.exit_code == 1
    assert by_name(result)["disk"]["verdict"] == "fault"


@pytest.mark.parametrize("no_color", ["", "1"])
def test_colour_is_kept_from_who_asks_for_none(monkeypatch: pytest.MonkeyPatch, no_color: str) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")  # as on a terminal
    monkeypatch.setenv("NO_COLOR", no_color)
    shown = doctor().stdout
    assert ("\x1b[32m" in shown) == (not no_color)
