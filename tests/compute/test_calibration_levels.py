"""Which levels of a pyramid may stand for level 0."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wsi_area.compute.calibration.calibrate import calibrate
from wsi_area.compute.calibration.level_ratios import usable_levels
from wsi_area.model.calibration import Mpp, MppCandidate
from wsi_area.model.geometry import Size
from wsi_area.model.slide import Level, SlideInfo


def pyramid(*sizes: tuple[int, int]) -> SlideInfo:
    full = Size(*sizes[0])
    levels = tuple(Level(n, Size(w, h), full.width_px / w, full.height_px / h) for n, (w, h) in enumerate(sizes))
    claims = (MppCandidate(Mpp(0.25, 0.25), "vendor.MPP", "vendor", "A"),)
    return SlideInfo("s", "s.svs", "generic-tiff", full, levels, "f", 1, 1, mpp_candidates=claims)


def test_level_0_is_always_used() -> None:
    assert usable_levels(pyramid((2220, 2967))) == (0,)


@pytest.mark.parametrize(
    "sizes",
    [
        [(46_000, 32_914), (11_500, 8_228), (2_875, 2_057), (1_437, 1_028)],  # Aperio: 4, 16, 32, floored
        [(4443, 3567), (2221, 1783)],
        [(300, 250), (150, 125), (75, 62), (37, 31)],  # 8.108 and 8.065, both a pixel from 8
        [(2001, 1501), (1000, 750), (500, 375), (250, 187)],
        [(97_792, 221_184), (1_528, 3_456), (764, 1_728), (191, 432)],
        [(100_000, 500), (782, 4)],  # 127.9 and 125: 4 rows may honestly be 3.9
        [(90_000, 60_000), (30_000, 20_000), (10_000, 6_667), (3_334, 2_223)],  # thirds, rounded
        [(1024, 1024), (1, 1)],
    ],
)
def test_honest_pyramids_are_used_whole(sizes: list[tuple[int, int]]) -> None:
    assert usable_levels(pyramid(*sizes)) == tuple(range(len(sizes)))
    assert calibrate(pyramid(*sizes)).findings == ()


def test_levels_padded_to_whole_tiles_are_not_used() -> None:
    # Philips DICOM: each level is its true size rounded up to tiles of 1024 px
    width, height, tile = 104_448, 55_296, 1024
    sizes = [(-(-width // (tile * 2**n)) * tile, -(-height // (tile * 2**n)) * tile) for n in range(7)]
    assert sizes[2] == (26_624, 14_336)  # true: 26 112 × 13 824
    info = pyramid(*sizes)
    assert usable_levels(info) == (0, 1)
    (finding,) = calibrate(info).findings
    assert (finding.code, finding.severity) == ("LEVEL_RATIO_ODD", "warning")
    assert "5 of 7 levels" in finding.message
    assert all(f"level {n}:" in finding.message for n in (2, 3, 4, 5, 6))
    assert calibrate(info).mpp == Mpp(0.25, 0.25)


def test_ratios_of_13_125_and_39_are_not_used_though_39_is_whole() -> None:
    width, height = 13_125 * 39 // 5, 13_125 * 39 // 5
    info = pyramid((width, height), (round(width / 13.125), round(height / 13.125)), (width // 39, height // 39))
    assert usable_levels(info) == (0,)


def test_a_whole_ratio_that_does_not_continue_the_chain_is_not_used() -> None:
    assert usable_levels(pyramid((39_936, 39_936), (4992, 4992), (1024, 1024))) == (0, 1)


def test_a_level_whose_axes_shrink_differently_is_not_used() -> None:
    assert usable_levels(pyramid((40_000, 40_000), (10_000, 9_500))) == (0,)
    assert usable_levels(pyramid((40_000, 40_000), (10_000, 10_000), (5_000, 2_500))) == (0, 1)


def test_a_power_of_two_may_be_off_by_one_percent_but_not_by_two() -> None:
    assert usable_levels(pyramid((40_000, 40_000), (2_520, 2_520))) == (0, 1)  # 15.87
    assert usable_levels(pyramid((40_000, 40_000), (2_550, 2_550))) == (0,)  # 15.69
    assert usable_levels(pyramid((40_000, 40_000), (2_520, 2_482))) == (0,)  # 15.87 and 16.12: 1.5 % apart


@settings(max_examples=200, deadline=None)
@given(
    st.integers(1, 200_000),
    st.integers(1, 200_000),
    st.lists(st.integers(1, 4), min_size=1, max_size=5),
    st.sampled_from([lambda a, b: a // b, lambda a, b: -(-a // b), lambda a, b: round(a / b)]),
)
def test_any_pyramid_of_halvings_is_used_however_it_rounds(
    width: int, height: int, halvings: list[int], rounded: object
) -> None:
    sizes, factor = [(width, height)], 1
    for step in halvings:
        factor *= 2**step
        sizes.append((max(1, rounded(width, factor)), max(1, rounded(height, factor))))  # type: ignore[operator]
        if min(sizes[-1]) == 1:
            sizes.pop()
            break
    assert usable_levels(pyramid(*sizes)) == tuple(range(len(sizes)))


def test_a_level_as_large_as_level_0_is_no_reduction_and_no_odd_one() -> None:
    repeated = pyramid((2560, 1664), (2560, 1664), (1280, 832))  # a focal plane, or a converter that repeats level 0
    assert usable_levels(repeated) == (0, 2)
    assert calibrate(repeated).findings == ()
