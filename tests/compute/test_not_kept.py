"""Where machine code cannot be kept, one line says so for all of its functions, and each of them works."""

import errno
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from test_machine_code import ARGUMENTS, SOURCE, cache  # noqa: F401

from wsi_area.compute import kept_code, machine_code
from wsi_area.compute.machine_code import address_of, native_function

NAMES = ("doubling", "trebling", "tenfold")
FACTORS = (2, 3, 10)


@pytest.fixture(autouse=True)
def nothing_told() -> Iterator[None]:
    kept_code.tell_not_kept.cache_clear()
    yield
    kept_code.tell_not_kept.cache_clear()


@pytest.fixture
def folder(cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:  # noqa: F811
    """Three modules of one kernel each, in three folders."""
    for name, factor in zip(NAMES, FACTORS, strict=True):
        place = cache.parent / name
        place.mkdir()
        (place / f"{name}.py").write_text(SOURCE.format(factor=factor, imports=""))
        monkeypatch.syspath_prepend(place)
        monkeypatch.delitem(sys.modules, name, raising=False)
    return cache


def results() -> list[list[int]]:
    """What each kernel makes of 1, 2, 250."""
    found = []
    for name in NAMES:
        values, out = np.array([1, 2, 250], np.uint8), np.zeros(3, np.int64)
        native_function(name, "scale", ARGUMENTS)(address_of(values), 3, address_of(out))
        found.append(out.tolist())
    return found


def the_folder_named_is_a_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    folder.write_text("")
    return f"not in NUMBA_CACHE_DIR, {folder}"


def a_read_only_container(folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.delenv("NUMBA_CACHE_DIR")
    monkeypatch.setattr(kept_code, "_can_be_written", lambda place: False)
    return "neither beside the package nor in the user's cache"


def a_full_disk(folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    def full(file: Path, key: bytes, code: bytes) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(file))

    monkeypatch.setattr(machine_code, "write_code", full)
    return f"{folder}: {os.strerror(errno.ENOSPC)}"


@pytest.mark.parametrize("made", [the_folder_named_is_a_file, a_read_only_container, a_full_disk])
def test_one_line_says_that_no_code_is_kept_and_every_kernel_works(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, made
) -> None:
    why = made(folder, monkeypatch)
    assert results() == [[factor, 2 * factor, 250 * factor] for factor in FACTORS]
    (line,) = (record.getMessage() for record in caplog.records)
    assert why in line
    assert "set NUMBA_CACHE_DIR" in line
