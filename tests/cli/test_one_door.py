"""What the command line prints goes through one place, where nothing can give orders to a terminal."""

import json
from pathlib import Path

import pytest

import wsi_area.cli
from wsi_area.cli.output.wrapping import say, say_document

COMMANDS = Path(wsi_area.cli.__file__).parent


def test_nobody_prints_past_the_door() -> None:
    text_of = {path: path.read_text("utf-8") for path in COMMANDS.rglob("*.py") if path.name != "wrapping.py"}
    past = [path.name for path, text in text_of.items() if "click.echo" in text or "\n    print(" in text]
    assert len(text_of) > 20
    assert past == []


@pytest.mark.parametrize("name", ["a\x1b[2J", "bell\x07", "c1\x9b31m", "del\x7f", "caf\udce9", "\u202etif.exe"])
def test_a_name_gives_no_orders_whether_it_is_read_by_a_person_or_a_program(
    capsys: pytest.CaptureFixture[str], name: str
) -> None:
    say(f"{name}: measured")
    say_document({"slide": name, "rows": [{name: name}]})
    printed = capsys.readouterr().out
    printed.encode("utf-8")
    assert not set(name) & set("\x1b\x07\x9b\x7f\udce9\u202e") & set(printed)
    assert list(json.loads(printed.partition("measured")[2])) == ["slide", "rows"]
