import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wsi_area.segmenters.onnx.card import CardInput, CardOutput, OnnxCard
from wsi_area.segmenters.onnx.grid import Axis, answer_taps, answerable, input_taps, mirrored, windows_over

RATIOS = st.one_of(st.just(1.0), st.floats(0.05, 0.979), st.floats(1.021, 1.25))


def card_of(stride=1, context=4, window=32, overlap=None):
    shown = CardInput(mpp_um=1, window_px=window, context_px=context, overlap_px=overlap, divisible_by=stride)
    return OnnxCard.model_construct(input=shown, output=CardOutput(activation="none", stride=stride))


@settings(max_examples=60, deadline=None)
@given(ratio=RATIOS, first=st.integers(-50, 5000), size=st.integers(1, 40))
def test_taps_weigh_one_and_are_the_same_whatever_is_asked_with_them(ratio, first, size):
    axis = Axis(0, 9999, ratio, False, False)
    taps = input_taps(axis, first, first + size)
    np.testing.assert_allclose(taps.weight.sum(axis=1), 1, atol=1e-6)
    alone = input_taps(axis, first + size - 1, first + size)
    assert np.array_equal(alone.index[0], taps.index[-1])
    assert np.array_equal(alone.weight[0], taps.weight[-1])


@settings(max_examples=60, deadline=None)
@given(ratio=st.floats(0.05, 0.979), count=st.integers(1, 60))
def test_the_mean_over_area_keeps_the_total(ratio, count):
    """All input pixels together weigh every work pixel they cover alike, and those cut in part by their share."""
    taps = input_taps(Axis(0, 9999, ratio, False, False), 0, count)
    total = np.zeros(taps.index.max() + 1)
    np.add.at(total, taps.index, taps.weight)
    covered = int(np.floor(count / ratio - 1e-9))
    np.testing.assert_allclose(total[:covered], ratio, rtol=1e-4)


@settings(max_examples=80, deadline=None)
@given(
    ratio=RATIOS,
    stride=st.sampled_from([1, 2, 4]),
    context=st.sampled_from([0, 3, 8, "window"]),
    start=st.integers(0, 3000),
    core=st.integers(1, 80),
)
def test_a_core_with_the_halo_of_its_reach_is_answerable_and_sees_all_it_needs(ratio, stride, context, start, core):
    card = card_of(stride, context, overlap=8)
    # the network's pixels are 1 µm, the work pixels `ratio` µm, or anything within 2 % of 1
    halo_px = int(np.ceil(card.reach_um / (1.02 if ratio == 1 else ratio)))
    low = max(0, start - halo_px)
    axis = Axis(low, start + core + halo_px - low, ratio, low > 0, True)
    first, end = answerable(axis, card)
    assert first <= start
    assert end >= start + core
    # the input pixels that decide on the core lie in the box, or beyond the slide's own edge
    if context == "window":
        windows = windows_over(axis, card, start, start + core)
        shown = (windows.start * card.input.kept_px - 8, windows.stop * card.input.kept_px + 8)
    else:
        taps = answer_taps(axis, card, start, start + core).index
        shown = (taps.min() * stride - context, (taps.max() + 1) * stride + context)
    needed = input_taps(axis, *map(int, shown)).index
    assert needed.max() < axis.end_px
    assert needed.min() >= axis.start_px or axis.start_px == 0


def test_indices_are_mirrored_as_numpy_pads():
    for size in (1, 2, 5):
        expected = np.pad(np.arange(size), 13, mode="reflect")
        assert np.array_equal(mirrored(np.arange(-13, size + 13), size), expected)


@pytest.mark.parametrize("ratio", [1.0, 0.6])
def test_a_window_is_counted_from_the_slides_first_pixel(ratio):
    card = card_of(1, 4, 32)  # keeps 24
    axis = Axis(0, 5000, ratio, False, False)
    windows = windows_over(axis, card, 1000, 1100)
    assert windows.start == int((1000.5 * ratio - 0.5) // 24)
    assert windows.stop == int((1099.5 * ratio + 0.5) // 24) + 1
