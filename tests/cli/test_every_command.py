"""What holds for every command: examples, one JSON document, colours that can be taken away, a narrow terminal."""

import os
import pty
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from wsi_area.cli.main import cli

COLOUR = re.compile(r"\x1b\[[0-9;]*\b(?:3[0-7]|9[0-7])m")


def every_command(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from every_command(command, (*path, name))
        else:
            yield (*path, name)


COMMANDS = sorted(every_command(cli))


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_help_has_an_example_and_a_way_to_json(words: tuple[str, ...]) -> None:
    ended = CliRunner().invoke(cli, [*words, "--help"])
    assert ended.exit_code == 0
    body = ended.stdout.partition("\n")[2]
    assert re.search(rf"^ +(eval \"\$\()?wsi-area {' '.join(words)}\b", body, re.MULTILINE)
    assert "--json" in body


def test_the_list_of_commands_names_them_all_and_says_what_each_is_for() -> None:
    listed = CliRunner().invoke(cli, ["--help"]).stdout
    for name in {words[0] for words in COMMANDS}:
        assert re.search(rf"^  {name} +\S.{{15}}", listed, re.MULTILINE)
    assert "completion bash" in listed


@pytest.mark.parametrize(
    "option", ["--config", "--mpp", "--manifest", "--recursive", "--set", "--annotations", "--roi"]
)
def test_an_option_that_several_commands_have_is_one_option(option: str) -> None:
    found = {}
    for name in ("check", "plan", "run", "submit"):
        command = cli.get_command(click.Context(cli), name)
        assert command is not None
        for parameter in command.params:
            if option in parameter.opts:
                found[name] = (parameter.type.name, parameter.multiple, parameter.metavar)
    assert len(found) >= 3
    assert len(set(found.values())) == 1


def on_terminal(folder: Path, columns: int, **environment: str) -> str:
    """What `wsi-area check` shows of a folder on a terminal."""
    main, its_end = pty.openpty()
    program = "import sys; from wsi_area.cli.main import main; sys.argv = ['wsi-area', 'check', sys.argv[1]]; main()"
    known = {name: value for name, value in os.environ.items() if name not in {"NO_COLOR", "FORCE_COLOR"}}
    wanted = {**known, "TERM": "xterm-256color", "COLUMNS": str(columns), **environment}
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(folder)], stdin=its_end, stdout=its_end, stderr=its_end, env=wanted
    )
    os.close(its_end)
    parts = []
    while True:
        try:
            part = os.read(main, 65536)
        except OSError:  # how Linux says that the other end is closed
            break
        if not part:
            break
        parts.append(part)
    os.close(main)
    assert process.wait(timeout=60) == 2
    return b"".join(parts).decode()


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("broken")
    (folder / "text.svs").write_text("no slide at all")
    return folder


def test_no_color_takes_the_colours_away_and_nothing_else(broken: Path) -> None:
    coloured, plain = on_terminal(broken, 80), on_terminal(broken, 80, NO_COLOR="1")
    assert COLOUR.search(coloured)
    assert not COLOUR.search(plain)
    bare = [re.sub(r"\x1b\[[0-9;]*m", "", text) for text in (coloured, plain)]
    assert bare[0] == bare[1]
    assert max(map(len, bare[0].splitlines())) <= 80
