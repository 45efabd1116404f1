"""Machine code of others is compiled anew, never loaded; that of root, of the user and of a lab's group is loaded."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from test_machine_code import cache, scaled, was_compiled  # noqa: F401

from wsi_area.compute import trusted_file
from wsi_area.compute.kept_code import KEY_ENDS
from wsi_area.compute.trusted_file import distrust

OTHER = 54321
as_root = pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root gives files away")


@pytest.fixture(autouse=True)
def nothing_told() -> Iterator[None]:
    trusted_file.tell_distrust.cache_clear()
    yield
    trusted_file.tell_distrust.cache_clear()


def by_umask_002(folder: Path) -> None:
    folder.chmod(0o2775)
    for file in folder.iterdir():
        file.chmod(0o664)


def own_file_in_tmp(folder: Path) -> None:
    folder.chmod(0o1777)


def file_of_everybody(folder: Path) -> None:
    for file in folder.iterdir():
        file.chmod(0o666)


def folder_of_everybody(folder: Path) -> None:
    folder.chmod(0o777)


def file_of_another(folder: Path) -> None:
    for file in folder.iterdir():
        os.chown(file, OTHER, OTHER)
        file.chmod(0o666)


def read_only_file_of_another(folder: Path) -> None:
    for file in folder.iterdir():
        os.chown(file, OTHER, OTHER)
        file.chmod(0o444)


def folder_of_another(folder: Path) -> None:
    os.chown(folder, OTHER, OTHER)


def file_of_another_in_tmp(folder: Path) -> None:
    read_only_file_of_another(folder)
    folder.chmod(0o1777)


OF_ANOTHER = (file_of_another, read_only_file_of_another, folder_of_another, file_of_another_in_tmp)
UNTRUSTED = [file_of_everybody, folder_of_everybody, *(pytest.param(case, marks=as_root) for case in OF_ANOTHER)]


def planted(folder: Path) -> None:
    """Machine code that is whole, and asked for by its key, but computes something else."""
    scaled(folder, factor=3)
    [three] = folder.iterdir()
    scaled(folder, factor=5)
    [five] = set(folder.iterdir()) - {three}
    five.write_bytes(five.read_bytes()[:KEY_ENDS] + three.read_bytes()[KEY_ENDS:])
    assert scaled(folder, factor=5) == [3, 6, 750]  # which this user's own file would be believed
    assert not was_compiled()


@pytest.mark.parametrize("changed", UNTRUSTED)
def test_what_another_may_have_written_is_compiled_anew_and_the_remedy_said_once(
    cache: Path,  # noqa: F811
    caplog: pytest.LogCaptureFixture,
    changed: Callable[[Path], None],
) -> None:
    planted(cache)
    changed(cache)
    for _ in range(2):
        assert scaled(cache, factor=5) == [5, 10, 1250]
    told = [record.getMessage() for record in caplog.records if "is not loaded, since" in record.getMessage()]
    assert len(told) == 1
    assert "chmod -R o-w" in told[0]
    assert "NUMBA_CACHE_DIR" in told[0]


@pytest.mark.parametrize("changed", [by_umask_002, own_file_in_tmp])
def test_what_only_the_user_or_a_group_may_write_is_loaded(
    cache: Path,  # noqa: F811
    caplog: pytest.LogCaptureFixture,
    changed: Callable[[Path], None],
) -> None:
    scaled(cache)
    changed(cache)
    assert scaled(cache) == [3, 6, 750]
    assert not was_compiled()
    assert not caplog.records


@as_root
def test_to_another_user_what_root_wrote_is_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "installed"
    folder.mkdir(mode=0o755)
    (folder / "a.o").touch()
    monkeypatch.setattr(os, "geteuid", lambda: OTHER)
    assert distrust(folder / "a.o") == ""
    os.chown(folder / "a.o", OTHER + 1, OTHER)
    assert "belongs to another user" in distrust(folder / "a.o")
