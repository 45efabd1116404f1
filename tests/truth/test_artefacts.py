"""Artefacts whose true masks are known, and real slides that have none: what is counted where."""

import numpy as np
import pytest
import skimage.data
import tifffile
from PIL import Image
from scipy import ndimage
from synthetic_artefacts import INKS, PX_UM, box, overview_of_picture, slide, stroke

from wsi_area.model.calibration import Mpp
from wsi_area.model.pixels import TilePixels
from wsi_area.segmenters.colour.tissue import TissueSegmenter
from wsi_area.segmenters.exclusions.fit import with_exclusions
from wsi_area.segmenters.exclusions.settings import ExclusionSettings

SHAPE = (600, 800)
ALL = ExclusionSettings(pen=True, fold=True, out_of_focus=True, bubble=True)


def found_in(pixels, settings, px_um=PX_UM, factor=4):
    """Class maps by name, bool (h, w), of one picture with its own overview."""
    overview = overview_of_picture(pixels, px_um, factor)
    fitted = with_exclusions(TissueSegmenter().fit(overview), settings, overview, Mpp(px_um, px_um))
    classes = fitted.class_map(pixels)
    return {c.name: classes == c.class_id for c in fitted.scheme.classes}


def share(part, whole):
    return (part & whole).sum() / whole.sum()


@pytest.mark.parametrize("ink", INKS)
def test_ink_on_tissue_and_on_glass_is_found_whatever_its_colour_and_no_tissue_with_it(ink):
    picture = slide()
    picture.pen(ink, stroke(SHAPE, (50, 60), (560, 700), 80))
    picture.pen(ink, stroke(SHAPE, (560, 40), (560, 500), 60))
    found = found_in(picture.pixels(), ExclusionSettings(pen=True))
    assert share(found["pen"], picture.truth["pen"]) > 0.95
    assert share(found["pen"], ~picture.truth["pen"]) < 0.001
    assert share(found["tissue"], picture.tissue & ~picture.truth["pen"]) > 0.999


def test_a_threefold_fold_is_found_and_a_double_one_in_part():
    for layers, least in ((3, 0.9), (2, 0.35)):
        picture = slide()
        picture.fold(stroke(SHAPE, (110, 300), (480, 420), 80), layers)
        found = found_in(picture.pixels(), ExclusionSettings(fold=True))
        assert share(found["fold"], picture.truth["fold"]) > least
        assert share(found["fold"], picture.tissue & ~picture.truth["fold"]) < 0.01


@pytest.mark.parametrize(("sigma_um", "least", "most"), [(0.5, 0, 0), (1, 0, 0.01), (3, 0.9, 1), (6, 0.9, 1)])
def test_tissue_blurred_by_three_micrometres_is_out_of_focus_and_by_one_is_not(sigma_um, least, most):
    picture = slide()
    picture.blur(box(SHAPE, 0, 400, 600, 800), sigma_um)
    found = found_in(picture.pixels(), ExclusionSettings(out_of_focus=True))
    assert least <= share(found["out_of_focus"], picture.truth["out_of_focus"]) <= most
    assert share(found["out_of_focus"], picture.tissue & ~picture.truth["out_of_focus"]) < 0.03


def test_bubbles_and_coverslip_edges_are_no_tissue_and_the_clear_inside_is_glass():
    picture = slide()
    picture.bubble((70, 70), 40, 12)  # 50 µm clear of the tissue; nearer, an outline may be tissue
    picture.bubble((490, 730), 25, 20)
    picture.edge(570, 15)
    found = found_in(picture.pixels(), ExclusionSettings(bubble=True))
    assert share(found["tissue"], picture.truth["bubble"]) < 0.02
    assert share(found["bubble"], picture.tissue) == 0
    assert found["background"][70, 70]


def test_without_the_exclusion_a_bubble_would_have_been_tissue():
    picture = slide()
    picture.bubble((90, 90), 60, 12)
    found = found_in(picture.pixels(), ExclusionSettings())
    assert share(found["tissue"], picture.truth["bubble"]) > 0.95


def test_pale_tissue_is_tissue_with_every_exclusion_on():
    for eosin_od, nuclei_od in ((0.05, 0.05), (0.08, 0.3)):
        picture = slide(eosin_od=eosin_od, nuclei_od=nuclei_od)
        found = found_in(picture.pixels(), ALL)
        plain = found_in(picture.pixels(), ExclusionSettings())
        assert share(found["tissue"], plain["tissue"]) > 0.999
        assert share(plain["tissue"], picture.tissue) > 0.85


@pytest.mark.parametrize("columns", [130, 560])
def test_black_that_software_painted_is_its_own_class_and_moves_no_other_pixel(columns):
    picture = slide()
    clean = found_in(picture.pixels(), ExclusionSettings())
    picture.paint_black(box(SHAPE, 0, 0, 600, columns) | box(SHAPE, 0, 0, 60, 800))
    found = found_in(picture.pixels(), ExclusionSettings())
    np.testing.assert_array_equal(found["unscanned_black"], picture.truth["unscanned_black"])
    rest = ~picture.truth["unscanned_black"]
    assert (found["tissue"] == clean["tissue"])[rest].mean() > 0.999


def test_every_pixel_has_one_class_with_all_of_it_on_one_slide():
    picture = slide()
    picture.pen("blue", stroke(SHAPE, (550, 100), (560, 450), 60))
    picture.fold(stroke(SHAPE, (110, 250), (480, 300), 80))
    picture.bubble((40, 740), 25, 12)
    picture.blur(box(SHAPE, 90, 500, 520, 800), 4)
    picture.paint_black(box(SHAPE, 0, 0, 600, 60))
    found = found_in(picture.pixels(), ALL)
    assert sum(mask.sum() for mask in found.values()) == SHAPE[0] * SHAPE[1]
    for name, least in (("pen", 0.95), ("fold", 0.85), ("bubble", 0.9), ("out_of_focus", 0.85), ("unscanned_black", 1)):
        assert share(found[name], picture.truth[name]) >= least, name


REAL = {
    # name: µm/px of level 0, reduction, most of the tissue that may be called folded
    "CMU-1-Small-Region.svs": (0.499, 2, 0.01),  # densely keratinised epidermis
    "TCGA-CR-7395-01A-01-TS1.svs": (0.5, 2, 0.015),  # has folds along its rim; its pixel size is a guess of ours
    "OS-2-ndpi.tif": (0.2271, 4, 0.003),  # blue haematoxylin, nearly black DAB
}


@pytest.mark.parametrize("name", REAL)
def test_a_real_slide_without_pen_bubbles_or_blur_has_none(testdata, name):
    px_um, factor, folded = REAL[name]
    rgb = tifffile.imread(testdata / "slides" / name)[-2400:, -2400:, :3]
    pixels = reduced(rgb, factor)
    found = found_in(pixels, ALL, px_um * factor, 2)
    foreground = ~found["background"]
    assert share(found["pen"], foreground) == 0
    assert share(found["bubble"], foreground) < 0.001
    assert share(found["out_of_focus"], foreground) < 0.001
    assert share(found["fold"], foreground) < folded


def test_an_immunostain_of_scikit_image_has_no_artefacts():
    rgb = skimage.data.immunohistochemistry()
    found = found_in(TilePixels(rgb, np.ones(rgb.shape[:2], bool)), ALL, 0.5, 1)
    assert share(~found["tissue"], ~found["background"]) < 0.001


@pytest.mark.parametrize("number", [1, 2, 14, 33, 39])  # 39 has green ink in a corner, below half of any window
def test_glands_in_focus_have_no_artefacts(testdata, number):
    image = testdata / "glas_train" / f"train_{number}.png"
    if not image.exists():
        pytest.skip("no GlaS images")
    rgb = np.asarray(Image.open(image).convert("RGB"))
    found = found_in(TilePixels(rgb, np.ones(rgb.shape[:2], bool)), ALL, 0.62005, 1)
    assert share(~found["tissue"], ~found["background"]) < 0.002


@pytest.mark.parametrize(("sigma_um", "least", "most"), [(0.5, 0.0, 0.001), (3.0, 0.95, 1.0), (5.0, 0.9, 1.0)])
def test_a_real_section_blurred_by_a_known_amount_and_then_noisy_is_told_from_a_sharp_one(
    testdata, sigma_um, least, most
):
    px_um = 0.499
    rgb = tifffile.imread(testdata / "slides" / "CMU-1-Small-Region.svs")[800:2200, 800:2000, :3].astype(float)
    soft = ndimage.gaussian_filter(rgb, (sigma_um / px_um, sigma_um / px_um, 0))
    soft += np.random.default_rng(5).normal(0, 1, soft.shape)
    pixels = reduced(np.clip(np.round(soft), 0, 255).astype(np.uint8), 2)
    found = found_in(pixels, ExclusionSettings(out_of_focus=True), 2 * px_um, 2)
    assert least <= share(found["out_of_focus"], ~found["background"]) <= most


def reduced(rgb, factor):
    """Box means, cut to whole boxes, all valid."""
    height, width = rgb.shape[0] // factor, rgb.shape[1] // factor
    boxes = rgb[: height * factor, : width * factor].reshape(height, factor, width, factor, 3)
    return TilePixels(np.floor(boxes.mean(axis=(1, 3)) + 0.5).astype(np.uint8), np.ones((height, width), bool))
