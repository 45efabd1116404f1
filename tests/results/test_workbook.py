"""summary.xlsx: what another program reads out of it is what the tables hold, as text or as numbers."""

import csv
import io
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from synthetic import FileForm, disc, write_slide, write_text_slide

from wsi_area.inputs.collect import collect_slides
from wsi_area.model.geometry import Size
from wsi_area.results.tables.workbook.file import MOST_CHARACTERS, Sheet, workbook
from wsi_area.run.pipeline import run_slides
from wsi_area.settings.run_settings import load

openpyxl = pytest.importorskip("openpyxl", reason="no openpyxl: pip install openpyxl")
TRICKY = ["007", "1e5", "2026-01-02", "NA", "=1+1", "TRUE", "3,14", " spaced ", "<&\"'>", "µm²", "-", "#N/A"]


def sheets_of(content: bytes) -> dict[str, list[list[Any]]]:
    book = openpyxl.load_workbook(io.BytesIO(content))
    return {sheet.title: [[cell.value for cell in row] for row in sheet.iter_rows()] for sheet in book}


def test_text_stays_text_whatever_it_looks_like() -> None:
    book = openpyxl.load_workbook(io.BytesIO(workbook([Sheet("ids", ["slide_id"], [{"slide_id": i} for i in TRICKY])])))
    cells = [row[0] for row in book["ids"].iter_rows(min_row=2)]
    assert [cell.value for cell in cells] == TRICKY
    assert {cell.data_type for cell in cells} <= {"s", "inlineStr"}
    assert {cell.number_format for cell in cells} == {"@"}


def test_numbers_keep_their_last_digit_and_what_is_unknown_has_no_cell() -> None:
    row = {"a": 0.1 + 0.2, "b": 2**40 + 1, "c": None, "d": True, "e": 0.0, "f": 5e-324, "g": -1.7e308}
    (head, values), = sheets_of(workbook([Sheet("t", list(row), [row])])).values()  # fmt: skip
    assert head == list(row)
    assert dict(zip(head, values, strict=True)) == row


def test_what_a_sheet_cannot_hold_does_not_break_the_file() -> None:
    rows = [{"t": "x" * (MOST_CHARACTERS + 5)}, {"t": "bell\x07 and \ud800"}]
    ((_, (long,), (odd,)),) = sheets_of(workbook([Sheet("t", ["t"], rows)])).values()
    assert len(long) == MOST_CHARACTERS
    assert odd == r"bell\x07 and \ud800"


def test_the_same_tables_make_the_same_bytes() -> None:
    tables = [Sheet("t", ["a"], [{"a": 1}]), Sheet("u", ["b"], [])]
    assert workbook(tables) == workbook(tables)


def test_the_workbook_of_a_run_says_what_its_tables_say(tmp_path: Path) -> None:
    size = Size(300, 200)
    folder = tmp_path / "slides"
    folder.mkdir()
    write_slide(folder / "007.tiff", size, {"tissue": disc(size, 150, 100, 60)})
    write_slide(folder / "NA.tiff", size, {"tissue": disc(size, 150, 100, 60)}, FileForm(mpp=None))
    write_text_slide(folder / "text.svs")
    run_slides(collect_slides([str(folder)]), load(None), tmp_path / "out")
    sheets = sheets_of((tmp_path / "out/summary.xlsx").read_bytes())
    assert list(sheets) == ["summary", "areas", "flags", "failed", "budget", "seal"]
    for name, file in (("summary", "summary.parquet"), ("areas", "areas.parquet"), ("budget", "budget.parquet")):
        head, *rows = sheets[name]
        wanted = pq.read_table(tmp_path / "out" / file).to_pylist()
        assert [dict(zip(head, row, strict=True)) for row in rows] == wanted
    assert sorted(row[0] for row in sheets["summary"][1:]) == ["007", "NA", "text"]
    with (tmp_path / "out/flags.csv").open(newline="", encoding="utf-8") as file:
        flags = list(csv.DictReader(file))
    assert [row[:2] for row in sheets["flags"][1:]] == [[f["slide_id"], f["code"]] for f in flags]


def looks_of(content: bytes) -> Any:
    return openpyxl.load_workbook(io.BytesIO(content))


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The workbook of a run with a complete, an uncalibrated and a failed slide and two subjects."""
    folder, size = tmp_path_factory.mktemp("slides"), Size(300, 200)
    write_slide(folder / "one.tiff", size, {"tissue": disc(size, 150, 100, 60)})
    write_slide(folder / "two.tiff", size, {"tissue": disc(size, 150, 100, 60)}, FileForm(mpp=None))
    write_text_slide(folder / "three.svs")
    manifest = folder / "slides.csv"
    manifest.write_text("path,subject\none.tiff,P1\ntwo.tiff,P1\nthree.svs,P2\n")
    run_slides(collect_slides([], manifest=str(manifest)), load(None), folder / "out")
    return looks_of((folder / "out/summary.xlsx").read_bytes())


def test_each_sheet_can_be_filtered_and_keeps_its_heading_and_its_first_column_in_sight(book: Any) -> None:
    assert {"summary", "areas", "flags", "failed", "subjects", "seal"} <= set(book.sheetnames)
    for sheet in book:
        assert sheet.auto_filter.ref == sheet.dimensions, sheet.title
        assert sheet.freeze_panes == "B2", sheet.title
        assert sheet["A1"].font.b, sheet.title
        for column in sheet.iter_cols(max_row=1):
            assert sheet.column_dimensions[column[0].column_letter].width > len(column[0].value), column[0].value


def column_of(sheet: Any, name: str) -> list[Any]:
    place = [cell.value for cell in sheet[1]].index(name)
    return [row[place] for row in sheet.iter_rows(min_row=2) if row[place].value is not None]


@pytest.mark.parametrize(
    ("sheet", "column", "shown"),
    [
        ("summary", "tissue_area_mm2", "#,##0.0000"),
        ("summary", "class_tissue_area_mm2", "#,##0.0000"),
        ("areas", "area_mm2", "#,##0.0000"),
        ("subjects", "area_mm2", "#,##0.0000"),
        ("areas", "pct_tissue", "0.00"),
        ("summary", "n_px_total", "#,##0"),
        ("summary", "n_px_class_tissue", "#,##0"),
        ("summary", "mpp_x_um", "0.0000"),
    ],
)
def test_a_number_is_shown_as_its_unit_asks_for(book: Any, sheet: str, column: str, shown: str) -> None:
    cells = column_of(book[sheet], column)
    assert cells
    assert {cell.number_format.rpartition(";")[2] for cell in cells} == {shown}


def test_an_area_smaller_than_its_last_digit_is_not_shown_as_nought(book: Any) -> None:
    formats = {cell.number_format for cell in column_of(book["areas"], "area_mm2")}
    assert formats == {"[=0]0;[<0.001]0.00E+00;#,##0.0000"}


def test_each_status_has_a_colour_of_its_own_kind_and_stays_text(book: Any) -> None:
    cells = {cell.value: cell for cell in column_of(book["summary"], "status")}
    assert set(cells) == {"complete", "needs_calibration", "failed"}
    grounds = {status: cell.fill.fgColor.rgb for status, cell in cells.items()}
    assert len(set(grounds.values())) == 3
    assert {cell.number_format for cell in cells.values()} == {"@"}
    severities = column_of(book["flags"], "severity")
    assert severities
    assert all(cell.fill.fill_type == "solid" for cell in severities)


def test_what_a_person_reads_together_stands_together(book: Any) -> None:
    heads = [cell.value for cell in book["summary"][1]]
    first = heads.index("tumor_pct_tissue")
    assert heads[first : first + 5] == [
        "tumor_pct_tissue", "positive_area_mm2", "positive_pct_tissue", "tissue_area_mm2", "tissue_source",
    ]  # fmt: skip
    assert len(set(heads)) == len(heads)
