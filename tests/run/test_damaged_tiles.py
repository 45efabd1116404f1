"""One bad stored tile costs its own pixels: for every tile size, work pixel size, lane and executor."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from damage import overwrite, set_tile_number, stored_span
from measuring import class_maps_of, counts_of, measure
from synthetic import FileForm, disc, write_slide

from wsi_area.model.classes import UNREADABLE_CODE, UNSCANNED_CODE
from wsi_area.model.geometry import Region, Size

SIZE = Size(1536, 1280)  # 6 × 5 stored tiles of 256 px; level 1 is a quarter of it, 2 × 2
TORN, GARBAGE, MISSING = (1, 2), (3, 0), (0, 4)  # (row, column) at level 0
TORN_AT_LEVEL_1 = (1, 0)
ALL_READ = "tiling.skip_glass=false"


@pytest.fixture(scope="module", params=["aperio", "tiff"])
def whole_and_damaged(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Write a pyramid, and the same with one tile of no place, one that is no picture, one of no bytes."""
    folder = tmp_path_factory.mktemp(request.param)
    form = FileForm(request.param, downsamples=(1, 4), compression="jpeg")
    whole = write_slide(folder / "whole.svs", SIZE, {"tissue": disc(SIZE, 700, 600, 500)}, form, noise_sd=9.0).path
    damaged = folder / "damaged.svs"
    shutil.copy(whole, damaged)
    set_tile_number(damaged, "TileOffsets", TORN[0] * 6 + TORN[1], 0)
    overwrite(damaged, stored_span(damaged, GARBAGE[0] * 6 + GARBAGE[1])[0], b"no picture at all")
    set_tile_number(damaged, "TileByteCounts", MISSING[0] * 6 + MISSING[1], 0)
    set_tile_number(damaged, "TileOffsets", TORN_AT_LEVEL_1[0] * 2 + TORN_AT_LEVEL_1[1], 0, page=1)
    return whole, damaged


def box_of(row: int, column: int) -> Region:
    return Region(column * 256, row * 256, 256, 256)


def lost_work_px(boxes: list[Region], factor: int, size: Size) -> np.ndarray:
    """Return the work pixels that have any pixel of some boxes of the level, pixel by pixel."""
    lost = np.zeros((size.height_px, size.width_px), np.bool_)
    for b in boxes:
        lost[b.y_px : b.bottom_px, b.x_px : b.right_px] = True
    padded = np.pad(lost, ((0, -size.height_px % factor), (0, -size.width_px % factor)))
    rows, columns = padded.shape[0] // factor, padded.shape[1] // factor
    return padded.reshape(rows, factor, columns, factor).any(axis=(1, 3))


@pytest.fixture(scope="module", params=[1, 3])  # 256 is no multiple of 3: work pixels lie across the rim of a tile
def undisturbed(
    request: pytest.FixtureRequest, whole_and_damaged: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory
) -> tuple[int, np.ndarray]:
    """Return a reduce factor, and what a run makes of the whole slide with it."""
    out = tmp_path_factory.mktemp("undisturbed") / "out"
    assert measure(whole_and_damaged[0], out, ALL_READ, f"tiling.work_mpp={0.25 * request.param}").exit_code == 0
    return request.param, class_maps_of(out)["whole"]


@pytest.mark.parametrize("lane", ["openslide", "auto"])
@pytest.mark.parametrize("tile_px", [100, 256, 700])
def test_what_is_lost_is_the_damaged_tile_and_the_rest_is_as_on_the_whole_slide(
    whole_and_damaged: tuple[Path, Path], undisturbed: tuple[int, np.ndarray], tmp_path: Path, lane: str, tile_px: int
) -> None:
    factor, expected = undisturbed[0], undisturbed[1].copy()
    how = (f"tiling.tile_px={tile_px}", f"tiling.work_mpp={0.25 * factor}", f"reader.lane={lane}")
    outcome = measure(whole_and_damaged[1], tmp_path / "out", ALL_READ, *how)
    (record,) = outcome.documents
    assert (record["status"], outcome.exit_code) == ("incomplete", 2)
    assert (record["work"]["level"], record["work"]["reduce_factor"]) == (0, factor)
    expected[lost_work_px([box_of(*TORN), box_of(*GARBAGE)], factor, SIZE)] = UNREADABLE_CODE
    near_missing = lost_work_px([box_of(*MISSING)], factor, SIZE)
    found = class_maps_of(tmp_path / "out")["damaged"]
    np.testing.assert_array_equal(found[~near_missing], expected[~near_missing])
    if factor == 1:
        assert (found[near_missing] == UNSCANNED_CODE).all()
        assert record["counts"]["n_px_unreadable"] == 2 * 256**2
        assert record["counts"]["n_px_unscanned"] == 256**2


@pytest.mark.parametrize("tile_px", [50, 128, 512])
@pytest.mark.parametrize("lane", ["openslide", "auto"])
def test_at_a_coarser_level_the_damaged_tile_of_that_level_is_lost_and_no_other(
    whole_and_damaged: tuple[Path, Path], tmp_path: Path, lane: str, tile_px: int
) -> None:
    outcome = measure(
        whole_and_damaged[1], tmp_path / "out", ALL_READ, f"tiling.tile_px={tile_px}", "tiling.work_mpp=1.0",
        f"reader.lane={lane}",
    )  # fmt: skip
    (record,) = outcome.documents
    assert record["work"]["level"] == 1
    # level 1 is 384 × 320 px: its last row of tiles is a quarter of a tile high
    assert record["counts"]["n_px_unreadable"] == (256 * 4) * (64 * 4)


@pytest.mark.parametrize("executor", ["threads", "processes"])
def test_who_reads_makes_no_difference(
    whole_and_damaged: tuple[Path, Path], tmp_path: Path, executor: str, small_batches: None
) -> None:
    how = (ALL_READ, "tiling.tile_px=128", "run.workers=2")
    serial = measure(whole_and_damaged[1], tmp_path / "serial", *how, "run.executor=serial")
    other = measure(whole_and_damaged[1], tmp_path / "other", *how, f"run.executor={executor}")
    assert counts_of(serial) == counts_of(other)
    assert counts_of(serial)[0][-1] == 2 * 256**2


def test_a_tile_that_is_named_says_how_much_of_it_is_lost(whole_and_damaged: tuple[Path, Path], tmp_path: Path) -> None:
    outcome = measure(whole_and_damaged[1], tmp_path / "out", ALL_READ, "tiling.tile_px=512")
    first, second = sorted(outcome.documents[0]["tile_errors"], key=lambda error: error["row"])
    assert (first["row"], first["col"]) == (0, 1)
    assert "stored tile row 1 column 2: its directory gives it" in first["message"]
    assert "(65536 of 262144 level-0 px)" in first["message"]
    assert "it is no JPEG" in second["message"]


def test_a_segmenter_that_sees_a_neighbourhood_loses_no_more(
    whole_and_damaged: tuple[Path, Path], tmp_path: Path
) -> None:
    focus = ("exclusions.out_of_focus=true", ALL_READ)
    counts = {
        counts_of(measure(whole_and_damaged[1], tmp_path / str(px), *focus, f"tiling.tile_px={px}"))[0]
        for px in (128, 500)
    }
    (only,) = counts
    assert only[-1] == 2 * 256**2


@pytest.mark.parametrize("tile_px", [60, 128, 400])
def test_where_openslide_interpolates_the_loss_is_the_same_for_every_tile_size(tmp_path: Path, tile_px: int) -> None:
    size, form = Size(1401, 1501), FileForm("tiff", downsamples=(1, 2), tile_px=128)
    path = write_slide(tmp_path / "s.tif", size, {"tissue": disc(size, 700, 700, 600)}, form, noise_sd=9.0).path
    bad = 2 * 6 + 3
    set_tile_number(path, "TileOffsets", bad, 0, page=1)
    outcome = measure(path, tmp_path / "out", ALL_READ, f"tiling.tile_px={tile_px}", "tiling.work_mpp=0.5")
    (record,) = outcome.documents
    assert record["status"] == "incomplete", record["reason"]
    assert (record["work"]["level"], record["reader"]) == (1, "openslide")
    lost = class_maps_of(tmp_path / "out")["s"] == UNREADABLE_CODE
    assert lost[256:384, 384:512].all()
    # its eight neighbours, which OpenSlide mixes with it, lose the pixels of their rims: 4 · 128 - 4 of 16 384
    assert lost.sum() == 128**2 + 8 * (4 * 128 - 4)
