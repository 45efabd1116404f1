"""Edges between work pixels: of shapes whose every edge is known; what they say of a count is what counting shows."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from wsi_area.compute.bit_planes import bit_planes
from wsi_area.compute.count.edges import areas_of, boundary_edges
from wsi_area.compute.judge.area_change import u_count_of_cracks_mm2
from wsi_area.model.classes import ClassScheme, TissueClass

Mask = NDArray[np.bool_]


def test_a_square_of_40_has_160_edges_wherever_it_lies() -> None:
    for x, y in ((3, 8), (13, 17), (60, 4)):
        picture = np.zeros((100, 120), np.uint8)
        picture[y : y + 40, x : x + 40] = 1
        assert boundary_edges(picture, [(1,)]) == [160]


def test_upright_stripes_are_counted_to_the_last_edge() -> None:
    picture = np.zeros((64, 120), np.uint8)
    picture[:, 10:20], picture[:, 20:30], picture[:, 50:60] = 1, 2, 2
    assert boundary_edges(picture, [(1,), (2,), (1, 2), ()]) == [128, 256, 256, 0]


def test_twelve_classes_are_told_apart() -> None:
    picture = np.zeros((64, 50), np.uint8)
    for n in range(1, 13):
        picture[:, 4 * n - 2 : 4 * n] = n  # stripes with background between them
    found = boundary_edges(picture, [*((n,) for n in range(1, 13)), (3, 9), tuple(range(1, 13))])
    assert found == [128] * 12 + [256, 12 * 128]


def neighbours_apart(picture: NDArray[np.uint8], ids: tuple[int, ...]) -> int:
    """The edges of an area along every row and down every column, by comparing neighbours."""
    inside = np.isin(picture, ids)
    return int((inside[:, 1:] != inside[:, :-1]).sum() + (inside[1:] != inside[:-1]).sum())


@pytest.mark.parametrize(
    "codes", [(0, 1), (0, 1, 2, 3), (0, 2, 4, 5), (1, 9), (0, 1, 2, 17), (0, 3, 253, 254, 255), (7,)]
)
def test_small_pictures_are_counted_to_the_last_edge_whatever_their_codes_and_their_shape(
    codes: tuple[int, ...],
) -> None:
    random = np.random.default_rng(len(codes))
    areas = [*((code,) for code in codes), codes[:2], codes[1:], (6,), ()]
    for shape in ((1, 1), (1, 130), (77, 1), (17, 63), (16, 64), (33, 65), (100, 127), (127, 128), (90, 200)):
        picture = random.choice(codes, shape).astype(np.uint8)
        assert boundary_edges(picture, areas) == [neighbours_apart(picture, ids) for ids in areas]
        assert boundary_edges(picture[::-1, ::-1], areas) == [neighbours_apart(picture, ids) for ids in areas]


@pytest.mark.parametrize(("height", "width"), [(512, 512), (500, 512), (256, 1024), (1024, 640), (300, 333)])
def test_larger_pictures_are_looked_along_every_so_many_rows_and_columns(height: int, width: int) -> None:
    picture = np.random.default_rng(width).choice(5, (height, width)).astype(np.uint8)
    step = min(height, width) // 64
    for ids in ((1,), (2, 3), (1, 2, 3, 4)):
        inside = np.isin(picture, ids)
        along, down = inside[::step], inside[:, ::step]
        right = int((along[:, 1:] != along[:, :-1]).sum()) * height / len(along)
        below = int((down[1:] != down[:-1]).sum()) * width / down.shape[1]
        assert boundary_edges(picture, [ids]) == [round(right + below)]


@pytest.mark.parametrize("codes", [(0, 1), (0, 1, 2, 3, 4), (1, 2, 255)])
def test_bit_planes_at_hand_give_the_edges_of_the_picture(codes: tuple[int, ...]) -> None:
    picture = np.random.default_rng(3).choice(codes, (192, 256)).astype(np.uint8)
    areas = [(1,), (2,), (1, 2)]
    found = boundary_edges(np.zeros_like(picture), areas, codes, bit_planes(picture))  # by the planes alone
    assert found == boundary_edges(picture, areas) != [0, 0, 0]


def test_noise_has_the_edges_of_each_class_and_of_their_total() -> None:
    """In independent pixels a share p(1 − p) · 2 of all neighbours differ."""
    random = np.random.default_rng(5)
    picture = random.choice(3, size=(800, 800), p=(0.5, 0.3, 0.2)).astype(np.uint8)
    neighbours = 2 * 800 * 799
    found = boundary_edges(picture, [(1,), (2,), (1, 2)])
    expected = [neighbours * 2 * p * (1 - p) for p in (0.3, 0.2, 0.5)]
    assert found == [pytest.approx(edges, rel=0.01) for edges in expected]


def test_a_picture_of_one_class_has_no_edge() -> None:
    assert boundary_edges(np.full((50, 50), 3, np.uint8), [(3,), (1,)]) == [0, 0]
    assert boundary_edges(np.zeros((1, 1), np.uint8), [(1,)]) == [0]


def test_lines_between_the_rows_that_are_looked_along_are_crossed_by_the_columns() -> None:
    picture = np.zeros((64, 64), np.uint8)
    picture[1::4] = 1
    assert boundary_edges(picture, [(1,)]) == [32 * 64]


def test_the_areas_are_the_classes_without_background_and_the_totals() -> None:
    scheme = ClassScheme((
        TissueClass(0, "glass", (255, 255, 255), False, False, False),
        TissueClass(1, "stroma", (1, 1, 1), True, False, False),
        TissueClass(2, "invasive", (2, 2, 2), True, True, False),
        TissueClass(3, "pen", (3, 3, 3), False, False, True),
        TissueClass(4, "in_situ", (4, 4, 4), True, True, False),
    ))  # fmt: skip
    assert areas_of(scheme) == ((1,), (2,), (3,), (4,), (2, 4), (), (1, 2, 4))


def discs(at: tuple[float, float], turn: float) -> Mask:
    """Nine discs of 11 to 19 px; the grid lies anywhere on each of them."""
    y, x = np.mgrid[:400, :400]
    inside = np.zeros((400, 400), np.bool_)
    for n in range(9):
        cx, cy = 70 + 120 * (n % 3) + 7.3 * n * at[0], 70 + 120 * (n // 3) + 5.9 * n * at[1]
        inside |= (x - cx) ** 2 + (y - cy) ** 2 < (11 + n) ** 2
    return inside


def lace(at: tuple[float, float], turn: float) -> Mask:
    """Bars and gaps 4 to 9 px wide, waved, at any angle."""
    y, x = np.mgrid[:400, :400] - 200.0
    u = x * math.cos(turn) - y * math.sin(turn) + at[0]
    v = x * math.sin(turn) + y * math.cos(turn) + at[1]
    wave = np.sin(u / 2.1 + np.sin(v / 9)) + np.sin(v / 2.9 + np.cos(u / 11))
    inside: Mask = (wave > 0.35) & (u**2 + v**2 < 150**2)
    return inside


@pytest.mark.parametrize("shape", [discs, lace], ids=["discs", "lace"])
def test_what_the_edges_say_of_a_count_is_how_counts_spread_when_the_grid_is_moved(
    shape: Callable[[tuple[float, float], float], Mask],
) -> None:
    random = np.random.default_rng(11)
    draws = [shape(tuple(random.random(2)), random.uniform(0, 2 * math.pi)) for _ in range(300)]
    counts = [int(np.count_nonzero(draw)) for draw in draws]
    edges = np.mean([boundary_edges(draw.astype(np.uint8), [(1,)])[0] for draw in draws])
    stated = u_count_of_cracks_mm2(int(edges), 1.0)
    assert 0.75 < stated / float(np.std(counts, ddof=1)) < 1.6
