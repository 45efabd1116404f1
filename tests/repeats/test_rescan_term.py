"""A calibration by repeats named by another run: a row of its budgets, checked before work starts, on record."""

import json
import math
from pathlib import Path

import pytest
from command_line import wsi_area
from measuring import measure
from recorded import counted_slide
from scipy import stats
from test_repeat_command import TALL, scanner, slide

from wsi_area.compute.judge.held_out_area import held_out_areas
from wsi_area.errors import SettingsError
from wsi_area.model.record.budget.uncertainty_budget import BudgetRow
from wsi_area.model.slide_result import CountedSlide
from wsi_area.results.opened_run import open_run
from wsi_area.results.uncertainty.given_terms import NamedRepeat, NamedRepeats, given_terms
from wsi_area.results.uncertainty.repeat_file import read_repeat, write_repeat


@pytest.fixture(scope="module")
def studies(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two calibrations: scanners that find a tenth, and a fifth, apart."""
    folder = tmp_path_factory.mktemp("studies")
    first = scanner(folder / "a", 200)
    for name, width in (("tenth", 220), ("fifth", 240)):
        ended = wsi_area("repeat", first, scanner(folder / name, width), "--out", folder / f"{name}.json")
        assert ended.code == 0, ended.err
    return folder / "tenth.json", folder / "fifth.json"


def row_of(out: Path, name: str = "x") -> BudgetRow:
    budgets = open_run(out)[name].counted.budgets
    assert budgets is not None
    assert budgets.tissue is not None
    row = budgets.tissue.row("rescan")
    assert row is not None
    return row


def test_the_spread_of_repeats_is_a_row_of_the_budget_of_another_run(
    studies: tuple[Path, Path], tmp_path: Path
) -> None:
    measure(slide(tmp_path / "x.tif", 200, 150), tmp_path / "out", f"uncertainty.rescan={studies[0]}")
    row = row_of(tmp_path / "out")
    # two scans a factor 1.1 apart: a standard deviation of ln 1.1 / √2 of the logarithm; 1.96 of it reach so far up
    reach = math.exp(1.96 * math.log(1.1) / math.sqrt(2)) - 1
    assert row.u_mm2 == pytest.approx(0.03 * reach / 1.96)
    assert row.degrees_of_freedom == pytest.approx(1, rel=1e-5)
    seal = read_repeat(studies[0]).seal
    assert seal[:12] in row.source
    assert json.loads((tmp_path / "out" / "run.json").read_text())["settings"]["uncertainty"]["rescan_seal"] == seal
    assert wsi_area("verify", tmp_path / "out").code == 0


def test_the_tasks_of_an_array_and_their_merge_have_the_row_too(studies: tuple[Path, Path], tmp_path: Path) -> None:
    files = [slide(tmp_path / f"{name}.tif", 200, height) for name, height in (("x", 150), ("y", 170), ("z", 190))]
    given = [
        "run", *files, "--set", "segmenter.name=tissue", "--set", "segmenter.background=bright", "--set",
        "segmenter.threshold=60", "--set", f"uncertainty.rescan={studies[0]}", "--out",
    ]  # fmt: skip
    assert wsi_area(*given, tmp_path / "one").code == 0
    for task in ("1/2", "2/2"):
        assert wsi_area(*given, tmp_path / "many", "--shard", task).code == 0
    assert wsi_area("merge", tmp_path / "many").code == 0
    for name in "xyz":
        assert row_of(tmp_path / "many", name) == row_of(tmp_path / "one", name)
        assert row_of(tmp_path / "many", name).u_mm2


def test_slides_of_the_scanners_of_the_study_need_no_guess_of_others(
    studies: tuple[Path, Path], tmp_path: Path
) -> None:
    file = slide(tmp_path / "x.tif", 200, 150)
    measure(file, tmp_path / "out", f"uncertainty.rescan={studies[0]}", "uncertainty.rescan_on=these")
    row = row_of(tmp_path / "out")
    # each scanner lies half of ln 1.1 from their mean
    assert row.u_mm2 == pytest.approx(0.03 * (math.exp(1.96 * math.log(1.1) / 2) - 1) / 1.96)
    assert row.degrees_of_freedom == 3
    assert "on one of these" in row.source


def test_a_study_of_readers_is_the_observers_row_of_what_was_drawn_and_of_nothing_else(
    studies: tuple[Path, Path], tmp_path: Path
) -> None:
    drawing = counted_slide("drawn/complete")
    study = read_repeat(studies[0])
    name = drawing.classes[1].name
    renamed = study.model_copy(update={"areas": tuple(a.model_copy(update={"name": name}) for a in study.areas)})
    place = tmp_path / "readers.json"
    write_repeat(place, renamed.model_copy(update={"seal": renamed.expected_seal}))
    named = NamedRepeats(observer=NamedRepeat(place, None, "these"))
    assert drawing.annotations is not None
    assert set(given_terms(drawing, named).observer) == {name}
    assert given_terms(drawing, named).rescan == {}
    assert given_terms(drawing.model_copy(update={"annotations": None}), named).observer == {}


def test_an_area_unlike_those_of_the_study_says_so(studies: tuple[Path, Path], tmp_path: Path) -> None:
    assert read_repeat(studies[0]).areas[0].area_low_mm2 > 0.002
    measure(slide(tmp_path / "x.tif", 200, 150), tmp_path / "in", f"uncertainty.rescan={studies[0]}")
    measure(slide(tmp_path / "x.tif", 40, 50), tmp_path / "out", f"uncertainty.rescan={studies[0]}")
    assert "is not of them" not in row_of(tmp_path / "in").source
    assert "is not of them" in row_of(tmp_path / "out").source


def test_without_a_study_nobody_says_that_a_second_scan_would_agree(tmp_path: Path) -> None:
    measure(slide(tmp_path / "x.tif", 200, 150), tmp_path / "out")
    row = row_of(tmp_path / "out")
    assert row.u_mm2 is None
    assert "wsi-area repeat" in row.remedy


def test_another_study_in_the_same_place_makes_another_row(studies: tuple[Path, Path], tmp_path: Path) -> None:
    place, file = tmp_path / "now.json", slide(tmp_path / "x.tif", 200, 150)
    place.write_bytes(studies[0].read_bytes())
    measure(file, tmp_path / "out", f"uncertainty.rescan={place}")
    before = row_of(tmp_path / "out").u_mm2
    place.write_bytes(studies[1].read_bytes())
    measure(file, tmp_path / "out", f"uncertainty.rescan={place}")
    after = row_of(tmp_path / "out").u_mm2
    assert before is not None
    assert after is not None
    assert after / before == pytest.approx(math.log(1.2) / math.log(1.1), rel=0.1)


def test_a_study_that_is_no_longer_what_it_was_is_refused_before_work_starts(
    studies: tuple[Path, Path], tmp_path: Path
) -> None:
    changed = tmp_path / "changed.json"
    changed.write_text(studies[0].read_text("utf-8").replace('"subjects": 4', '"subjects": 40'), "utf-8")
    other = read_repeat(studies[1]).seal
    file = slide(tmp_path / "x.tif", 200, 150)
    for settings, why in (
        ([f"uncertainty.rescan={changed}"], "was changed since it was written"),
        ([f"uncertainty.rescan={tmp_path / 'none.json'}"], "is not there"),
        ([f"uncertainty.rescan={studies[0]}", f"uncertainty.rescan_seal={other}"], "it is another study"),
        ([f"uncertainty.rescan_seal={other}"], "name the file"),
    ):
        with pytest.raises(SettingsError, match=why):
            measure(file, tmp_path / "out", *settings)
    assert not (tmp_path / "out").exists()


def with_card(pairs: list[tuple[int, int]]) -> CountedSlide:
    recorded = counted_slide()
    name = recorded.classes[1].name
    images = [
        {"group": f"g{n}", "classes": [{"name": name, "predicted_px": found, "truth_px": true}]}
        for n, (found, true) in enumerate(pairs)
    ]
    fit = recorded.segmenter.model_copy(update={"facts": {"about": {"accuracy": {"per_image": images}}}})
    return recorded.model_copy(update={"segmenter": fit})


def test_a_models_card_is_the_term_of_the_segmentation_where_it_says_something() -> None:
    told = with_card([(120, 100), (90, 100), (110, 100), (105, 100), (130, 100)])
    name, area = told.classes[1].name, told.classes[1].area_mm2
    assert area
    term = given_terms(told).segmentation[name]
    low, high = held_out_areas(told.segmenter.facts)[name].adjusted_mm2(area)[1:]
    assert term.area_mm2 == pytest.approx(area / 1.11)
    half = stats.t.ppf(0.975, 4) * (term.u_mm2 or 0)
    assert term.area_mm2 - half <= low
    assert high == pytest.approx(term.area_mm2 + half)
    assert term.degrees_of_freedom == 4


@pytest.mark.parametrize("pairs", [[], [(1, 1), (2, 1)], [(5, 0)] * 4, [(1, 10**6), (10**6, 1), (1, 1)]])
def test_a_card_of_too_few_or_too_unlike_images_is_no_term(pairs: list[tuple[int, int]]) -> None:
    assert given_terms(with_card(pairs)).segmentation == {}


def test_subjects_of_the_study_are_those_that_were_measured(studies: tuple[Path, Path]) -> None:
    study = read_repeat(studies[0])
    assert {repeat.subject for repeat in study.repeats} == set(TALL)
    assert len(study.repeats) == 2 * len(TALL)
