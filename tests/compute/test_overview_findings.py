"""When the overview is said to differ from what was counted, and when the width of its pixels explains it."""

import numpy as np
import pytest
from plans import slide_info
from test_area import SCHEME, calibration

from wsi_area.compute.count.area import measure
from wsi_area.compute.judge.overview_findings import least_cover, overview_findings
from wsi_area.model.counts import ClassCounts

HALF = measure(slide_info((100, 10)), SCHEME, ClassCounts((500, 500, 0)), calibration(0.5, 0.5), None)


@pytest.mark.parametrize(("share", "count"), [(0.50, 0), (0.505, 0), (0.52, 1), (0.48, 1), (None, 0), (0.0, 1)])
def test_the_overview_is_held_against_the_count(share, count):
    found = overview_findings(HALF, share)
    assert [f.code for f in found] == ["OVERVIEW_DIFFERS"] * count
    assert all("50.00% was counted" in f.message for f in found)


@pytest.mark.parametrize(
    ("share", "by_box", "count"),
    [
        (0.55, 0.57, 0),  # sharp rims widen what is bright
        (0.57, 0.57, 0),
        (0.50, 0.57, 0),  # soft rims do not
        (0.60, 0.57, 1),
        (0.45, 0.57, 1),  # noise: what was counted is not there
        (0.40, 0.38, 0),  # specks too small for a box are lost
        (0.30, 0.38, 1),
        (0.56, 0.38, 1),
    ],
)
def test_what_lies_between_the_count_and_its_boxes_is_explained(share, by_box, count):
    assert len(overview_findings(HALF, share, by_box)) == count


@pytest.mark.parametrize(("background", "tissue", "threshold"), [(5, 200, 40), (12, 60, 32), (30, 100, 95)])
def test_a_box_with_a_little_more_than_the_least_cover_exceeds_the_threshold_and_with_less_it_does_not(
    background, tissue, threshold
):
    histogram = np.zeros(256, int)
    histogram[[background, tissue]] = 300, 100
    cover = least_cover(histogram.tolist(), threshold)
    for n_px in range(101):  # of a box of 100 px
        pixels = np.array([tissue] * n_px + [background] * (100 - n_px))
        assert (pixels.mean() > threshold) == (n_px > 100 * cover)


def test_in_wider_bins_the_least_cover_is_about_the_same():
    rng = np.random.default_rng(3)
    values = np.concatenate([rng.normal(3000, 200, 60_000), rng.normal(20_000, 3000, 40_000)]).astype(int)
    fine, coarse = (np.bincount(values // step, minlength=65536 // step).tolist() for step in (1, 16))
    assert least_cover(coarse, 9000, 16) == pytest.approx(least_cover(fine, 9000), abs=1e-3)


@pytest.mark.parametrize("histogram", [[0, 0, 0, 5], [5, 0, 0, 0], [0, 0, 0, 0]])
def test_with_one_side_of_the_threshold_empty_there_is_no_least_cover(histogram):
    assert least_cover(histogram, 1) is None
