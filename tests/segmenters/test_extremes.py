import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wsi_area.model.geometry import Size
from wsi_area.model.pixels import Overview
from wsi_area.segmenters.colour.extremes import count_extremes, feature_histogram
from wsi_area.segmenters.colour.foreground import background_kind


@given(st.integers(0, 2**32), st.integers(1, 20), st.integers(1, 20), st.sampled_from([0.0, 0.5, 1.0]))
@settings(max_examples=40, deadline=None)
def test_both_features_have_the_histograms_of_the_valid_pixels(seed, height, width, share):
    random = np.random.default_rng(seed)
    rgb = random.integers(0, 256, (height, width, 3), dtype=np.uint8)
    valid = random.random((height, width)) < share
    extremes = count_extremes(Overview(rgb, valid, Size(width, height), None))
    seen = [tuple(map(int, pixel)) for pixel in rgb[valid]]
    for feature, values in (("darkness", [255 - min(p) for p in seen]), ("brightness", [max(p) for p in seen])):
        histogram = feature_histogram(extremes, feature)
        assert histogram.shape == (256,)
        assert {v: n for v, n in enumerate(histogram.tolist()) if n} == {v: values.count(v) for v in set(values)}


@pytest.mark.parametrize(("bright", "kind"), [(99, "dark"), (100, "bright")])
def test_with_no_background_in_sight_the_median_decides(bright, kind):
    extremes = np.zeros((256, 256), np.int64)
    extremes[60, 80] = extremes[60, 200] = 50
    extremes[60, bright] = 1  # the one in the middle
    assert background_kind(extremes) == kind
