"""What a file is called is bytes; what is written and shown is text that orders nothing."""

import json
import os
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from wsi_area.model.finding import QaFinding
from wsi_area.model.slide_result import FailedSlide
from wsi_area.plain_text import named_file, plain, plain_values
from wsi_area.results.csv_text import csv_text, text_of_csv

ORDERS = ["\x1b[2J", "\x1b]0;title\x07", "\x07", "\x9b31m", "\x7f", "\r", "\u202etxt.exe", "\x00", "\udce9"]


@pytest.mark.parametrize("order", ORDERS)
def test_no_order_to_a_terminal_survives_and_what_stood_there_can_still_be_read(order: str) -> None:
    told = plain(f"a{order}b")
    assert told.replace("\\", "").isprintable()
    assert told.startswith("a\\")
    assert told.endswith("b")


@pytest.mark.parametrize(
    "text", ["µm², ± 3 %", "日本.tif", "Zoë – “ok”", "line\nline\ttab", "\u0645\u0631\u062d", "👩‍🔬"]
)
def test_what_people_write_stays_as_it_is(text: str) -> None:
    assert plain(text) == text


@given(st.text(alphabet=st.characters(codec=None)))
def test_any_text_can_be_written_and_holds_no_control_character(text: str) -> None:
    told = plain(text)
    told.encode("utf-8")
    assert not any((ord(c) < 32 and c not in "\t\n") or 0x7F <= ord(c) <= 0x9F for c in told)
    assert plain(told) == told


@example(b"\xc2\x80")
@example(b"\x80")
@given(st.binary(min_size=1, max_size=20))
def test_the_path_in_a_document_leads_back_to_the_file(name: bytes) -> None:
    if b"\\" in name:  # a name with backslashes of its own is taken as it stands
        return
    path = os.fsdecode(b"/there/is/no/such/folder/" + name)
    assert os.fsencode(named_file(plain(path))) == os.fsencode(path)  # bytes: a report of a failure can be written


def test_a_file_with_a_backslash_in_its_name_is_that_file(tmp_path: Path) -> None:
    path = tmp_path / "a\\xe9.tif"
    path.touch()
    assert named_file(str(path)) == str(path)


def test_whatever_becomes_part_of_a_document_can_be_written() -> None:
    name = os.fsdecode(b"/s/caf\xe9\x1b.tif")
    failed = FailedSlide(slide_id="a", status="failed", reason=f"{name}: odd", path=name, error="SlideOpenError")
    assert failed.path == "/s/caf\\xe9\\x1b.tif"
    assert failed.reason == "/s/caf\\xe9\\x1b.tif: odd"
    found = QaFinding("a", "X", "info", None, None, "", f"see {name}", f"move {name}")
    json.dumps([found.message, found.remedy], ensure_ascii=False).encode("utf-8")
    assert plain_values({name: [name, (name, 1)]}) == {failed.path: [failed.path, (failed.path, 1)]}


@pytest.mark.parametrize("text", ["=1+1", "+49", "-x", "@sum", "\tx", "'=a", "＝x"])
def test_no_text_of_a_table_begins_a_formula_and_every_text_comes_back(text: str) -> None:
    cell = csv_text(text)
    assert cell[0] not in "=+-@\t\r\n＝"
    assert text_of_csv(cell) == text


@given(st.text(max_size=12))
def test_a_cell_without_control_characters_comes_back_as_it_was(text: str) -> None:
    if plain(text) == text:
        assert text_of_csv(csv_text(text)) == text
