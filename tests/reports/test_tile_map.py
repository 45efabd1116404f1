"""One square a tile: its share, and the tiles that have none."""

import numpy as np

from wsi_area.model.classes import ClassScheme, TissueClass
from wsi_area.model.ledger import NOT_COMMITTED, LedgerLayout, TileStatus
from wsi_area.reports.picture.tile_map import NOTHING_RGB, RAMP_RGB, SKIPPED_RGB, TileMap, tile_map
from wsi_area.results.class_map.class_codes import OUTSIDE_RGB, UNREADABLE_RGB

TISSUE = ClassScheme((TissueClass(0, "background", (255, 255, 255)), TissueClass(1, "tissue", (9, 9, 9), True)))
TUMOUR = ClassScheme((*TISSUE.classes, TissueClass(2, "tumor", (1, 1, 1), True, True)))


def ledger(scheme: ClassScheme, rows: list[list[tuple[list[int], TileStatus]]]) -> np.ndarray:
    layout = LedgerLayout(len(scheme.classes))
    array = np.zeros((len(rows), len(rows[0]), len(layout.columns)), np.int64)
    for r, row in enumerate(rows):
        for c, (px, status) in enumerate(row):
            array[r, c, : len(px)] = px
            array[r, c, layout.status_column] = status
    return array


def colour(found: TileMap, row: int, column: int) -> tuple[int, ...]:
    index = int(found.indices[row, column])
    return tuple(found.palette[3 * index : 3 * index + 3])


def test_the_share_runs_from_the_palest_to_the_darkest_colour() -> None:
    rows = ledger(TISSUE, [[([100, 0], TileStatus.READ), ([0, 100], TileStatus.READ)]])
    found = tile_map(rows, TISSUE, 1)
    assert colour(found, 0, 0) == RAMP_RGB[0]
    assert colour(found, 0, 1) == RAMP_RGB[-1]
    assert found.facts.of == "tissue"


def test_with_a_tumour_class_the_share_is_of_tumour() -> None:
    rows = ledger(TUMOUR, [[([0, 100, 0], TileStatus.READ), ([0, 0, 100], TileStatus.READ)]])
    found = tile_map(rows, TUMOUR, 1)
    assert (found.facts.of, colour(found, 0, 0), colour(found, 0, 1)) == ("tumour", RAMP_RGB[0], RAMP_RGB[-1])


def test_tiles_without_a_share_are_told_apart_and_counted() -> None:
    rows = ledger(
        TISSUE,
        [[([64, 0], TileStatus.SKIPPED), ([0, 0, 64], TileStatus.READ), ([0, 0, 0, 0, 64], TileStatus.UNREADABLE),
          ([0, 0, 0, 64], TileStatus.SKIPPED), ([0, 0, 60, 4], TileStatus.READ), ([60, 0, 0, 4], TileStatus.SKIPPED)]],
    )  # fmt: skip
    rows = np.concatenate([rows, np.full_like(rows[:, :1], NOT_COMMITTED)], axis=1)
    found = tile_map(rows, TISSUE, 1)
    assert [colour(found, 0, c) for c in range(7)] == [
        SKIPPED_RGB, NOTHING_RGB, UNREADABLE_RGB, OUTSIDE_RGB, OUTSIDE_RGB, SKIPPED_RGB, UNREADABLE_RGB,
    ]  # fmt: skip
    assert (found.facts.skipped, found.facts.nothing, found.facts.outside, found.facts.unreadable) == (2, 1, 2, 2)


def test_a_square_is_as_large_as_asked_and_its_colour_darkens_with_the_share() -> None:
    rows = ledger(TISSUE, [[([100 - share, share], TileStatus.READ) for share in range(0, 101, 10)]])
    found = tile_map(rows, TISSUE, 8)
    assert found.indices.shape == (8, 88)
    grey = [sum(colour(found, 2, 8 * tile + 2)) for tile in range(11)]
    assert grey == sorted(grey, reverse=True)
