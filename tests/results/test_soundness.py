"""A store that lost bytes: every way of losing them is found, and takes back the one batch that it befell."""

import os
from pathlib import Path

import numpy as np
import pytest
from measuring import FLAT
from synthetic import disc, write_slide

from wsi_area.compute.cut import planning
from wsi_area.errors import ResultError
from wsi_area.inputs.collect import collect_slides
from wsi_area.model.geometry import Size
from wsi_area.model.ledger import NOT_COMMITTED
from wsi_area.results.class_map.ledger import ledger_rows
from wsi_area.results.class_map.shard import encoded_tiles, write_shard
from wsi_area.results.class_map.soundness import flush_stores, shard_fault, take_back_torn
from wsi_area.results.layout import SlideLayout
from wsi_area.run.pipeline import run_slides
from wsi_area.run.run_document import RunOutcome
from wsi_area.settings.run_settings import load

CLASSES = 2
SIZE = Size(900, 700)
DAMAGE = {
    "emptied": lambda content: b"",
    "cut": lambda content: content[: len(content) // 2],
    "cut by one byte": lambda content: content[:-1],
    "zeros": lambda content: bytes(len(content)),
    "zeros at the end": lambda content: content[:-40] + bytes(40),
    "one bit": lambda content: content[:5] + bytes([content[5] ^ 4]) + content[6:],
}


def shard(tmp_path: Path) -> bytes:
    class_map = np.zeros((64, 64), np.uint8)
    class_map[5:40, 3:20] = 1
    write_shard(tmp_path / "shard", encoded_tiles(class_map, 32), 2)
    return (tmp_path / "shard").read_bytes()


def test_a_whole_shard_has_no_fault(tmp_path: Path) -> None:
    assert shard_fault(shard(tmp_path), 2) is None


@pytest.mark.parametrize("damage", DAMAGE)
def test_every_damage_of_a_shard_is_found(tmp_path: Path, damage: str) -> None:
    assert shard_fault(DAMAGE[damage](shard(tmp_path)), 2) is not None


def test_no_single_byte_of_a_shard_can_change_unseen(tmp_path: Path) -> None:
    whole = shard(tmp_path)
    for at in range(len(whole)):
        assert shard_fault(whole[:at] + bytes([whole[at] ^ 0x80]) + whole[at + 1 :], 2) is not None, at


# --- on a slide that was measured


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("sound")
    path = write_slide(folder / "s.tif", SIZE, {"tissue": disc(SIZE, 300, 350, 200)}).path
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(planning, "BATCH_LEVEL_PX_MIN", 1 << 16)
        assert run(path, folder / "out").exit_code == 0
    return path, folder / "out"


def run(path: Path, out: Path, *more: str) -> RunOutcome:
    settings = load(None, [*FLAT, "tiling.tile_px=128", "tiling.skip_glass=false", "run.executor=serial", *more])
    return run_slides(collect_slides([str(path)]), settings, out)


def files(out: Path) -> dict[str, bytes]:
    return {
        p.relative_to(out).as_posix(): p.read_bytes()
        for p in sorted((out / "slides/s").rglob("*"))
        if p.is_file() and p.name not in {"result.json", "thumb.jpg", "size_filters.json", "finished.json"}
    }


@pytest.mark.parametrize("damage", [*DAMAGE, "gone"])
@pytest.mark.parametrize("part", ["mask.ome.zarr/0/c/1/1", "ledger.zarr/counts/c/1/1/0"])
def test_a_torn_batch_is_taken_back_and_measured_again_and_no_other(
    measured: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, damage: str, part: str
) -> None:
    monkeypatch.setattr(planning, "BATCH_LEVEL_PX_MIN", 1 << 16)
    path, out = measured
    whole = files(out)
    place = out / "slides/s" / part
    if damage == "gone":
        place.unlink()
    else:
        place.write_bytes(DAMAGE[damage](place.read_bytes()))
    (record,) = run(path, out).documents
    assert record["status"] == "complete"
    assert record["timing"]["batches"] == 1
    assert files(out) == whole


def test_what_is_whole_is_left_alone(measured: tuple[Path, Path]) -> None:
    layout = SlideLayout(measured[1] / "slides/s")
    assert take_back_torn(layout, layout, CLASSES) == 0
    assert (ledger_rows(layout) != NOT_COMMITTED).all()


def test_a_torn_filtered_class_map_is_written_again_from_what_is_raw(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planning, "BATCH_LEVEL_PX_MIN", 1 << 16)
    path = write_slide(tmp_path / "s.tif", SIZE, {"tissue": disc(SIZE, 300, 350, 200)}).path
    assert run(path, tmp_path / "out", "objects.max_hole_um2=40").exit_code == 0
    whole = files(tmp_path / "out")
    torn = tmp_path / "out/slides/s/mask.ome.zarr/0/c/1/1"
    torn.write_bytes(torn.read_bytes()[:-3])
    (record,) = run(path, tmp_path / "out", "objects.max_hole_um2=40").documents
    assert record["status"] == "complete"
    assert files(tmp_path / "out") == whole


def test_the_disk_has_every_chunk_before_a_document_may_say_complete(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_slide(tmp_path / "s.tif", SIZE, {"tissue": disc(SIZE, 300, 350, 200)}).path
    flushed: list[str] = []
    fsync = os.fsync

    def recorded(descriptor: int) -> None:
        flushed.append(os.readlink(f"/proc/self/fd/{descriptor}"))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", recorded)
    assert run(path, tmp_path / "out").exit_code == 0
    document = next(n for n, name in enumerate(flushed) if "result.json" in name)
    assert {str(tmp_path / "out" / name) for name in files(tmp_path / "out")} <= set(flushed[:document])


def test_what_cannot_be_flushed_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    layout = SlideLayout(tmp_path)
    layout.ledger.mkdir()
    (layout.ledger / "zarr.json").write_bytes(b"{}")

    def broken(descriptor: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", broken)
    with pytest.raises(ResultError, match=r"zarr\.json was not taken by the disk \(Input/output error\)"):
        flush_stores(layout)
