"""A file that one writer makes longer, and one that whoever comes first makes: on a disk, whole and flushed."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from wsi_area.storage import growing
from wsi_area.storage.growing import GrowingFile, make_once


def test_what_is_added_follows_what_is_there(tmp_path: Path) -> None:
    file = GrowingFile(tmp_path / "new/folder/a.jsonl")
    for line in (b"one\n", b"two\n"):
        file.add(line)
    assert (tmp_path / "new/folder/a.jsonl").read_bytes() == b"one\ntwo\n"


def test_a_file_that_is_there_is_not_begun_again(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(b"theirs\n")
    with pytest.raises(FileExistsError):
        GrowingFile(tmp_path / "a.jsonl").add(b"ours\n")
    assert (tmp_path / "a.jsonl").read_bytes() == b"theirs\n"


def test_a_file_that_somebody_else_wrote_meanwhile_is_left(tmp_path: Path) -> None:
    file = GrowingFile(tmp_path / "a.jsonl")
    file.add(b"one\n")
    (tmp_path / "a.jsonl").write_bytes(b"cut")
    with pytest.raises(FileExistsError):
        file.add(b"two\n")
    assert (tmp_path / "a.jsonl").read_bytes() == b"cut"


def test_what_does_not_fit_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = GrowingFile(tmp_path / "a.jsonl")
    file.add(b"one\n")
    write = os.write

    def full(descriptor: int, content: bytes) -> int:
        write(descriptor, bytes(content)[:2])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(growing.os, "write", full)
    with pytest.raises(OSError, match="No space left"):
        file.add(b"two\n")
    monkeypatch.undo()
    assert (tmp_path / "a.jsonl").read_bytes() == b"one\n"
    file.add(b"two\n")
    assert (tmp_path / "a.jsonl").read_bytes() == b"one\ntwo\n"


def test_of_many_who_make_a_file_at_once_one_does(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as threads:
        made = list(threads.map(lambda n: make_once(tmp_path / "one.json", str(n).encode()), range(24)))
    assert sum(made) == 1
    assert (tmp_path / "one.json").read_bytes() == str(made.index(True)).encode()
    assert [path.name for path in tmp_path.iterdir()] == ["one.json"]


def test_a_file_system_without_links_makes_it_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_links(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(growing.os, "link", no_links)
    assert make_once(tmp_path / "one.json", b"first")
    assert not make_once(tmp_path / "one.json", b"second")
    assert (tmp_path / "one.json").read_bytes() == b"first"
