"""The laws that hold for the whole line, whatever is set."""

import os
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
import tifffile
import zarr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from measuring import class_maps_of, counts_of, measure
from synthetic import FileForm, SyntheticSlide, disc, reduced, write_slide

from wsi_area.model.calibration import Mpp
from wsi_area.model.geometry import Region, Size
from wsi_area.model.ledger import TileStatus

SIZE = Size(1801, 1303)


@pytest.fixture(scope="module")
def slide(tmp_path_factory: pytest.TempPathFactory) -> SyntheticSlide:
    """Two discs on noisy glass, an unscanned corner, an odd size, two levels."""
    path = tmp_path_factory.mktemp("laws") / "laws.tif"
    shapes = {"tissue": disc(SIZE, 900, 600, 480), "dab": disc(SIZE, 1550, 250, 140)}
    form = FileForm(mpp=Mpp(0.25, 0.26), downsamples=(1, 2), tile_px=128)
    return write_slide(path, SIZE, shapes, form, noise_sd=2.0, unscanned=[Region(1536, 1024, 265, 279)])


@pytest.fixture(scope="module")
def expected(slide: SyntheticSlide) -> tuple[int, ...]:
    painted = slide.class_map
    tissue = int(((painted == 1) | (painted == 2)).sum())
    return (int((painted == 0).sum()), tissue, slide.truth.unscanned_px, 0, 0)


@pytest.mark.parametrize("tile_px", [64, 256, 512, 777])
@pytest.mark.parametrize("lane", ["openslide", "auto"])
def test_the_integers_are_the_painted_ones_for_any_tile_and_lane(
    slide: SyntheticSlide, expected: tuple[int, ...], tmp_path: Path, tile_px: int, lane: str
) -> None:
    outcome = measure(slide.path, tmp_path / "out", f"tiling.tile_px={tile_px}", f"reader.lane={lane}")
    assert outcome.exit_code == 0
    assert counts_of(outcome) == [expected]


@pytest.mark.parametrize(
    "who",
    [
        ("run.executor=serial",),
        ("run.executor=threads", "run.workers=1"),
        ("run.executor=threads", "run.workers=2"),
        ("run.executor=threads", "run.workers=8"),
        ("run.executor=distributed", "run.workers=1"),
        ("run.executor=processes", "run.workers=2"),
        ("run.executor=processes", "run.workers=8"),
    ],
    ids=lambda who: " ".join(who),
)
def test_who_does_the_work_never_changes_a_bit(slide: SyntheticSlide, tmp_path: Path, who: tuple[str, ...]) -> None:
    cut = ("tiling.tile_px=100", "tiling.work_mpp=0.5")
    reference = measure(slide.path, tmp_path / "serial", *cut, "run.executor=serial")
    outcome = measure(slide.path, tmp_path / "out", *cut, *who)
    assert counts_of(outcome) == counts_of(reference)
    maps, reference_maps = class_maps_of(tmp_path / "out"), class_maps_of(tmp_path / "serial")
    assert all(np.array_equal(maps[name], reference_maps[name]) for name in reference_maps)
    assert outcome.documents[0]["key"] == reference.documents[0]["key"]


@pytest.mark.parametrize("work_mpp", [0.25, 0.52, 0.78, 1.04, 1.3, 2.6, 5.2])
def test_every_level_0_pixel_is_accounted_for_at_any_work_mpp(
    slide: SyntheticSlide, tmp_path: Path, work_mpp: float
) -> None:
    found = [
        counts_of(measure(slide.path, tmp_path / f"{tile}", f"tiling.work_mpp={work_mpp}", f"tiling.tile_px={tile}"))[0]
        for tile in (64, 333)
    ]
    assert sum(found[0]) == SIZE.area_px
    assert found[0] == found[1]  # the tile size never matters


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    tile_px=st.integers(16, 900),
    work_mpp=st.floats(0.2, 4.0),
    workers=st.integers(1, 4),
    executor=st.sampled_from(["serial", "threads"]),
)
def test_no_cut_and_no_number_of_workers_moves_a_pixel(
    slide: SyntheticSlide, tmp_path: Path, tile_px: int, work_mpp: float, workers: int, executor: str
) -> None:
    asked = (f"tiling.work_mpp={work_mpp!r}", "tiling.skip_glass=false")
    with TemporaryDirectory(dir=tmp_path) as folder:
        whole = measure(slide.path, Path(folder, "whole"), *asked, "tiling.tile_px=2048", "run.executor=serial")
        cut = (f"tiling.tile_px={tile_px}", f"run.workers={workers}", f"run.executor={executor}")
        found = measure(slide.path, Path(folder, "cut"), *asked, *cut)
    assert counts_of(found) == counts_of(whole)
    assert sum(counts_of(found)[0]) == SIZE.area_px


def test_coarser_work_moves_the_area_by_no_more_than_its_boundary_allows(tmp_path: Path) -> None:
    size = Size(2000, 1600)
    slide = write_slide(tmp_path / "disc.tif", size, {"tissue": disc(size, 1000, 800, 600)})
    for factor in (1, 2, 4, 8):
        outcome = measure(slide.path, tmp_path / f"out{factor}", f"tiling.work_mpp={0.25 * factor}")
        n_px = counts_of(outcome)[0][1]
        # each work pixel on the outline may go either way: at most outline × factor level-0 px
        assert abs(n_px - np.pi * 600**2) < 2 * np.pi * 600 * factor
        assert outcome.documents[0]["work"]["reduce_factor"] == factor


def test_work_at_a_reduced_grid_is_the_box_mean_then_the_rule(slide: SyntheticSlide, tmp_path: Path) -> None:
    size = Size(1200, 900)
    painted = write_slide(tmp_path / "a.tif", size, {"tissue": disc(size, 600, 450, 300)}, noise_sd=5.0)
    measure(painted.path, tmp_path / "out", "tiling.work_mpp=0.75")  # factor 3
    mean = reduced(painted.rgb, 3)
    # an independent box mean rounds halves its own way: only pixels within one grey level of the threshold may differ
    darkness = 255 - mean.min(axis=2).astype(int)
    seen = class_maps_of(tmp_path / "out")["a"]
    clear = np.abs(darkness - 60) > 1
    assert clear.mean() > 0.99
    assert np.array_equal(seen[clear], (darkness > 60)[clear])


def test_a_mirrored_slide_has_the_same_area(tmp_path: Path) -> None:
    size = Size(1111, 777)
    shape = disc(size, 400, 300, 250)
    mirrored = disc(size, 1111 - 400, 777 - 300, 250)
    one = write_slide(tmp_path / "one.tif", size, {"tissue": shape})
    other = write_slide(tmp_path / "other.tif", size, {"tissue": mirrored})
    outcome = measure([one.path, other.path], tmp_path / "out", "tiling.tile_px=100")
    assert counts_of(outcome)[0] == counts_of(outcome)[1]


def test_scaling_the_pixel_size_by_2_scales_every_area_by_4(slide: SyntheticSlide, tmp_path: Path) -> None:
    once = measure(slide.path, tmp_path / "1", mpp="0.5,0.4", mpp_reason="test", mpp_confirmed=True).documents[0]
    twice = measure(slide.path, tmp_path / "2", mpp="1.0,0.8", mpp_reason="test", mpp_confirmed=True).documents[0]
    assert twice["counts"] == once["counts"]
    for name in ("tissue", "analyzed", "unreadable"):
        assert twice[name]["area_mm2"] == pytest.approx(4 * once[name]["area_mm2"], rel=1e-12)


def test_skipping_glass_changes_no_integer_here_and_says_what_it_could(slide: SyntheticSlide, tmp_path: Path) -> None:
    size = Size(2900, 2900)
    far = write_slide(tmp_path / "far.tif", size, {"tissue": disc(size, 500, 500, 300)}, noise_sd=2.0)
    on = measure(far.path, tmp_path / "on", "tiling.tile_px=64", "tiling.skip_margin_um=20")
    off = measure(far.path, tmp_path / "off", "tiling.tile_px=64", "tiling.skip_glass=false")
    assert on.documents[0]["work"]["tiles_skipped"] > 500
    assert off.documents[0]["work"]["tiles_skipped"] == 0
    assert counts_of(on) == counts_of(off)
    assert on.documents[0]["timing"]["decoded_px"] < 0.7 * off.documents[0]["timing"]["decoded_px"]
    assert on.documents[0]["skipped_tissue_px_upper_bound"] > 0
    assert off.documents[0]["skipped_tissue_px_upper_bound"] == 0


@pytest.mark.skipif(not hasattr(os, "posix_fadvise"), reason="this system takes no such hint")
def test_a_run_has_the_stored_tiles_it_reads_fetched_ahead_and_none_that_it_skips(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    form = FileForm(mpp=Mpp(0.25, 0.25), tile_px=256)
    size = Size(4096, 2048)  # tissue in the left third only
    slide = write_slide(tmp_path / "ahead.tif", size, {"tissue": disc(size, 700, 1000, 500)}, form, noise_sd=9.0)
    asked: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "posix_fadvise", lambda _, at, length, advice: asked.append((at, at + length)))
    cut = ("tiling.tile_px=256", "tiling.skip_margin_um=0", "run.executor=serial")
    outcome = measure(slide.path, tmp_path / "out", *cut)
    assert outcome.documents[0]["reader"] == "direct"
    ledger = zarr.open_array(tmp_path / "out/slides/ahead/ledger.zarr", path="counts", mode="r")
    was_read = ledger[..., ledger.attrs["columns"].index("status")].ravel() == TileStatus.READ
    with tifffile.TiffFile(slide.path) as tiff:
        page = tiff.pages[0]
        stored = list(zip(page.dataoffsets, page.databytecounts, strict=True))
    held = {n for begin, end in asked for n in range(begin, end)}
    fetched = [held.issuperset(range(at, at + length)) for at, length in stored]
    assert 0 < sum(was_read) < len(stored)
    assert min(length for _, length in stored) > 4096  # so that none is fetched for lying between two others
    assert fetched == was_read.tolist()
