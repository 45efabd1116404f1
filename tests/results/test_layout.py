import json
import multiprocessing
import os
from pathlib import Path

import pytest

from wsi_area.errors import ResultError
from wsi_area.results.csv_text import write_csv
from wsi_area.results.layout import read_json, write_bytes, write_json
from wsi_area.storage.locks import sole_writer


def test_a_file_is_whole_or_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "deep" / "a.json"
    write_json(path, {"a": 1})

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ResultError, match=r"a\.json cannot be written \(No space left on device\)"):
        write_json(path, {"a": 2})
    assert json.loads(path.read_text()) == {"a": 1}
    assert os.listdir(path.parent) == ["a.json"]  # nothing is left lying about


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    blocker = tmp_path / "file"
    blocker.write_text("in the way")
    with pytest.raises(ResultError, match="cannot be written"):
        write_bytes(blocker / "x", b"")


def test_not_a_number_never_reaches_json(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        write_json(tmp_path / "a.json", {"a": float("nan")})


@pytest.mark.parametrize("content", [b"", b"[1]", b"{", b"\xff"])
def test_a_damaged_document_is_a_clear_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "run.json"
    path.write_bytes(content)
    with pytest.raises(ResultError, match=r"run\.json"):
        read_json(path)


def test_csv_keeps_full_precision_and_leaves_the_missing_empty(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    write_csv(path, ["name", "area_mm2", "n_px"], [{"name": 'a,"b"', "area_mm2": 0.1 + 0.2, "n_px": None}])
    assert path.read_text() == 'name,area_mm2,n_px\n"a,""b""",0.30000000000000004,\n'


def _try_to_hold(folder: str, answer: "multiprocessing.Queue[str]") -> None:
    try:
        with sole_writer(Path(folder)):
            answer.put("held")
    except ResultError as error:
        answer.put(str(error))


def test_a_second_coordinator_is_refused_and_a_later_one_is_not(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    answer: multiprocessing.Queue[str] = context.Queue()
    for expected, hold in (("being written by another", True), ("held", False)):
        other = context.Process(target=_try_to_hold, args=(str(tmp_path), answer))
        if hold:
            with sole_writer(tmp_path):
                other.start()
                assert expected in answer.get(timeout=60)
        else:
            other.start()
            assert expected in answer.get(timeout=60)
        other.join(60)


@pytest.mark.parametrize("levels", [61, 200, 900, 100_000])
def test_a_document_that_nests_deeper_than_any_of_ours_is_refused_in_words(tmp_path: Path, levels: int) -> None:
    path = tmp_path / "run.json"
    path.write_text('{"settings": ' + "[" * levels + "]" * levels + "}")
    with pytest.raises(ResultError, match=r"run\.json was changed: it nests deeper than 60 levels"):
        read_json(path)
    path.write_text('{"settings": ' + "[" * 58 + "]" * 58 + "}")
    assert list(read_json(path)) == ["settings"]
