"""Points on some slides of a run: the area of all of them, and the truth about what nobody can know."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command_line import wsi_area
from measuring import measure
from synthetic import FileForm, box, write_slide
from test_reference_command import answered, area_of, in_box, rows_of

from wsi_area.compute.reference.drawn_slides import area_of_all
from wsi_area.model.calibration import Mpp
from wsi_area.model.geometry import Size

SIZE, FORM = Size(512, 400), FileForm(mpp=Mpp(1.0, 1.0))
WIDTHS = {f"s{n:02}": 120 + 10 * n for n in range(12)}


@pytest.fixture(scope="module")
def first_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("many")
    for name, width in WIDTHS.items():
        write_slide(folder / f"{name}.tif", SIZE, {"tissue": box(SIZE, 50, 50, width, 200)}, FORM)
    measure(sorted(folder.glob("*.tif")), folder / "out", "tiling.skip_glass=false")
    return folder / "out"


@pytest.fixture
def run(first_run: Path, tmp_path: Path) -> Path:
    return shutil.copytree(first_run, tmp_path / "out")


def taller(row: dict[str, str]) -> str:
    """The truth: tissue is 250 px high, where the map has 200."""
    return "tissue" if in_box(row, 50, 50, WIDTHS[row["slide_id"]], 250) else "background"


TRUE_MM2 = sum(WIDTHS.values()) * 250 / 1e6


def drawn(run: Path, *options: str) -> dict[str, Any]:
    ended = wsi_area("reference", "draw", run, "--seed", "3", *options, "--json")
    assert ended.code == 0, ended.err
    return dict(ended.document)


def test_the_area_of_all_slides_is_found_from_some_and_only_these_are_adjusted(run: Path, tmp_path: Path) -> None:
    told = drawn(run, "--slides", "6", "--points", "900")
    assert len(told["not_drawn"]) == 6
    points = run / "reference" / "points" / "points.csv"
    assert {row["slide_id"] for row in rows_of(points)} == set(WIDTHS) - set(told["not_drawn"])
    ended = wsi_area("reference", "score", run, answered(points, tmp_path / "r.csv", taller), "--json")
    assert ended.code == 0, ended.err
    whole = area_of(ended.document, "(run)", "tissue")
    assert whole["counted_mm2"] == pytest.approx(sum(WIDTHS.values()) * 200 / 1e6)
    assert whole["ci95_low_mm2"] < TRUE_MM2 < whole["ci95_high_mm2"]
    assert whole["adjusted_mm2"] == pytest.approx(TRUE_MM2, rel=0.1)
    assert whole["ci95_high_mm2"] < 1.4 * TRUE_MM2
    assert any("all 12 slides, from 6 drawn" in note for note in ended.document["notes"])
    adjusted = {row["slide_id"] for row in rows_of(run / "summary.csv") if row["tissue_area_adjusted_mm2"]}
    assert adjusted == set(WIDTHS) - set(told["not_drawn"])
    assert wsi_area("verify", run).code == 0


def test_the_same_seed_draws_the_same_slides_and_another_one_others(run: Path) -> None:
    first = drawn(run, "--slides", "5")["not_drawn"]
    again = drawn(run, "--slides", "5", "--name", "again")["not_drawn"]
    others = [drawn(run, "--slides", "5", "--name", f"n{n}", "--seed", str(n))["not_drawn"] for n in range(4)]
    assert first == again
    assert any(other != first for other in others)


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (("--slides", "2"), "3 at least"),
        (("--slides", "13"), "12 slides"),
        (("--slides", "5", "--by", "slide"), "--by run"),
    ],
)
def test_too_few_or_too_many_slides_are_refused(run: Path, options: tuple[str, ...], why: str) -> None:
    ended = wsi_area("reference", "draw", run, *options)
    assert ended.code == 1
    assert why in ended.err
    assert not (run / "reference").exists()


def test_a_reader_who_stops_early_leaves_all_open_and_a_note_says_so(run: Path, tmp_path: Path) -> None:
    drawn(run, "--slides", "5", "--points", "300")
    answers = answered(run / "reference" / "points" / "points.csv", tmp_path / "r.csv", taller)
    answers.write_text("\n".join(answers.read_text("utf-8").splitlines()[:8]) + "\n", "utf-8")
    ended = wsi_area("reference", "score", run, answers, "--json")
    assert ended.code == 0, ended.err
    whole = area_of(ended.document, "(run)", "tissue")
    assert whole["ci95_low_mm2"] == 0
    assert whole["ci95_high_mm2"] >= 12 * SIZE.width_px * SIZE.height_px / 1e6
    assert any("all that can be" in note for note in ended.document["notes"])


@pytest.mark.parametrize("spread", [0.05, 0.2, 0.4])
@pytest.mark.parametrize("slides", [3, 6, 15])
def test_the_interval_of_all_holds_the_truth_of_uneven_slides(spread: float, slides: int) -> None:
    random = np.random.default_rng(slides)
    mapped = random.lognormal(0, 0.4, 60)
    true = mapped * random.lognormal(-0.1, spread, 60)
    chosen = np.argsort(random.random((4000, 60)), axis=1)[:, :slides]
    seen = true[chosen] * random.normal(1, 0.1, (4000, slides))
    found = area_of_all(seen, mapped[chosen], np.full(4000, 10.0 * slides), mapped.sum(), 600.0)
    held = (found.low_95 <= true.sum()) & (true.sum() <= found.high_95)
    assert held.mean() > 0.94
    assert found.is_known.mean() > 0.8


@pytest.mark.parametrize("case", ["one has all", "none was mapped", "none is there"])
def test_slides_that_say_nothing_of_the_others_leave_all_that_can_be(case: str) -> None:
    mapped = {
        "one has all": [9.0, 0.01, 0.01, 0.01],
        "none was mapped": [0.0] * 4,
        "none is there": [1.0, 2.0, 1.0, 2.0],
    }
    seen = {"one has all": [8.0, 0.02, 0.01, 0.01], "none was mapped": [1.0, 0.0, 0.0, 0.0], "none is there": [0.0] * 4}
    found = area_of_all(np.array(seen[case]), np.array(mapped[case]), np.array(40.0), 30.0, 100.0)
    assert not found.is_known
    assert (float(found.low_95), float(found.high_95)) == (0.0, 100.0)
    assert np.isfinite(found.area)
