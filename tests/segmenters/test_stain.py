import json

import numpy as np
import pytest
import skimage.color as color
import skimage.data
from pictures import all_valid, noisy, overview_of, shrunk, slide_rgb
from skimage.filters import threshold_otsu

from wsi_area.segmenters.colour.stain import StainSegmenter
from wsi_area.segmenters.protocol import Signal
from wsi_area.segmenters.registry import make_segmenter

DAB = np.array((0.268, 0.570, 0.776))
WHITE = (255, 255, 255)  # what scikit-image takes densities against
HEMATOXYLIN = np.array((0.650, 0.704, 0.286))


def stained(hematoxylin_od: float, dab_od: float) -> np.ndarray:
    """The colour of an amount of two stains on perfect glass (Beer-Lambert)."""
    return np.round(255 * 10 ** -(hematoxylin_od * HEMATOXYLIN + dab_od * DAB)).astype(np.uint8)


@pytest.fixture
def ihc():
    return skimage.data.immunohistochemistry()


@pytest.mark.parametrize(
    ("hematoxylin_od", "dab_od", "expected"),
    [(0, 0, 0), (0.5, 0, 1), (0.3, 0.15, 1), (0.3, 0.25, 2), (0.0, 0.3, 2), (0.4, 0.5, 3), (0.2, 0.8, 4)],
)
def test_a_colour_made_of_known_stains_falls_into_the_band_of_its_dab(hematoxylin_od, dab_od, expected):
    rgb = noisy(245, 1)
    rgb[0, 0] = stained(hematoxylin_od, dab_od)
    fitted = StainSegmenter().fit(overview_of(rgb))
    assert fitted.class_map(all_valid(rgb))[0, 0] == expected


def test_dab_positive_share_of_the_ki67_slide_is_near_the_share_of_positive_cells(testdata):
    # QuPath 0.3.2 finds 16.553 % of the cells positive; area and cells are alike, not equal
    rgb = slide_rgb(testdata, "OS-2-ndpi.tif")
    counts = np.bincount(StainSegmenter().fit(overview_of(shrunk(rgb, 3))).class_map(all_valid(rgb)).ravel())
    assert 0.075 < counts[2:].sum() / rgb[..., 0].size < 0.085
    assert 0.12 < counts[2:].sum() / counts[1:].sum() < 0.20
    assert counts[4] > counts[2] + counts[3]  # its nuclei are dark brown


def test_glass_of_an_h_and_e_slide_is_background(testdata):
    rgb = slide_rgb(testdata, "CMU-1-Small-Region.svs")[1500:2200, 60:460]
    classes = StainSegmenter().fit(overview_of(rgb)).class_map(all_valid(rgb))
    assert (classes == 0).mean() > 0.999


def test_own_vectors_are_normalised_and_agree_with_scikit_image(ihc):
    own = {"blue": (1.3, 1.4, 0.58), "brown": (0.27, 0.57, 0.78), "red": (0.14, 1.98, 0.22)}
    fitted = make_segmenter("stain", {"vectors": own, "target": "brown", "glass": WHITE}).fit(overview_of(ihc))
    matrix = np.array(list(own.values()))
    matrix /= np.linalg.norm(matrix, axis=1, keepdims=True)
    density = color.separate_stains(ihc, np.linalg.inv(matrix))[..., 1] * 6
    np.testing.assert_array_equal(
        fitted.class_map(all_valid(ihc)) >= 2,
        density >= 0.2,
    )


@pytest.mark.parametrize(("target", "column"), [("hematoxylin", 0), ("eosin", 1), ("dab", 2)])
def test_any_stain_can_be_the_target(ihc, target, column):
    fitted = make_segmenter("stain", {"vectors": "h-e-dab", "target": target, "glass": WHITE}).fit(overview_of(ihc))
    expected = np.digitize(color.rgb2hed(ihc)[..., column] * 6, (0.2, 0.4, 0.6))
    classes = fitted.class_map(all_valid(ihc)).astype(int)
    np.testing.assert_array_equal(np.maximum(classes - 1, 0), expected)


def test_otsu_moves_the_first_band_and_keeps_the_ratios(ihc):
    fitted = StainSegmenter(threshold="otsu", otsu_max_od=2.0, glass=WHITE).fit(overview_of(ihc))
    weak, moderate, strong = fitted.colour_rule.bands_od
    assert (moderate / weak, strong / weak) == pytest.approx((2, 3), rel=1e-4)
    tissue = fitted.colour_rule.feature_of(ihc) > fitted.colour_rule.threshold
    density = color.separate_stains(ihc, color.hdx_from_rgb)[..., 1] * 6
    # fine bins, because a few saturated pixels stretch scikit-image's range to 9 OD
    assert weak == pytest.approx(threshold_otsu(density[tissue], nbins=1000), abs=0.01)
    assert fitted.facts["band_method"] == "otsu"
    assert fitted.facts["bands_clamped"] is False


def test_otsu_on_a_slide_without_the_stain_does_not_split_its_noise():
    rgb = noisy(243, 1)
    rgb[50:150] = np.clip(stained(0.5, 0.0) + np.random.default_rng(4).integers(-3, 4, (100, 200, 3)), 0, 255)
    fitted = StainSegmenter(threshold="otsu").fit(overview_of(rgb))
    classes = fitted.class_map(all_valid(rgb))
    assert fitted.facts["bands_clamped"] is True
    assert (classes >= 2).mean() == 0
    assert (classes == 1).mean() == pytest.approx(0.5, abs=0.001)


def test_otsu_on_an_empty_slide_leaves_the_fixed_bands():
    fitted = StainSegmenter(threshold="otsu").fit(overview_of(noisy(243, 1)))
    assert fitted.colour_rule.bands_od == (0.2, 0.4, 0.6)
    assert fitted.facts["band_method"] == "fixed"


def test_the_facts_name_vectors_bands_and_histograms_and_can_be_written_as_json(ihc):
    fitted = StainSegmenter().fit(overview_of(ihc))
    facts = json.loads(json.dumps(fitted.facts))
    assert facts["stain_vectors"]["dab"] == [0.268, 0.570, 0.776]
    assert facts["bands_od"] == [0.2, 0.4, 0.6]
    assert facts["target"] == "dab"
    tissue = (fitted.class_map(all_valid(ihc)) > 0) & (255 - ihc.min(axis=-1) > facts["threshold"])
    assert sum(facts["density_histogram"]) == tissue.sum()


def test_what_is_positive_may_be_foreground_even_where_glass_is_dim(ihc):
    overview = overview_of(ihc)
    fitted = StainSegmenter().fit(overview)
    classes = fitted.class_map(all_valid(ihc))
    assert not ((classes > 0) & ~fitted.may_hold_foreground(overview)).any()


@pytest.mark.parametrize("margin", [0.0, 0.5, 1.0])
def test_foreground_never_misses_a_class_whatever_the_margin(ihc, margin):
    overview = overview_of(ihc)
    fitted = StainSegmenter(glass_margin=margin).fit(overview)
    assert not ((fitted.class_map(all_valid(ihc)) > 0) & ~fitted.may_hold_foreground(overview)).any()


def test_no_class_is_tumour_until_the_configuration_says_so(ihc):
    fitted = StainSegmenter().fit(overview_of(ihc))
    assert not fitted.scheme.names_tumor
    assert [c.name for c in fitted.scheme.classes] == ["background", "negative", "weak", "moderate", "strong"]
    assert fitted.signal == Signal("od", "optical density", 1_000_000)


def test_a_dark_field_is_measured_and_said_to_be_one():
    fitted = StainSegmenter().fit(overview_of(noisy(6, 1)))
    assert fitted.facts["background"] == "bright"
    assert fitted.facts["background_seen"] == "dark"
