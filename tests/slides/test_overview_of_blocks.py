"""The overview of a large level: the blocks of its JPEGs are looked at, and what cannot be is decoded."""

from pathlib import Path

import numpy as np
import pytest
from tiff_files import APERIO, remove_tiles, spoil_tile, tissue_like, write_tiled

from wsi_area.model.pixels import Overview
from wsi_area.slides import borrow_reader, inspect, read_overview
from wsi_area.slides.lanes import direct_lane, overview
from wsi_area.slides.lanes.overview import overview_of, overview_parts, read_part

SIDE_PX = 100
"""Wished of an overview: boxes of 2 300 px, of which that makes 24 px, are 32 px wide."""


@pytest.fixture(autouse=True)
def _everything_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overview, "LARGE_SIDE_PX", 1000)


def seen_by(path: Path, lane: str) -> Overview:
    info = inspect(path)
    with borrow_reader(info, lane) as reader:
        return read_overview(info, reader, SIDE_PX)


def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list that grows by each stored tile that is decoded."""
    decoded, decode = [], direct_lane.decode_together
    monkeypatch.setattr(direct_lane, "decode_together", lambda data, *told: decoded.extend(data) or decode(data, *told))
    return decoded


def slide(path: Path, height: int, width: int, **options: object) -> Path:
    description = APERIO.format(w=width, h=height)
    return write_tiled(path, [tissue_like(height, width)], description=description, **options)


@pytest.mark.parametrize("subsampling", [(1, 1), (2, 1), (2, 2)])
@pytest.mark.parametrize(("height", "width"), [(1024, 2304), (1904, 2296), (2301, 1201), (1440, 1500)])
def test_both_lanes_show_the_same_boxes_but_for_rounding(
    tmp_path: Path, height: int, width: int, subsampling: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded = counted(monkeypatch)
    path = slide(tmp_path / "s.svs", height, width, subsampling=subsampling)
    ours, theirs = seen_by(path, "direct"), seen_by(path, "openslide")
    box_px = 32 if max(height, width) > 1600 else 16
    assert ours.rgb.shape == (-(-height // box_px), -(-width // box_px), 3)
    assert ours.valid.all()
    assert theirs.valid.all()
    difference = ours.rgb.astype(int) - theirs.rgb
    assert np.abs(difference).max() <= 4
    assert np.abs(difference.mean((0, 1))).max() < 0.4
    cut = [bool(width % 16) * -(-height // 256), bool(height % 16) * -(-width // 256)]
    assert len(decoded) == sum(cut) - all(cut)  # those cut by the level's edge


def test_a_damaged_tile_and_a_missing_one_are_not_valid_and_the_rest_is_as_it_was(tmp_path: Path) -> None:
    whole = seen_by(slide(tmp_path / "whole.svs", 1536, 2304), "direct")
    seen = seen_by(spoil_tile(remove_tiles(slide(tmp_path / "s.svs", 1536, 2304), [5]), 20), "direct")
    lost = np.zeros((1536, 2304), bool)
    lost[:256, 5 * 256 : 6 * 256] = lost[2 * 256 : 3 * 256, 2 * 256 : 3 * 256] = True
    is_lost = lost.reshape(48, 32, 72, 32)
    assert np.array_equal(seen.valid, ~is_lost.any((1, 3)))
    assert np.array_equal(seen.rgb[seen.valid], whole.rgb[seen.valid])
    assert not seen.rgb[is_lost.all((1, 3))].any()


@pytest.mark.parametrize("compression", ["zlib", "lzw", None])
def test_what_is_no_jpeg_is_decoded_and_exact(tmp_path: Path, compression: str | None) -> None:
    path = write_tiled(tmp_path / "s.tif", [tissue_like(1024, 2304)], compression=compression)
    ours, theirs = seen_by(path, "direct"), seen_by(path, "openslide")
    assert np.array_equal(ours.rgb, theirs.rgb)


@pytest.mark.parametrize(("tile_px", "part_px"), [(256, 1), (240, 10**6), (512, 10**9)])
def test_parts_add_up_to_the_overview_that_is_read_at_once(
    tmp_path: Path, tile_px: int, part_px: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overview, "MAX_SIDE_PX", SIDE_PX)
    path = spoil_tile(slide(tmp_path / "s.svs", 1700, 2304, tile_px=tile_px), 7)
    whole, info = seen_by(path, "direct"), inspect(path)
    parts = [read_part(info, "direct", 0, rows) for rows in reversed(overview_parts(info, 0, part_px))]
    seen = overview_of(info, 0, parts, SIDE_PX)
    assert np.array_equal(seen.rgb, whole.rgb)
    assert np.array_equal(seen.valid, whole.valid)
