"""Adjusted areas in the tables of a run: beside the counted ones, gone with the map they are of, held by the seal."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from command_line import wsi_area
from measuring import measure
from synthetic import FileForm, box, write_slide
from synthetic_textures import write_outlines
from test_reference_command import answered, area_of, drawn, in_box, rows_of

from wsi_area.inputs.collect import collect_slides
from wsi_area.model.calibration import Mpp
from wsi_area.model.geometry import Size
from wsi_area.notebook.notebook_run import open_run as notebook_run
from wsi_area.results.content_hash import content_hash
from wsi_area.results.opened_run import open_run
from wsi_area.results.tables.quantity import mm2_text
from wsi_area.results.tables.reading import read_workbook
from wsi_area.run.pipeline import run_slides
from wsi_area.settings.run_settings import load

SIZE = Size(1000, 800)
DRAWN = {"front": [(100, 100, 300, 300)], "islands": [(500, 500, 650, 600)], "stroma": [(400, 50, 800, 450)]}
"""What is drawn on the slide: two classes that are tumour, one that is not."""
COLUMNS = ("tumor_area_adjusted_mm2", "tumor_area_adjusted_ci95_low_mm2", "tumor_area_adjusted_ci95_high_mm2")


def config(path: Path) -> Path:
    classes = "".join(
        f'[[segmenter.classes]]\nid = {n}\nname = "{name}"\ncolor = "#0000{n}0"\nis_tissue = true\n'
        f'is_tumor = {str(name != "stroma").lower()}\nmatch = ["{name}"]\n'
        for n, name in enumerate(DRAWN, 1)
    )
    path.write_text(
        '[segmenter]\nname = "regions"\n[tiling]\nwork_mpp = 1.0\n[[segmenter.classes]]\nid = 0\nname = "background"\n'
        f'color = "#ffffff"\n{classes}',
        "utf-8",
    )
    return path


@pytest.fixture(scope="module")
def first_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("adjusted")
    write_slide(folder / "s.tif", SIZE, {"tissue": box(SIZE, 50, 50, 900, 700)}, FileForm(mpp=Mpp(1.0, 1.0)))
    write_outlines(folder / "s.geojson", DRAWN)
    measured(folder, folder / "out")
    return folder / "out"


def measured(folder: Path, out: Path, *assignments: str, **options: bool) -> None:
    inputs = collect_slides([str(folder / "s.tif")], annotations=folder / "s.geojson")
    run_slides(inputs, load(config(folder / "c.toml"), list(assignments)), out, **options)


@pytest.fixture
def run(first_run: Path, tmp_path: Path) -> Path:
    return shutil.copytree(first_run.parent, tmp_path / "all") / "out"


def larger(row: dict[str, str]) -> str:
    """The truth: the islands reach 60 px further down, and a third of the front is stroma."""
    if in_box(row, 500, 500, 150, 160):
        return "islands"
    if in_box(row, 100, 100, 200, 200):
        return "stroma" if int(row["y_px"]) >= 234 else "front"
    return "stroma" if in_box(row, 400, 50, 400, 400) else "background"


TRUE_TUMOR_MM2 = (150 * 160 + 200 * 134) / 1e6


def scored(run: Path, to: Path, truth: Callable[[dict[str, str]], str] = larger, *options: str) -> dict[str, object]:
    folder = drawn(run, "--points", "500", *options)
    ended = wsi_area("reference", "score", run, answered(folder / "points.csv", to, truth), "--json")
    assert ended.code == 0, ended.err
    document: dict[str, object] = ended.document
    return document


def test_the_summary_has_the_adjusted_tumour_of_all_its_classes_beside_the_counted(run: Path, tmp_path: Path) -> None:
    (before,) = rows_of(run / "summary.csv")
    assert [before[name] for name in COLUMNS] == ["", "", ""]
    document = scored(run, tmp_path / "r.csv")
    (tumor,) = [a for a in document["totals"] if (a["slide_id"], a["class"]) == ("s", "tumor")]
    (after,) = rows_of(run / "summary.csv")
    told = [tumor["adjusted_mm2"], tumor["ci95_low_mm2"], tumor["ci95_high_mm2"]]
    assert [float(after[name]) for name in COLUMNS] == told
    assert told[1] < TRUE_TUMOR_MM2 < told[2]
    assert told[0] == pytest.approx(TRUE_TUMOR_MM2, rel=0.25)
    parts = [area_of(document, "s", name)["adjusted_mm2"] for name in ("front", "islands")]
    assert tumor["adjusted_mm2"] == pytest.approx(sum(parts))
    assert after["adjusted_by"] == "points"
    counted = [name for name in before if "ci95" not in name and "u_holds" not in name and "expanded" not in name]
    same = [name for name in counted if name not in COLUMNS and "adjusted" not in name]
    assert [before[name] for name in same] == [after[name] for name in same]


def test_every_table_says_the_same_and_the_seal_of_what_was_measured_stays(run: Path, tmp_path: Path) -> None:
    before = json.loads((run / "run.json").read_text("utf-8"))["seal"]
    scored(run, tmp_path / "r.csv")
    assert wsi_area("verify", run, "--seal", before).code == 0
    (row,) = rows_of(run / "summary.csv")
    (typed,) = pq.read_table(run / "summary.parquet").to_pylist()
    (cells,) = read_workbook((run / "summary.xlsx").read_bytes(), "summary.xlsx")["summary"].rows
    opened = open_run(run)
    for name in COLUMNS:
        assert float(row[name]) == typed[name] == cells[name] == opened.summary[name].iloc[0]
    adjusted = opened["s"].counted.adjusted
    assert adjusted is not None
    assert adjusted.tumor_mm2 == typed["tumor_area_adjusted_mm2"]
    assert "adjusted" not in json.loads((run / "slides" / "s" / "result.json").read_text("utf-8"))


@pytest.mark.parametrize("name", ["summary.csv", "reference/points/score.json", "summary.xlsx"])
def test_an_adjusted_area_that_somebody_changed_is_found(run: Path, tmp_path: Path, name: str) -> None:
    document = scored(run, tmp_path / "r.csv")
    (tumor,) = [a for a in document["totals"] if (a["slide_id"], a["class"]) == ("s", "tumor")]
    place, value = run / name, repr(tumor["adjusted_mm2"])
    if name.endswith("xlsx"):
        place.write_bytes(place.read_bytes()[:-1] + b"\1")
    else:
        text = place.read_text("utf-8")
        assert value in text
        place.write_text(text.replace(value, "0.0123456789"), "utf-8")
    ended = wsi_area("verify", run)
    assert ended.code == 4
    assert Path(name).name in ended.out + ended.err


def test_the_same_command_again_keeps_adjusted_areas_and_another_map_loses_them(run: Path, tmp_path: Path) -> None:
    measured(run.parent, run)  # where the copy lies
    scored(run, tmp_path / "r.csv")
    (before,) = rows_of(run / "summary.csv")
    measured(run.parent, run)
    assert rows_of(run / "summary.csv") == [before]
    assert wsi_area("verify", run).code == 0
    measured(run.parent, run, "objects.min_focus_um2=16000", force=True)
    (after,) = rows_of(run / "summary.csv")
    assert [after[name] for name in (*COLUMNS, "adjusted_by")] == ["", "", "", ""]
    assert wsi_area("verify", run).code == 0


def test_of_two_draws_the_one_that_was_scored_last_is_shown(run: Path, tmp_path: Path) -> None:
    scored(run, tmp_path / "r.csv", larger, "--name", "second")
    scored(run, tmp_path / "r.csv", lambda row: "stroma", "--name", "first", "--seed", "8")
    (row,) = rows_of(run / "summary.csv")
    assert row["adjusted_by"] == "first"
    assert float(row["tumor_area_adjusted_mm2"]) == 0
    assert wsi_area("verify", run).code == 0


def test_the_budget_takes_the_points_for_the_error_of_the_segmentation(run: Path, tmp_path: Path) -> None:
    document = scored(run, tmp_path / "r.csv")
    (tumor,) = [a for a in document["totals"] if (a["slide_id"], a["class"]) == ("s", "tumor")]
    budgets = open_run(run)["s"].counted.budgets
    assert budgets is not None
    assert budgets.tumor is not None
    row = budgets.tumor.row("segmentation")
    assert row is not None
    assert row.u_mm2 == tumor["points_u_mm2"]
    assert budgets.tumor.area_mm2 == tumor["adjusted_mm2"]
    assert budgets.tumor.counted_mm2 == tumor["counted_mm2"]
    ends = budgets.tumor.ci95_mm2
    assert ends is not None
    assert ends[0] <= tumor["ci95_low_mm2"]
    assert tumor["ci95_high_mm2"] <= ends[1]
    (row_of_slide,) = rows_of(run / "summary.csv")
    assert [float(row_of_slide[f"tumor_area_ci95_{end}_mm2"]) for end in ("low", "high")] == list(ends)


def test_two_readers_are_the_observers_term_and_one_reader_is_none(run: Path, tmp_path: Path) -> None:
    folder = drawn(run, "--points", "500")
    first = answered(folder / "points.csv", tmp_path / "one.csv", larger)
    other = answered(folder / "points.csv", tmp_path / "two.csv", lambda row: "stroma")
    for files, has_row in (((first,), False), ((first, other), True)):
        ended = wsi_area("reference", "score", run, *files, "--json")
        (tumor,) = [a for a in ended.document["totals"] if (a["slide_id"], a["class"]) == ("s", "tumor")]
        budgets = open_run(run)["s"].counted.budgets
        assert budgets is not None
        assert budgets.tumor is not None
        row = budgets.tumor.row("observer")
        assert (row is not None) == has_row
        if row is not None:
            # two readers: the standard deviation of their mean is half of how far they lie apart
            assert row.u_mm2 == pytest.approx(tumor["observer_u_mm2"] / 2**0.5)
            assert row.degrees_of_freedom == 1


def test_explain_says_the_adjusted_area_and_a_budget_with_the_points(run: Path, tmp_path: Path) -> None:
    assert "Adjusted by" not in wsi_area("explain", run, "s").out
    scored(run, tmp_path / "r.csv")
    told = wsi_area("explain", run, "s").out
    assert "Adjusted by reference points, all tumour" in told
    assert "reference points 'points': " in told
    document = wsi_area("explain", run, "s", "--json").document
    assert document["adjusted"]["draw"] == "points"


def test_a_run_with_a_slide_that_failed_keeps_what_its_tables_say_of_it(tmp_path: Path) -> None:
    write_slide(tmp_path / "a.tif", SIZE, {"tissue": box(SIZE, 50, 50, 900, 700)}, FileForm(mpp=Mpp(1.0, 1.0)))
    (tmp_path / "b.tif").write_bytes(b"II*\0 no slide at all")
    measure([tmp_path / "a.tif", tmp_path / "b.tif"], tmp_path / "out")
    before = rows_of(tmp_path / "out" / "summary.csv")
    ended = wsi_area("reference", "draw", tmp_path / "out", "--points", "200", "--json")
    assert ended.code == 2
    points = tmp_path / "out" / "reference" / "points" / "points.csv"
    answers = answered(points, tmp_path / "r.csv", lambda row: "tissue")
    assert wsi_area("reference", "score", tmp_path / "out", answers).code == 0
    after = rows_of(tmp_path / "out" / "summary.csv")
    assert after[1] == before[1]
    assert float(after[0]["tissue_area_adjusted_mm2"]) == pytest.approx(0.8)
    failed = [(tmp_path / "out" / "failed.csv").read_text("utf-8")]
    assert "b" in failed[0]
    assert wsi_area("verify", tmp_path / "out").code == 0


def test_report_and_notebook_say_the_adjusted_area_and_nothing_without_points(run: Path, tmp_path: Path) -> None:
    def pages() -> list[str]:
        assert wsi_area("report", run).code == 0
        return [(run / "report.html").read_text("utf-8"), notebook_run(run)["s"]._repr_html_()]

    assert not any("Adjusted by reference points" in page or "adjusted mm²" in page for page in pages())
    document = scored(run, tmp_path / "r.csv")
    (tumor,) = [a for a in document["totals"] if (a["slide_id"], a["class"]) == ("s", "tumor")]
    for page in pages():
        assert "Adjusted by reference points, all tumour" in page
        assert mm2_text(tumor["adjusted_mm2"]) in page
    report = pages()[0]
    assert "tumour adjusted mm² (95 %)</th>" in report
    low, high = mm2_text(tumor["ci95_low_mm2"]), mm2_text(tumor["ci95_high_mm2"])
    assert f">{mm2_text(tumor['adjusted_mm2'])} ({low} to {high})</td>" in report


def test_what_people_decided_stays_in_the_workbook_and_a_second_scoring_changes_no_file(
    run: Path, tmp_path: Path
) -> None:
    decided = wsi_area("review", run, "--accept", "s", "--by", "Ada Miller")
    assert decided.code == 0, decided.err
    before_points = content_hash(open_run(run)["s"].counted)
    scored(run, tmp_path / "r.csv")
    assert content_hash(open_run(run)["s"].counted) == before_points
    sheets = read_workbook((run / "summary.xlsx").read_bytes(), "summary.xlsx")
    assert "accepted" in sheets["review"].rows[0].values()
    assert sheets["summary"].columns[3:7] == ("tumor_area_mm2", *COLUMNS)
    assert wsi_area("verify", run).code == 0
    before = {place: place.read_bytes() for place in run.rglob("*") if place.is_file() and "review" not in place.parts}
    answers = run / "reference" / "points" / "answers" / "r.csv"
    assert wsi_area("reference", "score", run, shutil.copy(answers, tmp_path / "r.csv")).code == 0
    assert [place.name for place in before if place.read_bytes() != before[place]] == []
    decided = wsi_area("review", run, "--reject", "s", "--reason", "other", "--remark", "x", "--by", "Ada Miller")
    assert decided.code == 0, decided.err
    assert wsi_area("verify", run).code == 0
    (row,) = rows_of(run / "summary.csv")
    assert row["tumor_area_adjusted_mm2"]
