"""An answer at other places than its own pixels, held against scipy's interpolation and numpy's sums."""

import numpy as np
import pytest
from scipy.interpolate import RegularGridInterpolator

from wsi_area.segmenters.onnx.between import read_at
from wsi_area.segmenters.onnx.card import CardInput, CardOutput, OnnxCard
from wsi_area.segmenters.onnx.grid import Axis, Taps, answer_taps

HEIGHT, WIDTH = 23, 31


def scores(channels: int = 3) -> np.ndarray:
    return np.random.default_rng(channels).normal(0, 1, (channels, HEIGHT, WIDTH)).astype(np.float32)


def at(places: np.ndarray) -> Taps:
    """The two pixels about each place, and the share of each."""
    below = np.minimum(np.floor(places).astype(np.int64), np.floor(places.max()).astype(np.int64) - 1)
    upper = (places - below).astype(np.float32)
    return Taps(np.stack([below, below + 1], axis=1), np.stack([1 - upper, upper], axis=1))


def own(places: range) -> Taps:
    """Pixels as they are."""
    return Taps(np.array(places)[:, None], np.ones((len(places), 1), np.float32))


@pytest.mark.parametrize("channels", [1, 2, 9])
def test_between_pixels_an_answer_is_what_scipy_interpolates(channels):
    answer, rng = scores(channels), np.random.default_rng(1)
    rows, columns = np.sort(rng.uniform(0, HEIGHT - 1, 40)), np.sort(rng.uniform(0, WIDTH - 1, 17))
    rows[-1], columns[-1] = HEIGHT - 1, WIDTH - 1
    found = read_at(answer, at(rows), at(columns))
    assert found.dtype == np.float32
    for plane, expected in zip(found, answer, strict=True):
        of_scipy = RegularGridInterpolator((np.arange(HEIGHT), np.arange(WIDTH)), expected.astype(float))
        np.testing.assert_allclose(plane, of_scipy(tuple(np.meshgrid(rows, columns, indexing="ij"))), atol=1e-6)


@pytest.mark.parametrize(("taps_of_rows", "taps_of_columns"), [(2, 2), (3, 1), (1, 4), (5, 2)])
def test_each_sum_is_that_of_numpy_to_the_bit_rows_first_in_the_order_of_the_taps(taps_of_rows, taps_of_columns):
    answer, rng = scores(), np.random.default_rng(2)
    rows = Taps(rng.integers(0, HEIGHT, (12, taps_of_rows)), rng.random((12, taps_of_rows), np.float32))
    columns = Taps(rng.integers(0, WIDTH, (19, taps_of_columns)), rng.random((19, taps_of_columns), np.float32))
    of_rows = sum(answer[:, rows.index[:, k]] * rows.weight[:, k, None] for k in range(taps_of_rows))
    expected = sum(of_rows[..., columns.index[:, k]] * columns.weight[:, k] for k in range(taps_of_columns))
    np.testing.assert_array_equal(read_at(answer, rows, columns), expected)


def test_pixels_of_the_answer_itself_keep_their_type_and_are_not_copied():
    classes = np.arange(HEIGHT * WIDTH, dtype=np.uint8).reshape(1, HEIGHT, WIDTH)
    found = read_at(classes, own(range(3, 20)), own(range(5, 9)))
    assert found.dtype == np.uint8
    assert np.shares_memory(found, classes)
    np.testing.assert_array_equal(found, classes[:, 3:20, 5:9])
    scattered = Taps(np.array([[4], [4], [2]]), np.ones((3, 1), np.float32))
    np.testing.assert_array_equal(read_at(classes, scattered, own(range(5, 9))), classes[:, [4, 4, 2], 5:9])


@pytest.mark.parametrize(("rows", "columns"), [((-1, 3), (0, 3)), ((0, HEIGHT + 1), (0, 3)), ((0, 3), (2, WIDTH + 1))])
@pytest.mark.parametrize("taps", [1, 2])
def test_what_is_not_in_the_answer_is_refused_before_any_memory_is_read(rows, columns, taps):
    wanted = [own(range(*rows)), own(range(*columns))]
    if taps == 2:
        wanted = [Taps(np.repeat(t.index, 2, axis=1), np.repeat(t.weight, 2, axis=1) / 2) for t in wanted]
    with pytest.raises(IndexError, match="are wanted of an answer of"):
        read_at(scores(), wanted[0], wanted[1])


@pytest.mark.parametrize(("ratio", "stride"), [(0.7, 1), (1.0, 4), (1.13, 2)])
def test_a_ramp_over_the_slide_stays_a_ramp_where_the_answer_is_coarser_or_finer(ratio, stride):
    card = OnnxCard.model_construct(
        input=CardInput(mpp_um=1, window_px=32, context_px=0), output=CardOutput(activation="none", stride=stride)
    )
    axis = Axis(0, 60, ratio, False, False)
    taps = answer_taps(axis, card, 5, 50)
    size = int(taps.index.max()) + 1
    ramp = ((np.arange(size) + 0.5) * stride / ratio).astype(np.float32)  # each output pixel's middle, in work px
    answer = np.broadcast_to(ramp[:, None], (1, size, size))
    np.testing.assert_allclose(read_at(answer, taps, taps)[0, :, 7], np.arange(5, 50) + 0.5, rtol=1e-5)
