"""Answers as spreadsheets save them: other separators, a mark at the beginning, classes in another case."""

import csv
import io
from collections.abc import Callable
from pathlib import Path

import pytest

from wsi_area.audit.reference.answers import POINT_COLUMNS, read_answers
from wsi_area.errors import SettingsError

ROWS = [
    ("p-001", "a; b", "10", "20", "tissue"), ("p-002", "'=slide", "300", "40", "?"), ("p-003", "c,d", "5", "6", ""),
]  # fmt: skip


def table(delimiter: str, columns: tuple[str, ...] = POINT_COLUMNS) -> str:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter)
    writer.writerows([columns, *ROWS])
    return text.getvalue()


FORMS: dict[str, Callable[[], bytes]] = {
    "comma": lambda: table(",").encode(),
    "semicolon": lambda: table(";").encode(),
    "tab": lambda: table("\t").encode(),
    "marked": lambda: table(";").encode("utf-8-sig"),
    "sep": lambda: ("sep=;\n" + table(";")).encode(),
    "named": lambda: table(";", tuple(name.title() for name in POINT_COLUMNS)).encode(),
    "empty_lines": lambda: (table(";") + ";;;;\r\n\r\n").encode(),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_file_is_read_however_a_spreadsheet_saved_it(tmp_path: Path, form: str) -> None:
    (tmp_path / "r.csv").write_bytes(FORMS[form]())
    assert [tuple(row[name] for name in POINT_COLUMNS) for row in read_answers(tmp_path / "r.csv")] == [
        ("p-001", "a; b", "10", "20", "tissue"), ("p-002", "=slide", "300", "40", "?"), ("p-003", "c,d", "5", "6", ""),
    ]  # fmt: skip


def test_columns_of_the_readers_own_are_left_aside(tmp_path: Path) -> None:
    lines = table(";").splitlines()
    text = "\n".join(f"{line};{extra}" for line, extra in zip(lines, ("Note", "x", "y", ""), strict=True))
    (tmp_path / "r.csv").write_text(text)
    assert [row["answer"] for row in read_answers(tmp_path / "r.csv")] == ["tissue", "?", ""]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le"])
def test_unicode_text_is_refused_with_what_to_save_instead(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "r.csv").write_bytes(table("\t").encode(encoding))
    with pytest.raises(SettingsError, match="CSV UTF-8"):
        read_answers(tmp_path / "r.csv")
