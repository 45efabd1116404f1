"""The edge tiles that a run reads: all of them are compared before the direct lane may read a slide."""

import os
from pathlib import Path
from typing import Any

import pytest
from tiff_files import tissue_like, write_tiled

from wsi_area.errors import LaneError
from wsi_area.model.geometry import Region
from wsi_area.model.slide import SlideInfo
from wsi_area.slides import LaneDecision, choose_lane, close_readers, inspect, with_edges_proven
from wsi_area.slides.lanes import proof
from wsi_area.slides.lanes.direct_lane import DirectReader
from wsi_area.slides.lanes.reading import DecodedTile
from wsi_area.slides.stored.tiled_level import TiledLevel

ACROSS, DOWN = 9, 8  # stored tiles of 64 px, the last of either partly outside
PROVEN = LaneDecision("direct", "a sample equals OpenSlide's byte for byte")


@pytest.fixture
def info(tmp_path: Path) -> SlideInfo:
    close_readers()
    size = tissue_like(DOWN * 64 - 9, ACROSS * 64 - 5)
    return inspect(write_tiled(tmp_path / "s.tif", [size], tile_px=64))


def level(info: SlideInfo) -> Region:
    size = info.size_l0_px
    return Region(0, 0, size.width_px, size.height_px)


def spoil(monkeypatch: pytest.MonkeyPatch, row: int, column: int) -> None:
    """Have the direct lane decode one stored tile otherwise than OpenSlide does, by one grey level of one pixel."""
    decode = DirectReader._decoded_tile

    def otherwise(self: DirectReader, n: int, tiles: TiledLevel, box: Region, *told: Any) -> DecodedTile:
        decoded = decode(self, n, tiles, box, *told)
        if (box.y_px // 64, box.x_px // 64) == (row, column):
            decoded.rgb[3, 2, 1] ^= 1
        return decoded

    monkeypatch.setattr(DirectReader, "_decoded_tile", otherwise)


def test_all_edge_tiles_are_compared_and_counted_in_the_reason(info: SlideInfo) -> None:
    decision = with_edges_proven(info, PROVEN, 0, [level(info)], "auto")
    assert decision.lane == "direct"
    assert decision.reason == f"{PROVEN.reason}, and so do all {2 * (ACROSS + DOWN) - 4} edge tiles that are read"


@pytest.mark.parametrize(("row", "column"), [(0, 5), (3, 0), (DOWN - 1, 4), (5, ACROSS - 1), (DOWN - 1, ACROSS - 1)])
def test_one_that_differs_sends_the_slide_through_openslide(
    info: SlideInfo, monkeypatch: pytest.MonkeyPatch, row: int, column: int
) -> None:
    spoil(monkeypatch, row, column)
    decision = with_edges_proven(info, PROVEN, 0, [level(info)], "auto")
    assert decision.lane == "openslide"
    assert (
        decision.reason
        == f"level 0: stored tile {(row, column)} (row, column): 1 of {_area(row, column)} pixels differ"
    )
    with pytest.raises(LaneError, match="cannot be read by the direct lane"):
        with_edges_proven(info, PROVEN, 0, [level(info)], "direct")


def _area(row: int, column: int) -> int:
    return (64 - 9 * (row == DOWN - 1)) * (64 - 5 * (column == ACROSS - 1))


def test_what_is_not_read_or_lies_inside_is_left_to_the_sample(
    info: SlideInfo, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoil(monkeypatch, 0, 5)
    elsewhere = [Region(0, 64, 64, 64), Region(4 * 64, 2 * 64, 128, 64), Region(0, 0, 5 * 64, 64)]
    assert with_edges_proven(info, PROVEN, 0, elsewhere, "auto").lane == "direct"
    one_pixel_of_it = [Region(5 * 64, 63, 1, 1)]
    assert with_edges_proven(info, PROVEN, 0, one_pixel_of_it, "auto").lane == "openslide"


def test_no_stored_tile_is_compared_twice_while_the_slide_is_open(
    info: SlideInfo, asked_of_openslide: list[Region]
) -> None:
    sampled = choose_lane(info, [0], "direct")
    assert with_edges_proven(info, sampled, 0, [level(info)], "auto").lane == "direct"
    once = len(asked_of_openslide)
    assert len(set(asked_of_openslide)) == once >= 2 * (ACROSS + DOWN) - 4
    for _ in range(2):  # as a tissue layer of it does
        again = with_edges_proven(info, choose_lane(info, [0], "direct"), 0, [level(info)], "direct")
        assert again.reason.endswith(f"and so do all {2 * (ACROSS + DOWN) - 4} edge tiles that are read")
    assert len(asked_of_openslide) == once
    few = with_edges_proven(info, sampled, 0, [Region(0, 0, 130, 64)], "auto")
    assert few.reason.endswith("all 3 edge tiles that are read")
    assert len(asked_of_openslide) == once


@pytest.mark.parametrize("how", ["closed", "another file in its place", "written again"])
def test_what_was_proven_goes_with_the_reader_that_proved_it(
    info: SlideInfo, asked_of_openslide: list[Region], monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    path = Path(info.path)
    assert with_edges_proven(info, PROVEN, 0, [level(info)], "auto").lane == "direct"
    once = len(asked_of_openslide)
    if how == "closed":
        close_readers()
    elif how == "another file in its place":
        other = write_tiled(
            path.with_name("other.tif"), [tissue_like(DOWN * 64 - 9, ACROSS * 64 - 5, seed=8)], tile_px=64
        )
        os.replace(other, path)
    else:
        write_tiled(path, [tissue_like(DOWN * 64 - 9, ACROSS * 64 - 5, seed=9)], tile_px=64)
    os.utime(path, ns=(0, info.mtime_ns + (how != "closed")))
    spoil(monkeypatch, 0, 5)
    anew = inspect(path)
    assert with_edges_proven(anew, PROVEN, 0, [level(anew)], "auto").lane == "openslide"
    assert len(asked_of_openslide) > once


def test_a_tile_that_differed_is_compared_again(info: SlideInfo, monkeypatch: pytest.MonkeyPatch) -> None:
    spoil(monkeypatch, DOWN - 1, 2)
    for _ in range(2):
        assert with_edges_proven(info, PROVEN, 0, [level(info)], "auto").lane == "openslide"


def test_a_slide_that_openslide_reads_anyway_is_not_compared(info: SlideInfo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proof, "find_edge_obstacle", None)
    asked = LaneDecision("openslide", "asked for in the settings")
    assert with_edges_proven(info, asked, 0, [level(info)], "openslide") is asked
