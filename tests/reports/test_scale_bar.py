"""The bar is as long as it says, by the pixel size that the areas are made with."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wsi_area.compute.count.area import area_mm2
from wsi_area.compute.picture.scale_bar import scale_bar
from wsi_area.model.calibration import Mpp


@settings(max_examples=60)
@given(st.integers(100, 500_000), st.floats(0.05, 400))
def test_a_square_on_the_bar_has_the_area_that_the_same_pixels_are_counted_as(width_px: int, um: float) -> None:
    bar = scale_bar(width_px, Mpp(um, um))
    side_px = bar.share * width_px
    assert area_mm2(1, Mpp(um, um)) * side_px**2 == pytest.approx((bar.length_um / 1000) ** 2)


@settings(max_examples=60)
@given(st.integers(100, 500_000), st.floats(0.05, 400))
def test_it_is_a_round_number_and_fills_between_a_tenth_and_a_third(width_px: int, um: float) -> None:
    bar = scale_bar(width_px, Mpp(um, um))
    assert f"{bar.length_um:e}"[0] in "125"
    assert 0.1 < bar.share <= 0.3001


def test_only_the_width_of_a_pixel_enters() -> None:
    assert scale_bar(1000, Mpp(0.5, 0.25)) == scale_bar(1000, Mpp(0.5, 0.5))


@pytest.mark.parametrize(("width_px", "text"), [(2220, "200 µm"), (100_000, "10 mm"), (20, "2 µm")])
def test_the_unit_is_the_one_a_person_would_choose(width_px: int, text: str) -> None:
    assert scale_bar(width_px, Mpp(0.499, 0.499)).text == text
