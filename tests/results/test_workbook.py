"""summary.xlsx: what another program reads out of it is what the tables hold, as text or as numbers."""

import csv
import io
import zipfile
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from synthetic import FileForm, disc, write_slide, write_text_slide

from wsi_area.errors import ResultError
from wsi_area.inputs.collect import collect_slides
from wsi_area.model.geometry import Size
from wsi_area.results.tables.workbook.added_sheet import with_sheet
from wsi_area.results.tables.workbook.file import MOST_CHARACTERS, Sheet, workbook
from wsi_area.results.tables.workbook.looks import GENERAL, HEADING, TEXT, number_format, word_format
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


@pytest.mark.parametrize(
    ("edge", "inside"),
    [(0x20, True), (0x7E, True), (0xA0, True), (0xD7FF, True), (0xE000, True), (0xFFFD, True), (0xFFFE, False),
     (0xFFFF, False), (0x10000, True), (0x1FFFF, True), (0x10FFFF, True), (ord("\t"), True)],
)  # fmt: skip
def test_a_cell_holds_each_character_that_xml_can_and_a_space_for_one_that_it_cannot(edge: int, inside: bool) -> None:
    (cell,) = sheets_of(workbook([Sheet("s", {"a": "text"}, [{"a": f"x{chr(edge)}y"}])]))["s"][1]
    assert cell == (f"x{chr(edge)}y" if inside else "x y")


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


def test_a_printed_page_lies_on_its_side_and_repeats_the_heading_and_the_first_column(book: Any) -> None:
    for sheet in book.worksheets:
        assert (sheet.page_setup.orientation, sheet.page_setup.fitToHeight) == ("landscape", 0)
        assert sheet.sheet_properties.pageSetUpPr.fitToPage
        assert (sheet.print_title_rows, sheet.print_title_cols) == ("$1:$1", "$A:$A")
    wide, narrow = book["summary"].page_setup, book["seal"].page_setup
    assert wide.fitToWidth > 2 * narrow.fitToWidth == 2


def test_a_sheet_that_joins_later_is_printed_like_the_others() -> None:
    content = with_sheet(workbook([Sheet("a", ["x"], [])]), Sheet("it's late", ["x", "y"], [{"x": 1, "y": 2}]))
    late = looks_of(content)["it's late"]
    assert (late.print_title_rows, late.print_title_cols) == ("$1:$1", "$A:$A")
    assert late.page_setup.orientation == "landscape"


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


EARLIER_STYLES = (
    '<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><fonts count="2"><font>'
    '<name val="Calibri"/></font><font><b/><name val="Calibri"/></font></fonts><fills count="2"><fill>'
    '<patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills>'
    '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders><cellStyleXfs count="1">'
    '<xf numFmtId="0"/></cellStyleXfs><cellXfs count="3"><xf numFmtId="0" xfId="0"/><xf numFmtId="0" fontId="1" '
    'xfId="0" applyFont="1"/><xf numFmtId="49" xfId="0" applyNumberFormat="1"/></cellXfs></styleSheet>'
)
"""What a version wrote whose cells had three formats: as it is, a heading, text."""


def with_part(content: bytes, name: str, text: str) -> bytes:
    """A workbook with another part under a name."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(file, "w") as new:
        for entry in old.namelist():
            if entry != name:
                new.writestr(entry, old.read(entry))
        new.writestr(name, text)
    return file.getvalue()


def test_a_sheet_may_join_the_workbook_of_a_version_that_knew_fewer_formats() -> None:
    ids = [{"slide_id": "007", "n": 3}]
    old = with_part(workbook([Sheet("summary", ["slide_id", "n"], ids)]), "xl/styles.xml", EARLIER_STYLES)
    more = Sheet(
        "review", ["status", "area_mm2"], [{"status": "failed", "area_mm2": 2.5}], {"area_mm2": ("mm²", "number")}
    )
    book = looks_of(with_sheet(old, more))
    assert book.sheetnames == ["summary", "review"]
    assert (book["summary"]["A2"].value, book["summary"]["A2"].number_format) == ("007", "@")
    assert book["summary"]["A1"].font.b
    assert book["summary"]["B2"].number_format == "General"
    assert book["review"]["A2"].fill.fill_type == "solid"
    assert book["review"]["B2"].number_format.endswith("#,##0.0000")


@pytest.mark.parametrize("part", ["docProps/app.xml", "xl/sharedStrings.xml", "xl/theme/theme1.xml"])
def test_a_workbook_that_another_program_saved_gets_no_sheet_since_its_formats_are_not_ours(part: str) -> None:
    saved = with_part(workbook([Sheet("summary", ["a"], [{"a": 1}])]), part, "<x/>")
    with pytest.raises(ResultError, match=f"another program wrote it: it holds {part}.*run the same command"):
        with_sheet(saved, Sheet("review", ["a"], []))


def test_formats_keep_their_places_for_the_workbooks_that_are_there() -> None:
    assert (GENERAL, HEADING, TEXT) == (0, 1, 2)
    words = ("complete", "incomplete", "failed", "estimated")
    assert [word_format(word) for word in words] == [3, 4, 5, 6]
    kinds = (("mm²", "number"), ("%", "number"), ("", "number"), ("µm/px", "number"), ("level-0 px", "number"))
    assert [number_format(unit, kind) for unit, kind in kinds] == [7, 8, 9, 10, 11]
    assert number_format("level-0 px", "integer") == 12
