"""Subjects of a manifest: kept by the run, added up over their slides, and never whole where a slide is missing."""

import csv
import math
import re
import shutil
from pathlib import Path

import pytest
from command_line import wsi_area
from synthetic import FileForm, disc, write_slide, write_text_slide

import wsi_area as face
from wsi_area.audit.verify import verify_run
from wsi_area.model.calibration import Mpp
from wsi_area.model.geometry import Size
from wsi_area.model.record.subjects import Case
from wsi_area.reports.report import write_report
from wsi_area.results.documents import read_run
from wsi_area.results.layout import RunLayout
from wsi_area.results.seal.contents import run_digest
from wsi_area.results.tables.reading import read_workbook

SIZE = Size(400, 300)
RADII_PX = {"a1": 100, "a2": 60, "a3": 80, "b1": 90, "c1": 70}
ON_A_GRID = 0.01
PLAIN_HALF = ("--config", "ihc_dab", "--set", "tiling.tile_px=128", "--set", "tiling.skip_glass=false")


def disc_mm2(name: str) -> float:
    return math.pi * (RADII_PX[name] * 0.5e-3) ** 2


def rows_of(run: Path) -> dict[tuple[str, str], dict[str, str]]:
    with (run / "subjects.csv").open(newline="", encoding="utf-8") as file:
        return {(row["subject"], row["class"]): row for row in csv.DictReader(file)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three slides of 007, one of them with a typed size; of b one is no slide; c has no pixel size."""
    made = tmp_path_factory.mktemp("cases")
    for name, radius in RADII_PX.items():
        form = FileForm(mpp=None if name in {"a3", "c1"} else Mpp(0.5, 0.5))
        write_slide(made / f"{name}.tif", SIZE, {"dab": disc(SIZE, 200, 150, radius)}, form)
    write_text_slide(made / "b2.svs")
    (made / "cases.csv").write_text(
        "path,subject,block,date,mpp_x,mpp_u_um,mpp_reason\n"
        "a1.tif,007,A,2026-03-01,,,\na2.tif,007,B,2026-03-01,,,\na3.tif,007,A,2026-04-01,0.5,0.01,stage\n"
        "b1.tif,b,,,,,\nb2.svs,b,,,,,\nc1.tif,c,,,,,\n"
    )
    ended = wsi_area("run", "--manifest", made / "cases.csv", *PLAIN_HALF, "--out", made / "out")
    assert ended.code == 2, ended.err
    return made


def test_the_slides_of_a_subject_are_added_and_pixel_sizes_of_one_source_err_together(folder: Path) -> None:
    row = rows_of(folder / "out")["007", "positive"]
    mm2 = [disc_mm2(name) for name in ("a1", "a2", "a3")]
    assert float(row["area_mm2"]) == pytest.approx(sum(mm2), rel=ON_A_GRID)
    # a TIFF tag is good to 1 %, an area to 2 %, and two tags err together; the typed size has 0.01 of 0.5 µm: 4 %
    expected = math.sqrt((0.02 * (mm2[0] + mm2[1])) ** 2 + (0.04 * mm2[2]) ** 2)
    assert float(row["u_mm2"]) == pytest.approx(expected, rel=ON_A_GRID)
    apart = math.sqrt((0.02 * mm2[0]) ** 2 + (0.02 * mm2[1]) ** 2 + (0.04 * mm2[2]) ** 2)
    assert float(row["u_mm2"]) > 1.05 * apart
    assert (row["n_slides"], row["n_slides_measured"], row["is_complete"]) == ("3", "3", "true")
    assert (row["blocks"], row["dates"]) == ("A, B", "2026-03-01, 2026-04-01")
    assert row["remarks"] == "slides of 2 dates in one sum"


def test_the_tissue_and_each_class_have_a_row_and_classes_add_up_to_the_slides(folder: Path) -> None:
    rows = {name: row for (subject, name), row in rows_of(folder / "out").items() if subject == "007"}
    assert list(rows) == ["positive", "tissue", "background", "negative", "weak", "moderate", "strong"]
    assert {row["kind"] for name, row in rows.items() if name in {"positive", "tissue"}} == {"total"}
    classes = sum(float(row["area_mm2"]) for row in rows.values() if row["kind"] == "class")
    assert classes == pytest.approx(3 * SIZE.area_px * 0.25e-6)


def test_a_sum_that_lacks_a_slide_says_so_and_one_without_any_is_empty_and_not_0(folder: Path) -> None:
    rows = rows_of(folder / "out")
    half, none = rows["b", "positive"], rows["c", "positive"]
    assert float(half["area_mm2"]) == pytest.approx(disc_mm2("b1"), rel=ON_A_GRID)
    assert (half["n_slides"], half["n_slides_measured"], half["is_complete"]) == ("2", "1", "false")
    assert half["remarks"] == "1 of 2 slides not in the sum: b2 (failed)"
    assert (none["area_mm2"], none["u_mm2"], none["is_complete"]) == ("", "", "false")
    assert none["remarks"] == "1 of 1 slides not in the sum: c1 (needs_calibration)"


def test_the_run_knows_its_subjects_and_they_are_text(folder: Path) -> None:
    record = read_run(RunLayout(folder / "out"))
    assert {name: case.part for name, case in record.known_cases.items()} == {
        "a1": "007, A", "a2": "007, B", "a3": "007, A", "b1": "b", "b2": "b", "c1": "c",
    }  # fmt: skip
    frame = face.open_run(folder / "out").subjects
    assert frame["subject"].unique().tolist() == ["007", "b", "c"]
    assert frame["is_complete"].dtype == bool


def test_a_sum_that_was_changed_and_a_subject_that_was_changed_are_found(folder: Path, tmp_path: Path) -> None:
    assert verify_run(folder / "out", with_slides=False).disagreements == ()
    for name, old, new in (("subjects.csv", "007", "008"), ("run.json", '"subject": "b"', '"subject": "007"')):
        run = Path(shutil.copytree(folder / "out", tmp_path / name))
        text = (run / name).read_text(encoding="utf-8")
        assert old in text
        (run / name).write_text(text.replace(old, new, 1), encoding="utf-8")
        assert {fault.what for fault in verify_run(run, with_slides=False).disagreements} & {name, "seal.json"}


def test_the_seal_is_of_whose_the_slides_are_down_to_block_and_date(folder: Path) -> None:
    record = read_run(RunLayout(folder / "out"))
    others = [None, *({**record.known_cases, "a1": Case(*told)} for told in (("007", "C", "2026-03-01"), ("007", "A")))]
    digests = {run_digest(record), *(run_digest(record.model_copy(update={"cases": cases})) for cases in others)}
    assert len(digests) == 4


def test_a_later_command_without_the_manifest_forgets_nobody(folder: Path, tmp_path: Path) -> None:
    run = Path(shutil.copytree(folder / "out", tmp_path / "out"))
    before = (run / "subjects.csv").read_bytes()
    write_slide(tmp_path / "d.tif", SIZE, {"dab": disc(SIZE, 200, 150, 50)}, FileForm(mpp=Mpp(0.5, 0.5)))
    assert wsi_area("run", tmp_path / "d.tif", *PLAIN_HALF, "--out", run).code == 0
    assert (run / "subjects.csv").read_bytes() == before
    assert verify_run(run, with_slides=False).disagreements == ()


def test_the_tasks_of_an_array_come_to_the_same_sums(folder: Path, tmp_path: Path) -> None:
    common = ("run", "--manifest", folder / "cases.csv", *PLAIN_HALF, "--out", tmp_path / "out")
    for task in ("1/2", "2/2"):
        wsi_area(*common, "--shard", task)
    wsi_area("merge", tmp_path / "out")
    assert (tmp_path / "out/subjects.csv").read_bytes() == (folder / "out/subjects.csv").read_bytes()
    whole, merged = (read_run(RunLayout(place / "out")) for place in (folder, tmp_path))
    assert (merged.cases, merged.seal) == (whole.cases, whole.seal)


def test_a_slide_that_is_there_twice_is_named(folder: Path, tmp_path: Path) -> None:
    for name in ("one.tif", "two.tif"):
        shutil.copy(folder / "a1.tif", tmp_path / name)
    (tmp_path / "m.csv").write_text("path,subject\none.tif,x\ntwo.tif,x\n")
    wsi_area("run", "--manifest", tmp_path / "m.csv", *PLAIN_HALF, "--out", tmp_path / "out")
    assert rows_of(tmp_path / "out")["x", "positive"]["remarks"] == "the same content, counted 2 times: one, two"


def test_report_and_workbook_show_the_sums_and_what_they_lack(folder: Path, tmp_path: Path) -> None:
    write_report(folder / "out", out=tmp_path)
    page = re.sub(r"<[^>]+>|\s+", " ", (tmp_path / "report.html").read_text(encoding="utf-8"))
    lines = re.sub(r" +", " ", page).partition("Subjects")[2].partition("Each class")[0]
    assert "b 1 of 2 positive" in lines
    assert "no 1 of 2 slides not in the sum: b2 (failed)" in lines
    assert "c 0 of 1 positive – no" in lines
    sheet = read_workbook((folder / "out/summary.xlsx").read_bytes(), "summary.xlsx")["subjects"]
    assert [row["subject"] for row in sheet.rows if row["class"] == "positive"] == ["007", "b", "c"]


def test_a_sum_in_the_report_has_all_that_is_known_of_its_errors(folder: Path, tmp_path: Path) -> None:
    write_report(folder / "out", out=tmp_path)
    html = (tmp_path / "report.html").read_text(encoding="utf-8")
    table = re.findall(r"<tr>(.*?)</tr>", html.partition('class="subjects"')[2].partition("</table>")[0], re.DOTALL)
    cells = [re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "|", row)).split("|") for row in table]
    rows = {tuple(c for c in (cell.strip() for cell in row) if c) for row in cells}
    shown = {(row[0], row[2]): row for row in rows if len(row) > 4}
    opened = face.open_run(folder / "out")
    for subject, slides in (("007", ("a1", "a2", "a3")), ("b", ("b1",))):
        budgets = [opened[name].counted.budgets for name in slides]
        by_term: dict[str, list[float]] = {}
        for budget in budgets:
            assert budget is not None
            assert budget.positive is not None
            for row in budget.positive.rows:
                by_term.setdefault(row.name, []).append(row.u_mm2 or 0.0)
        # all slides may err the same way, but for counting, where each errs for itself
        terms = [math.hypot(*u) if name in {"counting", "rescan"} else sum(u) for name, u in by_term.items()]
        area, half = (float(text) for text in shown[subject, "positive"][3].split(" ± "))
        assert half == pytest.approx(2 * math.hypot(*terms), rel=0.05)
        assert area == pytest.approx(sum(disc_mm2(name) for name in slides), rel=ON_A_GRID)
        assert shown[subject, "positive"][4].startswith("k = 2, of ")
    of_scale = 1.96 * float(rows_of(folder / "out")["007", "positive"]["u_mm2"])
    assert float(shown["007", "positive"][3].split(" ± ")[1]) > 1.1 * of_scale


def test_a_class_that_is_a_total_by_name_and_number_stands_once(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text(f"path,subject\n{folder / 'a1.tif'},x\n{folder / 'a2.tif'},x\n")
    common = ("run", "--manifest", tmp_path / "m.csv", "--config", "he_tissue", "--set", "tiling.work_mpp=0.5")
    assert wsi_area(*common, "--out", tmp_path / "out").code == 0
    with (tmp_path / "out/subjects.csv").open(newline="", encoding="utf-8") as file:
        rows = [(row["class"], row["kind"]) for row in csv.DictReader(file)]
    assert rows == [("tissue", "total"), ("background", "class")]
    mm2 = float(rows_of(tmp_path / "out")["x", "tissue"]["area_mm2"])
    assert mm2 == pytest.approx(disc_mm2("a1") + disc_mm2("a2"), rel=ON_A_GRID)
    assert "1 subject, the slides of each added up" in face.open_run(tmp_path / "out")._repr_html_()


def test_where_nobody_is_named_there_is_no_table_of_subjects(folder: Path, tmp_path: Path) -> None:
    assert wsi_area("run", folder / "a1.tif", *PLAIN_HALF, "--out", tmp_path / "out").code == 0
    assert not list((tmp_path / "out").glob("subjects.*"))
    assert face.open_run(tmp_path / "out").subjects.empty
