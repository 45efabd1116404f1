"""Tables in a pipe are laid out by us, and held against what rich makes of the same."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from wsi_area.cli.output import printer
from wsi_area.cli.output.console import PlainConsole
from wsi_area.cli.output.printer import Pipe
from wsi_area.cli.output.text_table import Column, Styled, TextTable, width_of
from wsi_area.cli.output.wrapping import PIPED_WIDTH

WORDS = st.text("abcXYZ059.,±µ²→日本語한ｗ", max_size=9) | st.just("cafe\u0301")
CELLS = WORDS | st.lists(WORDS.filter(bool), min_size=2, max_size=3).map("\n".join)


def plain(*texts: str) -> tuple[Styled, ...]:
    return tuple(Styled(((text, ""),)) for text in texts)


@st.composite
def tables(draw: st.DrawFn) -> TextTable:
    columns = draw(st.lists(st.builds(Column, CELLS, is_right=st.booleans()), min_size=1, max_size=4))
    row = st.tuples(*[CELLS.map(lambda text: plain(text)[0]) for _ in columns])
    return TextTable(tuple(columns), tuple(draw(st.lists(row, max_size=4))))


def by_rich(*shown: TextTable) -> list[str]:
    file = io.StringIO()
    PlainConsole(file=file, width=PIPED_WIDTH, force_terminal=False).print_first_fitting(*shown)
    return [line.rstrip() for line in file.getvalue().splitlines()]


@given(tables())
def test_a_table_in_a_pipe_is_that_of_rich_but_for_spaces_at_the_ends_of_lines(table: TextTable) -> None:
    assert list(table.lines()) == by_rich(table)


@given(WORDS)
def test_a_text_is_as_wide_as_a_terminal_shows_it(text: str) -> None:
    assert width_of(text) == cell_len(text)


def test_styles_are_left_away_and_what_orders_something_is_escaped() -> None:
    cell = Styled((("done", "green"), ("\n\x1b[2J", "yellow")))
    table = TextTable((Column("a\nb"), Column("n", is_right=True)), ((cell, *plain("1.50")), plain("x", "22.5\x07")))
    assert list(table.lines()) == ["a", "b               n", "done         1.50", "\\x1b[2J", "x        22.5\\x07"]


def test_of_tables_the_first_that_fits_is_printed_and_else_the_last(capsys: pytest.CaptureFixture[str]) -> None:
    wide, narrow = (TextTable((Column("head"),), (plain("x" * n),)) for n in (PIPED_WIDTH + 1, PIPED_WIDTH))
    Pipe().print_first_fitting(wide, narrow)
    assert capsys.readouterr().out == f"head\n{'x' * PIPED_WIDTH}\n"
    Pipe().print_first_fitting(narrow, wide)
    assert capsys.readouterr().out == f"head\n{'x' * PIPED_WIDTH}\n"
    Pipe().print_first_fitting(wide)
    assert capsys.readouterr().out == f"head\n{'x' * (PIPED_WIDTH + 1)}\n"


@pytest.mark.parametrize("name", [":art:", "case:smile:2", "[b]1[/b].svs", "[/]"])
def test_a_line_in_a_pipe_is_printed_as_it_is(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    printer.print_lines(Pipe(), f"{name}\n\n{name}", "bold", "  ")
    assert capsys.readouterr().out == f"  {name}\n\n  {name}\n"


@pytest.mark.parametrize(
    ("said", "is_piped"),
    [({}, True), ({"FORCE_COLOR": "1"}, False), ({"TTY_COMPATIBLE": "1"}, False), ({"TTY_COMPATIBLE": "0"}, True)],
)
def test_what_is_no_terminal_is_a_pipe_unless_it_is_to_be_taken_for_one(
    said: dict[str, str], is_piped: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("FORCE_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in said.items():
        monkeypatch.setenv(name, value)
    assert printer.is_piped() is is_piped
    assert isinstance(printer.printer(), Pipe) is is_piped
    assert printer.printer().is_terminal is not is_piped
