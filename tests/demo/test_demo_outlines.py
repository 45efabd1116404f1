"""tests: the closed forms of the demo's outlines, against points counted on a fine grid."""

import numpy as np
import pytest

from wsi_area.demo.outlines import CornerPiece, CutDisc, Disc, Ellipse, Lobed, Outline
from wsi_area.model.geometry import Size

OUTLINES = [
    Disc(51.3, 48.2, 40),
    Disc(51.3, 48.2, 40, hole_px=11),
    Ellipse(50, 50, (44, 17), 33),
    Ellipse(50, 50, (17, 44), -70),
    CutDisc(50, 50, 45, angle_deg=20, distance_px=13),
    CutDisc(50, 50, 45, angle_deg=200, distance_px=-13),
    Lobed(50, 50, 30, ((2, 0.15, 0.4),)),
    Lobed(50, 50, 30, ((1, 0.1, 2.0), (3, 0.2, 1.0), (5, 0.1, 0.3))),
    CornerPiece(Size(100, 100), 60, 25),
]


@pytest.mark.parametrize("outline", OUTLINES)
def test_the_closed_form_is_the_area_that_points_find(outline: Outline) -> None:
    step_px = 0.05
    at = np.arange(0, 100, step_px) + step_px / 2
    found_px2 = outline.contains(at[None, :], at[:, None]).sum() * step_px**2
    assert found_px2 == pytest.approx(outline.area_px2, rel=2e-4)


@pytest.mark.parametrize("outline", OUTLINES)
def test_nothing_of_an_outline_lies_beyond_its_reach(outline: Outline) -> None:
    at = np.arange(0, 100, 0.25)
    inside = outline.contains(at[None, :], at[:, None])
    left, top, right, bottom = outline.reach_px
    rows, columns = np.nonzero(inside)
    assert left <= at[columns].min()
    assert at[columns].max() <= right
    assert top <= at[rows].min()
    assert at[rows].max() <= bottom


def test_a_cut_disc_keeps_the_side_away_from_the_cut() -> None:
    cut = CutDisc(0, 0, 10, angle_deg=90, distance_px=5)  # square to y, which points down
    x, y = np.zeros(2), np.array([-9.0, 9.0])
    assert cut.contains(x, y).tolist() == [True, False]


def test_a_corner_piece_holds_the_corner() -> None:
    piece = CornerPiece(Size(100, 50), 20, 10)
    assert piece.contains(np.array([99.5, 75.0]), np.array([49.5, 49.5])).tolist() == [True, False]
