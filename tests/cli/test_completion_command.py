"""`wsi-area completion`: real shells complete commands and options with what it prints."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from wsi_area.cli.main import cli

PROGRAM = Path(sys.executable).parent / "wsi-area"
BASH = """
source <("$PROGRAM" completion bash)
COMP_WORDS=(wsi-area {words}); COMP_CWORD={place}
_wsi_area_completion wsi-area
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
FISH = """
$PROGRAM completion fish | source
complete -C "wsi-area {words}"
"""


def shell(name: str, script: str) -> list[str]:
    if shutil.which(name) is None or not PROGRAM.is_file():
        pytest.skip(f"no {name} here, or wsi-area is not installed beside Python")
    path = f"{PROGRAM.parent}{os.pathsep}{os.environ['PATH']}"
    ended = subprocess.run(
        [name, "-c", script], capture_output=True, text=True, timeout=120, check=True,
        env={**os.environ, "PATH": path, "PROGRAM": str(PROGRAM)},
    )  # fmt: skip
    return [line.split("\t")[0] for line in ended.stdout.splitlines() if line]


@pytest.mark.parametrize(("words", "offered"), [("ver", ["verify"]), ("export --format g", ["geojson"])])
@pytest.mark.parametrize("name", ["bash", "fish"])
def test_the_shell_offers_what_the_program_has(name: str, words: str, offered: list[str]) -> None:
    script = BASH.format(words=words, place=len(words.split())) if name == "bash" else FISH.format(words=words)
    assert shell(name, script) == offered


def test_zsh_takes_the_script_and_is_told_what_each_command_is_for() -> None:
    asked = "_WSI_AREA_COMPLETE=zsh_complete COMP_WORDS='wsi-area ver' COMP_CWORD=1 $PROGRAM"
    script = f'autoload -U compinit && compinit -u -D && eval "$($PROGRAM completion zsh)" && {asked}'
    kind, name, *about = shell("zsh", script)
    assert (kind, name) == ("plain", "verify")
    assert about[0].startswith("Count the class maps")


@pytest.mark.parametrize("name", ["bash", "zsh", "fish"])
def test_the_script_is_clicks_own_and_comes_as_json_too(name: str) -> None:
    plain = CliRunner().invoke(cli, ["completion", name])
    as_json = json.loads(CliRunner().invoke(cli, ["completion", name, "--json"]).stdout)
    assert plain.exit_code == 0
    assert as_json["script"].strip() == plain.stdout.strip()
    assert f"_WSI_AREA_COMPLETE={name}_complete" in plain.stdout
    assert "wsi-area" in plain.stdout


def test_another_shell_is_refused_with_those_that_are_known() -> None:
    ended = CliRunner().invoke(cli, ["completion", "tcsh"])
    assert ended.exit_code != 0
    assert "bash" in ended.output
