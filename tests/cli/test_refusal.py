"""A command that was given --json and could not do what was asked says so in JSON, too."""

from pathlib import Path
from typing import NoReturn

import pytest
from command_line import wsi_area
from synthetic import disc, write_slide

from wsi_area.model.geometry import Size

SIZE = Size(400, 300)


@pytest.fixture(scope="module")
def slide(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_slide(tmp_path_factory.mktemp("slide") / "s.tif", SIZE, {"tissue": disc(SIZE, 200, 150, 80)}).path


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["check", "absent.svs"], 1, "absent.svs"),
        (["plan", "{slide}", "--set", "tiling.work_mp=1"], 1, "did you mean tiling.work_mpp"),
        (["run", "{slide}", "--out", "{out}", "--bogus"], 1, "--bogus"),
        (["run", "{slide}"], 1, "--out"),
        (["run", "{slide}", "--out", "{out}", "--mpp", "0"], 1, "--mpp"),
        (["merge", "{out}"], 1, "no shards"),
        (["report", "{out}"], 1, "run.json"),
        (["verify", "{out}"], 1, "does not exist"),
        (["diff", "{out}", "{out}"], 1, "does not exist"),
        (["change", "{slide}"], 1, "RUN"),
        (["config", "show", "--config", "absent.toml"], 1, "absent.toml"),
        (["evaluate", "{out}"], 1, ""),
        (["no-such-command"], 1, "no-such-command"),
    ],
)
def test_an_error_is_one_document_and_still_a_line_for_people(
    slide: Path, tmp_path: Path, words: list[str], code: int, says: str
) -> None:
    asked = [word.format(slide=slide, out=tmp_path / "out") for word in words]
    ended = wsi_area(*asked, "--json")
    assert ended.code == code
    assert ended.document["exit_code"] == code
    assert says in ended.document["error"].replace("BEFORE", "RUN")
    first_line = ended.document["error"].splitlines()[0]
    assert first_line in ended.err.replace("\n", " ") or first_line in ended.err
    assert wsi_area(*asked).out == ""


def test_a_file_called_json_is_no_wish_for_json() -> None:
    ended = wsi_area("check", "--", "--json")
    assert (ended.code, ended.out) == (1, "")


def test_a_merge_with_a_shard_missing_names_it_and_ends_with_2_in_json_too(slide: Path, tmp_path: Path) -> None:
    assert wsi_area("run", slide, "--out", tmp_path / "o", "--set=segmenter.threshold=60", "--shard=1/2").code == 0
    ended = wsi_area("merge", tmp_path / "o", "--json")
    assert ended.code == ended.document["exit_code"] == 2
    assert "shard 2 left no result, of 2 in all; run the same command with --shard 2/2" in ended.document["error"]


def test_ctrl_c_while_the_report_is_written_says_what_is_there_and_what_to_do(
    slide: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def pressed(*_: object, **__: object) -> NoReturn:
        raise KeyboardInterrupt

    monkeypatch.setattr("wsi_area.reports.report.write_report", pressed)
    asked = ("run", slide, "--out", tmp_path / "o", "--set", "segmenter.threshold=60")
    ended = wsi_area(*asked)
    assert ended.code == 130
    assert "run the same command again" in ended.err
    assert f"wsi-area report {tmp_path / 'o'}" in ended.err
    assert wsi_area(*asked, "--json").document["exit_code"] == 130
    monkeypatch.undo()
    assert wsi_area("verify", tmp_path / "o").code == 0  # what it says is there
    assert wsi_area("report", tmp_path / "o").code == 0


def test_ctrl_c_anywhere_else_says_how_to_go_on(slide: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def pressed(*_: object, **__: object) -> NoReturn:
        raise KeyboardInterrupt

    monkeypatch.setattr("wsi_area.cli.commands.check.check_slide", pressed)
    ended = wsi_area("check", slide)
    assert (ended.code, ended.err.strip()) == (130, "interrupted: run the same command again")
