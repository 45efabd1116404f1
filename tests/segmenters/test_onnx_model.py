import json
import pickle
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from onnx_networks import (
    THREE_CLASSES,
    block_mean,
    channels_as_scores,
    channels_last,
    darker_than_window,
    model_of,
    node,
    pooled_red_below,
    random_unet,
    red_below,
    red_sum_below,
    weight,
    write_network,
)
from pictures import all_valid
from pydantic import ValidationError
from traced import with_peak_bytes

from wsi_area.errors import MissingMppError, PlanError, SegmentationError, SettingsError
from wsi_area.model.calibration import Mpp
from wsi_area.model.classes import UNSCANNED_CODE
from wsi_area.model.geometry import Region, Size
from wsi_area.model.pixels import Overview, TilePixels, TilePlace
from wsi_area.segmenters.contract import SegmenterContract, stained_disc
from wsi_area.segmenters.kept_for_tiles import let_go
from wsi_area.segmenters.onnx import session as onnx_session
from wsi_area.segmenters.onnx.fitted import FittedOnnx
from wsi_area.segmenters.onnx.model import OnnxSegmenter

RNG = np.random.default_rng(11)
NOISE = RNG.integers(0, 256, (211, 173, 3)).astype(np.uint8)


def overview_of(rgb, mpp=1.0, factor=1):
    """The picture as its own overview; each pixel stands for factor² level-0 pixels."""
    height, width = rgb.shape[:2]
    return Overview(rgb, np.ones((height, width), bool), Size(width * factor, height * factor), Mpp(mpp, mpp))


def fitted(path: Path, rgb=NOISE, mpp=1.0, factor=1, **settings) -> FittedOnnx:
    return OnnxSegmenter(model=path, **settings).fit(overview_of(rgb, mpp, factor))


def place_of(box: Region, factor: int = 1) -> TilePlace:
    columns, rows = (
        (np.arange(start, start + size) + 0.5) * factor
        for start, size in ((box.x_px, box.width_px), (box.y_px, box.height_px))
    )
    return TilePlace(box, columns, rows)


def tiled(segmenter: FittedOnnx, pixels: TilePixels, tile_px: int, factor: int = 1, ask="class_map_at"):
    """The slide's answer put together from tiles with the halo that a run would give them."""
    height, width = pixels.valid.shape
    size = Size(width, height)
    halo_px = int(np.ceil(segmenter.context_um / (segmenter.slide_mpp.x * factor)))
    answer = None
    for top in range(0, height, tile_px):
        for left in range(0, width, tile_px):
            core = Region(left, top, min(tile_px, width - left), min(tile_px, height - top))
            box = core.grown(halo_px, size)
            part = np.s_[box.y_px : box.bottom_px, box.x_px : box.right_px]
            seen = getattr(segmenter, ask)(TilePixels(pixels.rgb[part], pixels.valid[part]), place_of(box, factor))
            if answer is None:
                answer = np.empty((*seen.shape[:-2], height, width), seen.dtype)
            y, x = core.y_px - box.y_px, core.x_px - box.x_px
            answer[..., top : core.bottom_px, left : core.right_px] = seen[
                ..., y : y + core.height_px, x : x + core.width_px
            ]
    return answer


class TestContract(SegmenterContract):
    @pytest.fixture(autouse=True)
    def _network(self, tmp_path):
        self.path = write_network(tmp_path, red_sum_below(9 * 200, 3), context_px=1, window_px=32)

    def segmenter(self):
        return OnnxSegmenter(model=self.path)


# ---------------------------------------------------------------- the answer itself


def test_a_network_that_looks_at_one_pixel_gives_the_class_of_each_pixel(tmp_path):
    answer = fitted(write_network(tmp_path, red_below(100))).class_map(all_valid(NOISE))
    assert np.array_equal(answer, (NOISE[..., 0] < 100).astype(np.uint8))


def test_a_box_sum_of_nine_pixels_sees_the_slides_edge_mirrored(tmp_path):
    path = write_network(tmp_path, red_sum_below(81 * 128, 9), context_px=4)
    mirrored = np.pad(NOISE[..., 0].astype(int), 4, mode="reflect")
    sums = np.lib.stride_tricks.sliding_window_view(mirrored, (9, 9)).sum(axis=(2, 3))
    assert np.array_equal(fitted(path).class_map(all_valid(NOISE)), (sums < 81 * 128).astype(np.uint8))


def test_a_card_may_have_white_beyond_the_slides_edge(tmp_path):
    path = write_network(tmp_path, red_sum_below(81 * 128, 9), context_px=4, edge="white")
    white = np.pad(NOISE[..., 0].astype(int), 4, constant_values=255)
    sums = np.lib.stride_tricks.sliding_window_view(white, (9, 9)).sum(axis=(2, 3))
    assert np.array_equal(tiled(fitted(path), all_valid(NOISE), 50), (sums < 81 * 128).astype(np.uint8))


@pytest.mark.parametrize("channels", ["RGB", "BGR"])
def test_mean_std_scale_and_order_of_channels_are_the_cards(tmp_path, channels):
    mean, std = (0.5, 0.25, 0.125), (0.5, 0.25, 2.0)
    path = write_network(
        tmp_path, channels_as_scores(), classes=THREE_CLASSES, scale="0..1", mean=mean, std=std, channels=channels
    )
    found = fitted(path).probabilities_at(all_valid(NOISE), place_of(Region(0, 0, 173, 211)))
    shown = NOISE if channels == "RGB" else NOISE[..., ::-1]
    expected = (shown.astype(np.float64) / 255 - mean) / std
    np.testing.assert_allclose(found, expected.transpose(2, 0, 1), rtol=3e-7, atol=1e-7)


def test_softmax_is_what_scipy_says(tmp_path):
    from scipy.special import softmax

    model = channels_as_scores((0.125, 0.125, 0.125), (-3.03, 0, 3.03))
    path = write_network(tmp_path, model, classes=THREE_CLASSES, output={"activation": "softmax"})
    segmenter = fitted(path)
    found = segmenter.probabilities_at(all_valid(NOISE), place_of(Region(0, 0, 173, 211)))
    scores = NOISE.transpose(2, 0, 1) * 0.125 + np.array([-3.03, 0, 3.03])[:, None, None]
    np.testing.assert_allclose(found, softmax(scores, axis=0), rtol=1e-5, atol=1e-9)
    assert np.array_equal(segmenter.class_map(all_valid(NOISE)), scores.argmax(axis=0))


def test_a_sigmoid_channel_is_a_class_from_its_threshold_on(tmp_path):
    kernel = np.zeros((1, 3, 1, 1))
    kernel[0, 1] = 0.125
    model = model_of([node("Conv", "image w b", "scores")], [weight("w", kernel), weight("b", [-16])], 1)
    # sigmoid(g / 8 − 16) ≥ 0.75 exactly where g ≥ 8 (16 + ln 3) = 136.79
    path = write_network(tmp_path, model, output={"activation": "sigmoid", "threshold": 0.75})
    answer = fitted(path).class_map(all_valid(NOISE))
    assert np.array_equal(answer, (NOISE[..., 1] >= 137).astype(np.uint8))


def test_of_several_sigmoid_channels_the_highest_wins_and_none_is_background(tmp_path):
    kernel = np.zeros((2, 3, 1, 1))
    kernel[0, 0] = kernel[1, 1] = 0.125
    model = model_of([node("Conv", "image w b", "scores")], [weight("w", kernel), weight("b", [-25, -25])], 2)
    path = write_network(tmp_path, model, classes=THREE_CLASSES, output={"activation": "sigmoid"})
    red, green = NOISE[..., 0], NOISE[..., 1]
    expected = np.where(np.maximum(red, green) >= 200, np.where(red >= green, 1, 2), 0)
    answer = fitted(path).class_map(all_valid(NOISE))
    # sigmoid saturates in float32 far above the threshold: there the first of equals wins
    certain = (np.maximum(red, green) < 300) & ((red < 236) | (green < 236))
    assert np.array_equal(answer[certain], expected[certain])


def test_channels_may_come_last(tmp_path):
    path = write_network(tmp_path, channels_last(100), layout="NHWC", output={"activation": "none", "layout": "NHWC"})
    assert np.array_equal(fitted(path).class_map(all_valid(NOISE)), (NOISE[..., 0] < 100).astype(np.uint8))


def test_an_output_of_a_coarser_stride_is_read_between_its_pixels(tmp_path):
    ramp = np.zeros((64, 96, 3), np.uint8)
    ramp[..., 0] = 2 * np.arange(96)  # block means lie on the ramp again: read between them, the ramp comes back
    path = write_network(
        tmp_path, block_mean(4, 100.5), context_px=0, divisible_by=4, output={"activation": "none", "stride": 4}
    )
    answer = fitted(path, ramp).class_map(all_valid(ramp))
    assert np.array_equal(answer, (ramp[..., 0] < 100.5).astype(np.uint8))


def test_pixels_that_were_not_scanned_are_unscanned_and_shown_in_the_cards_colour(tmp_path):
    path = write_network(tmp_path, red_sum_below(9 * 160, 3), context_px=1, unscanned_rgb=(255, 0, 0))
    rgb = np.full((60, 60, 3), 150, np.uint8)
    valid = np.ones((60, 60), bool)
    valid[20:40, 20:40] = False
    answer = fitted(path, rgb).class_map(TilePixels(np.where(valid[..., None], rgb, 0), valid))
    assert np.array_equal(answer == UNSCANNED_CODE, ~valid)
    red = np.where(valid, 150, 255).astype(int)
    sums = np.lib.stride_tricks.sliding_window_view(np.pad(red, 1, mode="reflect"), (3, 3)).sum(axis=(2, 3))
    assert np.array_equal(answer[valid], (sums[valid] < 9 * 160).astype(np.uint8))
    # 1350 on even ground, 1455 and 1665 beside a corner and a side of what was not scanned
    assert (answer[valid] == 0).sum() == 4 * 20 + 4


# ---------------------------------------------------------------- the same answer wherever it is cut


@pytest.mark.parametrize("tile_px", [16, 64, 100, 256])
@pytest.mark.parametrize(
    ("model", "card"),
    [
        (pooled_red_below(250, 8), {"context_px": 7, "divisible_by": 8}),
        (darker_than_window(), {"context_px": "window", "overlap_px": 8, "window_px": 48}),
        (red_sum_below(81 * 128, 9), {"context_px": 4, "window_px": 24}),
    ],
    ids=["pooled", "sees its window", "box sum"],
)
def test_strides_and_windows_are_anchored_to_the_slide_and_not_to_the_tile(tmp_path, model, card, tile_px):
    segmenter = fitted(write_network(tmp_path, model, **card))
    whole = segmenter.class_map_at(all_valid(NOISE), place_of(Region(0, 0, 173, 211)))
    assert 0.02 < (whole == 1).mean() < 0.98
    assert np.array_equal(tiled(segmenter, all_valid(NOISE), tile_px), whole)


def test_a_pooled_network_sees_blocks_of_the_slides_own_grid(tmp_path):
    segmenter = fitted(write_network(tmp_path, pooled_red_below(250, 8), context_px=7, divisible_by=8))
    most = np.pad(NOISE[..., 0], ((0, 216 - 211), (0, 176 - 173)), mode="reflect")
    blocks = most.reshape(27, 8, 22, 8).max(axis=(1, 3)).repeat(8, 0).repeat(8, 1)[:211, :173]
    assert np.array_equal(tiled(segmenter, all_valid(NOISE), 50), (blocks < 250).astype(np.uint8))


@pytest.mark.parametrize(("mpp", "factor"), [(1.0, 1), (0.3, 3), (0.21, 3), (1.19, 1), (0.25, 4), (1.015, 1)])
def test_float_scores_of_a_network_with_skips_are_the_same_bits_for_every_tile_size(tmp_path, mpp, factor):
    card = {"scale": "0..1", "context_px": 20, "divisible_by": 4, "window_px": 96}
    path = write_network(tmp_path, random_unet(), classes=THREE_CLASSES, output={"activation": "softmax"}, **card)
    segmenter = fitted(path, NOISE[:140, :120], mpp * factor, factor)
    pixels = all_valid(NOISE[:140, :120])
    whole, *cut = (tiled(segmenter, pixels, tile_px, factor, "probabilities_at") for tile_px in (999, 33, 64, 100))
    for other in cut:
        assert np.array_equal(whole, other)
    np.testing.assert_allclose(whole.sum(axis=0), 1, atol=1e-5)
    assert len(np.unique(whole[0])) > 5000  # it has something to say about each pixel


@pytest.mark.parametrize("activation", ["softmax", "sigmoid", "none"])
@pytest.mark.parametrize("factor", [1, 3])
def test_the_classes_are_those_of_the_highest_probability(tmp_path, activation, factor):
    card = {"scale": "0..1", "context_px": 20, "divisible_by": 4, "window_px": 96}
    path = write_network(
        tmp_path, random_unet(), classes=THREE_CLASSES, output={"activation": activation, "decision": "argmax"}, **card
    )
    segmenter = fitted(path, NOISE[:140, :120], 0.3 if factor == 3 else 1.0, factor)
    pixels, place = all_valid(NOISE[:140, :120]), place_of(Region(0, 0, 120, 140), factor)
    probabilities = segmenter.probabilities_at(pixels, place)
    assert np.array_equal(segmenter.class_map_at(pixels, place), probabilities.argmax(axis=0))


@pytest.mark.parametrize(
    ("colour", "first_of_the_highest"),
    [
        ((9, 9, 9), 0),
        ((9, 7, 9), 0),
        ((7, 9, 9), 1),
        ((9, 9, 7), 0),
        ((7, 7, 9), 2),
        ((0, 0, 0), 0),
        ((255, 255, 255), 0),
    ],
)
def test_of_equal_scores_the_first_class_wins(tmp_path, colour, first_of_the_highest):
    path = write_network(tmp_path, channels_as_scores(), classes=THREE_CLASSES, output={"decision": "argmax"})
    pixels = np.full((64, 64, 3), colour, np.uint8)
    segmenter = fitted(path, pixels)
    classes = segmenter.class_map_at(all_valid(pixels), place_of(Region(0, 0, 64, 64)))
    assert np.unique(classes[8:-8, 8:-8]).tolist() == [first_of_the_highest]


@pytest.mark.parametrize("batch", [2, 5])
def test_the_batch_does_not_change_a_bit(tmp_path, batch):
    path = write_network(
        tmp_path, random_unet(), classes=THREE_CLASSES, context_px=20, divisible_by=4, output={"activation": "softmax"}
    )
    place = place_of(Region(0, 0, 173, 211))
    one, several = (fitted(path, batch=n).probabilities_at(all_valid(NOISE), place) for n in (1, batch))
    assert np.array_equal(one, several)


# ---------------------------------------------------------------- the network's own pixel size


def test_a_finer_slide_is_shown_at_the_networks_pixel_size(tmp_path):
    path = write_network(tmp_path, channels_as_scores(), classes=THREE_CLASSES, mpp_um=2.0)
    segmenter = fitted(path, mpp=1.0)  # two work pixels to one of the network's
    found = segmenter.probabilities_at(all_valid(NOISE[:210, :172]), place_of(Region(0, 0, 172, 210)))
    means = NOISE[:210, :172].reshape(105, 2, 86, 2, 3).mean(axis=(1, 3))
    # the mean of four neighbours of the answer about a block's centre is the block's own smoothed once more:
    # at the middle between two work pixels of a block the answer is 9/16, 3/16, 3/16, 1/16 of the four nearest
    padded = np.pad(means, ((1, 1), (1, 1), (0, 0)), mode="edge")
    upper_left = (9 * means + 3 * padded[:-2, 1:-1] + 3 * padded[1:-1, :-2] + padded[:-2, :-2]) / 16
    np.testing.assert_allclose(found[:, ::2, ::2], upper_left.transpose(2, 0, 1), atol=1e-3)


def test_resampling_keeps_a_ramp_a_ramp(tmp_path):
    """Reading between centres is exact on a plane; a mean over part of a step is off by ratio / 8 at most."""
    ramp = np.zeros((120, 200, 3), np.uint8)
    ramp[..., 0], ramp[..., 1] = np.arange(200), np.arange(120)[:, None]
    path = write_network(tmp_path, channels_as_scores(), classes=THREE_CLASSES)
    for mpp in (0.37, 0.51, 0.9, 1.24):
        segmenter = fitted(path, ramp, mpp)
        found = segmenter.probabilities_at(all_valid(ramp), place_of(Region(0, 0, 200, 120)))
        inside, bound = np.s_[8:-8, 8:-8], mpp / 8 if mpp < 1 else 1e-3
        np.testing.assert_allclose(found[0][inside], ramp[..., 0][inside], rtol=0, atol=bound)
        np.testing.assert_allclose(found[1][inside], ramp[..., 1][inside], rtol=0, atol=bound)


def test_within_two_per_cent_nothing_is_resampled(tmp_path):
    segmenter = fitted(write_network(tmp_path, red_below(100)), mpp=0.985)
    whole = segmenter.class_map_at(all_valid(NOISE), place_of(Region(0, 0, 173, 211)))
    assert np.array_equal(whole, (NOISE[..., 0] < 100).astype(np.uint8))


def test_a_slide_without_a_pixel_size_or_with_too_large_pixels_is_refused(tmp_path):
    settings = OnnxSegmenter(model=write_network(tmp_path, red_below(100)))
    plain = overview_of(NOISE)
    with pytest.raises(MissingMppError, match=r"trained at 1.0 µm/px and this slide has no pixel size"):
        settings.fit(Overview(plain.rgb, plain.valid, plain.size_l0_px, None))
    with pytest.raises(PlanError, match=r"1.3 × 1.3 µm, the network 'small' was trained at 1.0"):
        settings.fit(overview_of(NOISE, 1.3))


def test_work_pixels_that_were_asked_too_large_are_refused(tmp_path):
    segmenter = fitted(write_network(tmp_path, red_below(100)), mpp=2.0, factor=2)
    with pytest.raises(SegmentationError, match=r"2 µm are too large .* leave tiling.work_mpp out"):
        segmenter.class_map_at(all_valid(NOISE), place_of(Region(0, 0, 173, 211), 2))


# ---------------------------------------------------------------- what is refused, and when


def test_a_context_that_the_card_states_too_small_is_found_out(tmp_path):
    for index, (model, card) in enumerate(
        [
            (red_sum_below(100, 9), {"context_px": 3}),
            (pooled_red_below(250, 8), {"context_px": 6, "divisible_by": 8}),
            (darker_than_window(), {"context_px": 8}),
        ]
    ):
        path = write_network(tmp_path, model, name=f"net{index}", **card)
        with pytest.raises(SettingsError, match=rf"looks further than the {card['context_px']} px"):
            fitted(path)


def test_a_network_that_is_not_the_cards_is_refused_before_the_run(tmp_path):
    path = write_network(tmp_path, red_below(100))
    other = write_network(tmp_path, red_below(101), name="other")
    with pytest.raises(ValidationError, match=r"has the SHA-256 \w{12}…, its card .*other.onnx.json is for"):
        OnnxSegmenter(model=path, card=other.with_name("other.onnx.json"))
    settings = OnnxSegmenter(model=path)
    path.write_bytes(other.read_bytes() + b"")
    with pytest.raises(SettingsError, match=r"has the SHA-256"):
        settings.fit(overview_of(NOISE))


def test_a_network_that_changed_between_fit_and_worker_is_refused(tmp_path, monkeypatch):
    path = write_network(tmp_path, red_below(100))
    travelled = pickle.loads(pickle.dumps(fitted(path)))
    monkeypatch.setattr(onnx_session, "_sessions", type(onnx_session._sessions)())  # another process
    path.write_bytes(path.read_bytes() + b"\x00")
    with pytest.raises(SettingsError, match=r"SHA-256"):
        travelled.class_map(all_valid(NOISE))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"classes": THREE_CLASSES}, r"the output of the network .* mean \[1, 3, 64, 64\]"),
        ({"layout": "NHWC"}, r"the input of the network .* mean \[1, 64, 64, 3\]"),
        ({"dtype": "float16"}, r"takes tensor\(float\), its card says float16"),
        (
            {"output": {"activation": "none", "stride": 2}},
            r"answers with .* = \(1, 2, 64, 64\), its card means \(1, 2, 32",
        ),
        ({"output": {"activation": "none", "name": "mask"}}, r"has the outputs scores, its card means 'mask'"),
    ],
)
def test_a_network_of_other_shapes_than_its_card_says_is_refused(tmp_path, change, words):
    model = red_below(100)
    model.graph.output[0].type.tensor_type.shape.dim[1].dim_value = 2
    path = write_network(tmp_path, model, **change)
    with pytest.raises(SettingsError, match=words):
        fitted(path)


def test_a_fixed_batch_of_one_refuses_a_larger_one(tmp_path):
    kernel = np.zeros((2, 3, 1, 1))
    model = model_of(
        [node("Conv", "image w", "scores")],
        [weight("w", kernel)],
        input_shape=(1, 3, 64, 64),
        output_shape=(1, 2, 64, 64),
    )
    path = write_network(tmp_path, model)
    assert (fitted(path).class_map(all_valid(NOISE)) == 0).all()
    with pytest.raises(SettingsError, match=r"the input of the network 'small' is \[1, 3, 64, 64\].*\[4, 3, 64, 64\]"):
        fitted(path, batch=4)


def test_a_window_that_the_network_cannot_take_is_refused(tmp_path):
    path = write_network(tmp_path, random_unet(), classes=THREE_CLASSES, context_px=20, window_px=66)
    with pytest.raises(SettingsError, match=r"cannot be run on 1 windows of 66 px: .*correct the card's window_px"):
        fitted(path)


def test_numbers_that_are_not_finite_are_refused(tmp_path):
    model = model_of(
        [node("Conv", "image w", "x"), node("Log", "x", "scores")], [weight("w", np.full((2, 3, 1, 1), -1.0))]
    )
    with pytest.raises(SettingsError, match=r"not finite; check its mean, std and dtype"):
        fitted(write_network(tmp_path, model))


def test_a_file_that_onnxruntime_refuses_is_named(tmp_path):
    model = red_below(100)
    model.opset_import[0].version = 999
    with pytest.raises(SettingsError, match=r"onnxruntime .* refuses the network .*small.onnx"):
        fitted(write_network(tmp_path, model))


def test_without_onnxruntime_it_says_what_to_install(tmp_path, monkeypatch):
    path = write_network(tmp_path, red_below(100))
    settings = OnnxSegmenter(model=path)
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(SettingsError, match=r"pip install 'wsi-area\[onnx\]'"):
        settings.fit(overview_of(NOISE))
    with pytest.raises(ValidationError, match=r"pip install 'wsi-area\[onnx\]'"):
        OnnxSegmenter(model=path)


# ---------------------------------------------------------------- where it runs


def test_cuda_is_used_where_it_is_there_and_not_declined(monkeypatch):
    def offered(*names):
        monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: list(names))

    offered(onnx_session.CUDA, onnx_session.CPU)
    assert onnx_session.chosen_provider("auto") == onnx_session.CUDA
    assert onnx_session.chosen_provider("cuda") == onnx_session.CUDA
    assert onnx_session.chosen_provider("cpu") == onnx_session.CPU
    offered(onnx_session.CPU)
    assert onnx_session.chosen_provider("auto") == onnx_session.CPU
    with pytest.raises(SettingsError, match=r"device is 'cuda', but this onnxruntime offers CPUExecutionProvider"):
        onnx_session.chosen_provider("cuda")


@pytest.fixture
def without_driver(monkeypatch):
    """An onnxruntime built for CUDA where no driver is: it falls back to the CPU; returns what it was asked for."""
    asked = []
    real = onnxruntime.InferenceSession

    def opened(content, options, providers):
        asked.append(providers)
        return real(content, options, providers=["CPUExecutionProvider"])

    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: [onnx_session.CUDA, onnx_session.CPU])
    monkeypatch.setattr(onnxruntime, "InferenceSession", opened)
    return asked


def test_falling_back_from_cuda_that_was_asked_for_by_name_is_refused(tmp_path, without_driver):
    with pytest.raises(SettingsError, match=r"fell back from CUDAExecutionProvider to CPUExecutionProvider"):
        fitted(write_network(tmp_path, red_below(77)), device="cuda")
    (name, options), last = without_driver[0]
    assert (name, last) == (onnx_session.CUDA, onnx_session.CPU)
    assert options["use_tf32"] == "0"


def test_auto_takes_the_cpu_where_cuda_does_not_start_and_says_so(tmp_path, without_driver, caplog):
    caplog.set_level("INFO")
    segmenter = fitted(write_network(tmp_path, red_below(78)))
    assert segmenter.network.provider == segmenter.facts["provider"] == onnx_session.CPU
    assert "so the CPU is used" in caplog.text


def test_nothing_of_onnxruntime_is_loaded_until_a_network_is_used():
    code = "import sys, wsi_area.segmenters.onnx.model; sys.exit('onnxruntime' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_session_keeps_to_its_workers_own_thread(tmp_path):
    session = onnx_session.session_for(fitted(write_network(tmp_path, red_below(100))).network)
    options = session.get_session_options()
    assert (options.intra_op_num_threads, options.inter_op_num_threads) == (1, 1)
    assert options.execution_mode == onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    assert options.get_session_config_entry("session.intra_op.allow_spinning") == "0"


def test_a_process_opens_a_network_once_and_keeps_a_few(tmp_path, monkeypatch):
    monkeypatch.setattr(onnx_session, "_sessions", type(onnx_session._sessions)())
    networks = [fitted(write_network(tmp_path, red_below(n), name=f"n{n}")).network for n in range(6)]
    last = onnx_session.session_for(networks[-1])
    assert onnx_session.session_for(networks[-1]) is last
    assert len(onnx_session._sessions) == 4


def test_sessions_on_the_cpu_are_let_go_after_the_tiles_and_opened_again_where_wanted(tmp_path, monkeypatch):
    monkeypatch.setattr(onnx_session, "_sessions", type(onnx_session._sessions)())
    segmenter = fitted(write_network(tmp_path, red_below(100)))
    before = segmenter.class_map(all_valid(NOISE))
    on_a_card = replace(segmenter.network, provider=onnx_session.CUDA)
    onnx_session._sessions[on_a_card] = "costs seconds to open"
    let_go()
    assert list(onnx_session._sessions) == [on_a_card]
    assert np.array_equal(segmenter.class_map(all_valid(NOISE)), before)


@pytest.mark.parametrize("decision", ["argmax", "threshold"])
def test_the_scores_of_many_classes_are_never_held_for_a_whole_tile(tmp_path, decision):
    many, side = 60, 600
    kernel = np.random.default_rng(1).normal(size=(many, 3, 1, 1))
    network = model_of([node("Conv", "image w", "scores")], [weight("w", kernel)], many)
    classes = [
        {"id": i, "name": f"c{i}", "color": f"#0000{i:02x}", "is_tissue": i > 0}
        for i in range(many + (decision == "threshold"))
    ]
    output = {"activation": "sigmoid", "decision": decision}
    path = write_network(tmp_path, network, classes=classes, window_px=64, output=output)
    segmenter = fitted(path)
    pixels = all_valid(np.random.default_rng(2).integers(0, 256, (side, side, 3), np.uint8))
    _, peak = with_peak_bytes(lambda: segmenter.class_map(pixels))
    assert peak < 0.1 * many * 4 * side * side  # bytes


@pytest.mark.parametrize(
    "card", [{}, {"scale": "0..255"}, {"channels": "BGR"}, {"dtype": "float32", "mean": [0.5] * 3}]
)
def test_a_window_shown_alone_is_in_memory_once(tmp_path, card):
    side = 512
    segmenter = fitted(write_network(tmp_path, red_below(100), window_px=side, overlap_px=0, **card))
    pixels = all_valid(np.random.default_rng(2).integers(0, 256, (side, side, 3), np.uint8))
    segmenter.class_map(pixels)  # which loads what runs it
    _, peak = with_peak_bytes(lambda: segmenter.class_map(pixels))
    once = 3 * 4 * side * side
    assert once <= peak < 1.8 * once  # bytes


# ---------------------------------------------------------------- what it records and where it must read


def test_its_facts_say_which_network_answered_and_how(tmp_path):
    segmenter = fitted(write_network(tmp_path, red_below(100)))
    facts = json.loads(json.dumps(segmenter.facts))
    assert facts["provider"] == "CPUExecutionProvider"
    assert facts["onnxruntime"] == onnxruntime.__version__
    assert facts["card"]["licence"] == "made by a test"
    assert facts["model_sha256"] == segmenter.card.model_sha256
    assert (facts["batch"], facts["resampled_beyond"]) == (1, 0.02)


def test_glass_need_not_be_read_unless_the_card_says_so(tmp_path):
    overview, _ = stained_disc()
    glass = OnnxSegmenter(model=write_network(tmp_path, red_below(100))).fit(overview).may_hold_foreground(overview)
    assert glass[48, 48]
    assert not glass[20, 90]
    everywhere = OnnxSegmenter(model=write_network(tmp_path, red_below(100), name="all", background_is_glass=False))
    assert everywhere.fit(overview).may_hold_foreground(overview).all()


def test_classes_can_be_renamed_but_not_invented(tmp_path):
    path = write_network(tmp_path, red_below(100))
    own = [{"id": 0, "name": "rest", "color": "#000000"}, {"id": 1, "name": "gland", "color": "#00ff00"}]
    assert [c.name for c in fitted(path, classes=own).scheme.classes] == ["rest", "gland"]
    with pytest.raises(SettingsError, match=r"classes lists the ids \[0\]"):
        fitted(path, classes=own[:1])
