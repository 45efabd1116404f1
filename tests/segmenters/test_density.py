import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wsi_area.segmenters.colour.colour_rule import ColourRule
from wsi_area.segmenters.colour.density import UNITS_PER_OD, lookups_for, stain_tables
from wsi_area.segmenters.colour.stain_vectors import NAMED_VECTORS, density_weights

STAINS = {f"{target} of {name}": density_weights(v, target) for name, v in NAMED_VECTORS.items() for target in v}


def units(od):
    return int(od * UNITS_PER_OD)


def assert_every_colour_keeps_its_bands(stain, bands):
    wide, narrow = stain_tables(stain), lookups_for(stain, bands)
    for red in range(256):
        exact = wide[0][red] + wide[1][:, None] + wide[2]
        used = narrow.tables[0][red] + narrow.tables[1][:, None] + narrow.tables[2]
        for band, level in zip(bands, narrow.bands, strict=True):
            np.testing.assert_array_equal(used >= level, exact >= band)
    return narrow


@pytest.mark.parametrize("name", ["dab of h-dab", "eosin of h-e"])
def test_narrow_look_ups_sort_all_16777216_colours_as_the_exact_ones(name):
    narrow = assert_every_colour_keeps_its_bands(STAINS[name], tuple(map(units, (0.2, 0.4, 0.6))))
    assert narrow.tables.dtype == np.int32


def nearest_pair_of_dab():
    """Two densities that occur, one next to the other, and the band that only the upper one reaches."""
    wide = stain_tables(STAINS["dab of h-dab"])
    found = np.unique(wide[0][:, None, None] + wide[1][:, None] + wide[2][110:120])
    found = found[(found > units(0.2)) & (found < units(0.6))]
    return (int(found[np.diff(found).argmin() + 1]),)


def test_a_band_between_the_two_nearest_colours_still_parts_them():
    assert_every_colour_keeps_its_bands(STAINS["dab of h-dab"], nearest_pair_of_dab())


def test_where_no_rounding_parts_two_colours_the_wide_look_ups_stay():
    stain = (1.0, 1e-11, 0.0)  # all that green does is a thousandth of a narrow unit
    band = int(stain_tables(stain)[0, 100] + stain_tables(stain)[1, 60])
    kept = assert_every_colour_keeps_its_bands(stain, (band,))
    assert kept.tables.dtype == np.int64
    assert kept.bands == (band,)


def test_densities_that_do_not_fit_into_32_bits_keep_the_wide_look_ups():
    assert lookups_for((20.0, -20.0, 10.0), (units(0.2),)).tables.dtype == np.int64


def test_a_band_that_no_colour_reaches_is_reached_by_none():
    assert_every_colour_keeps_its_bands((0.1, 0.1, 0.1), (units(1.7), units(1.9), units(50)))


@given(st.sampled_from(sorted(STAINS)), st.floats(0.01, 3.0), st.integers(0, 2**32))
@settings(max_examples=60, deadline=None)
def test_any_band_of_any_named_stain_keeps_its_colours(name, od, seed):
    wide, narrow = stain_tables(STAINS[name]), lookups_for(STAINS[name], (units(od),))
    rgb = np.random.default_rng(seed).integers(0, 256, (3, 20_000))
    exact = wide[0][rgb[0]] + wide[1][rgb[1]] + wide[2][rgb[2]]
    used = sum(narrow.tables[channel][rgb[channel]].astype(np.int64) for channel in range(3))
    np.testing.assert_array_equal(used >= narrow.bands[0], exact >= units(od))
    # and the density itself moves by less than a ten-millionth
    np.testing.assert_allclose(used / 2**narrow.micro_bits, exact / 2**20, atol=0.1)


@pytest.mark.parametrize("feature", ["darkness", "brightness"])
@pytest.mark.parametrize("weak", [0.005, 0.03, 0.3])
def test_foreground_is_whatever_is_not_class_0(feature, weak):
    rgb = np.random.default_rng(4).integers(0, 256, (60, 90, 3), dtype=np.uint8)
    rgb[:30] |= 0xE0  # much of it near white
    rule = ColourRule(feature, 12, STAINS["dab of h-e-dab"], (weak, 0.5))
    units_of = rule.density_units_of(rgb) >= units(weak)
    extreme = rgb.max(axis=-1) > 12 if feature == "brightness" else rgb.min(axis=-1) < 243
    np.testing.assert_array_equal(rule.is_foreground(rgb), extreme | units_of)
