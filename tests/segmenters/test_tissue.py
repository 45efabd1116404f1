import json
import pickle

import numpy as np
import pytest
import skimage.data
from pictures import all_valid, extremes_of, noisy, overview_of, shrunk, slide_rgb
from skimage.filters import threshold_otsu

from wsi_area.errors import SettingsError
from wsi_area.model.geometry import Size
from wsi_area.model.pixels import Overview
from wsi_area.segmenters.colour.colour_rule import ColourRuled
from wsi_area.segmenters.colour.foreground import background_kind, fit_foreground
from wsi_area.segmenters.colour.tissue import TissueSegmenter
from wsi_area.segmenters.protocol import FittedSegmenter, Segmenter
from wsi_area.segmenters.registry import make_segmenter


def tissue_fraction(rgb, **settings):
    fitted = TissueSegmenter(**settings).fit(overview_of(rgb))
    return float((fitted.class_map(all_valid(rgb)) == 1).mean())


@pytest.mark.parametrize("level", [255, 245, 230, 215])
@pytest.mark.parametrize("spread", [0, 1, 3])
def test_empty_glass_of_any_brightness_and_noise_has_no_tissue(level, spread):
    assert tissue_fraction(noisy(level, spread)) == 0


@pytest.mark.parametrize("spread", [0, 1.5])
def test_an_empty_dark_field_has_no_tissue(spread):
    assert tissue_fraction(noisy(6, spread), background="dark") == 0
    assert tissue_fraction(noisy(6, spread)) == 0


def test_glass_with_real_jpeg_noise_has_no_tissue(testdata):
    glass = slide_rgb(testdata, "CMU-1-Small-Region.svs")[1500:2200, 60:460]
    assert tissue_fraction(glass) < 1e-3  # a speck of dust


def test_a_picture_full_of_tissue_is_tissue_where_otsu_would_split_it(testdata):
    full = slide_rgb(testdata, "CMU-1-Small-Region.svs")[1500:1700, 1000:1200]
    darkness = 255 - full.min(axis=-1)
    assert (darkness > threshold_otsu(darkness)).mean() < 0.8
    assert tissue_fraction(full) > 0.97


def test_pale_pink_on_glass_is_tissue_beside_dark_tissue():
    rgb = noisy(243, 1)
    rgb[:, :60] = (120, 40, 130)
    rgb[:, 60:100] = (240, 205, 228)
    assert tissue_fraction(rgb) == pytest.approx(0.5, abs=1e-3)


@pytest.mark.parametrize(
    ("name", "kind", "least", "most"),
    [
        ("CMU-1-Small-Region.svs", "bright", 0.46 / 1.6401, 0.77 / 1.6401),  # facts of the data's README
        ("TCGA-CR-7395-01A-01-TS1.svs", "bright", 0.55, 0.75),  # histolab: 0.690
        ("OS-2-ndpi.tif", "bright", 0.45, 0.75),
        ("test3-DAPI-2-387.ndpi", "dark", 0.1, 0.4),
    ],
)
def test_real_slides_are_told_apart_and_measured_within_what_is_known(testdata, name, kind, least, most):
    rgb = shrunk(slide_rgb(testdata, name), 4)
    fitted = TissueSegmenter().fit(overview_of(rgb))
    assert fitted.facts["background"] == kind
    assert least < (fitted.class_map(all_valid(rgb)) == 1).mean() < most


def test_an_immunostain_is_bright_and_a_retina_dark():
    assert background_kind(extremes_of(skimage.data.immunohistochemistry())) == "bright"
    retina = skimage.data.retina()[::4, ::4]
    assert background_kind(extremes_of(retina)) == "dark"
    # between black and the eye there is next to nothing, so any sensible threshold finds the same disc
    brightest = retina.max(axis=-1)
    assert tissue_fraction(retina) == pytest.approx((brightest > threshold_otsu(brightest)).mean(), abs=0.005)


def test_dense_dark_tissue_without_any_glass_is_not_a_dark_field():
    assert background_kind(extremes_of(np.full((50, 50, 3), (130, 60, 120), np.uint8))) == "bright"


def test_a_black_border_does_not_make_a_slide_dark():
    rgb = noisy(240, 2)
    rgb[:30] = 0
    assert background_kind(extremes_of(rgb)) == "bright"


def test_pixels_that_are_not_valid_have_no_say():
    rgb = noisy(240, 2)
    rgb[50:100, 50:100] = (150, 60, 140)
    clean = TissueSegmenter().fit(overview_of(rgb))
    dirty, valid = rgb.copy(), np.ones(rgb.shape[:2], bool)
    dirty[150:], valid[150:] = 0, False
    fitted = TissueSegmenter().fit(Overview(dirty, valid, Size(200, 200), None))
    assert fitted.colour_rule == clean.colour_rule
    assert sum(fitted.facts["histogram"]) == valid.sum()


def test_a_slide_of_which_nothing_is_valid_can_still_be_fitted():
    nothing = Overview(np.zeros((4, 4, 3), np.uint8), np.zeros((4, 4), bool), Size(4, 4), None)
    fitted = TissueSegmenter().fit(nothing)
    assert fitted.may_hold_foreground(nothing).all()
    assert fitted.facts["tissue_on_overview"] is None


def test_painted_white_is_not_taken_for_the_glass():
    rgb = noisy(236, 1)
    rgb[:120] = 255  # stitched: nothing was scanned here
    assert fit_foreground(overview_of(rgb), "auto", "otsu").level == pytest.approx(20, abs=2)


def test_the_facts_say_what_was_used_and_can_be_written_as_json(testdata):
    rgb = shrunk(slide_rgb(testdata, "CMU-1-Small-Region.svs"), 4)
    facts = json.loads(json.dumps(TissueSegmenter().fit(overview_of(rgb)).facts))
    darkness = 255 - rgb.min(axis=-1)
    assert facts["otsu_threshold"] == threshold_otsu(darkness)
    assert facts["histogram"] == np.bincount(darkness.ravel(), minlength=256).tolist()
    assert facts["clamped"] is True
    assert facts["threshold"] < facts["otsu_threshold"]
    assert facts["tissue_on_overview"] == pytest.approx((darkness > facts["threshold"]).mean())
    moved = facts["threshold_by_shift"]
    assert moved["-5%"] < moved["used"] == facts["threshold"] < moved["+5%"]


def test_otsu_is_free_to_move_within_wide_bounds():
    rgb = noisy(240, 2)
    rgb[:100] = (150, 60, 140)
    fitted = TissueSegmenter(contrast_min=0, contrast_max=254).fit(overview_of(rgb))
    assert fitted.facts["clamped"] is False
    assert fitted.colour_rule.threshold == fitted.facts["otsu_threshold"]


def test_a_fixed_threshold_is_used_as_it_is():
    fitted = TissueSegmenter(threshold=77).fit(overview_of(noisy(240, 2)))
    assert fitted.colour_rule.threshold == 77
    assert fitted.facts["method"] == "fixed"


def test_foreground_holds_all_tissue_and_more_and_little_of_clean_glass(testdata):
    rgb = shrunk(slide_rgb(testdata, "CMU-1-Small-Region.svs"), 4)
    overview = overview_of(rgb)
    fitted = TissueSegmenter().fit(overview)
    may_hold, tissue = fitted.may_hold_foreground(overview), fitted.class_map(all_valid(rgb)) == 1
    assert not (tissue & ~may_hold).any()
    assert tissue.mean() < may_hold.mean() < tissue.mean() + 0.05


def test_boxes_that_are_not_valid_must_be_read():
    valid = np.ones((200, 200), bool)
    valid[:20] = False
    overview = Overview(noisy(240, 0), valid, Size(200, 200), None)
    np.testing.assert_array_equal(TissueSegmenter().fit(overview).may_hold_foreground(overview), ~valid)


def test_a_fitted_segmenter_is_one_by_protocol_and_travels():
    overview = overview_of(noisy(240, 2))
    settings = TissueSegmenter()
    fitted = settings.fit(overview)
    assert isinstance(settings, Segmenter)
    assert isinstance(fitted, FittedSegmenter)
    assert isinstance(fitted, ColourRuled)
    assert (fitted.context_um, fitted.work_mpp, fitted.signal) == (0.0, None, None)
    assert pickle.loads(pickle.dumps(fitted)) == fitted
    assert pickle.loads(pickle.dumps(settings)) == settings


def test_the_configuration_may_rename_and_flag_the_classes():
    classes = [
        {"id": 1, "name": "lesion", "color": "#102030", "is_tissue": True, "is_tumor": True},
        {"id": 0, "name": "glass", "color": "#ffffff"},
    ]
    scheme = make_segmenter("tissue", {"classes": classes}).fit(overview_of(noisy(240, 2))).scheme
    assert scheme.names_tumor
    assert [(c.name, c.color_rgb) for c in scheme.classes] == [("glass", (255,) * 3), ("lesion", (16, 32, 48))]


def test_classes_that_the_segmenter_does_not_write_are_refused():
    segmenter = make_segmenter("tissue", {"classes": [{"id": 0, "name": "glass", "color": "#ffffff"}]})
    with pytest.raises(SettingsError, match=r"ids \[0\], but this segmenter writes \[0, 1\].*1 tissue"):
        segmenter.fit(overview_of(noisy(240, 2)))
