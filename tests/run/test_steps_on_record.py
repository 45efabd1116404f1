"""Every step between what is found and what is counted has its line, where people read; a large one is warned of."""

import csv
from pathlib import Path

import numpy as np
import pytest
import tifffile
from click.testing import CliRunner, Result
from measuring import measure
from PIL import Image

from wsi_area.cli.main import cli
from wsi_area.reports.report import write_report
from wsi_area.results.opened_run import open_run
from wsi_area.run.ending import ending_lines

UM = 0.5
PX_MM2 = (UM * 1e-3) ** 2
GLASS, TISSUE = (243, 242, 244), (190, 120, 165)
SPECKS = [(20, 20, 6, 5), (20, 60, 9, 9), (20, 100, 4, 10), (20, 140, 1, 1)]  # top, left, height, width
HOLES = [(150, 150, 7, 7), (150, 200, 3, 20), (200, 150, 11, 4)]
SPECKS_PX, HOLES_PX, BODY_PX = 30 + 81 + 40 + 1, 49 + 60 + 44, 300 * 320
FILTERS = ("objects.min_tissue_um2=30", "objects.max_hole_um2=30")  # 120 px of level 0


def painted(path: Path, boxes: list[tuple[int, int, int, int]], holes: list[tuple[int, int, int, int]]) -> Path:
    rgb = np.full((512, 512, 3), GLASS, np.uint8)
    for colour, of in ((TISSUE, boxes), (GLASS, holes)):
        for top, left, height, width in of:
            rgb[top : top + height, left : left + width] = colour
    tifffile.imwrite(
        path, rgb, tile=(256, 256), photometric="rgb", compression="deflate", metadata=None,
        resolution=(1e4 / UM, 1e4 / UM), resolutionunit="CENTIMETER",
    )  # fmt: skip
    return path


BODY = (100, 100, 300, 320)


def done(document: dict[str, object]) -> dict[str, dict[str, object]]:
    return {step["name"]: step for step in document["steps"]["listed"]}  # type: ignore[index]


def said(document: dict[str, object]) -> dict[str, dict[str, object]]:
    return {f["code"]: f for f in document["findings"]}  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def filtered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on a body of tissue with four specks beside it and three holes in it, all smaller than the filters keep."""
    folder = tmp_path_factory.mktemp("filtered")
    outcome = measure(painted(folder / "s.tif", [BODY, *SPECKS], HOLES), folder / "run", *FILTERS)
    assert outcome.exit_code == 0
    return folder / "run"


def explained(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["explain", *arguments])


def test_specks_and_holes_have_their_painted_area_in_the_result(filtered: Path) -> None:
    slide = open_run(filtered)["s"].counted
    assert slide.tissue.n_px == BODY_PX  # the body without its holes, and no speck
    steps = {step.name: step for step in slide.steps.listed}
    assert (steps["tissue"].n_px, steps["tissue"].objects) == (SPECKS_PX, 4)
    assert (steps["hole"].n_px, steps["hole"].objects) == (HOLES_PX, 3)
    assert steps["hole"].area_mm2 == pytest.approx(HOLES_PX * PX_MM2)
    assert steps["tissue"].share_of_left == pytest.approx(SPECKS_PX / BODY_PX)
    assert not {f.code for f in slide.findings} & {"STEP_TAKES_MUCH", "EXCLUSION_NOT_ASSESSED"}


def test_the_summary_has_their_pixels_and_mm2(filtered: Path) -> None:
    with (filtered / "summary.csv").open(encoding="utf-8", newline="") as file:
        (row,) = csv.DictReader(file)
    assert (int(row["n_px_specks_removed"]), int(row["n_px_holes_filled"])) == (SPECKS_PX, HOLES_PX)
    assert float(row["specks_removed_area_mm2"]) == pytest.approx(SPECKS_PX * PX_MM2)
    assert float(row["holes_filled_area_mm2"]) == pytest.approx(HOLES_PX * PX_MM2)
    assert (row["n_px_foci_removed"], row["foci_removed_area_mm2"], row["not_assessed"]) == ("", "", "")


def test_report_and_explain_have_a_line_for_each(filtered: Path) -> None:
    text = explained(str(filtered)).stdout.replace("\u202f", " ")
    write_report(filtered)
    page = (filtered / "report.html").read_text(encoding="utf-8").replace("\u202f", " ")
    for line in ("specks of tissue removed: 152 px (4 objects) = 3.8e-5 mm²", "holes filled: 153 px (3 objects)"):
        assert line in text
        assert line in page


@pytest.mark.parametrize(
    ("boxes", "holes", "name", "share"),
    [
        ([(100, 100, 20, 20), *((20, 20 * k, 8, 8) for k in range(20))], [], "tissue", 20 * 64 / 400),
        ([(100, 100, 61, 61)], [(110 + 12 * i, 110 + 12 * j, 8, 8) for i in range(4) for j in range(4)], "hole", None),
        ([(20, 20 * k, 8, 8) for k in range(20)], [], "tissue", None),
    ],
)
def test_a_filter_that_takes_or_adds_more_than_a_quarter_of_what_is_left_is_warned_of(
    boxes: list[tuple[int, int, int, int]],
    holes: list[tuple[int, int, int, int]],
    name: str,
    share: float | None,
    tmp_path: Path,
) -> None:
    (document,) = measure(painted(tmp_path / "s.tif", boxes, holes), tmp_path / "run", *FILTERS).documents
    if name == "hole":
        share = 16 * 64 / 61**2
    assert done(document)[name]["share_of_left"] == (None if share is None else pytest.approx(share))
    finding = said(document)["STEP_TAKES_MUCH"]
    assert (finding["severity"], finding["limit"]) == ("warning", 0.25)
    assert finding["measured"] == (None if share is None else pytest.approx(share))
    assert "mm²" in str(finding["message"])


def test_the_share_at_which_it_is_warned_of_can_be_set(tmp_path: Path) -> None:
    slide = painted(tmp_path / "s.tif", [BODY, *SPECKS], HOLES)
    (document,) = measure(slide, tmp_path / "run", *FILTERS, "quality.step_share=0.001").documents
    assert "STEP_TAKES_MUCH" in said(document)


def test_ink_that_is_excluded_has_its_painted_area_and_much_of_it_is_warned_of(tmp_path: Path) -> None:
    for ink_px, is_much in ((40, False), (200, True)):
        path = painted(tmp_path / f"{ink_px}.tif", [BODY], [])
        rgb = tifffile.imread(path)
        rgb[100:400, 100 : 100 + ink_px] = (20, 60, 200)
        Image.fromarray(rgb).save(tmp_path / f"{ink_px}.png")
        asked = ("exclusions.pen=true", "tiling.work_mpp=2")
        (document,) = measure(
            tmp_path / f"{ink_px}.png", tmp_path / str(ink_px), *asked, mpp="2", mpp_reason="painted"
        ).documents
        step = done(document)["pen"]
        assert step["kind"] == "excludes"
        assert step["n_px"] == pytest.approx(300 * ink_px, rel=0.25)  # its window takes a rim and loses corners
        assert step["area_mm2"] == pytest.approx(step["n_px"] * 4e-6)
        assert ("STEP_TAKES_MUCH" in said(document)) is is_much


def test_what_a_bound_does_to_otsus_threshold_is_on_record_and_estimated(tmp_path: Path) -> None:
    path = painted(tmp_path / "s.tif", [BODY], [])
    rgb = tifffile.imread(path)
    rgb[100:400, 100:180] = (215, 195, 210)  # paler than Otsu's threshold, darker than the bound
    Image.fromarray(rgb).save(tmp_path / "p.png")
    asked = ("segmenter.threshold=otsu", "tiling.work_mpp=0.5")
    (document,) = measure(tmp_path / "p.png", tmp_path / "o", *asked, mpp="0.5", mpp_reason="painted").documents
    step = done(document)["threshold"]
    assert (step["kind"], step["is_estimate"]) == ("clamps", True)
    assert step["n_px"] == pytest.approx(300 * 80, rel=0.05)
    assert "STEP_TAKES_MUCH" not in said(document)


def lined(path: Path, um: float) -> Path:
    """A slide of 512 px a side with a body of tissue, of pixels of this size."""
    painted(path, [BODY], [])
    rgb = tifffile.imread(path)
    resolution = (1e4 / um, 1e4 / um)
    tifffile.imwrite(
        path, rgb, tile=(256, 256), photometric="rgb", compression="deflate", metadata=None,
        resolution=resolution, resolutionunit="CENTIMETER",
    )  # fmt: skip
    return path


@pytest.mark.parametrize(
    ("um", "asked", "not_assessed", "assessed"),
    [
        (2.0, ("pen", "out_of_focus"), ["out_of_focus"], ["pen"]),
        (2.0, ("fold", "bubble"), [], ["fold", "bubble"]),
        (6.0, ("pen", "fold", "out_of_focus"), ["pen", "fold", "out_of_focus"], []),
    ],
)
def test_an_exclusion_that_the_pixels_cannot_show_is_not_assessed_and_costs_neither_slide_nor_others(
    um: float, asked: tuple[str, ...], not_assessed: list[str], assessed: list[str], tmp_path: Path
) -> None:
    settings = [f"exclusions.{name}=true" for name in asked]
    outcome = measure(lined(tmp_path / "s.tif", um), tmp_path / "run", "tiling.work_mpp=1", *settings)
    (document,) = outcome.documents
    assert (outcome.exit_code, document["status"]) == (0, "complete")
    assert document["tissue"]["n_px"] == BODY_PX
    steps = [step for step in document["steps"]["listed"] if step["kind"] == "excludes"]
    assert sorted(s["name"] for s in steps if s["n_px"] is None) == sorted(not_assessed)
    assert sorted(s["name"] for s in steps if s["n_px"] is not None) == sorted(assessed)
    assert ("EXCLUSION_NOT_ASSESSED" in said(document)) is bool(not_assessed)
    with (tmp_path / "run" / "summary.csv").open(encoding="utf-8", newline="") as file:
        (row,) = csv.DictReader(file)
    assert sorted(row["not_assessed"].split()) == sorted(not_assessed)


def test_what_is_not_assessed_says_which_pixels_it_needs_and_whether_the_slide_has_them(tmp_path: Path) -> None:
    slide = lined(tmp_path / "s.tif", 0.5)
    (finer,) = measure(slide, tmp_path / "a", "tiling.work_mpp=2", "exclusions.out_of_focus=true").documents
    assert "set tiling.work_mpp to 1 or less" in str(said(finer)["EXCLUSION_NOT_ASSESSED"]["message"])
    coarse = lined(tmp_path / "c.tif", 2.0)
    (coarser,) = measure(coarse, tmp_path / "b", "exclusions.out_of_focus=true").documents
    assert "it was scanned no finer" in str(said(coarser)["EXCLUSION_NOT_ASSESSED"]["message"])


def test_a_dark_slide_with_ink_to_be_excluded_is_told_one_command_and_not_two(tmp_path: Path) -> None:
    rgb = np.full((512, 512, 3), (4, 4, 4), np.uint8)
    rgb[100:400, 100:420] = (20, 90, 200)
    rgb += np.random.default_rng(3).integers(0, 6, rgb.shape, np.uint8)
    Image.fromarray(rgb).save(tmp_path / "dark.png")
    asked = ("exclusions.pen=true", "segmenter.background=auto")
    outcome = measure(tmp_path / "dark.png", tmp_path / "run", *asked, mpp="0.5", mpp_reason="painted")
    (slide,) = outcome.slides
    assert slide.status == "failed"
    assert "in a run of its own, with --config fluorescence and another --out" in slide.reason
    assert "where it names no other command" in "\n".join(ending_lines(outcome))
