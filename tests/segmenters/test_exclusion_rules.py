"""Each rule beside its own sentence in plain numpy: shares of windows as fractions, every window added up anew."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.lib.stride_tricks import sliding_window_view

from wsi_area.errors import SettingsError
from wsi_area.model.pixels import TilePixels
from wsi_area.segmenters.colour.colour_rule import ColourRule
from wsi_area.segmenters.exclusions.absorption import milli_od_tables, seen_of
from wsi_area.segmenters.exclusions.black import BlackRule
from wsi_area.segmenters.exclusions.bubble import BubbleRule
from wsi_area.segmenters.exclusions.focus import FocusRule
from wsi_area.segmenters.exclusions.fold import FoldRule
from wsi_area.segmenters.exclusions.pen import PenRule
from wsi_area.segmenters.exclusions.sharpness import blur_votes, detail
from wsi_area.segmenters.exclusions.windows import exceeds

WHITE = (243, 240, 246)
GLASS = ColourRule("darkness", 40, tint=(3, 0, 6))
SEEDS = st.integers(0, 2**32 - 1)


def picture(seed, shape=(37, 43), holes=True):
    """A patchwork of glass, stains, inks and black, with noise, and what was never scanned."""
    rng = np.random.default_rng(seed)
    colours = np.array([
        WHITE, (190, 120, 180), (120, 60, 130), (40, 60, 160), (30, 140, 60), (60, 60, 62), (2, 3, 1), (220, 40, 50),
        (150, 150, 155),
    ])  # fmt: skip
    patches = rng.integers(0, len(colours), (shape[0] // 6 + 1, shape[1] // 6 + 1))
    rgb = colours[patches.repeat(6, 0).repeat(6, 1)[: shape[0], : shape[1]]] + rng.integers(-25, 26, (*shape, 3))
    valid = np.ones(shape, np.bool_)
    if holes:
        valid[rng.integers(0, shape[0]) :, : rng.integers(1, 9)] = False
        valid[rng.random(shape) < 0.01] = False
    return TilePixels(np.clip(rgb, 0, 255).astype(np.uint8), valid)


def sums(values, radius):
    """The sum of each window, cut at the rim."""
    side = 2 * radius + 1
    return sliding_window_view(np.pad(values.astype(np.int64), radius), (side, side)).sum(axis=(2, 3))


def densities(pixels):
    """Thousandths of optical density of R, G and B."""
    tables = milli_od_tables(WHITE).astype(np.int64)
    return [tables[channel][pixels.rgb[..., channel]] for channel in range(3)]


def stands_out(pixels, rule=GLASS):
    return (rule.feature_of(pixels.rgb) > rule.threshold) & pixels.valid


def share(part, whole, radius):
    """The share of a part in each window, 0 of an empty one."""
    return sums(part, radius) / np.maximum(sums(whole, radius), 1)


@settings(max_examples=40, deadline=None)
@given(SEEDS, st.integers(1, 14), st.integers(1, 14), st.integers(0, 17), st.integers(-40_000, 40_000))
def test_windows_that_exceed_a_limit_are_those_whose_scores_add_up_to_more(seed, height, width, radius, limit):
    scores = np.random.default_rng(seed).integers(-7300, 7300, (height, width)).astype(np.int16)
    total = sums(scores, radius)
    for at in (limit, int(total.flat[0]), int(total.flat[-1]) - 1):
        np.testing.assert_array_equal(exceeds(scores, radius, at), total > at)


def test_sums_beyond_32_bits_are_judged_rightly():
    scores = np.full((900, 900), 7221, np.int16)
    of_the_middle = 801 * 801 * 7221  # 4.6e9
    assert not exceeds(scores, 400, of_the_middle).any()
    assert exceeds(scores, 400, of_the_middle - 1)[400:500, 400:500].all()
    assert exceeds(scores, 400, of_the_middle - 1).sum() == 100 * 100
    assert exceeds(-scores, 400, -of_the_middle).sum() == 900 * 900 - 100 * 100


@settings(max_examples=15, deadline=None)
@given(SEEDS)
def test_what_stands_out_and_its_densities_are_those_of_the_colour_rule(seed):
    pixels = picture(seed)
    for rule in (GLASS, ColourRule("brightness", 90), ColourRule("darkness", 0), ColourRule("darkness", 254)):
        seen = seen_of(pixels, rule, WHITE)
        shown = stands_out(pixels, rule)
        np.testing.assert_array_equal(seen.stands_out, shown)
        od = np.stack(densities(pixels)) * shown
        np.testing.assert_array_equal(seen.total_milli_od, od.sum(axis=0))
        np.testing.assert_array_equal(seen.most_milli_od, od.max(axis=0))
        np.testing.assert_array_equal(seen.chroma_milli_od, od.max(axis=0) - od.min(axis=0))
        grey = pixels.rgb @ np.array([77, 150, 29]) // 256
        np.testing.assert_array_equal(seen.grey, grey)


def ink(pixels):
    """Ink absorbs green least, or red most, or all colours alike, or is redder than any stain."""
    red, green, blue = densities(pixels)
    most, least = np.maximum(np.maximum(red, green), blue), np.minimum(np.minimum(red, green), blue)
    r, g, b = (pixels.rgb[..., channel].astype(int) for channel in range(3))
    is_blue = (5 * green <= 6 * red) & (10 * blue <= 7 * red) & (red >= 500)
    is_green = (10 * green <= 9 * red) & (10 * green <= 9 * blue) & (most >= 150)
    is_black = (least >= 600) & (20 * least >= 11 * most)
    return (is_blue | is_green | is_black | (np.minimum(r - g, r - b) >= 110)) & stands_out(pixels)


@settings(max_examples=15, deadline=None)
@given(SEEDS, st.integers(0, 9))
def test_pen_is_where_more_than_half_of_the_window_has_a_colour_of_ink(seed, radius):
    pixels = picture(seed)
    found = PenRule(radius).mask(seen_of(pixels, GLASS, WHITE))
    np.testing.assert_array_equal(found, (share(ink(pixels), pixels.valid, radius) > 0.5) & stands_out(pixels))


@settings(max_examples=15, deadline=None)
@given(SEEDS, st.integers(0, 6))
def test_black_was_painted_where_three_tenths_of_the_window_are_black(seed, radius):
    pixels = picture(seed)
    black = (pixels.rgb.max(axis=-1) <= 8) & pixels.valid
    enough = 10 * sums(black, radius) >= 3 * sums(pixels.valid, radius)
    np.testing.assert_array_equal(BlackRule(radius).mask(seen_of(pixels, GLASS, WHITE)), black & enough)


@settings(max_examples=15, deadline=None)
@given(SEEDS, st.integers(0, 9), st.integers(0, 2500), st.integers(0, 900))
def test_a_fold_is_tissue_that_absorbs_at_least_so_much_in_the_mean_of_its_window(seed, radius, least, least_chroma):
    pixels = picture(seed)
    tissue, od = stands_out(pixels), np.stack(densities(pixels))
    count = np.maximum(sums(tissue, radius), 1)
    total = sums(od.sum(axis=0) * tissue, radius) / count
    chroma = sums((od.max(axis=0) - od.min(axis=0)) * tissue, radius) / count
    expected = tissue & (total >= least) & (chroma >= least_chroma) & (share(tissue, pixels.valid, radius) > 0.5)
    found = FoldRule(radius, least, least_chroma).mask(seen_of(pixels, GLASS, WHITE))
    np.testing.assert_array_equal(found, expected)


@settings(max_examples=15, deadline=None)
@given(SEEDS, st.integers(1, 12), st.integers(1, 100))
def test_an_outline_is_grey_thin_and_has_no_colour_about(seed, line_px, chroma_percent):
    pixels = picture(seed)
    dark, od = stands_out(pixels), np.stack(densities(pixels))
    most, chroma = od.max(axis=0), od.max(axis=0) - od.min(axis=0)
    grey = dark & (100 * chroma <= chroma_percent * most)
    near = max(1, line_px // 4)
    greyish = 10 * sums(grey, near) >= 7 * sums(dark, near)
    thin = share(dark, pixels.valid, line_px) <= 0.5
    alone = 20 * sums(dark & ~grey, line_px) <= sums(pixels.valid, line_px)
    found = BubbleRule(line_px, chroma_percent).mask(seen_of(pixels, GLASS, WHITE))
    np.testing.assert_array_equal(found, dark & greyish & thin & alone)


def plain_detail(grey, valid, box):
    """The Laplacian of box means in quarters of a grey level, and where all five boxes are valid: pixel by pixel."""
    before = box + (box - 1) // 2
    details, known = np.zeros(grey.shape, int), np.zeros(grey.shape, bool)
    for top in range(grey.shape[0] - 3 * box + 1):
        for left in range(grey.shape[1] - 3 * box + 1):
            boxes = [
                np.s_[top + down * box : top + (down + 1) * box, left + across * box : left + (across + 1) * box]
                for down, across in ((1, 1), (0, 1), (2, 1), (1, 0), (1, 2))
            ]
            if all(valid[part].all() for part in boxes):
                centre, *around = (Fraction(int(grey[part].sum()), box * box) for part in boxes)
                details[top + before, left + before] = math.floor(4 * (4 * centre - sum(around)))
                known[top + before, left + before] = True
    return details, known


@pytest.mark.parametrize("box", [1, 2, 3, 4, 5, 8])
@pytest.mark.parametrize("holes", [False, True])
def test_a_detail_is_the_laplacian_of_five_box_means_rounded_down(box, holes):
    for seed in (1, 2):
        rng = np.random.default_rng(seed)
        grey = rng.integers(0, 256, (26, 29)).astype(np.uint8)
        valid = rng.random(grey.shape) > 0.004 * holes
        details, known = detail(grey, valid, box)
        expected, where = plain_detail(grey, valid, box)
        np.testing.assert_array_equal(known, where)
        np.testing.assert_array_equal(details[known], expected[where])


def test_no_detail_is_known_of_a_picture_smaller_than_three_boxes():
    for shape in ((5, 40), (40, 5), (0, 7)):
        details, known = detail(np.full(shape, 9, np.uint8), np.ones(shape, bool), 2)
        assert details.shape == known.shape == shape
        assert not known.any()


@settings(max_examples=15, deadline=None)
@given(SEEDS, st.integers(0, 7), st.integers(1, 400), st.sampled_from([(3, 50), (1, 2), (999, 1000)]))
def test_a_window_votes_for_blur_where_its_fine_detail_has_too_little_energy(seed, radius, least, ratio):
    rng = np.random.default_rng(seed)
    judged = rng.random((19, 23)) < 0.6
    fine, coarse = (rng.integers(-most, most, judged.shape).astype(np.int16) for most in (12, 40))
    of_fine, of_coarse = (sums(judged * d.astype(int) ** 2, radius) for d in (fine, coarse))
    can_say = judged & (of_coarse >= least * sums(judged, radius))
    is_blurred = of_fine * ratio[1] < of_coarse * ratio[0]
    votes = blur_votes(judged, fine, coarse, radius, least, ratio)
    np.testing.assert_array_equal(votes, np.where(can_say, np.where(is_blurred, 1, -1), 0))


def test_the_largest_details_that_there_are_do_not_overflow():
    extreme = np.full((70, 70), 4080, np.int16)
    judged = np.ones(extreme.shape, bool)
    assert (blur_votes(judged, extreme, extreme, 30, 4080**2, (999, 1000)) == -1).all()
    assert (blur_votes(judged, extreme // 2, -extreme, 30, 4080**2, (1, 2)) == 1).all()
    assert (blur_votes(judged, extreme, extreme, 30, 4080**2 + 1, (999, 1000)) == 0).all()
    board = (np.indices((40, 40)).sum(axis=0) % 2 * 255).astype(np.uint8)
    details, known = detail(board, np.ones(board.shape, bool), 1)
    assert set(np.unique(details[known]).tolist()) == {-4080, 4080}


@settings(max_examples=10, deadline=None)
@given(SEEDS, st.integers(4, 7))
def test_out_of_focus_is_tissue_round_which_most_that_can_say_says_blurred(seed, window_px):
    pixels = picture(seed)
    seen = seen_of(pixels, GLASS, WHITE)
    rule = FocusRule(scale_px=1, window_px=window_px, least_ratio=0.3, least_grey=1.0)
    fine, of_fine = plain_detail(seen.grey, pixels.valid, 1)
    coarse, of_coarse = plain_detail(seen.grey, pixels.valid, 4)
    judged = stands_out(pixels) & of_fine & of_coarse
    energies = [sums(judged * d**2, rule.judged_px) for d in (fine, coarse)]
    told = judged & (energies[1] >= 16 * sums(judged, rule.judged_px))
    blurred = told & (10 * energies[0] < 3 * energies[1])
    most = 2 * sums(blurred, rule.voting_px) > sums(told, rule.voting_px)
    np.testing.assert_array_equal(rule.mask(seen), most & stands_out(pixels))


def test_windows_and_details_too_large_to_be_summed_are_refused_with_the_setting_to_change():
    small = np.zeros((4, 4), np.int16)
    with pytest.raises(SettingsError, match=r"20001 px a side.*focus_window_um smaller"):
        blur_votes(small > 0, small, small, 10_000, 1, (1, 2))
    with pytest.raises(SettingsError, match=r"detail of 3000 px.*focus_scale_um smaller"):
        detail(small.astype(np.uint8), small == 0, 3000)
