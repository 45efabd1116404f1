"""What a network is shown, held against numpy's own arithmetic on the same pixels, to the bit."""

from itertools import product
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from wsi_area.model.pixels import TilePixels
from wsi_area.segmenters.onnx.card import CardInput
from wsi_area.segmenters.onnx.grid import Axis, Taps, input_taps
from wsi_area.segmenters.onnx.picture import Picture

HEIGHT, WIDTH, RIM, WINDOW = 37, 45, 5, 24
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def box(seed: int, holes: bool = False) -> TilePixels:
    rng = np.random.default_rng(seed)
    valid = rng.random((HEIGHT, WIDTH)) < 0.8 if holes else np.ones((HEIGHT, WIDTH), np.bool_)
    return TilePixels(rng.integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8), valid)


def card(**told: Any) -> CardInput:
    return CardInput.model_validate({"mpp_um": 1.0, "window_px": WINDOW, "context_px": RIM, **told})


def picture_of(pixels: TilePixels, shown: CardInput, ratios: tuple[float, float] = (1.0, 1.0)) -> Picture:
    """The whole box with a rim, as if it were the whole slide."""
    axes = [Axis(0, size, ratio, False, False) for size, ratio in zip((HEIGHT, WIDTH), ratios, strict=True)]
    taps = [input_taps(axis, -RIM, int(axis.size_px * axis.ratio) + RIM) for axis in axes]
    return Picture.of(pixels, (axes[0], axes[1]), (taps[0], taps[1]), shown)


def window(picture: Picture, row: int, column: int) -> NDArray[Any]:
    """One window, (h, w, 3) whatever its layout."""
    shape = (3, WINDOW, WINDOW) if picture.shown.layout == "NCHW" else (WINDOW, WINDOW, 3)
    out = np.full(shape, 7, picture.shown.dtype)
    picture.show(row, column, out)
    return out.transpose(1, 2, 0) if picture.shown.layout == "NCHW" else out


def plain(rgb: NDArray[np.uint8], shown: CardInput) -> NDArray[Any]:
    """The pixels as the card wants them, each worked out in float64."""
    if shown.channels == "BGR":
        rgb = rgb[..., ::-1]
    whole = 255.0 if shown.scale == "0..1" else 1.0
    return ((rgb / whole - shown.mean) / shown.std).astype(np.float32).astype(shown.dtype)


@pytest.mark.parametrize(
    ("dtype", "layout", "channels"), list(product(["float32", "float16", "uint8"], ["NCHW", "NHWC"], ["RGB", "BGR"]))
)
def test_each_pixel_is_what_numpy_makes_of_it_in_every_type_layout_and_order(dtype, layout, channels):
    scaled = {"scale": "0..255"} if dtype == "uint8" else {"mean": MEAN, "std": STD}
    shown = card(dtype=dtype, layout=layout, channels=channels, **scaled)
    pixels = box(1)
    expected = plain(np.pad(pixels.rgb, ((RIM, RIM), (RIM, RIM), (0, 0)), mode="reflect"), shown)
    picture = picture_of(pixels, shown)
    for row, column in ((0, 0), (3, 11), (HEIGHT + 2 * RIM - WINDOW, WIDTH + 2 * RIM - WINDOW)):
        found = window(picture, row, column)
        assert found.dtype == np.dtype(dtype)
        np.testing.assert_array_equal(found, expected[row : row + WINDOW, column : column + WINDOW])


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
@pytest.mark.parametrize(
    "scaled", [{}, {"scale": "0..255"}, {"scale": "0..255", "mean": (120, 90, 3), "std": (50, 7, 2)}]
)
def test_white_lies_beyond_the_slide_and_the_cards_colour_where_nothing_was_scanned(layout, scaled):
    shown = card(layout=layout, edge="white", unscanned_rgb=(10, 200, 30), **scaled)
    pixels = box(2, holes=True)
    rgb = pixels.rgb.copy()
    rgb[~pixels.valid] = (10, 200, 30)
    expected = plain(np.pad(rgb, ((RIM, RIM), (RIM, RIM), (0, 0)), constant_values=255), shown)
    picture = picture_of(pixels, shown)
    for row, column in ((0, 0), (20, 30)):
        expected_here = expected[row : row + WINDOW, column : column + WINDOW]
        np.testing.assert_array_equal(window(picture, row, column), expected_here)


def weights_of(taps: Taps, size: int) -> NDArray[np.float64]:
    """The share of each pixel of the box in each of the grid, (n, size)."""
    shares = np.zeros((len(taps.index), size))
    for index, weight in zip(taps.index.T, taps.weight.T, strict=True):
        shares[np.arange(len(index)), index] += weight
    return shares


@pytest.mark.parametrize("ratios", [(0.9, 0.9), (0.55, 1.1), (1.0, 0.93), (1.2, 1.0)])
@pytest.mark.parametrize("edge", ["reflect", "white"])
def test_a_resampled_window_is_the_product_of_its_pixels_with_the_shares_of_rows_and_columns(ratios, edge):
    shown, pixels = card(edge=edge, mean=MEAN, std=STD), box(3, holes=True)
    picture = picture_of(pixels, shown, ratios)
    rgb = np.where(pixels.valid[..., None], pixels.rgb, np.uint8(255))
    if edge == "white":
        rgb = np.pad(rgb, ((0, 1), (0, 1), (0, 0)), constant_values=255)
    rows, columns = (weights_of(t, n) for t, n in zip((picture.rows, picture.columns), rgb.shape[:2], strict=True))
    whole = (np.einsum("yi,ijc,xj->yxc", rows, rgb.astype(float), columns) / 255 - MEAN) / STD
    for row, column in ((0, 0), (2, 1)):
        expected = whole[row : row + WINDOW, column : column + WINDOW]
        np.testing.assert_allclose(window(picture, row, column), expected, rtol=0, atol=2e-5)


@pytest.mark.parametrize("ratios", [(0.9, 0.9), (0.55, 1.1), (1.0, 0.93)])
@pytest.mark.parametrize("told", [{"layout": "NHWC"}, {"channels": "BGR"}, {"dtype": "float16"}])
def test_a_resampled_pixel_is_the_same_bits_as_numpys_sum_of_its_rows_and_then_of_its_columns(ratios, told):
    shown, pixels = card(mean=MEAN, std=STD, **told), box(4)
    picture = picture_of(pixels, shown, ratios)
    rows, columns = picture.rows, picture.columns
    for row, column in ((0, 0), (1, 2)):
        found = window(picture, row, column)
        for y, x in ((0, 0), (0, WINDOW - 1), (WINDOW - 1, 0), (13, 7)):
            total = np.zeros(3, np.float32)
            for at, share in zip(columns.index[column + x], columns.weight[column + x], strict=True):
                of_rows = np.zeros(3, np.float32)
                for line, weight in zip(rows.index[row + y], rows.weight[row + y], strict=True):
                    of_rows = of_rows + pixels.rgb[line, at].astype(np.float32) * weight
                total = total + of_rows * share
            if shown.channels == "BGR":
                total = total[::-1]
            std, mean = np.array(STD), np.array(MEAN)
            expected = total * (1 / (255.0 * std)).astype(np.float32) - (mean / std).astype(np.float32)
            np.testing.assert_array_equal(found[y, x], expected.astype(shown.dtype))


@pytest.mark.parametrize("ratio", [1.0, 0.8])
def test_a_window_is_the_same_numbers_wherever_it_is_cut_from(ratio):
    shown, pixels = card(mean=MEAN, std=STD), box(5)
    whole = picture_of(pixels, shown, (ratio, ratio))
    inner = pixels.rgb[:, 8:]
    axes = (Axis(0, HEIGHT, ratio, False, False), Axis(8, WIDTH - 8, ratio, True, False))
    taps = (input_taps(axes[0], -RIM, 30), input_taps(axes[1], 12, 36))
    cut = Picture.of(TilePixels(inner, np.ones(inner.shape[:2], np.bool_)), axes, taps, shown)
    np.testing.assert_array_equal(window(cut, 0, 0), window(whole, 0, 12 + RIM))


@pytest.mark.parametrize(("row", "column"), [(-1, 0), (0, -1), (HEIGHT + 2 * RIM - WINDOW + 1, 0), (0, WIDTH)])
def test_a_window_that_is_not_in_the_picture_is_refused_before_any_memory_is_read(row, column):
    picture = picture_of(box(6), card())
    with pytest.raises(ValueError, match="is not in the picture"):
        picture.show(row, column, np.empty((3, WINDOW, WINDOW), np.float32))
