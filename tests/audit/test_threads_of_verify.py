"""One slide is counted again by several threads: what they find is what one finds, in the same order."""

import threading
from pathlib import Path

import pytest
import zarr
from measuring import measure
from synthetic import disc, write_slide

from wsi_area.audit.verification import slide_check
from wsi_area.audit.verify import verify_run
from wsi_area.model.geometry import Size
from wsi_area.model.pixels import ClassMap

SIZE = Size(2100, 1500)


@pytest.fixture
def run(tmp_path: Path, small_batches: None) -> Path:
    """A slide whose class map lies in a dozen files or more."""
    write_slide(tmp_path / "s.tif", SIZE, {"tissue": disc(SIZE, 1000, 700, 600)})
    out = tmp_path / "out"
    assert measure(tmp_path / "s.tif", out, "tiling.tile_px=128", "tiling.skip_glass=false").exit_code == 0
    assert len(shards(out)) >= 12
    return out


def shards(out: Path) -> list[Path]:
    return sorted((out / "slides/s/mask.ome.zarr/0/c").glob("*/*"))


def tear(out: Path) -> None:
    path = shards(out)[3]
    content = bytearray(path.read_bytes())
    content[10] ^= 0x55
    path.write_bytes(content)


def lose(out: Path) -> None:
    shards(out)[5].unlink()


def repaint(out: Path) -> None:
    image = zarr.open_array(out / "slides/s/mask.ome.zarr", path="0", mode="r+")
    image[700, 1000] = 1 - image[700, 1000]


def leave(out: Path) -> None:
    """Change nothing."""


@pytest.mark.parametrize("change", [leave, tear, lose, repaint])
def test_several_threads_find_what_one_finds(run: Path, change: object) -> None:
    assert callable(change)
    change(run)
    alone = verify_run(run, with_slides=False)
    assert bool(alone.disagreements) == (change is not leave)
    for workers in (2, 5):
        assert verify_run(run, with_slides=False, workers=workers) == alone


def test_the_tiles_of_one_slide_are_shared_by_as_many_threads_as_workers(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names, together, digest = set[str](), threading.Barrier(3, timeout=30), slide_check.codes_digest

    def watched(tile: ClassMap) -> bytes | None:
        if (name := threading.current_thread().name) not in names:
            names.add(name)
            together.wait()  # three threads are here at once, or this ends in an error
        return digest(tile)

    monkeypatch.setattr(slide_check, "codes_digest", watched)
    assert verify_run(run, with_slides=False, workers=3).disagreements == ()
    assert len(names) == 3
