"""Edge tiles are compared with OpenSlide by the tasks that read them; one that differs sends all through OpenSlide."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from measuring import class_maps_of, counts_of, measure
from synthetic import FileForm, disc, write_slide

from wsi_area.inputs.collect import collect_slides
from wsi_area.model.geometry import Region, Size
from wsi_area.run import slide_tiles
from wsi_area.run.prepare import PreparedSlide, PrepareTask, prepare_slide
from wsi_area.run.work.slide_job import BatchResult, BatchTask
from wsi_area.run.work.tile_task import measure_batch
from wsi_area.settings.run_settings import load
from wsi_area.slides import close_readers
from wsi_area.slides.lanes import proof
from wsi_area.slides.lanes.direct_lane import DirectReader
from wsi_area.slides.lanes.openslide_lane import OpenSlideReader
from wsi_area.slides.lanes.reading import DecodedTile
from wsi_area.slides.stored.tiled_level import TiledLevel

pytestmark = pytest.mark.usefixtures("small_batches")
SIZE, STORED_PX = Size(2300, 1900), 240
ACROSS, DOWN = 10, 8  # stored tiles, the last of either partly outside
EDGES = 2 * (ACROSS + DOWN) - 4
CUT = ("tiling.tile_px=256", "tiling.skip_glass=false", "run.executor=serial")
OTHER = [(0, 4), (DOWN - 1, 5), (4, ACROSS - 1)]  # row and column of edge tiles
GLASS = (1, 8)  # a stored tile inside, without tissue
REASON = f"equal OpenSlide's byte for byte, and so do all {EDGES} edge tiles that are read"


@pytest.fixture
def slide(tmp_path: Path) -> Iterator[Path]:
    close_readers()
    form = FileForm(tile_px=STORED_PX)
    yield write_slide(tmp_path / "s.tif", SIZE, {"tissue": disc(SIZE, 1100, 900, 880)}, form).path
    close_readers()


@pytest.fixture
def sampled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the sample be one tile inside, so that all edges are left to who reads them."""
    monkeypatch.setattr(proof, "_sample", lambda info, level, tiles: iter([2 * ACROSS + 2]))


@pytest.fixture
def compared(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """Row and column of the stored tiles that OpenSlide was asked for alone, in order."""
    asked: list[tuple[int, int]] = []
    read = OpenSlideReader.read

    def noted(self: OpenSlideReader, level: int, box: Region) -> object:
        asked.append((box.y_px // STORED_PX, box.x_px // STORED_PX))
        return read(self, level, box)

    monkeypatch.setattr(OpenSlideReader, "read", noted)
    return asked


def spoil(monkeypatch: pytest.MonkeyPatch, places: set[tuple[int, int]]) -> None:
    """Have the direct lane decode some stored tiles as dark tissue, from now on."""
    decode = DirectReader._decoded_tile

    def otherwise(self: DirectReader, n: int, tiles: TiledLevel, box: Region, *told: Any) -> DecodedTile:
        decoded = decode(self, n, tiles, box, *told)
        if (box.y_px // STORED_PX, box.x_px // STORED_PX) in places:
            decoded.rgb[...] = 40
        return decoded

    monkeypatch.setattr(DirectReader, "_decoded_tile", otherwise)


def is_edge(place: tuple[int, int]) -> bool:
    return place[0] in (0, DOWN - 1) or place[1] in (0, ACROSS - 1)


@pytest.mark.parametrize("executor", ["serial", "threads"])
def test_each_edge_tile_is_compared_once_and_none_before_the_tiles(
    slide: Path, tmp_path: Path, sampled: None, compared: list[tuple[int, int]], executor: str
) -> None:
    (asked,) = collect_slides([str(slide)])
    prepared = prepare_slide(PrepareTask(asked, load(None, CUT), 1 << 33, leaves_edges=True))
    assert isinstance(prepared, PreparedSlide)
    assert prepared.lane.leaves_edges
    assert not [place for place in compared if is_edge(place)]
    close_readers()
    compared.clear()
    done = measure(slide, tmp_path / "out", *CUT, f"run.executor={executor}", "run.workers=1")
    (document,) = done.documents
    assert (document["reader"], document["reader_reason"].endswith(REASON)) == ("direct", True)
    edges = [place for place in compared if is_edge(place)]
    assert len(edges) == len(set(edges)) == EDGES


@pytest.mark.parametrize("place", OTHER)
def test_a_slide_is_measured_anew_through_openslide_where_an_edge_tile_differs(
    slide: Path, tmp_path: Path, sampled: None, monkeypatch: pytest.MonkeyPatch, place: tuple[int, int]
) -> None:
    right = measure(slide, tmp_path / "right", *CUT, "reader.lane=openslide")
    spoil(monkeypatch, {place, GLASS})  # which nobody compares, and which must not stay
    done = measure(slide, tmp_path / "out", *CUT)
    (document,) = done.documents
    assert (done.exit_code, document["reader"]) == (0, "openslide")
    assert f"stored tile {place} (row, column)" in document["reader_reason"]
    assert counts_of(done) == counts_of(right)
    assert (class_maps_of(tmp_path / "out")["s"] == class_maps_of(tmp_path / "right")["s"]).all()


def test_who_insists_on_the_direct_lane_is_told_before_any_tile(
    slide: Path, tmp_path: Path, sampled: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoil(monkeypatch, {(0, 4)})
    done = measure(slide, tmp_path / "out", *CUT, "reader.lane=direct")
    assert done.exit_code == 2
    assert "cannot be read by the direct lane" in done.documents[0]["reason"]
    assert not (tmp_path / "out/slides/s/ledger.zarr").exists()


class Stop:
    """A measure_batch that works for a while and then finds the disk full."""

    def __init__(self, after: int, measure: Callable[[BatchTask], BatchResult] = measure_batch) -> None:
        self.left, self.measure = after, measure

    def __call__(self, task: BatchTask) -> BatchResult:
        self.left -= 1
        return self.measure(task) if self.left >= 0 else BatchResult(task.batch, 0, 0, (), 0.0, "the disk is full")


def test_of_a_slide_that_is_gone_on_with_all_edges_are_compared_before_the_tiles(
    slide: Path, tmp_path: Path, sampled: None, compared: list[tuple[int, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    with monkeypatch.context() as patched:
        patched.setattr(slide_tiles, "measure_batch", Stop(3))
        assert measure(slide, out, *CUT).exit_code == 2
    close_readers()
    compared.clear()
    seen: list[int] = []

    def noted(task: BatchTask) -> BatchResult:
        seen.append(len({place for place in compared if is_edge(place)}))
        return measure_batch(task)

    monkeypatch.setattr(slide_tiles, "measure_batch", noted)
    done = measure(slide, out, *CUT)
    assert done.documents[0]["reader"] == "direct"
    assert set(seen) == {EDGES}


def measured_otherwise(task: BatchTask) -> BatchResult:
    """Measure a batch by a direct lane that decodes glass inside as tissue, which the overview does not show."""
    with pytest.MonkeyPatch.context() as patched:
        spoil(patched, {GLASS})
        return measure_batch(task)


def refuse(monkeypatch: pytest.MonkeyPatch, place: tuple[int, int]) -> None:
    """Have the proof find that a stored tile differs, and leave its pixels as they are: the fit must stay the same."""
    compare = proof._difference

    def found(level: int, tiles: TiledLevel, index: int, *readers: Any) -> str | None:
        is_it = divmod(index, tiles.tiles_across) == place
        return "9 pixels differ" if is_it else compare(level, tiles, index, *readers)

    monkeypatch.setattr(proof, "_difference", found)


@pytest.mark.parametrize("place", OTHER)
def test_what_was_read_before_an_edge_tile_was_found_to_differ_is_measured_again(
    slide: Path, tmp_path: Path, sampled: None, monkeypatch: pytest.MonkeyPatch, place: tuple[int, int]
) -> None:
    right, out = measure(slide, tmp_path / "right", *CUT, "reader.lane=openslide"), tmp_path / "out"
    with monkeypatch.context() as patched:
        patched.setattr(slide_tiles, "measure_batch", Stop(15, measured_otherwise))
        assert measure(slide, out, *CUT).exit_code == 2
    close_readers()
    refuse(monkeypatch, place)
    done = measure(slide, out, *CUT)
    assert done.documents[0]["reader"] == "openslide"
    assert counts_of(done) == counts_of(right)


def test_what_the_proof_of_edges_takes_is_told_apart_from_the_tiles(slide: Path, sampled: None, tmp_path: Path) -> None:
    (direct,) = measure(slide, tmp_path / "a", *CUT).documents
    (by_openslide,) = measure(slide, tmp_path / "b", *CUT, "reader.lane=openslide").documents
    assert 0 < direct["timing"]["edge_proof_cpu_s"] < direct["timing"]["inner_cpu_s"]
    assert by_openslide["timing"]["edge_proof_cpu_s"] == 0
