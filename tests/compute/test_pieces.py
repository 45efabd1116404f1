"""Pieces of tissue, painted where they are known to lie, are found, numbered and outlined."""

import numpy as np
import pytest
import shapely
from painted_boxes import discs, painted

from wsi_area.compute.cut.rasterise import inside_at
from wsi_area.compute.sections.boxes import TissueBoxes
from wsi_area.compute.sections.pieces import find_pieces, piece_labels
from wsi_area.model.calibration import Mpp

SIZE_MM = (24.0, 20.0)
DISC_MM2 = np.pi  # of a radius of 1 mm


@pytest.mark.parametrize("mpp", [Mpp(0.5, 0.5), Mpp(0.25, 0.5), Mpp(1.0, 0.4)])
def test_discs_are_pieces_with_their_area_numbered_from_the_left(mpp: Mpp) -> None:
    centres = [(16_000, 4_000), (4_000, 15_000), (9_000, 5_000)]
    boxes = painted(discs(centres, 1000), SIZE_MM, mpp)
    pieces = find_pieces(boxes, 150, 0.5)
    assert [piece.number for piece in pieces] == [1, 2, 3]
    middles = [piece.outline_l0_px.centroid for piece in pieces]
    assert [round(m.x * mpp.x / 1000) for m in middles] == [4, 9, 16]
    labels = piece_labels(boxes, 150, 0.5)
    for piece in pieces:
        assert boxes.area_mm2[labels == piece.number].sum() == pytest.approx(DISC_MM2, rel=2e-3)


@pytest.mark.parametrize(("gap_um", "count"), [(160, 1), (400, 2), (1000, 2)])
def test_a_gap_is_closed_up_to_twice_the_radius(gap_um: float, count: int) -> None:
    def halves(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        tissue = (np.abs(x - 12_000) < 4000) & (np.abs(y - 10_000) < 3000)
        return tissue & (np.abs(x - 12_000) >= gap_um / 2)

    assert len(find_pieces(painted(halves, SIZE_MM), 150, 0.5)) == count


def test_small_pieces_are_left_to_the_rest_and_take_no_number() -> None:
    boxes = painted(discs([(4_000, 5_000), (20_000, 5_000)], 1000), SIZE_MM)
    dust = painted(discs([(10_000, 15_000), (12_000, 5_000)], 150), SIZE_MM)
    both = TissueBoxes(
        np.maximum(boxes.share, dust.share), boxes.is_tissue | dust.is_tissue, boxes.is_cut, boxes.columns_l0_px,
        boxes.rows_l0_px, boxes.mpp,
    )  # fmt: skip
    assert [piece.number for piece in find_pieces(both, 150, 0.5)] == [1, 2]
    assert len(find_pieces(both, 150, 0.01)) == 4


def test_pieces_and_the_rest_share_out_every_pixel_of_the_slide() -> None:
    rng = np.random.default_rng(5)
    centres = np.column_stack([rng.uniform(0, 24_000, 40), rng.uniform(0, 20_000, 40)])
    boxes = painted(discs(centres, 900), SIZE_MM, Mpp(8.0, 4.0))
    pieces = find_pieces(boxes, 150, 0.5)
    assert len(pieces) > 2
    rest = boxes.slide_l0_px.difference(shapely.union_all([piece.outline_l0_px for piece in pieces]))
    width, height = int(boxes.columns_l0_px[-1]), int(boxes.rows_l0_px[-1])
    x, y = np.arange(width) + 0.5, np.arange(height) + 0.5
    covered = sum(inside_at(g.wkb, x, y).astype(int) for g in [rest, *(piece.outline_l0_px for piece in pieces)])
    assert (covered == 1).all()


def test_the_pixels_inside_an_outline_are_those_of_its_boxes() -> None:
    boxes = painted(discs([(9_000, 9_000)], 2500), SIZE_MM, Mpp(8.0, 8.0))
    (piece,) = find_pieces(boxes, 100, 0.5)
    labels = piece_labels(boxes, 100, 0.5)
    x = np.arange(int(boxes.columns_l0_px[-1])) + 0.5
    y = np.arange(int(boxes.rows_l0_px[-1])) + 0.5
    of_box = np.ix_(np.searchsorted(boxes.rows_l0_px, y) - 1, np.searchsorted(boxes.columns_l0_px, x) - 1)
    assert (inside_at(piece.outline_l0_px.wkb, x, y) == (labels == 1)[of_box]).all()


def test_a_piece_at_the_rim_or_beside_what_was_not_measured_is_cut() -> None:
    boxes = painted(discs([(200, 5_000), (12_000, 10_000), (20_000, 10_000)], 1000), SIZE_MM)
    boxes.is_cut[:, -75:] = True
    assert [piece.is_cut for piece in find_pieces(boxes, 100, 0.5)] == [True, False, True]


def test_glass_alone_has_no_piece() -> None:
    assert find_pieces(painted(discs([], 1), SIZE_MM), 150, 0.5) == ()
