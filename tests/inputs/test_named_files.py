"""What is held of files named beside a slide: another content is another digest, wherever it lies."""

import os
from pathlib import Path

import pytest

from wsi_area.inputs.named_files import digest_of_place


def exchanged(file: Path, content: bytes) -> None:
    """Write another content of the same length, and set the time back."""
    before = file.stat()
    assert len(content) == before.st_size
    file.write_bytes(content)
    while file.stat().st_ctime_ns == before.st_ctime_ns:  # the clock of a file system has steps
        os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert file.stat().st_mtime_ns == before.st_mtime_ns


@pytest.mark.parametrize("inner", ["card.json", "trees.npz", "deeper/down/0.0"])
@pytest.mark.parametrize("is_folder", [True, False])
def test_a_file_that_was_exchanged_and_its_time_set_back_is_seen_in_a_folder_too(
    tmp_path: Path, inner: str, is_folder: bool
) -> None:
    file = tmp_path / inner
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"one")
    (tmp_path / "other").write_bytes(b"stays")
    place = tmp_path if is_folder else file
    before = digest_of_place(place)
    assert digest_of_place(place) == before
    exchanged(file, b"two")
    assert digest_of_place(place) != before


def test_a_file_that_came_into_a_folder_is_seen(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"1")
    before = digest_of_place(tmp_path)
    (tmp_path / "b").write_bytes(b"")
    assert digest_of_place(tmp_path) != before
