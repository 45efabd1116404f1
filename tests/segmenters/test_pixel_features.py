import json
import math

import numpy as np
import pytest
import scipy.ndimage
from hypothesis import given, settings
from hypothesis import strategies as st
from pixel_models import SMALL, blobs

from wsi_area.errors import SettingsError
from wsi_area.model.geometry import Size
from wsi_area.model.pixels import Overview
from wsi_area.segmenters.pixels.balance import ColourBalance, colour_balance
from wsi_area.segmenters.pixels.feature_kernels import HeldRows
from wsi_area.segmenters.pixels.feature_set import FEATURE_VERSION, FeatureSet, kinds_of
from wsi_area.segmenters.pixels.features import compute_features, feature_levels, features_at
from wsi_area.segmenters.pixels.scale_rows import ScaleRows

FINE = FeatureSet(scales_um=(2.0,), work_mpp_um=1.0, pitch_um=1.0)


def _valid(rgb):
    return np.ones(rgb.shape[:2], bool)


def _column(features, found, name):
    return found[..., features.names.index(name)]


def _grey_of_od(od):
    """Return an RGB picture of a grey density, as near as bytes come."""
    grey = np.clip(np.round(255 * 10 ** -np.asarray(od)), 1, 255).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=-1)


def test_an_even_picture_has_its_optical_density_and_no_structure():
    rgb = np.full((40, 40, 3), 128, np.uint8)
    found = compute_features(rgb, _valid(rgb), SMALL)
    for name in SMALL.names:
        column = _column(SMALL, found, name)
        if name.startswith("od_"):
            np.testing.assert_allclose(column, math.log10(255 / 128), atol=2e-6)
        elif not name.startswith(("hematoxylin", "eosin", "dab", "coherence")):
            np.testing.assert_allclose(column, 0, atol=1e-3)


def test_the_mean_density_is_that_of_scipys_gaussian():
    rgb = blobs(60, 70)
    od = -np.log10(np.maximum(rgb, 1) / 255.0).mean(axis=-1)
    expected = scipy.ndimage.gaussian_filter(od, 2.0, mode="nearest", truncate=2.0)
    found = _column(FINE, compute_features(rgb, _valid(rgb), FINE), "od_2um")
    np.testing.assert_allclose(found, expected, atol=2e-6)


def test_the_local_deviation_is_that_of_scipys_gaussian():
    rgb = blobs(60, 70)
    od = -np.log10(np.maximum(rgb, 1) / 255.0).mean(axis=-1)
    smooth = {"sigma": 2.0, "mode": "nearest", "truncate": 2.0}
    variance = scipy.ndimage.gaussian_filter(od**2, **smooth) - scipy.ndimage.gaussian_filter(od, **smooth) ** 2
    found = _column(FINE, compute_features(rgb, _valid(rgb), FINE), "deviation_2um")
    np.testing.assert_allclose(found, np.sqrt(variance), atol=2e-4)


def test_a_ramp_has_its_slope_as_gradient_in_density_per_standard_deviation():
    rgb = _grey_of_od(np.tile(np.linspace(0.2, 0.8, 121), (50, 1)))
    found = compute_features(rgb, _valid(rgb), FINE)[20:30, 20:100]
    gradient = _column(FINE, found, "gradient_2um")
    assert gradient.mean() == pytest.approx(0.005 * 2.0, rel=0.01)
    np.testing.assert_allclose(gradient, 0.005 * 2.0, rtol=0.2)  # bytes make steps of the ramp
    assert _column(FINE, found, "coherence_2um").min() > 0.9  # all of it points one way


def test_a_dark_disc_is_a_hill_in_both_directions_and_a_hole_a_hollow():
    y, x = np.mgrid[:61, :61]
    disc = np.hypot(y - 30, x - 30) < 4
    for od, sign in ((np.where(disc, 0.9, 0.1), -1), (np.where(disc, 0.1, 0.9), 1)):
        rgb = _grey_of_od(od)
        at = features_at(rgb, _valid(rgb), SMALL, np.array([30]), np.array([30]))[0]
        for kind in ("bump", "ridge"):
            assert sign * at[SMALL.names.index(f"{kind}_6um")] > 0.05


def test_pure_haematoxylin_is_found_as_haematoxylin():
    rgb = np.clip(np.round(255 * 10.0 ** -np.array([0.65, 0.70, 0.29])), 0, 255).astype(np.uint8) * np.ones(
        (30, 30, 1), np.uint8
    )
    found = compute_features(rgb, _valid(rgb), FINE)[15, 15]
    length = math.sqrt(0.65**2 + 0.70**2 + 0.29**2)
    assert found[FINE.names.index("hematoxylin_2um")] == pytest.approx(length, abs=0.02)
    assert found[FINE.names.index("eosin_2um")] == pytest.approx(0, abs=0.02)
    assert found[FINE.names.index("dab_2um")] == pytest.approx(0, abs=0.02)


def test_what_is_not_valid_counts_as_glass_whatever_bytes_lie_there():
    rgb = blobs(50, 50)
    valid = _valid(rgb)
    valid[10:30, 20:40] = False
    white, black = rgb.copy(), rgb.copy()
    white[~valid], black[~valid] = 255, 0
    np.testing.assert_array_equal(compute_features(black, valid, SMALL), compute_features(white, _valid(rgb), SMALL))


@settings(max_examples=20, deadline=None)
@given(st.data())
def test_features_are_the_same_bit_for_bit_wherever_the_tile_was_cut(data):
    height, width = 150, 170
    rgb = blobs(height, width)
    pitch_um = data.draw(st.sampled_from([1.0, 2.0, 3.0]))
    features = FeatureSet(scales_um=(2.0, 6.0, 12.0), work_mpp_um=1.0, pitch_um=pitch_um)
    top, left = data.draw(st.integers(0, height - 1)), data.draw(st.integers(0, width - 1))
    bottom, right = data.draw(st.integers(top + 1, height)), data.draw(st.integers(left + 1, width))
    halo = features.context_px
    y0, x0 = max(0, top - halo), max(0, left - halo)
    box = np.s_[y0 : min(height, bottom + halo), x0 : min(width, right + halo)]
    whole = compute_features(rgb, _valid(rgb), features)
    part = compute_features(rgb[box], _valid(rgb)[box], features, (x0, y0))
    np.testing.assert_array_equal(part[top - y0 : bottom - y0, left - x0 : right - x0], whole[top:bottom, left:right])


def test_bands_of_rows_hold_what_single_cells_are_told():
    rgb = blobs(75, 50)
    levels = feature_levels(rgb, _valid(rgb), SMALL, (3, 5))
    rows, cols = np.mgrid[: levels.cells[0], : levels.cells[1]]
    expected = levels.at(rows.ravel(), cols.ravel()).reshape(-1, *levels.cells)
    for at_once in (1, 100, 10_000):
        bands = [(row, band.copy()) for row, band in levels.bands(at_once)]
        assert [row for row, _ in bands] == list(np.cumsum([0] + [band.shape[1] for _, band in bands[:-1]]))
        np.testing.assert_array_equal(np.concatenate([band for _, band in bands], axis=1), expected)


@pytest.mark.parametrize("pitch_um", [1.0, 2.0, 5.0])
def test_a_tall_tile_worked_out_in_steps_is_the_same_bit_for_bit_as_at_once(pitch_um):
    rgb = blobs(331, 40)
    features = FeatureSet(scales_um=(1.0, 3.0, 12.0, 25.0, 50.0), work_mpp_um=1.0, pitch_um=pitch_um)
    levels = feature_levels(rgb, _valid(rgb), features, (3, 17))
    rows, cols = np.mgrid[: levels.cells[0], : levels.cells[1]]
    expected = levels.at(rows.ravel(), cols.ravel()).reshape(-1, *levels.cells)
    for first in (0, 13, levels.cells[0] - 2):
        window = (first, levels.cells[0]), (1, levels.cells[1] - 1)
        for at_once in (1, 7 * levels.cells[1], 10_000):
            bands = [band.copy() for _, band in levels.bands(at_once, window)]
            np.testing.assert_array_equal(np.concatenate(bands, axis=1), expected[:, first:, 1:-1])


def bytes_held(height, scale_um):
    """What a scale holds beside its base planes while all its rows are asked for."""
    scale = ScaleRows(np.zeros((5, height, 30), np.float32), scale_um, len(kinds_of(scale_um)), 8)
    for row in range(0, height, 8):
        scale.rows(row, min(height, row + 8))
    return sum(held.planes.nbytes for held in vars(scale).values() if isinstance(held, HeldRows)) - 600 * height


@pytest.mark.parametrize("scale_um", [1.0, 4.0, 30.0])
def test_what_is_held_of_a_scale_does_not_grow_with_the_tile(scale_um):
    assert bytes_held(300, scale_um) == bytes_held(3000, scale_um) > 0


def test_a_row_that_was_forgotten_is_not_given_again():
    scale = ScaleRows(np.zeros((5, 100, 30), np.float32), 2.0, 11, 8)
    scale.rows(60, 68)
    for end in (28, 200):
        with pytest.raises(ValueError, match=r"rows 20 to .* do not follow"):
            scale.rows(20, end)


def test_a_picture_smaller_than_any_kernel_is_described_all_the_same():
    rgb = blobs(3, 1)
    assert np.isfinite(compute_features(rgb, _valid(rgb), SMALL)).all()


def test_the_context_grows_with_the_scale_and_covers_it():
    contexts = [FeatureSet(scales_um=(s,), work_mpp_um=1.0, pitch_um=2.0).context_um for s in (3.0, 12.0, 50.0, 100.0)]
    assert contexts == sorted(contexts)
    assert all(context >= 2 * s for context, s in zip(contexts, (3.0, 12.0, 50.0, 100.0), strict=True))


def test_a_stronger_stain_is_balanced_away():
    rng = np.random.default_rng(1)
    od = scipy.ndimage.gaussian_filter(rng.uniform(0.1, 1.2, (80, 80)), 2)[..., None] * np.array([0.6, 0.75, 0.4])
    pale, strong = (np.round(255 * 10 ** -(od * strength)).astype(np.uint8) for strength in (0.8, 1.4))
    features = FeatureSet(scales_um=(2.0, 6.0), work_mpp_um=1.0, pitch_um=2.0, balanced=True)
    found = []
    for rgb in (pale, strong):
        balance = colour_balance(Overview(rgb, _valid(rgb), Size(80, 80), None))
        found.append(_column(features, compute_features(rgb, _valid(rgb), features, balance=balance), "od_6um"))
    np.testing.assert_allclose(found[0], found[1], atol=0.01)
    assert found[0].mean() == pytest.approx((0.30 + 0.45 + 0.25) / 3, abs=0.02)


def test_a_slide_of_bare_glass_keeps_its_colours():
    rgb = np.full((50, 50, 3), 240, np.uint8)
    assert colour_balance(Overview(rgb, _valid(rgb), Size(50, 50), None)) == ColourBalance()
    assert colour_balance(Overview(rgb, ~_valid(rgb), Size(50, 50), None)) == ColourBalance()


def test_balanced_features_refuse_to_guess_the_balance_of_a_tile():
    rgb = blobs(20, 20)
    with pytest.raises(SettingsError, match="colour_balance"):
        compute_features(rgb, _valid(rgb), FeatureSet(balanced=True))


def test_another_pixel_size_keeps_names_and_scales():
    other = SMALL.at_work_mpp(0.7)
    assert other.names == SMALL.names
    assert other.scales_um == SMALL.scales_um
    assert other.pitch_px == 3


def test_a_disc_of_so_many_micrometres_looks_alike_at_two_pixel_sizes():
    features = FeatureSet(scales_um=(6.0, 12.0), work_mpp_um=1.0, pitch_um=1.0)
    middles = []
    for mpp in (1.0, 0.5):
        side = round(120 / mpp)
        y, x = (np.mgrid[:side, :side] + 0.5) * mpp - 60
        rgb = _grey_of_od(np.where(np.hypot(y, x) < 15, 0.7, 0.1))
        own = features.at_work_mpp(mpp)
        middles.append(features_at(rgb, _valid(rgb), own, np.array([side // 2]), np.array([side // 2]))[0])
    for kind in ("od_6um", "od_12um", "deviation_12um", "bump_12um", "ridge_12um", "hematoxylin_6um"):
        index = features.names.index(kind)
        assert middles[0][index] == pytest.approx(middles[1][index], abs=0.03), kind


def test_a_feature_set_survives_json():
    features = FeatureSet(scales_um=(3.0, 40.0), work_mpp_um=0.5, pitch_um=1.0, balanced=True)
    assert FeatureSet.from_json(json.loads(json.dumps(features.to_json()))) == features


@pytest.mark.parametrize(
    "change",
    [
        {"scales_um": []},
        {"scales_um": [0.0]},
        {"scales_um": [3.0, 3.0]},
        {"scales_um": [6.0, 3.0]},
        {"scales_um": "3"},
        {"scales_um": [True]},
        {"scales_um": [1e9]},
        {"scales_um": list(range(1, 99))},
        {"work_mpp_um": 0},
        {"work_mpp_um": "1"},
        {"work_mpp_um": 1e-9},
        {"pitch_um": float("nan")},
        {"balanced": 1},
        {"version": FEATURE_VERSION + 1},
        {"version": "1"},
        {"extra": 1},
    ],
)
def test_a_description_that_no_feature_could_follow_is_refused(change):
    with pytest.raises(SettingsError):
        FeatureSet.from_json({**FeatureSet().to_json(), **change})


def test_pixels_that_do_not_belong_together_are_refused():
    rgb = blobs(20, 20)
    for bad_rgb, bad_valid in ((rgb[:10], _valid(rgb)), (rgb.astype(float), _valid(rgb)), (rgb[:0], _valid(rgb)[:0])):
        with pytest.raises(SettingsError, match="uint8"):
            feature_levels(bad_rgb, bad_valid, SMALL)
