"""The worked arithmetic agrees with what a person gets on paper."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsi_area.compute.calibration.unit_slips import slip_name, slip_towards
from wsi_area.compute.count.explain import (
    Explanation,
    explain_area,
    explanation_text,
    from_dpi,
    from_mpp,
    from_spacing_mm,
)
from wsi_area.compute.quantity_text import number_text, pair_text, percent_text
from wsi_area.errors import ImplausibleMppError, SettingsError
from wsi_area.model.calibration import Mpp


def last_value(explanation: Explanation) -> float:
    return explanation.steps[-1].value


def test_fifteen_thousand_pixels_of_half_a_um_are_0_00375_mm2() -> None:
    explanation = explain_area(15_000, from_mpp(Mpp(0.5, 0.5)), power=20)
    assert explanation.area_mm2 == pytest.approx(0.00375)
    assert last_value(explanation) == explanation.area_mm2
    assert explanation_text(explanation).endswith("15 000 px -> 0.00375 mm²")


def test_five_thousand_pixels_at_300_dpi_are_35_84_mm2() -> None:
    explanation = explain_area(5_000, from_dpi(300, 300))
    assert explanation.steps[0].value == pytest.approx(84.6667, abs=1e-4)
    assert explanation.area_mm2 == pytest.approx(35.84, abs=0.005)
    text = explanation_text(explanation)
    assert "84.6667 µm" in text
    assert "35.84" in text


def test_dicom_spacing_lists_the_row_first_so_its_first_number_is_the_height() -> None:
    explanation = explain_area(1_000_000, from_spacing_mm(0.0005, 0.00025))
    assert explanation.mpp == Mpp(0.25, 0.5)
    assert [step.value for step in explanation.steps[:2]] == [0.25, 0.5]
    assert explanation.area_mm2 == pytest.approx(0.125)


def test_the_pathologists_tumour_on_the_camelyon_grid_is_6_0035_mm2() -> None:
    assert explain_area(7_154, from_spacing_mm(0.028968, 0.028969)).area_mm2 == pytest.approx(6.0035, abs=5e-5)


def test_densities_that_differ_by_axis_are_not_averaged() -> None:
    assert from_dpi(25_400, 12_700).mpp == Mpp(1.0, 2.0)
    assert len(from_dpi(25_400, 12_700).steps) == 2


def test_fifty_um_at_times_twenty_is_refused_with_the_reason() -> None:
    with pytest.raises(ImplausibleMppError) as refused:
        explain_area(15_000, from_mpp(Mpp(50, 50)), power=20)
    message = str(refused.value)
    for part in ("2 001 such pixels in a row would be 100 mm", "×20, which is about 0.5 µm", "2.5e-7 mm²"):
        assert part in message


@pytest.mark.parametrize(("mpp", "power"), [(0.001, 40), (1.0, 40), (0.5, 2), (5.0, 20)])
def test_a_pixel_far_from_its_objective_is_refused_either_way(mpp: float, power: float) -> None:
    with pytest.raises(ImplausibleMppError):
        explain_area(1, from_mpp(Mpp(mpp, mpp)), power=power)


def test_one_far_axis_is_enough_to_refuse() -> None:
    with pytest.raises(ImplausibleMppError, match="5 µm"):
        explain_area(1, from_mpp(Mpp(0.5, 5.0)), power=20)


def test_a_pixel_somewhat_outside_its_band_is_explained_and_called_unusual() -> None:
    texts = [step.text for step in explain_area(1, from_mpp(Mpp(0.25, 0.25)), power=63).steps]
    assert any("UNUSUAL" in text for text in texts)


def test_no_pixels_are_no_area_and_that_is_an_answer() -> None:
    assert explain_area(0, from_mpp(Mpp(0.5, 0.5))).area_mm2 == 0.0


@pytest.mark.parametrize("nonsense", [0.0, -1.0, float("nan"), float("inf")])
def test_a_size_that_is_no_size_is_refused(nonsense: float) -> None:
    for build in (
        lambda: from_mpp(Mpp(nonsense, 1)),
        lambda: from_dpi(1, nonsense),
        lambda: from_spacing_mm(nonsense, 1),
    ):
        with pytest.raises(SettingsError, match="above 0"):
            build()


def test_counts_below_zero_and_powers_that_are_none_are_refused() -> None:
    with pytest.raises(SettingsError, match="-1 pixels"):
        explain_area(-1, from_mpp(Mpp(1, 1)))
    with pytest.raises(SettingsError, match="objective power"):
        explain_area(1, from_mpp(Mpp(1, 1)), power=0)


@given(st.integers(1, 10**11), st.floats(0.05, 1000), st.floats(0.05, 1000))
def test_doubling_the_pixel_size_quadruples_the_area(n_px: int, x: float, y: float) -> None:
    once = explain_area(n_px, from_mpp(Mpp(x, y))).area_mm2
    assert explain_area(n_px, from_mpp(Mpp(2 * x, 2 * y))).area_mm2 == pytest.approx(4 * once, rel=1e-12)


def test_the_columns_of_the_text_line_up() -> None:
    lines = explanation_text(explain_area(3, from_mpp(Mpp(0.25, 0.5)))).splitlines()
    assert len({line.rindex("  ") for line in lines[1:-1]}) == 1  # where each value begins
    assert lines[0] == "How many mm² are 3 pixels of 0.25 × 0.5 µm?"
    assert explanation_text(explain_area(1, from_mpp(Mpp(1, 1)))).startswith("How many mm² is 1 pixel of 1 µm?")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"), (7, "7"), (2001, "2 001"), (1234567.0, "1 234 567"), (0.25, "0.25"), (84.666667, "84.6667"),
        (7168.4444, "7 168.44"), (2.5e-7, "2.5e-7"), (1e20, "1e20"), (0.028969, "0.028969"), (-1500.5, "-1 500.5"),
    ],
)  # fmt: skip
def test_numbers_are_grouped_and_rounded_to_six_digits(value: float, text: str) -> None:
    assert number_text(value) == text


@given(st.floats(1e-6, 1e12))
def test_a_number_read_back_from_its_text_is_within_six_digits(value: float) -> None:
    assert float(number_text(value).replace(" ", "")) == pytest.approx(value, rel=1e-5)


def test_pairs_and_percentages_read_well() -> None:
    assert pair_text(0.2270972, 0.2271024) == "0.227097 × 0.227102"
    assert percent_text(0.0202) == "2.02 %"
    assert percent_text(99.2) == "9 920 %"


def test_slips_are_named_in_both_directions_and_only_when_near() -> None:
    assert slip_name(10.3) == ""
    assert slip_name(0.1) == slip_name(10)
    assert slip_towards(0.025, 0.11, 0.28).startswith("10 times larger")
    assert slip_towards(7e7, 0.11, 0.28) == ""
