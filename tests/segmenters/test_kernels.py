import threading

import numpy as np
import pytest
import skimage.data
from hypothesis import given, settings
from hypothesis import strategies as st
from pictures import all_valid

from wsi_area.compute.count.counting import count_class_map
from wsi_area.compute.count.reduction import box_mean
from wsi_area.errors import SegmentationError
from wsi_area.model.pixels import TilePixels
from wsi_area.segmenters.colour.colour_rule import ColourRule
from wsi_area.segmenters.colour.kernels import classify_and_count, classify_patches
from wsi_area.segmenters.colour.stain_vectors import NAMED_VECTORS, density_weights

STAIN = ColourRule("darkness", 60, density_weights(NAMED_VECTORS["h-dab"], "dab"), (0.2, 0.4, 0.6))
ONE_BAND = ColourRule("darkness", 200, density_weights(NAMED_VECTORS["h-e"], "eosin"), (0.15,))
WIDE = ColourRule("darkness", 60, (9.0, -7.0, 4.0), (0.3, 2.0, 40.0))  # its densities do not fit into 32 bits
GREY = ColourRule("brightness", 0, intensity="grey")  # all of it is foreground, up to white
OD = ColourRule("darkness", 90, intensity="od")
TINTED = ColourRule("darkness", 120, STAIN.stain, (0.2, 0.4, 0.6), tint=(61, 11, 0), glass=(225, 175, 148))
TINTED_OD = ColourRule("darkness", 90, intensity="od", tint=(0, 30, 9), glass=(190, 236, 215))
RULES = [TINTED, TINTED_OD, STAIN, ONE_BAND, ColourRule("darkness", 90), ColourRule("brightness", 120), WIDE, GREY, OD]


def kernel(rgb, valid, rule, column_weights=None, row_weights=None, factor=1, out=None):
    height, width = (-(-n // factor) for n in rgb.shape[:2])
    column_weights = np.full(width, 1, np.int64) if column_weights is None else column_weights
    row_weights = np.full(height, 1, np.int64) if row_weights is None else row_weights
    out = np.empty((height, width), np.uint8) if out is None else out
    counts, signal = np.zeros(rule.class_count + 3, np.int64), np.zeros(rule.class_count, np.int64)
    classify_and_count(rgb, valid, rule, column_weights, row_weights, factor, out, counts, signal)
    return out, counts, signal


def assert_two_routes_agree(rgb, valid, rule, column_weights, row_weights, factor):
    """The fused kernel against: reduce, then the rule in numpy, then the count; and the signal in numpy."""
    out, counts, signal = kernel(rgb, valid, rule, column_weights, row_weights, factor)
    reduced = box_mean(rgb, valid, factor)
    expected = rule.class_map(reduced)
    np.testing.assert_array_equal(out, expected)
    counted = count_class_map(expected, column_weights, row_weights, rule.class_count)
    assert counts.tolist() == [*counted.px_by_class, counted.unscanned_px, 0, 0]
    weighted = rule.micro_signal_of(reduced.rgb) * np.outer(row_weights, column_weights)
    assert signal.tolist() == [0] + [int(weighted[expected == k].sum()) for k in range(1, rule.class_count)]
    of_class = (expected > 0) & (expected < rule.class_count)
    of_pixel = np.full(expected.shape, -7, np.int32)
    patch, zeros = (0, 0, rgb, valid), (np.zeros_like(counts), np.zeros_like(signal))
    classify_patches([patch], rule, column_weights, row_weights, factor, out, *zeros, of_pixel)
    np.testing.assert_array_equal(of_pixel, np.where(of_class, rule.micro_signal_of(reduced.rgb), 0))


@st.composite
def tiles(draw):
    height, width, factor = draw(st.integers(1, 40)), draw(st.integers(1, 60)), draw(st.integers(1, 7))
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    rgb = random.integers(0, 256, (height, width, 3), dtype=np.uint8)
    share = draw(st.sampled_from([None, 1.0, 0.9, 0.5, 0.1, 0.0]))
    valid = None if share is None else random.random((height, width)) < share
    shape = -(-height // factor), -(-width // factor)
    lowest, highest = draw(st.sampled_from([(1, 2), (16, 17), (3, 6), (0, 2**20)]))
    rows, columns = (random.integers(lowest, highest, n) for n in shape)
    return rgb, valid, columns, rows, factor


@given(tiles(), st.sampled_from(RULES))
@settings(max_examples=150, deadline=None)
def test_the_kernel_equals_reducing_classifying_and_counting_one_after_the_other(tile, rule):
    rgb, valid, columns, rows, factor = tile
    assert_two_routes_agree(rgb, valid, rule, columns, rows, factor)


@pytest.mark.parametrize("factor", [1, 2, 3])
def test_rows_longer_than_a_piece_are_seamless(factor):
    rgb = np.tile(skimage.data.immunohistochemistry()[:6], (1, 10 * factor, 1))
    columns = np.full(5120, 4)
    columns[[5, 2047, 2048, -1]] = 3  # weights that change within a piece and at its ends
    valid = np.ones(rgb.shape[:2], bool)
    valid[2, 2040:2060] = False
    for mask in (None, valid):
        assert_two_routes_agree(rgb, mask, STAIN, columns, np.full(-(-6 // factor), 4), factor)


@pytest.mark.parametrize("rule", [*RULES, ColourRule("darkness", 60, STAIN.stain, (0.004, 0.02))])
@pytest.mark.parametrize("factor", [1, 2])
def test_rows_of_bare_glass_take_the_short_way_to_the_same_answer(rule, factor):
    random = np.random.default_rng(8)
    lowest = np.repeat(np.arange(180, 256), 2)[:, None, None]  # row by row brighter, the last are white
    rgb = random.integers(lowest, 256, (152, 300, 3)).astype(np.uint8)
    valid = random.random((152, 300)) < 0.9
    shape = -(-152 // factor), -(-300 // factor)
    for mask, columns in ((None, np.full(shape[1], 3)), (valid, random.integers(1, 4, shape[1]))):
        assert_two_routes_agree(rgb, mask, rule, columns, np.full(shape[0], 3), factor)


@pytest.mark.parametrize("rule", RULES)
def test_a_real_immunostain_counts_as_in_numpy(rule):
    rgb = skimage.data.immunohistochemistry()
    _, counts, signal = kernel(rgb, None, rule)
    expected = rule.class_map(all_valid(rgb))
    assert counts[: rule.class_count].tolist() == np.bincount(expected.ravel(), minlength=rule.class_count).tolist()
    assert signal.sum() == rule.micro_signal_of(rgb)[expected > 0].sum()  # the background has no signal


def views(rgb):
    big = np.random.default_rng(3).integers(0, 256, (rgb.shape[0] + 5, rgb.shape[1] + 9, 3), np.uint8)
    big[2:-3, 4:-5] = rgb
    rgba = np.dstack([rgb, rgb[..., 0]])
    read_only = rgb.copy()
    read_only.setflags(write=False)
    yield "rows strided", big[2:-3, 4:-5]
    yield "channels strided", rgba[..., :3]
    yield "mirrored twice", np.ascontiguousarray(rgb[::-1, ::-1])[::-1, ::-1]
    yield "upside down", np.ascontiguousarray(rgb[::-1])[::-1]
    yield "other axis order", np.ascontiguousarray(rgb.transpose(2, 0, 1)).transpose(1, 2, 0)
    yield "one row repeated", np.broadcast_to(rgb[:1], rgb.shape)
    yield "read-only", read_only


@pytest.mark.parametrize("factor", [1, 3])
def test_any_view_of_the_pixels_gives_the_answer_of_a_copy(factor):
    rgb = skimage.data.immunohistochemistry()[100:150, 100:170]
    valid = np.random.default_rng(2).random((50, 70)) < 0.8
    for name, view in views(rgb):
        for mask in (valid, np.asfortranarray(valid), None):
            expected = kernel(view.copy(), None if mask is None else valid, STAIN, factor=factor)
            for got, wanted in zip(kernel(view, mask, STAIN, factor=factor), expected, strict=True):
                np.testing.assert_array_equal(got, wanted, err_msg=name)


@settings(max_examples=60, deadline=None)
@given(tiles(), st.lists(st.integers(1, 6), max_size=2), st.lists(st.integers(1, 6), max_size=2))
def test_the_parts_of_a_tile_come_to_the_same_as_the_tile(tile, cuts_across, cuts_down):
    rgb, valid, columns, rows, factor = tile
    whole_map, whole_counts, whole_signal = kernel(rgb, valid, STAIN, columns, rows, factor)
    lefts = sorted({0, *(cut for cut in cuts_across if cut < len(columns))})
    tops = sorted({0, *(cut for cut in cuts_down if cut < len(rows))})
    patches = []
    for top, bottom in zip(tops, [*tops[1:], len(rows)], strict=True):
        for left, right in zip(lefts, [*lefts[1:], len(columns)], strict=True):
            box = np.s_[top * factor : bottom * factor, left * factor : right * factor]
            patches.append((left, top, rgb[box], None if valid is None else valid[box]))
    out, of_pixel = np.full(whole_map.shape, 77, np.uint8), np.full(whole_map.shape, -7, np.int32)
    counts, signal = np.zeros_like(whole_counts), np.zeros_like(whole_signal)
    classify_patches(patches, STAIN, columns, rows, factor, out, counts, signal, of_pixel)
    weighted = of_pixel * np.outer(rows, columns)
    assert [int(weighted[out == k].sum()) for k in range(STAIN.class_count)] == whole_signal.tolist()
    np.testing.assert_array_equal(out, whole_map)
    assert counts.tolist() == whole_counts.tolist()
    assert signal.tolist() == whole_signal.tolist()


@pytest.mark.parametrize("place", [(-1, 0), (0, -1), (3, 0), (0, 3)])
def test_a_part_that_leaves_the_class_map_is_refused_and_nothing_written(place):
    rgb, out, ones = np.zeros((2, 4, 3), np.uint8), np.full((4, 6), 77, np.uint8), np.ones(6, np.int64)
    counts, signal = np.zeros(8, np.int64), np.zeros(5, np.int64)
    with pytest.raises(SegmentationError, match="a patch of"):
        classify_patches([(0, 0, rgb, None), (*place, rgb, None)], STAIN, ones, ones[:4], 1, out, counts, signal)
    assert (out == 77).all()
    assert not counts.any()


@pytest.mark.parametrize("cut", [np.s_[3:-4, 6:-2], np.s_[3:-4, -3:5:-1], np.s_[-5:2:-1, 6:-2]])
def test_the_class_map_is_written_into_a_view_and_nowhere_else(cut):
    rgb = skimage.data.immunohistochemistry()[:53, :62]
    store = np.full((60, 70), 77, np.uint8)
    view = store[cut]
    kernel(rgb, None, STAIN, out=view)
    np.testing.assert_array_equal(view, STAIN.class_map(all_valid(rgb)))
    view[...] = 77
    assert (store == 77).all()


def test_counts_are_added_to_what_is_there():
    rgb = skimage.data.immunohistochemistry()[:20, :30]
    counts, signal = np.arange(8), np.arange(5)
    ones = np.ones(30, np.int64)
    classify_and_count(rgb, None, STAIN, ones, ones[:20], 1, np.empty((20, 30), np.uint8), counts, signal)
    _, fresh_counts, fresh_signal = kernel(rgb, None, STAIN)
    assert (counts - fresh_counts).tolist() == list(range(8))
    assert (signal - fresh_signal).tolist() == list(range(5))


@pytest.mark.parametrize(("seen", "is_valid"), [(8, True), (7, False), (0, False)])
def test_a_box_is_valid_if_at_least_half_of_it_is_and_its_mean_is_of_the_valid_pixels(seen, is_valid):
    rgb = np.full((4, 4, 3), 255, np.uint8)
    valid = np.zeros(16, bool)
    valid[:seen] = True
    rgb.reshape(16, 3)[:seen] = 100
    out, counts, _ = kernel(rgb, valid.reshape(4, 4), ColourRule("darkness", 154), factor=4)
    assert out.item() == (1 if is_valid else 255)
    assert counts.tolist() == ([0, 1, 0, 0, 0] if is_valid else [0, 0, 1, 0, 0])


@pytest.mark.parametrize("factor", [2, 4, 5, 257, 258, 1025])
def test_the_mean_is_exact_in_boxes_of_any_size(factor):
    # 255 - mean rounds to 100 exactly at the half and to 99 one count below it
    rgb = np.full((factor, factor, 3), 155, np.uint8)
    above = (factor * factor + 1) // 2
    rgb.reshape(-1, 3)[:above] = 156
    rule = ColourRule("darkness", 99)  # foreground while the mean is 155
    assert kernel(rgb, None, rule, factor=factor)[0].item() == 0
    rgb.reshape(-1, 3)[0] = 155
    assert kernel(rgb, None, rule, factor=factor)[0].item() == 1


def test_level_0_pixels_of_a_whole_slide_do_not_overflow():
    rgb = np.zeros((2, 2, 3), np.uint8)
    weights = np.full(2, 150_000, np.int64)  # four pixels that stand for 300 000 × 300 000
    _, counts, signal = kernel(rgb, None, STAIN, weights, weights)
    assert counts.sum() == 300_000**2
    assert signal.sum() == 300_000**2 * int(STAIN.micro_signal_of(rgb)[0, 0])


@given(tiles())
@settings(max_examples=40, deadline=None)
def test_a_mirrored_tile_has_the_mirrored_map_and_the_same_counts(tile):
    rgb, valid, columns, rows, _ = tile
    rows, columns = np.resize(rows, rgb.shape[0]), np.resize(columns, rgb.shape[1])
    out, counts, signal = kernel(rgb, valid, STAIN, columns, rows)
    mirror = np.s_[::-1, ::-1]
    mask = None if valid is None else valid[mirror]
    out_m, counts_m, signal_m = kernel(rgb[mirror], mask, STAIN, columns[::-1], rows[::-1])
    np.testing.assert_array_equal(out_m, out[mirror])
    assert (counts_m.tolist(), signal_m.tolist()) == (counts.tolist(), signal.tolist())


def test_many_threads_at_once_count_as_one():
    rgb = skimage.data.immunohistochemistry()
    wanted = kernel(rgb, None, STAIN)[1].tolist()
    got = []
    threads = [threading.Thread(target=lambda: got.append(kernel(rgb, None, STAIN)[1].tolist())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == [wanted] * 4


def test_a_tile_of_no_pixels_counts_nothing():
    none = np.zeros(0, np.int64)
    out, counts, _ = kernel(np.zeros((0, 0, 3), np.uint8), None, STAIN, none, none)
    assert out.shape == (0, 0)
    assert not counts.any()


@pytest.mark.parametrize(
    "wrong",
    [
        {"rgb": np.zeros((4, 6, 3))},
        {"rgb": np.zeros((4, 6, 4), np.uint8)},
        {"factor": 0},
        {"factor": 2},
        {"valid": np.ones((6, 4), bool)},
        {"valid": np.ones((4, 6), np.uint8)},
        {"column_weights": np.ones(5, np.int64)},
        {"row_weights": np.ones(5, np.int64)},
        {"out_class_map": np.zeros((4, 6), np.int64)},
        {"counts": np.zeros(7, np.int64)},
        {"counts": np.zeros(8, np.int32)},
        {"signal": np.zeros(5)},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
def test_arrays_that_do_not_belong_together_are_refused_before_any_is_touched(wrong):
    right = {
        "rgb": np.zeros((4, 6, 3), np.uint8),
        "valid": None,
        "rule": STAIN,
        "column_weights": np.ones(6, np.int64),
        "row_weights": np.ones(4, np.int64),
        "factor": 1,
        "out_class_map": np.zeros((4, 6), np.uint8),
        "counts": np.zeros(8, np.int64),
        "signal": np.zeros(5, np.int64),
    }
    with pytest.raises(SegmentationError):
        classify_and_count(**(right | wrong))


def test_the_rule_s_own_class_map_is_the_same_for_holes():
    rgb = skimage.data.immunohistochemistry()[:64, :64]
    valid = np.random.default_rng(5).random((64, 64)) < 0.5
    np.testing.assert_array_equal(kernel(rgb, valid, STAIN)[0], STAIN.class_map(TilePixels(rgb, valid)))
