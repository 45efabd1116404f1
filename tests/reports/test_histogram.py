"""The threshold stands where it cuts: each bar is on the side that its pixels are counted on."""

import re
from typing import Any

import pytest

from wsi_area.reports.plots.histogram import WIDTH, histograms


def grey_facts(**more: Any) -> dict[str, Any]:
    counts = [0] * 256
    counts[10], counts[40], counts[41], counts[200] = 1000, 5, 7, 90
    return {"histogram": counts, "threshold": 40, "feature": "darkness", "background_level": 10, **more}


def bars(path: str) -> list[tuple[float, float]]:
    """Left and right edge of every bar that has a height."""
    x = [float(number) for number in re.findall(r"[MH]([\d.]+)", path)]
    tops = [float(number) for number in re.findall(r"V([\d.]+)", path)]
    return [(a, b) for a, b, top in zip(x, x[1:], tops, strict=False) if top < 122]


def test_pixels_above_the_threshold_are_blue_and_no_others() -> None:
    (plot,) = histograms(grey_facts())
    cut = next(line.x for line in plot.lines if line.is_main)
    below, above = bars(plot.below), bars(plot.above)
    assert (len(below), len(above)) == (2, 2)  # 10 and 40; 41 and 200
    assert all(right <= cut + 0.1 for _, right in below)
    assert all(left >= cut - 0.1 for left, _ in above)


def test_a_clamped_threshold_shows_what_otsu_said_too() -> None:
    (plot,) = histograms(grey_facts(clamped=True, otsu_threshold=97))
    assert [line.text for line in plot.lines] == ["background 10", "threshold 40", "Otsu's 97"]
    assert "97" in plot.description
    assert plot.why == (
        "Otsu's method gives 97; beyond 30 above the background faint tissue would be lost, so 40 was used "
        "(contrast_max)."
    )


def test_a_threshold_raised_from_the_noise_of_bare_glass_says_so_and_one_that_is_otsus_says_nothing() -> None:
    (raised,) = histograms(grey_facts(clamped=True, otsu_threshold=12))
    assert "below 30 above the background bare glass would count, so 40 was used (contrast_min)" in raised.why
    (its_own,) = histograms(grey_facts(clamped=False, otsu_threshold=40))
    assert its_own.why == ""


def test_labels_that_would_meet_stand_on_rows_of_their_own() -> None:
    (plot,) = histograms(grey_facts(background_level=38, clamped=True, otsu_threshold=42))
    assert sorted(line.row for line in plot.lines) == [0, 1, 2]


def test_a_label_at_the_right_edge_stays_inside() -> None:
    (plot,) = histograms(grey_facts(threshold=250))
    line = next(line for line in plot.lines if line.is_main)
    assert line.at_end
    assert line.x <= WIDTH


def test_the_bands_of_a_stain_have_a_histogram_of_their_own() -> None:
    density = [3] * 100
    facts = grey_facts(density_histogram=density, density_bin_od=0.01, bands_od=[0.2, 0.4], target="dab")
    _, plot = histograms(facts)
    assert [line.text for line in plot.lines] == ["from 0.2", "from 0.4"]
    assert (len(bars(plot.below)), len(bars(plot.above))) == (20, 80)


@pytest.mark.parametrize(
    "facts",
    [{}, {"threshold": 4}, {"histogram": [0, 0], "threshold": 1}, {"histogram": "<b>", "threshold": 1}],
)
def test_a_segmenter_without_a_threshold_has_none(facts: dict[str, Any]) -> None:
    assert histograms(facts) == ()
