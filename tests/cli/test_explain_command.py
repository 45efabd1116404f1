"""`wsi-area explain`: the worked answer, from inputs and from a run on disk."""

import json
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from wsi_area.cli.commands.explain import command
from wsi_area.errors import CountMismatchError, ResultError, SettingsError


def explain(*arguments: str | Path) -> Result:
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


def document(*arguments: str | Path) -> dict[str, Any]:
    result = explain(*arguments, "--json")
    answer: dict[str, Any] = json.loads(result.stdout)
    return answer


def test_the_article_question_gets_its_worked_answer() -> None:
    result = explain("--px", "15000", "--mpp", "0.5", "--power", "20")
    assert result.exit_code == 0
    assert "0.25 µm²" in result.stdout
    assert result.stdout.splitlines()[-1] == "15 000 px -> 0.00375 mm²"
    answer = document("--px", "15000", "--mpp", "0.5", "--power", "20")
    assert answer["area_mm2"] == pytest.approx(0.00375)
    assert answer["steps"][-1]["unit"] == "mm²"


def test_dots_per_inch_and_dicom_spacing_are_converted() -> None:
    assert document("--px", "5000", "--dpi", "300")["area_mm2"] == pytest.approx(35.84, abs=0.005)
    assert document("--px", "5000", "--dpi", "300")["mpp_x_um"] == pytest.approx(84.6667, abs=1e-4)
    spacing = document("--px", "1000000", "--spacing-mm", "0.0005,0.00025")
    assert (spacing["mpp_x_um"], spacing["mpp_y_um"]) == (0.25, 0.5)
    assert document("--px", "8", "--mpp", "0.25,0.5")["area_mm2"] == pytest.approx(1e-6)


def test_a_size_alone_explains_one_pixel() -> None:
    assert document("--mpp", "0.5")["area_mm2"] == pytest.approx(2.5e-7)


@pytest.mark.parametrize(
    "arguments", [["--px", "15000", "--mpp", "50", "--power", "20"], ["--mpp", "50", "--power", "20"]]
)
def test_an_impossible_claim_is_refused_with_the_reason(arguments: list[str]) -> None:
    result = explain(*arguments)
    assert result.exit_code == 3
    assert result.stdout == ""
    assert "2 001 such pixels in a row would be 100 mm" in result.stderr
    answer = document(*arguments)
    assert answer["status"] == "refused"
    assert "×20" in answer["reason"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["--px", "5"],
        [],
        ["--px", "5", "--mpp", "0.5", "--dpi", "300"],
        ["--px", "5", "--mpp", "0"],
        ["--px", "5", "--mpp", "0.5,0.5,0.5"],
        ["--px", "5", "--mpp", "half"],
        ["--px", "5", "--spacing-mm", "0.0005"],
        ["--px", "-5", "--mpp", "0.5"],
        ["--px", "5.5", "--mpp", "0.5"],
        ["--px", "5", "--mpp", "0.5", "--power", "0"],
        ["--px", "5", "--mpp", "0.5", "--class", "tumor"],
        ["out", "--px", "5"],
        ["out", "S1", "--power", "20"],
    ],
)
def test_wrong_usage_is_a_usage_error_that_answers_nothing(arguments: list[str]) -> None:
    result = CliRunner().invoke(command, arguments, standalone_mode=False)
    assert isinstance(result.exception, click.UsageError)
    assert result.stdout == ""


def record(**changes: Any) -> dict[str, Any]:
    x, y = 0.25, 0.5
    counts = {"background": 6000, "tissue": 3000, "tumor_core": 700, "tumor_rim": 300}
    classes = [
        {"name": name, "n_px": n, "area_mm2": n * x * y * 1e-6, "is_tumor": name.startswith("tumor")}
        for name, n in counts.items()
    ]
    return {
        "status": "complete",
        "calibration": {"mpp_x_um": x, "mpp_y_um": y, "source": "aperio.MPP", "reason": "the only claim"},
        "classes": classes,
        "tumor": {"n_px": 1000, "area_mm2": 1.25e-4},
        **changes,
    }


def run_folder(tmp_path: Path, **records: dict[str, Any]) -> Path:
    for slide_id, content in records.items():
        folder = tmp_path / "out" / "slides" / slide_id
        folder.mkdir(parents=True)
        (folder / "result.json").write_text(json.dumps(content))
    return tmp_path / "out"


def test_a_slide_of_a_run_is_explained_class_by_class_with_its_tumour(tmp_path: Path) -> None:
    run = run_folder(tmp_path, S1=record())
    answer = document(run, "S1")
    assert answer["slide_id"] == "S1"
    areas = {entry["name"]: entry["area_mm2"] for entry in answer["classes"]}
    assert areas["tissue"] == pytest.approx(3000 * 0.125e-6)
    assert areas["tumor"] == pytest.approx(1.25e-4)
    assert list(areas) == ["background", "tissue", "tumor_core", "tumor_rim", "tumor"]
    text = explain(run).stdout  # the only slide need not be named
    assert "aperio.MPP" in text
    assert "1 000 px -> 0.000125 mm²" in text


def test_one_class_can_be_asked_for_and_a_wrong_one_is_told_the_right_ones(tmp_path: Path) -> None:
    run = run_folder(tmp_path, S1=record())
    assert [entry["name"] for entry in document(run, "S1", "--class", "tissue")["classes"]] == ["tissue"]
    result = explain(run, "S1", "--class", "stroma")
    assert isinstance(result.exception, SettingsError)
    assert "background, tissue" in str(result.exception)


def test_a_scheme_without_tumour_has_no_tumour_line(tmp_path: Path) -> None:
    run = run_folder(tmp_path, S1=record(tumor={"n_px": None, "area_mm2": None}))
    assert "tumor" not in [entry["name"] for entry in document(run)["classes"]]


def test_a_slide_without_a_pixel_size_gets_its_counts_and_the_reason(tmp_path: Path) -> None:
    calibration = {"mpp_x_um": None, "mpp_y_um": None, "source": None, "reason": "pixels only: MPP_MISSING"}
    classes = [{"name": "tissue", "n_px": 3000, "area_mm2": None}]
    run = run_folder(tmp_path, S1=record(calibration=calibration, classes=classes, tumor=None))
    result = explain(run)
    assert result.exit_code == 3
    assert "MPP_MISSING" in result.stdout
    assert "tissue: 3 000 px" in result.stdout
    assert document(run)["status"] == "needs_calibration"


def test_an_area_that_is_not_its_count_times_the_pixel_is_refused(tmp_path: Path) -> None:
    forged = record()
    forged["classes"][1]["area_mm2"] *= 1.001
    run = run_folder(tmp_path, S1=forged)
    assert isinstance(explain(run, "S1").exception, CountMismatchError)
    missing = record()
    missing["classes"][1]["area_mm2"] = None
    assert isinstance(explain(run_folder(tmp_path / "b", S1=missing)).exception, CountMismatchError)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"calibration": None}, "no 'calibration'"),
        ({"classes": None}, "no 'classes'"),
        ({"classes": [{"name": "tissue"}]}, "count of a class is missing"),
        ({"calibration": {"mpp_x_um": "a", "mpp_y_um": 1}}, "mpp_x_um and mpp_y_um are 'a'"),
        ({"calibration": {"mpp_x_um": 0.5}}, "are 0.5 and None"),
        ({"status": "failed", "reason": "truncated"}, "failed and has no areas: truncated"),
    ],
)
def test_a_result_that_lacks_something_says_what(tmp_path: Path, changes: dict[str, Any], says: str) -> None:
    error = explain(run_folder(tmp_path, S1=record(**changes))).exception
    assert isinstance(error, ResultError)
    assert says in str(error)


def test_slides_that_are_not_there_are_told_from_those_that_are(tmp_path: Path) -> None:
    run = run_folder(tmp_path, S1=record(), S2=record())
    several = explain(run).exception
    assert isinstance(several, SettingsError)
    assert "S1, S2" in str(several)
    absent = explain(run, "S3").exception
    assert isinstance(absent, ResultError)
    assert "S1, S2" in str(absent)
    assert isinstance(explain(run, "../S1").exception, SettingsError)
    assert "no run folder" in str(explain(tmp_path / "nothing").exception)
    (run / "slides" / "S1" / "result.json").write_text("{")
    assert isinstance(explain(run, "S1").exception, ResultError)


def test_an_incomplete_slide_says_so_before_its_areas(tmp_path: Path) -> None:
    folder = tmp_path / "out" / "slides" / "S1"
    folder.mkdir(parents=True)
    (tmp_path / "out" / "run.json").write_text('{"slides_planned": ["S1"]}')
    document = {
        "status": "incomplete",
        "reason": "65536 level-0 px could not be read",
        "calibration": {"mpp_x_um": 0.5, "mpp_y_um": 0.5, "source": "aperio.MPP", "reason": "the only claim"},
        "classes": [{"name": "tissue", "n_px": 4_000_000, "area_mm2": 1.0}],
        "tumor": {"n_px": None, "area_mm2": None},
    }
    (folder / "result.json").write_text(json.dumps(document))
    result = CliRunner().invoke(command, [str(tmp_path / "out"), "S1"])
    assert result.exit_code == 0
    assert "INCOMPLETE" in result.output
    assert "65536 level-0 px could not be read" in result.output


@pytest.mark.parametrize(
    ("size", "exit_code"),
    [
        (("--mpp", "50"), 3),
        (("--mpp", "40.5,0.5"), 3),
        (("--mpp", "0.05"), 3),
        (("--mpp", "10m"), 3),
        (("--mpp", "50", "--profile", "plain"), 0),
        (("--mpp", "10m", "--profile", "plain"), 0),
        (("--mpp", "29"), 0),
        (("--mpp", "500nm"), 0),
        (("--dpi", "96"), 0),
        (("--spacing-mm", "0.05,0.05"), 0),
    ],
)
def test_a_pixel_that_no_slide_has_is_refused_without_an_objective_too(size: tuple[str, ...], exit_code: int) -> None:
    assert explain("--px", "15000", *size).exit_code == exit_code


def test_the_refusal_says_what_ten_thousand_times_less_would_be() -> None:
    refused = explain("--px", "15000", "--mpp", "50")
    assert "If 0.5 µm was meant, every area is 10 000 times smaller: 0.00375 mm² here" in refused.stderr


@pytest.mark.parametrize(("mpp", "answer"), [("10m", "31.826 km²"), ("10cm", "3 182.6 m²"), ("2mm", "1.27304 m²")])
def test_large_areas_are_told_in_a_unit_that_can_be_read(mpp: str, answer: str) -> None:
    shown = explain("--px", "318260", "--mpp", mpp, "--profile", "plain").stdout
    assert shown.rstrip().endswith(f"mm² = {answer}")
