"""Regions that software filled with one colour: found by what no light does, and never real dark tissue."""

from dataclasses import replace

import numpy as np
import pytest
from pictures import all_valid, overview_of, shrunk, slide_rgb
from test_glass import disc_on

from wsi_area.model.calibration import Mpp
from wsi_area.model.geometry import Region
from wsi_area.model.pixels import TilePlace
from wsi_area.segmenters.colour.fills import find_fills
from wsi_area.segmenters.colour.glass import find_glass
from wsi_area.segmenters.colour.tissue import TissueSegmenter
from wsi_area.segmenters.exclusions.fit import with_exclusions
from wsi_area.segmenters.exclusions.settings import ExclusionSettings

COLOURS = [(4, 4, 4), (16, 16, 16), (30, 20, 40), (128, 128, 128), (220, 220, 220), (190, 110, 170), (255, 0, 255)]
PLACES = {
    "left": np.s_[:, :60],
    "top": np.s_[:40, :],
    "corner": np.s_[330:, 340:],
    "two corners": (np.r_[0:30, 370:400][:, None], np.r_[0:50, 350:400][None]),
}


def fitted_without(rgb):
    """The classes of a picture whose fills are excluded, by name, bool (h, w)."""
    overview = replace(overview_of(rgb), mpp=Mpp(1.0, 1.0))
    fills = find_fills(overview)
    lit = overview if fills is None else replace(overview, valid=~fills.mask, glass=fills.glass)
    fitted = with_exclusions(TissueSegmenter().fit(lit), ExclusionSettings(), lit, Mpp(1.0, 1.0), fills)
    return fitted, {c.name: fitted.class_map(all_valid(rgb)) == c.class_id for c in fitted.scheme.classes}


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
@pytest.mark.parametrize("colour", COLOURS)
def test_a_fill_of_any_colour_at_any_rim_is_no_tissue(colour, place):
    rgb, disc = disc_on((243, 241, 244))
    filled = np.zeros(disc.shape, bool)
    filled[place] = True
    rgb[filled] = colour
    _, found = fitted_without(rgb)
    name = "unscanned_black" if max(colour) <= 8 else "unscanned_fill"
    assert found["tissue"].sum() == pytest.approx((disc & ~filled).sum(), rel=0.01)
    assert found[name].sum() == pytest.approx(filled.sum(), rel=0.01)


@pytest.mark.parametrize("colour", [(250, 250, 250), (255, 255, 255), (244, 244, 244)])
@pytest.mark.parametrize("lamp", [1.0, 0.75])
def test_a_bright_fill_is_background_and_is_not_taken_for_the_glass(colour, lamp):
    rgb, disc = disc_on([243 * lamp] * 3)
    rgb[:, :60] = colour
    _, found = fitted_without(rgb)
    assert found["tissue"].sum() == pytest.approx(disc.sum(), rel=0.01)


@pytest.mark.parametrize("colour", [(4, 4, 4), (60, 60, 60), (128, 128, 128)])
@pytest.mark.parametrize("name", ["CMU-1-Small-Region.svs", "OS-2-ndpi.tif"])
def test_a_strip_filled_on_a_real_slide_costs_the_tissue_under_it_and_nothing_else(testdata, name, colour):
    rgb = shrunk(slide_rgb(testdata, name), 4)
    _, before = fitted_without(rgb)
    assert not [name for name in before if name.startswith("unscanned")]
    rgb[:, :80] = colour
    _, found = fitted_without(rgb)
    assert found["tissue"].sum() == pytest.approx(before["tissue"][:, 80:].sum(), rel=0.01)
    assert sum(found[n].sum() for n in found if n.startswith("unscanned")) == pytest.approx(80 * rgb.shape[0], rel=0.01)


def test_real_slides_and_crops_of_their_tissue_have_no_dark_fill(testdata):
    for name in ("CMU-1-Small-Region.svs", "TCGA-CR-7395-01A-01-TS1.svs", "OS-2-ndpi.tif"):
        whole = slide_rgb(testdata, name)
        for rgb in (shrunk(whole, 4), whole[600:1100, 600:1100], whole[1400:1900, 900:1400]):
            fills = find_fills(overview_of(rgb))
            assert fills is None or not fills.fills


@pytest.mark.parametrize("name", ["CMU-1-Small-Region.svs", "OS-2-ndpi.tif"])
def test_glass_that_averaging_made_nearly_flat_is_no_fill_beside_a_brighter_one(testdata, name):
    rgb = np.round(0.75 * shrunk(slide_rgb(testdata, name), 3)).astype(np.uint8)
    assert find_fills(overview_of(rgb)) is None
    glass = find_glass(overview_of(rgb)).rgb
    rgb[-80:] = 250
    fills = find_fills(overview_of(rgb))
    assert fills.fills == ()
    assert fills.glass.rgb == pytest.approx(glass, abs=3)


@pytest.mark.parametrize("noise", [2, 4])
def test_dark_tissue_that_reaches_the_rim_has_noise_and_stays_tissue(noise):
    rgb, _ = disc_on((243, 241, 244), noise=noise)
    dark = np.random.default_rng(1).normal((60, 25, 70), noise, (400, 60, 3))
    rgb[:, :60] = np.clip(dark, 0, 255).astype(np.uint8)
    assert find_fills(overview_of(rgb)) is None


def test_what_was_drawn_without_noise_is_what_it_was_drawn_as():
    rgb, _ = disc_on((243, 241, 244), noise=0)
    rgb[:, :60] = (120, 40, 130)
    assert find_fills(overview_of(rgb)) is None
    rgb[:, :60] = (3, 3, 3)
    assert find_fills(overview_of(rgb)).is_black


def test_an_island_of_one_colour_that_reaches_no_rim_is_no_fill():
    rgb, _ = disc_on((243, 241, 244))
    rgb[20:80, 20:80] = 128
    assert find_fills(overview_of(rgb)) is None


def test_a_dark_field_of_one_colour_is_no_fill(testdata):
    rgb = np.zeros((300, 300, 3), np.uint8) + 5
    glow = np.random.default_rng(2).normal(90, 12, (100, 120))
    rgb[80:180, 90:210, 2] = np.clip(glow, 0, 255)
    assert find_fills(overview_of(rgb)) is None
    fills = find_fills(overview_of(shrunk(slide_rgb(testdata, "test3-DAPI-2-387.ndpi"), 6)))
    assert fills is None or not fills.fills


def test_tissue_of_the_colour_of_a_fill_elsewhere_is_kept():
    rgb, disc = disc_on((243, 241, 244), transmitted=np.array((0.6, 0.4, 0.55)), noise=2)
    rgb[:, :60] = (146, 96, 134)
    fitted, _ = fitted_without(rgb)
    places = TilePlace(Region(0, 0, 400, 400), np.arange(400) + 0.5, np.arange(400) + 0.5)
    classes = fitted.class_map_at(all_valid(rgb), places)
    named = {c.name: c.class_id for c in fitted.scheme.classes}
    assert (classes == named["tissue"]).sum() == pytest.approx(disc.sum(), rel=0.02)
    assert (classes == named["unscanned_fill"])[:, :60].mean() > 0.99
