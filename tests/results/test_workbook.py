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
from wsi_area.results.tables.workbook import MOST_CHARACTERS, workbook
from wsi_area.run.pipeline import run_slides
from wsi_area.settings.run_settings import load

openpyxl = pytest.importorskip("openpyxl", reason="no openpyxl: pip install openpyxl")
TRICKY = ["007", "1e5", "2026-01-02", "NA", "=1+1", "TRUE", "3,14", " spaced ", "<&\"'>", "µm²", "-", "#N/A"]


def sheets_of(content: bytes) -> dict[str, list[list[Any]]]:
    book = openpyxl.load_workbook(io.BytesIO(content))
    return {sheet.title: [[cell.value for cell in row] for row in sheet.iter_rows()] for sheet in book}


def test_text_stays_text_whatever_it_looks_like() -> None:
    book = openpyxl.load_workbook(io.BytesIO(workbook([("ids", ["slide_id"], [{"slide_id": i} for i in TRICKY])])))
    cells = [row[0] for row in book["ids"].iter_rows(min_row=2)]
    assert [cell.value for cell in cells] == TRICKY
    assert {cell.data_type for cell in cells} <= {"s", "inlineStr"}
    assert {cell.number_format for cell in cells} == {"@"}


def test_numbers_keep_their_last_digit_and_what_is_unknown_has_no_cell() -> None:
    row = {"a": 0.1 + 0.2, "b": 2**40 + 1, "c": None, "d": True, "e": 0.0, "f": 5e-324, "g": -1.7e308}
    (head, values), = sheets_of(workbook([("t", list(row), [row])])).values()  # fmt: skip
    assert head == list(row)
    assert dict(zip(head, values, strict=True)) == row


def test_what_a_sheet_cannot_hold_does_not_break_the_file() -> None:
    rows = [{"t": "x" * (MOST_CHARACTERS + 5)}, {"t": "bell\x07 and \ud800"}]
    ((_, (long,), (odd,)),) = sheets_of(workbook([("t", ["t"], rows)])).values()
    assert len(long) == MOST_CHARACTERS
    assert odd == r"bell\x07 and \ud800"


def test_the_same_tables_make_the_same_bytes() -> None:
    tables = [("t", ["a"], [{"a": 1}]), ("u", ["b"], [])]
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
