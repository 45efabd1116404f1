"""What a disk tore of a slide that several tasks share: its owner mends it, and no merge calls it whole."""

import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
from measuring import FLAT
from synthetic import disc, write_slide

from wsi_area.inputs.collect import SlideInput, collect_slides
from wsi_area.model.geometry import Size
from wsi_area.run.array.division import ArrayTask
from wsi_area.run.array.merge import MergeOutcome, merge_run
from wsi_area.run.array.task_run import run_task
from wsi_area.run.pipeline import run_slides
from wsi_area.settings.run_settings import RunSettings, load

pytestmark = pytest.mark.usefixtures("small_batches")

SIZE = Size(1000, 800)
FILTERS = "objects.max_hole_um2=40"
STORES = {(): "", (FILTERS,): "raw"}  # where tasks commit: with filters below raw/
CHUNKS = ("mask.ome.zarr/0/c/*/*", "ledger.zarr/counts/c/*/*/0")
Slides = tuple[SlideInput, ...]


def line(*further: str) -> RunSettings:
    return load(None, [*FLAT, "run.executor=serial", "run.piece_mib=0", "tiling.tile_px=64", *further])


@pytest.fixture(scope="module")
def giant(tmp_path_factory: pytest.TempPathFactory) -> Slides:
    path = tmp_path_factory.mktemp("slides") / "giant.tif"
    write_slide(path, SIZE, {"tissue": disc(SIZE, 500, 400, 350)})
    return collect_slides([str(path)])


def written(out: Path) -> dict[str, tuple[int, int, bytes]]:
    """Every file of class maps and ledgers, with what changes when it is written again."""
    files = sorted(p for p in (out / "slides").rglob("*") if p.is_file() and ".zarr" in str(p))
    return {str(p.relative_to(out)): (p.stat().st_ino, p.stat().st_mtime_ns, p.read_bytes()) for p in files}


def bytes_of(out: Path) -> dict[str, bytes]:
    return {name: content for name, (_, _, content) in written(out).items()}


def reason_of(merged: MergeOutcome) -> str:
    (record,) = merged.run.documents
    return str(record["reason"])


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0x10
    path.write_bytes(content)


def chunks_of_each_task(slides: Slides, out: Path, pattern: str, below: str, settings: RunSettings) -> list[list[Path]]:
    """The chunks that each of three tasks has written, by looking at what is new after each."""
    seen: set[Path] = set()
    found = []
    for n in (1, 2, 3):
        assert run_task(slides, settings, out, ArrayTask(n, 3)).exit_code == 0
        chunks = sorted(set((out / "slides/giant" / below).glob(pattern)) - seen)
        seen |= set(chunks)
        found.append(chunks)
    assert all(found)
    return found


@pytest.mark.parametrize("further", STORES, ids=["plain", "filtered"])
@pytest.mark.parametrize("pattern", CHUNKS, ids=["class map", "ledger"])
def test_no_task_touches_the_torn_chunk_of_another_and_its_owner_mends_it(
    giant: Slides, tmp_path: Path, pattern: str, further: tuple[str, ...]
) -> None:
    out, settings = tmp_path / "out", line(*further)
    of_task = chunks_of_each_task(giant, out, pattern, STORES[further], settings)
    whole = bytes_of(out)
    torn = of_task[1][len(of_task[1]) // 2]
    flip(torn)
    before = written(out)
    for other in (1, 3):
        assert run_task(giant, settings, out, ArrayTask(other, 3)).exit_code == 0
    after = written(out)
    assert bytes_of(out) == {name: content for name, (_, _, content) in before.items()}
    for name in (str(path.relative_to(out)) for path in of_task[1]):  # not even to the same bytes
        assert after[name] == before[name]
    merged = merge_run(out)
    assert merged.exit_code == 2
    assert "1 of them torn on the disk and taken back" in reason_of(merged)
    assert "run the same command with --shard 2/3, then wsi-area merge again" in reason_of(merged)
    assert not (out / "slides/giant/result.json").exists()
    assert run_task(giant, settings, out, ArrayTask(2, 3)).exit_code == 0
    assert bytes_of(out) == whole
    assert merge_run(out).exit_code == 0
    alone = tmp_path / "alone"
    assert run_slides(giant, settings, alone).exit_code == 0
    assert bytes_of(out) == bytes_of(alone)


def test_an_owner_mends_its_chunk_while_another_task_is_at_work_on_its_own(giant: Slides, tmp_path: Path) -> None:
    out, settings = tmp_path / "out", line()
    run_task(giant, settings, out, ArrayTask(2, 3))
    torn = sorted((out / "slides/giant").glob(CHUNKS[0]))[0]
    whole = torn.read_bytes()
    flip(torn)
    mended = []

    def meanwhile(event: object) -> None:
        if type(event).__name__ == "BatchDone" and not mended:
            assert run_task(giant, settings, out, ArrayTask(2, 3)).exit_code == 0
            mended.append(torn.read_bytes() == whole)

    assert run_task(giant, settings, out, ArrayTask(1, 3), listener=meanwhile).exit_code == 0
    assert mended == [True]
    run_task(giant, settings, out, ArrayTask(3, 3))
    assert merge_run(out).exit_code == 0
    alone = tmp_path / "alone"
    run_slides(giant, settings, alone)
    assert bytes_of(out) == bytes_of(alone)


def test_a_result_that_was_merged_before_it_was_torn_is_taken_back(giant: Slides, tmp_path: Path) -> None:
    out = tmp_path / "out"
    for n in (1, 2):
        run_task(giant, line(), out, ArrayTask(n, 2))
    assert merge_run(out).exit_code == 0
    flip(sorted((out / "slides/giant").glob(CHUNKS[0]))[-1])
    assert merge_run(out).exit_code == 2
    assert not (out / "slides/giant/result.json").exists()
    row = json.loads((out / "run.json").read_text())["slides"]["giant"]
    assert row["status"] == "failed"
    assert "torn on the disk" in row["reason"]
    assert "--shard 2/2" in row["reason"]


METADATA = ("mask.ome.zarr/zarr.json", "mask.ome.zarr/0/zarr.json", "ledger.zarr/counts/zarr.json")


@pytest.mark.parametrize(
    ("file", "kept_bytes"), [(METADATA[0], 0), (METADATA[1], 50), (METADATA[1], None), (METADATA[2], 0)]
)
def test_stores_that_no_longer_open_are_never_called_complete(
    giant: Slides, tmp_path: Path, file: str, kept_bytes: int | None
) -> None:
    out = tmp_path / "out"
    for n in (1, 2):
        run_task(giant, line(), out, ArrayTask(n, 2))
    whole, path = bytes_of(out), out / "slides/giant" / file
    if kept_bytes is None:
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:kept_bytes])
    merged = merge_run(out)
    assert merged.exit_code == 2
    assert "run the same command with --shard 1/2 and --shard 2/2" in reason_of(merged)
    for n in (2, 1):
        assert run_task(giant, line(), out, ArrayTask(n, 2)).exit_code == 0
    assert merge_run(out).exit_code == 0
    assert bytes_of(out) == whole


@pytest.mark.parametrize("file", [METADATA[1], f"raw/{METADATA[1]}", METADATA[2]])
def test_nor_are_those_of_a_run_of_one_process(giant: Slides, tmp_path: Path, file: str) -> None:
    out = tmp_path / "out"
    assert run_slides(giant, line(FILTERS), out).exit_code == 0
    whole = bytes_of(out)
    (out / "slides/giant" / file).write_bytes(b"")
    assert run_slides(giant, line(FILTERS), out).exit_code == 0
    assert bytes_of(out) == whole


def test_where_a_copy_does_not_fit_it_is_said_that_every_task_copies_all_of_the_slide(
    giant: Slides, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as full:
        full.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(total=1 << 40, used=0, free=3 << 20))
        (tmp_path / "scratch").mkdir()
        outcome = run_task(giant, line(f"run.stage_dir={tmp_path / 'scratch'}"), tmp_path / "out", ArrayTask(1, 2))
    (piece,) = outcome.shares
    assert (outcome.exit_code, piece.status) == (2, "failed")
    whole_mib = Path(giant[0].path).stat().st_size / 2**20
    assert f"{whole_mib:.1f} MiB in 1 files are to be copied" in piece.reason
    assert piece.reason.endswith("Several tasks share giant, and each copies all of it to its own node")
