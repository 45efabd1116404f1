"""The sample that the direct lane is proven on: how many tiles, which ones, of which levels; each of them counts."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tiff_files import halved, tissue_like, write_tiled

from wsi_area.model.geometry import Region
from wsi_area.model.pixels import TilePixels
from wsi_area.model.slide import SlideInfo
from wsi_area.slides import close_readers, inspect
from wsi_area.slides.lanes.direct_lane import DirectReader
from wsi_area.slides.lanes.openslide_lane import OpenSlideReader
from wsi_area.slides.lanes.overview import overview_level
from wsi_area.slides.lanes.proof import find_obstacle, tile_box
from wsi_area.slides.lanes.reading import DecodedTile
from wsi_area.slides.stored.tiled_level import TiledLevel

TILE_PX, TILES_PROMISED = 16, 24

Compared = set[tuple[int, int, int]]  # level, row and column of stored tiles


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    close_readers()
    yield
    close_readers()


def slide(folder: Path, across: int, down: int, levels: int = 1) -> SlideInfo:
    cut_px = (3, 5) if levels == 1 else (0, 0)  # a pyramid whose levels do not divide is no case for the direct lane
    pictures = [tissue_like(down * TILE_PX - cut_px[0], across * TILE_PX - cut_px[1], seed=across)]
    while len(pictures) < levels:
        pictures.append(halved(halved(pictures[-1])))
    return inspect(write_tiled(folder / f"{across}x{down}.tif", pictures, tile_px=TILE_PX))


def compared(info: SlideInfo, levels: list[int], monkeypatch: pytest.MonkeyPatch) -> Compared:
    """The stored tiles that both lanes were asked for, each alone, by a reader that has proven nothing yet."""
    close_readers()
    seen: dict[type, Compared] = {DirectReader: set(), OpenSlideReader: set()}
    for lane in seen:
        read = lane.read

        def noted(self: object, level: int, box: Region, lane: type = lane, read: object = read) -> TilePixels:
            assert box.width_px <= TILE_PX
            assert box.height_px <= TILE_PX
            seen[lane].add((level, box.y_px // TILE_PX, box.x_px // TILE_PX))
            return read(self, level, box)  # type: ignore[operator,no-any-return]

        monkeypatch.setattr(lane, "read", noted)
    assert find_obstacle(info, levels, None)[1] is None
    monkeypatch.undo()
    assert seen[DirectReader] == seen[OpenSlideReader]
    return seen[DirectReader]


@pytest.mark.parametrize(("across", "down"), [(20, 20), (16, 13), (40, 2), (3, 31)])
def test_as_many_tiles_are_compared_as_the_proof_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, across: int, down: int
) -> None:
    tiles = {(row, column) for _, row, column in compared(slide(tmp_path, across, down), [0], monkeypatch)}
    assert len(tiles) == TILES_PROMISED
    assert tiles >= {(row, column) for row in (0, down - 1) for column in (0, across - 1)}  # the corners
    assert any(row == down - 1 and 0 < column < across - 1 for row, column in tiles) or across < 3
    assert any(column == across - 1 and 0 < row < down - 1 for row, column in tiles) or down < 3


@pytest.mark.parametrize(("across", "down"), [(1, 1), (2, 2), (1, 9), (11, 2), (3, 2)])
def test_of_a_small_level_every_tile_at_its_right_and_lower_edge_is_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, across: int, down: int
) -> None:
    tiles = {(row, column) for _, row, column in compared(slide(tmp_path, across, down), [0], monkeypatch)}
    edge = {(row, across - 1) for row in range(down)} | {(down - 1, column) for column in range(across)}
    assert tiles >= edge


def test_a_third_of_the_sample_lies_anywhere_most_of_it_inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inside = 0
    for across in (20, 21, 22, 23):
        tiles = compared(slide(tmp_path, across, 20), [0], monkeypatch)
        inside += sum(0 < row < 19 and 0 < column < across - 1 for _, row, column in tiles)
    assert inside >= 16  # of 32 drawn at random, of which four in five lie inside


def test_every_level_that_is_asked_for_is_sampled_and_the_overviews_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = slide(tmp_path, 64, 64, levels=3)
    by_level: dict[int, int] = {}
    for level, _, _ in compared(info, [0, 1], monkeypatch):
        by_level[level] = by_level.get(level, 0) + 1
    assert by_level[0] == by_level[1] == TILES_PROMISED
    fitted_on = overview_level(info, usable_levels=None)
    assert fitted_on != 1
    assert {level for level, _, _ in compared(info, [1], monkeypatch)} == {1, fitted_on}
    assert find_obstacle(info, [1], None) == (tuple(sorted({1, fitted_on})), None)


def test_any_tile_of_the_sample_that_differs_sends_the_slide_through_openslide(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = slide(tmp_path, 12, 12)
    decoded_tile = DirectReader._decoded_tile
    for _, row, column in compared(info, [0], monkeypatch):

        def otherwise(
            self: DirectReader, n: int, tiles: TiledLevel, box: Region, *told: Any, at: int = row * 12 + column
        ) -> DecodedTile:
            decoded = decoded_tile(self, n, tiles, box, *told)
            if box == tile_box(tiles, at):
                decoded.rgb[1, 2, 0] ^= 1
            return decoded

        monkeypatch.setattr(DirectReader, "_decoded_tile", otherwise)
        close_readers()  # what was proven is of the reader that proved it
        assert f"stored tile ({row}, {column})" in str(find_obstacle(info, [0], None)[1])
