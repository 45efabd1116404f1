"""Windows of pictures wider than a block of columns: where all columns agree, where they do not, and at the seams."""

import numpy as np
import pytest

from wsi_area.errors import SettingsError
from wsi_area.model.pixels import TilePixels
from wsi_area.segmenters.colour.colour_rule import ColourRule
from wsi_area.segmenters.exclusions.absorption import milli_od_tables, seen_of
from wsi_area.segmenters.exclusions.bubble import BubbleRule
from wsi_area.segmenters.exclusions.fold import FoldRule
from wsi_area.segmenters.exclusions.sharpness import blur_votes
from wsi_area.segmenters.exclusions.windows import exceeds, narrowed, share_exceeds

WIDTHS = [63, 64, 65, 128, 129, 250]
RADII = [0, 1, 12, 40, 300]
WHITE = (243, 240, 246)


def sums(values: np.ndarray, radius: int) -> np.ndarray:
    """The sum of each window, cut at the rim: four corners of a table of all that lies above and to the left."""
    table = np.zeros((values.shape[0] + 1, values.shape[1] + 1), np.int64)
    table[1:, 1:] = values.astype(np.int64).cumsum(axis=0).cumsum(axis=1)
    spans = [
        (np.maximum(np.arange(n) - radius, 0), np.minimum(np.arange(n) + radius + 1, n)) for n in values.shape
    ]  # fmt: skip
    (top, bottom), (left, right) = spans
    return (
        table[np.ix_(bottom, right)]
        - table[np.ix_(top, right)]
        - table[np.ix_(bottom, left)]
        + table[np.ix_(top, left)]
    )


def patchwork(seed: int, width: int, patch_px: int, noise: float) -> np.ndarray:
    """A mask of patches, each all or nothing, with some pixels the other way."""
    rng = np.random.default_rng(seed)
    patches = rng.random((50 // patch_px + 2, width // patch_px + 2)) < 0.5
    mask = patches.repeat(patch_px, 0).repeat(patch_px, 1)[:50, :width]
    return mask ^ (rng.random(mask.shape) < noise)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("radius", RADII)
def test_a_share_of_a_window_is_the_same_where_columns_agree_and_where_they_do_not(width: int, radius: int) -> None:
    for patch_px, noise in ((200, 0.0), (200, 0.02), (70, 0.0), (30, 0.1), (3, 0.0)):
        mask = patchwork(1, width, patch_px, noise)
        among = mask | patchwork(2, width, 50, 0.01)
        for of_mask, of_others in ((1, -1), (70, -30), (5, -95)):
            total = sums(np.where(mask, of_mask, np.where(among, of_others, 0)), radius)
            for limit in (-7, -1, 0, 9, int(np.median(total))):
                found = share_exceeds(mask, among, of_mask, of_others, radius, limit)
                np.testing.assert_array_equal(found, total > limit)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("radius", RADII)
def test_a_mean_of_a_window_is_the_same_where_columns_agree_and_where_they_do_not(width: int, radius: int) -> None:
    rng = np.random.default_rng(width)
    for patch_px, spread in ((200, 100), (70, 100), (20, 3000)):
        among = patchwork(3, width, patch_px, 0.01)
        values = (2000 + rng.integers(-spread, spread + 1, among.shape) * among).astype(np.int16)
        for of_each in (-1500, -2000, -2050, 3):
            total = sums(values + of_each * among.astype(int), radius)
            for limit in (-1, 0, 1000):
                found = exceeds(values, radius, limit, among=among, of_each=of_each)
                np.testing.assert_array_equal(found, total > limit)


def test_parts_of_larger_planes_are_judged_as_copies_of_them_are() -> None:
    mask, among = patchwork(4, 250, 30, 0.1), patchwork(5, 250, 60, 0.1)
    values = np.random.default_rng(6).integers(-900, 900, mask.shape).astype(np.int16)
    for part in (np.s_[3:40, 7:201], np.s_[:, 100:], np.s_[::2, ::3], np.s_[::-1, ::-1], np.s_[5:5, 9:30]):
        of_part, of_among, of_values = mask[part].copy(), among[part].copy(), values[part].copy()
        found = share_exceeds(mask[part], among[part], 1, -1, 9)
        np.testing.assert_array_equal(found, share_exceeds(of_part, of_among, 1, -1, 9))
        found = exceeds(values[part], 9, among=among[part], of_each=11)
        np.testing.assert_array_equal(found, exceeds(of_values, 9, among=of_among, of_each=11))


def test_sums_that_no_column_could_hold_are_refused() -> None:
    tall = np.broadcast_to(np.int16(1), (70_000, 1))
    with pytest.raises(SettingsError, match=r"140001 px a side is too large"):
        exceeds(tall, 70_000)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("radius", RADII)
def test_votes_are_the_same_where_columns_agree_and_where_they_do_not(width: int, radius: int) -> None:
    rng = np.random.default_rng(width)
    for patch_px in (200, 70, 10):
        judged, sharp, rough = (patchwork(seed, width, patch_px, 0.02) for seed in (7, 8, 9))
        fine = (rng.integers(-9, 10, judged.shape) * (1 + 4 * sharp)).astype(np.int16)
        coarse = (rng.integers(-30, 31, judged.shape) * (1 + 3 * rough)).astype(np.int16)
        energies = [sums(judged * d.astype(int) ** 2, radius) for d in (fine, coarse)]
        for least in (1, 300, 2000):
            told = judged & (energies[1] >= least * sums(judged, radius))
            expected = np.where(told, np.where(10 * energies[0] < 3 * energies[1], 1, -1), 0)
            np.testing.assert_array_equal(blur_votes(judged, fine, coarse, radius, least, (3, 10)), expected)


@pytest.mark.parametrize(("fine", "coarse", "ratio"), [(5, 10, (1, 4)), (3, 4, (9, 16)), (0, 7, (0, 1))])
def test_a_window_of_exactly_the_least_share_is_sharp(fine: int, coarse: int, ratio: tuple[int, int]) -> None:
    judged = np.ones((20, 200), np.bool_)
    of_fine, of_coarse = (np.full(judged.shape, detail, np.int16) for detail in (fine, coarse))
    assert (blur_votes(judged, of_fine, of_coarse, 6, coarse**2, ratio) == -1).all()
    assert (blur_votes(judged, of_fine, of_coarse + np.int16(1), 6, coarse**2, ratio) == (1 if fine else -1)).all()


def test_a_further_condition_is_asked_for_the_box_round_what_is_left_alone() -> None:
    left, mask = np.zeros((50, 250), np.bool_), patchwork(10, 250, 20, 0.1)
    left[20:24, 100:131] = left[30, 90] = True
    wanted = left & share_exceeds(mask, np.ones_like(mask), 1, -1, 8)
    asked = []

    def judge(box_px):
        asked.append(box_px)
        return share_exceeds(mask[box_px.slices], np.ones_like(mask)[box_px.slices], 1, -1, 8)

    np.testing.assert_array_equal(narrowed(left, 8, judge), wanted)
    assert [(b.x_px, b.y_px, b.right_px, b.bottom_px) for b in asked] == [(82, 12, 139, 39)]
    assert not narrowed(np.zeros((50, 250), np.bool_), 8, judge).any()
    assert len(asked) == 1


def wide_picture(seed: int) -> TilePixels:
    """Stripes of glass, pale and dense stain, ink and grey, each wider than what a window reaches, with noise."""
    rng = np.random.default_rng(seed)
    colours = np.array([
        WHITE, (190, 120, 180), (120, 60, 130), (60, 25, 90), (40, 60, 160), (150, 150, 155), (30, 140, 60),
        (220, 40, 50),
    ])  # fmt: skip
    stripes = rng.integers(0, len(colours), (2, 12)).repeat(40, 0).repeat(27, 1)
    rgb = colours[stripes] + rng.integers(-20, 21, (*stripes.shape, 3))
    valid = np.ones(stripes.shape, np.bool_)
    valid[30:, 200:215] = False
    return TilePixels(np.clip(rgb, 0, 255).astype(np.uint8), valid)


@pytest.mark.parametrize("seed", range(4))
def test_folds_and_outlines_of_wide_pictures_are_those_of_every_window_added_up(seed: int) -> None:
    pixels = wide_picture(seed)
    seen = seen_of(pixels, ColourRule("darkness", 40, tint=(3, 0, 6)), WHITE)
    tables = milli_od_tables(WHITE).astype(int)
    shown = seen.stands_out
    od = np.stack([tables[channel][pixels.rgb[..., channel]] for channel in range(3)]) * shown
    total, most, chroma = od.sum(axis=0), od.max(axis=0), od.max(axis=0) - od.min(axis=0)
    np.testing.assert_array_equal(seen.total_milli_od, total)  # more pixels than are looked up at once
    np.testing.assert_array_equal(seen.most_milli_od, most)
    np.testing.assert_array_equal(seen.chroma_milli_od, chroma)
    count, scanned = sums(shown, 9), sums(pixels.valid, 9)
    fold = shown & (sums(total, 9) >= 1300 * count) & (sums(chroma, 9) >= 250 * count) & (2 * count > scanned)
    assert fold.any()
    np.testing.assert_array_equal(FoldRule(9, 1300, 250).mask(seen), fold)
    grey = shown & (10 * chroma <= 3 * most)
    greyish = 10 * sums(grey, 4) >= 7 * sums(shown, 4)
    thin, alone = 2 * sums(shown, 18) <= sums(pixels.valid, 18), 20 * sums(shown & ~grey, 18) <= sums(pixels.valid, 18)
    np.testing.assert_array_equal(BubbleRule(18, 30).mask(seen), shown & greyish & thin & alone)


@pytest.mark.parametrize("seed", range(3))
def test_a_picture_of_many_pixels_looks_as_each_of_its_rows_does(seed: int) -> None:
    pixels = wide_picture(seed)
    rule = ColourRule("darkness", 40, tint=(3, 0, 6))
    seen = seen_of(pixels, rule, WHITE)
    assert 0 < seen.ink.sum() < seen.stands_out.sum() < seen.ink.size
    for y in range(len(pixels.rgb)):
        row = seen_of(TilePixels(pixels.rgb[y : y + 1], pixels.valid[y : y + 1]), rule, WHITE)
        for name in ("stands_out", "ink", "total_milli_od", "chroma_milli_od", "most_milli_od", "grey"):
            np.testing.assert_array_equal(getattr(seen, name)[y], getattr(row, name)[0])
