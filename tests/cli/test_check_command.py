"""`wsi-area check`: what real and broken slides look like to the person who typed it."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from click.testing import CliRunner, Result
from rich.console import Console

from wsi_area.cli.commands.check import command
from wsi_area.cli.output import check_table, console
from wsi_area.cli.output.console import PlainConsole
from wsi_area.errors import SettingsError

REMEDY = "--mpp X[,Y] --mpp-reason TEXT"


def check(*arguments: str | Path) -> Result:
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


def document(*arguments: str | Path) -> dict[str, Any]:
    result = check(*arguments, "--json")
    found: dict[str, Any] = json.loads(result.stdout)
    assert found["exit_code"] == result.exit_code
    return found


def tiff(path: Path, um_per_px: float | None, shape: tuple[int, int] = (64, 96)) -> Path:
    tags: dict[str, Any] = {}
    if um_per_px is not None:
        tags = {"resolution": (10_000 / um_per_px, 10_000 / um_per_px), "resolutionunit": "CENTIMETER"}
    tifffile.imwrite(path, np.full((*shape, 3), 200, np.uint8), photometric="rgb", tile=(32, 32), **tags)
    return path


def test_the_public_slides_come_out_as_their_readme_says(testdata: Path) -> None:
    found = document(testdata / "slides")
    by_id = {slide["slide_id"]: slide for slide in found["slides"]}
    assert found["total"] == {"slides": 8, "calibrated": 6, "needs_calibration": 2, "incomplete": 0, "failed": 0}
    assert found["exit_code"] == 3
    mm2 = {name: slide["slide_area_mm2"] for name, slide in by_id.items()}
    assert mm2["CMU-1-Small-Region"] == pytest.approx(1.64010, abs=5e-6)
    assert mm2["test3-DAPI-2-387"] == pytest.approx(1.00485, abs=5e-6)
    assert mm2["OS-2-ndpi"] == pytest.approx(0.25007, abs=5e-6)
    assert mm2["TCGA-CR-7395-01A-01-TS1"] is None
    assert mm2["boxes-72dpi"] is None
    camelyon = by_id["camelyon16_tumor_072"]
    assert (camelyon["mpp_x_um"], camelyon["mpp_y_um"]) == (28.969, 28.968)
    raw, jpeg2000 = by_id["wsi2dcm_raw"], by_id["wsi2dcm_jpeg2000"]
    keys = ("mpp_x_um", "mpp_y_um", "mpp_quality", "slide_area_mm2", "findings", "width_px", "height_px")
    assert [raw[key] for key in keys] == [jpeg2000[key] for key in keys]
    flags = {name: [finding["code"] for finding in slide["findings"]] for name, slide in by_id.items()}
    assert flags.pop("TCGA-CR-7395-01A-01-TS1") == ["MPP_MISSING"]
    assert flags.pop("boxes-72dpi") == ["MPP_DPI_DEFAULT"]
    assert not any(flags.values())


def test_the_anisotropy_of_os2_in_the_fifth_digit_is_kept(testdata: Path) -> None:
    (slide,) = document(testdata / "slides" / "OS-2-ndpi.tif")["slides"]
    assert slide["mpp_x_um"] == pytest.approx(0.2270972, abs=5e-8)
    assert slide["mpp_y_um"] == pytest.approx(0.2271024, abs=5e-8)
    assert slide["pixel_area_mm2"] == pytest.approx(slide["mpp_x_um"] * slide["mpp_y_um"] * 1e-6)


def test_a_slide_without_a_pixel_size_gets_one_by_override_and_says_so(testdata: Path) -> None:
    slide = testdata / "slides" / "TCGA-CR-7395-01A-01-TS1.svs"
    (row,) = document(slide, "--mpp", "0.2525", "--mpp-reason", "TCGA ×40")["slides"]
    assert (row["mpp_x_um"], row["mpp_source"], row["status"]) == (0.2525, "--mpp", "calibrated")
    (finding,) = row["findings"]
    assert finding["code"] == "MPP_OVERRIDE"
    assert "TCGA ×40" in finding["message"]
    assert check(slide, "--mpp", "0.2525").exit_code == 0


def test_fifty_um_at_times_twenty_is_refused_with_its_reasons(testdata: Path) -> None:
    result = check(testdata / "slides" / "CMU-1-Small-Region.svs", "--mpp", "50")
    assert result.exit_code == 3
    for part in ("MPP_IMPLAUSIBLE_EXTENT", "POWER_MISMATCH", "111 × 148.35 mm", "2 001 such pixels", "pixels only"):
        assert part in result.stdout


def test_one_table_row_and_one_remedy_for_each_kind_of_trouble(tmp_path: Path) -> None:
    for name in ("a", "b"):
        tiff(tmp_path / f"{name}.tif", None)
    tiff(tmp_path / "good.tif", 0.5)
    result = check(tmp_path)
    lines = result.stdout.splitlines()
    assert result.exit_code == 3
    assert lines[0].split() == ["slide", "vendor", "size", "px", "µm/px", "source", "quality", "power", "findings"]
    (good,) = [line for line in lines if line.startswith("good")]
    assert "96 × 64" in good
    assert " 0.5 " in good
    assert sum(line.startswith(("a ", "b ")) and "MPP_MISSING" in line for line in lines) == 2
    assert sum("REFUSED MPP_MISSING" in line for line in lines) == 1
    assert sum(REMEDY in line for line in lines) == 1
    assert lines[-1] == "3 slides: 1 calibrated, 2 without a believable pixel size (counted in pixels only)"


def test_a_file_that_cannot_be_opened_is_a_row_and_the_others_go_on(tmp_path: Path) -> None:
    tiff(tmp_path / "good.tif", 0.5)
    (tmp_path / "broken.svs").write_bytes(b"not a slide")
    (tmp_path / "empty.ndpi").touch()
    result = check(tmp_path)
    assert result.exit_code == 2
    assert result.stdout.count("cannot be opened") == 3  # two rows and the summary
    assert "empty.ndpi: the file is empty (0 bytes)" in result.stdout
    found = document(tmp_path)
    assert found["total"] == {"slides": 3, "calibrated": 1, "needs_calibration": 0, "incomplete": 0, "failed": 2}
    assert {slide["status"] for slide in found["slides"]} == {"failed", "calibrated"}
    assert all("error" in slide for slide in found["slides"] if slide["status"] == "failed")


def test_failures_outrank_missing_calibration_in_the_exit_code(tmp_path: Path) -> None:
    tiff(tmp_path / "unknown.tif", None)
    assert check(tmp_path).exit_code == 3
    (tmp_path / "broken.svs").write_bytes(b"not a slide")
    assert check(tmp_path).exit_code == 2


def test_a_print_density_is_for_plain_images_only(tmp_path: Path) -> None:
    scan = tiff(tmp_path / "leaf.tif", 25_400 / 300)
    assert [f["code"] for f in document(scan)["slides"][0]["findings"]] == ["MPP_DPI_DEFAULT"]
    (plain,) = document(scan, "--profile", "plain")["slides"]
    assert plain["mpp_x_um"] == pytest.approx(84.6667, abs=1e-4)
    assert plain["findings"] == []


def test_a_large_format_slide_is_believed_when_it_is_called_one(tmp_path: Path) -> None:
    scan = tiff(tmp_path / "organ.tif", 40.0, (750, 875))  # 35 × 30 mm
    assert check(scan).exit_code == 3
    assert check(scan, "--large-format").exit_code == 0


def test_a_manifest_speaks_for_its_slides(tmp_path: Path) -> None:
    tiff(tmp_path / "a.tif", None)
    tiff(tmp_path / "b.tif", 0.5)
    (tmp_path / "m.csv").write_text("path;mpp_x;mpp_reason\na.tif;0,25;scale bar\n", encoding="utf-8-sig")
    rows = document(tmp_path, "--manifest", tmp_path / "m.csv")["slides"]
    assert [(row["mpp_x_um"], row["mpp_source"]) for row in rows] == [
        (0.25, "manifest line 2"), (pytest.approx(0.5), "openslide.mpp-x"),
    ]  # fmt: skip
    assert [row["slide_id"] for row in document("--manifest", tmp_path / "m.csv")["slides"]] == ["a"]


@pytest.mark.parametrize(
    "arguments",
    [["absent.svs"], [], [".", "--mpp", "zero"], [".", "--mpp-reason", "why"], [".", "--manifest", "no.csv"]],
)
def test_usage_that_cannot_be_followed_starts_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    tiff(tmp_path / "a.tif", 0.5)
    result = check(*arguments)
    assert isinstance(result.exception, SettingsError)
    assert result.stdout == ""


def test_what_is_piped_has_no_colour_no_wrapping_and_no_markup(tmp_path: Path) -> None:
    name = "[bold]" + "long_name_" * 12
    tiff(tmp_path / f"{name}.tif", None)
    result = check(tmp_path)
    assert "\x1b" not in result.stdout
    (row,) = [line for line in result.stdout.splitlines() if "MPP_MISSING" in line and "generic" in line]
    assert "long_name_" * 9 in row  # ids are cut at 100 characters
    assert any(line.endswith("mpp_reason") and len(line) > 150 for line in result.stdout.splitlines())


@pytest.mark.parametrize("columns", [60, 80, 115, 116, 140])
def test_every_terminal_shows_whole_codes_within_its_width(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], columns: int
) -> None:
    tiff(tmp_path / "TCGA-A2-A0YE-01Z-00-DX1.8A2E3094-5755-42BC-969D-7F0A2ECA0F39.tif", 59.0, (2000, 2000))
    tiff(tmp_path / "good.tif", 0.5)

    def terminal(**options: Any) -> Console:
        return PlainConsole(**options, force_terminal=True, no_color=True, width=columns, legacy_windows=False)

    monkeypatch.setattr(console, "PlainConsole", terminal)
    monkeypatch.setenv("TERM", "xterm")
    check_table.print_checks(_checks(tmp_path))
    lines = re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().out).splitlines()
    # a name that is longer than a line stays whole below the table: broken by a newline it could not be copied
    assert max(len(line) for line in lines if "8A2E3094-5755-42BC-969D-7F0A2ECA0F39" not in line) <= columns
    assert any(line.rstrip().endswith("MPP_IMPLAUSIBLE_EXTENT") for line in lines[:8])
    assert any("0.5" in line for line in lines[:8])


def _checks(folder: Path) -> list[Any]:
    from wsi_area.compute.calibration.policy import CalibrationPolicy
    from wsi_area.inputs.collect import collect_slides
    from wsi_area.run.check import check_slide

    return [check_slide(slide, CalibrationPolicy()) for slide in collect_slides([str(folder)])]


def test_a_file_cut_short_is_found_named_and_ends_with_2(testdata: Path, tmp_path: Path) -> None:
    whole = (testdata / "slides" / "OS-2-ndpi.tif").read_bytes()
    (tmp_path / "short.tif").write_bytes(whole[: int(0.7 * len(whole))])
    found = document(tmp_path)
    (slide,) = found["slides"]
    assert found["exit_code"] == 2
    assert (slide["status"], found["total"]["incomplete"]) == ("incomplete", 1)
    (finding,) = slide["findings"]
    assert finding["code"] == "FILE_CUT_SHORT"
    assert "24 of the 81 tiles" in finding["message"]
    assert "copy it again" in check(tmp_path).stdout


def test_with_the_settings_of_a_run_too_coarse_a_scan_is_named(testdata: Path, configs: Path) -> None:
    slides = testdata / "slides"
    without = document(slides / "wsi2dcm_raw")
    assert without["slides"][0]["findings"] == []
    found = document(slides / "wsi2dcm_raw", slides / "CMU-1-Small-Region.svs", "--config", configs / "he_tissue.toml")
    codes = {slide["slide_id"]: [f["code"] for f in slide["findings"]] for slide in found["slides"]}
    assert codes == {"wsi2dcm_raw": ["WORK_MPP_COARSER"], "CMU-1-Small-Region": []}
    assert found["exit_code"] == 0


def test_the_settings_say_what_a_believable_pixel_is(tmp_path: Path) -> None:
    tiff(tmp_path / "a.tif", 352.7777777777778)  # 72 dpi
    assert document(tmp_path)["exit_code"] == 3
    assert document(tmp_path, "--set", "calibration.profile=plain")["exit_code"] == 3
    meant = ("--set", "calibration.profile=plain", "--set", "calibration.screen_dpi_meant=true")
    assert document(tmp_path, *meant)["exit_code"] == 0
    assert document(tmp_path, "--profile", "plain", "--dpi", "72")["exit_code"] == 0
    assert document(tmp_path, "--set", "calibration.profile=plain", "--profile", "glass")["exit_code"] == 3


def test_the_same_remedy_of_many_slides_is_told_once(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        tiff(tmp_path / f"{name}.tif", None)
    shown = check(tmp_path).stdout
    assert shown.count(REMEDY) == 1
    assert "a, b, c: nothing in the file says" in shown
