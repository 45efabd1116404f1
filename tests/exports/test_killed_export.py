"""What an export that was killed left half written goes with the next one; what another one is writing stays."""

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from drawn_run_fixtures import (  # noqa: F401
    drawing_fixture,
    drawn_slide_fixture,
    folder_fixture,
    measured_run_fixture,
)

from wsi_area.exports.export import ExportOptions, Format, export_run
from wsi_area.storage import living, whole_files

WRITER = """
    import sys
    from pathlib import Path
    from wsi_area.storage.whole_files import gzipped, replaced_folder
    opened = gzipped if sys.argv[2] == "file" else replaced_folder
    with opened(Path(sys.argv[1])) as draft:
        (draft / "half").write_bytes(b"half") if sys.argv[2] != "file" else draft.write(b"half")
        print("writing", flush=True)
        sys.stdin.read()
"""


def writer(path: Path, kind: str) -> "subprocess.Popen[bytes]":
    """A process that has begun to write, and goes on until it is killed."""
    words = [sys.executable, "-c", textwrap.dedent(WRITER), str(path), kind]
    process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"writing\n"
    return process


def killed(process: "subprocess.Popen[bytes]") -> None:
    process.kill()
    process.communicate(timeout=30)


def drafts(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob(".*.partial")]


@pytest.mark.parametrize(("name", "kind"), [("regions.geojson.gz", "file"), ("labels.ome.zarr", "folder")])
@pytest.mark.parametrize("format_", ["geojson", "ome-zarr"])
@pytest.mark.parametrize("elsewhere", [False, True])
def test_the_next_export_of_either_format_removes_what_a_killed_one_left(
    folder: Path, tmp_path: Path, name: str, kind: str, format_: Format, elsewhere: bool
) -> None:
    out = tmp_path / "elsewhere" if elsewhere else None
    target = folder / "slides/S1" if out is None else out / "S1"
    killed(writer(target / name, kind))
    assert len(drafts(target)) == 1
    [exported] = export_run(folder, ExportOptions(format_), out=out)
    assert drafts(target) == []
    assert exported.path is not None
    assert exported.path.exists()
    assert exported.path.parent == target


def test_what_a_living_export_is_writing_stays(folder: Path) -> None:
    target = folder / "slides/S1"
    at_work = writer(target / "labels.ome.zarr", "folder")
    try:
        list(export_run(folder, ExportOptions("geojson")))
        assert len(drafts(target)) == 1
    finally:
        killed(at_work)


def test_where_files_cannot_be_locked_a_draft_is_dead_after_a_day(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(descriptor: int, how: int) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(living.fcntl, "flock", refuse)
    draft = tmp_path / ".regions.geojson.gz.0123.partial"
    draft.touch()
    whole_files.discard_dead_drafts(tmp_path, ["regions.geojson.gz"])
    assert draft.exists()
    monkeypatch.setattr(living, "DEAD_AFTER_S", -1.0)
    whole_files.discard_dead_drafts(tmp_path, ["regions.geojson.gz"])
    assert not draft.exists()
