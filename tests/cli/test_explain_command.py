"""`wsi-area explain`: the worked answer, from inputs and from a run on disk."""

import copy
import json
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result
from recorded import RESULTS_0_1_0

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


X_UM, Y_UM = 0.25, 0.5
TOTAL_PX = 20_000
COUNTS = {"background": 6000, "tissue": 3000, "tumor_core": 700, "tumor_rim": 300}


def mm2(n_px: int) -> float:
    return n_px * X_UM * Y_UM * 1e-6


def record(counts: dict[str, int] = COUNTS, **changes: Any) -> dict[str, Any]:
    """A result with these classes; what they leave of the slide was not scanned."""
    found: dict[str, Any] = copy.deepcopy(RESULTS_0_1_0["stain/complete"])
    like = found["classes"][0]
    found["classes"] = [
        {**like, "id": k, "name": name, "n_px": n, "area_mm2": mm2(n), "is_tumor": "tumor_" in name, "is_tissue": k > 0}
        for k, (name, n) in enumerate(counts.items())
    ]
    analyzed, tumor = sum(counts.values()), sum(n for name, n in counts.items() if "tumor_" in name)
    found["counts"] |= {"n_px_total": TOTAL_PX, "n_px_by_class": list(counts.values()),
                        "n_px_unscanned": TOTAL_PX - analyzed, "n_px_accounted": TOTAL_PX}  # fmt: skip
    found |= {"width_px": 200, "height_px": 100, "foci": None, "slide_id": "S1"}
    found["calibration"] |= {"mpp_x_um": X_UM, "mpp_y_um": Y_UM, "source": "aperio.MPP", "reason": "the only claim"}
    found["tumor"] |= {"n_px": tumor, "area_mm2": mm2(tumor)} if tumor else dict.fromkeys(found["tumor"])
    tissue = analyzed - counts.get("background", 0)
    for name, n_px in (("tissue", tissue), ("analyzed", analyzed), ("unreadable", 0)):
        found[name] = {"n_px": n_px, "area_mm2": mm2(n_px)}
    return found | changes


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
    run = run_folder(tmp_path, S1=record({"background": 6000, "tissue": 3000}))
    assert [entry["name"] for entry in document(run)["classes"]] == ["background", "tissue"]


def test_a_slide_without_a_pixel_size_gets_its_counts_and_the_reason(tmp_path: Path) -> None:
    found = record({"background": 6000, "tissue": 3000})
    found["calibration"] |= {"mpp_x_um": None, "mpp_y_um": None, "source": None, "reason": "pixels only: MPP_MISSING"}
    for part in (*found["classes"], found["tissue"], found["analyzed"], found["unreadable"]):
        part["area_mm2"] = None
    run = run_folder(tmp_path, S1=found)
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
    ("place", "value", "says"),
    [
        (("calibration",), None, "lacks or garbles calibration"),
        (("classes",), None, "lacks or garbles classes"),
        (("classes", 1, "n_px"), None, "lacks or garbles classes.1.n_px"),
        (("calibration", "mpp_x_um"), "a", "calibration.mpp_x_um"),
    ],
)
def test_a_result_that_lacks_something_says_what(
    tmp_path: Path, place: tuple[str | int, ...], value: Any, says: str
) -> None:
    found: Any = record()
    part = found
    for key in place[:-1]:
        part = part[key]
    part[place[-1]] = value
    error = explain(run_folder(tmp_path, S1=found)).exception
    assert isinstance(error, ResultError)
    assert says in str(error)


def test_a_slide_that_failed_has_no_areas(tmp_path: Path) -> None:
    failed = {**RESULTS_0_1_0["out/failed"], "reason": "truncated"}
    error = explain(run_folder(tmp_path, S1=failed)).exception
    assert isinstance(error, ResultError)
    assert "failed and has no areas: truncated" in str(error)


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
    found = record(status="incomplete", reason="65536 level-0 px could not be read")
    result = explain(run_folder(tmp_path, S1=found), "S1")
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
