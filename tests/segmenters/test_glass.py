"""The glass of a slide: found, whatever the lamp and the tint; areas and densities do not depend on it."""

import numpy as np
import pytest
from pictures import all_valid, noisy, overview_of, shrunk, slide_rgb
from PIL import Image

from wsi_area.segmenters.colour.foreground import fit_foreground
from wsi_area.segmenters.colour.glass import NOMINAL_GLASS, find_glass
from wsi_area.segmenters.colour.stain import StainSegmenter
from wsi_area.segmenters.colour.tissue import TissueSegmenter
from wsi_area.segmenters.colour.tissue_like import tissue_like_share

SIZE_PX = 400
TINTS = {
    "yellowed medium": (238, 224, 190),
    "orange, as measured in the field": (225, 175, 148),
    "blue filter": (200, 215, 245),
    "green filter": (205, 240, 210),
    "eosin that leaked": (244, 212, 230),
    "dim and warm": (190, 176, 150),
}
LAMPS = (1.0, 0.9, 0.75, 0.6, 0.45)
TRANSMITTED = np.array((0.88, 0.62, 0.78))  # what pink tissue lets through of R, G and B


def disc_on(glass, transmitted=TRANSMITTED, noise=4.0, seed=5):
    """A disc that lets through a share of the light of its glass, with noise; and which pixels are the disc."""
    y, x = np.mgrid[:SIZE_PX, :SIZE_PX]
    disc = (x - 210) ** 2 + (y - 190) ** 2 < 110**2
    light = np.where(disc[..., None], np.array(glass) * transmitted, np.array(glass, float))
    return _picture(light, noise, seed), disc


def _picture(light, noise, seed):
    return np.clip(light + np.random.default_rng(seed).normal(0, noise, light.shape), 0, 255).astype(np.uint8)


def tissue_px(rgb, **settings):
    return int((TissueSegmenter(**settings).fit(overview_of(rgb)).class_map(all_valid(rgb)) == 1).sum())


@pytest.mark.parametrize("lamp", LAMPS)
def test_an_area_does_not_depend_on_the_lamp(lamp):
    rgb, disc = disc_on([243 * lamp] * 3, noise=4 * lamp)
    assert tissue_px(rgb, background="bright") == pytest.approx(disc.sum(), rel=0.005)


@pytest.mark.parametrize("tint", TINTS.values(), ids=TINTS)
def test_an_area_does_not_depend_on_the_tint_of_the_glass(tint):
    rgb, disc = disc_on(tint)
    glass = find_glass(overview_of(rgb))
    assert glass.source == "seen"
    assert glass.rgb == pytest.approx(tint, abs=2)
    assert glass.share == pytest.approx(1 - disc.mean(), abs=0.03)
    assert tissue_px(rgb) == pytest.approx(disc.sum(), rel=0.005)


# its own glass is dim, and a third of its tissue as pale as its rim: a grey level of the threshold is 2 % of the area
REAL = {"CMU-1-Small-Region.svs": 0.015, "TCGA-CR-7395-01A-01-TS1.svs": 0.03, "OS-2-ndpi.tif": 0.1}


@pytest.mark.parametrize("lamp", [0.9, 0.75, 0.6])
@pytest.mark.parametrize("name", REAL)
def test_a_real_slide_has_nearly_the_same_tissue_under_a_dim_lamp(testdata, name, lamp):
    rgb = shrunk(slide_rgb(testdata, name), 4)
    dim = np.round(rgb * lamp).astype(np.uint8)
    assert tissue_px(dim) == pytest.approx(tissue_px(rgb), rel=REAL[name])


@pytest.mark.parametrize("tint", [(238, 224, 190), (225, 205, 178)])
@pytest.mark.parametrize("name", list(REAL)[:2])
def test_a_real_slide_has_the_same_tissue_under_a_tint(testdata, name, tint):
    rgb = shrunk(slide_rgb(testdata, name), 4)
    tinted = np.round(rgb * (np.array(tint) / 255)).astype(np.uint8)
    assert tissue_px(tinted) == pytest.approx(tissue_px(rgb), rel=0.03)


@pytest.mark.parametrize(
    ("name", "factor"), [("CMU-1-Small-Region.svs", 3), ("TCGA-CR-7395-01A-01-TS1.svs", 6), ("OS-2-ndpi.tif", 3)]
)
def test_the_glass_of_a_real_slide_is_the_commonest_of_its_bright_colours(testdata, name, factor):
    rgb = shrunk(slide_rgb(testdata, name), factor)
    bright = rgb[(rgb.min(axis=-1) >= 190) & (np.ptp(rgb, axis=-1) <= 16) & (rgb.min(axis=-1) < 255)]
    commonest = [np.bincount(bright[:, channel]).argmax() for channel in range(3)]
    assert find_glass(overview_of(rgb)).rgb == pytest.approx(commonest, abs=2)


@pytest.mark.parametrize("colour", [(215, 150, 190), (190, 110, 170), (150, 130, 190), (166, 109, 82)])
def test_a_field_of_nothing_but_tissue_shows_no_glass_and_has_the_colours_of_tissue(colour):
    rgb = _picture(np.full((SIZE_PX, SIZE_PX, 3), colour, float), 4, 1)
    overview = overview_of(rgb)
    assert find_glass(overview).source == "nominal"
    assert find_glass(overview).rgb == NOMINAL_GLASS
    assert tissue_like_share(overview) > 0.75
    assert tissue_px(rgb, background="bright") == rgb[..., 0].size


@pytest.mark.parametrize("colour", [(182, 182, 182), (238, 224, 190), (225, 175, 148), (150, 160, 170)])
def test_glass_has_not_the_colours_of_tissue(colour):
    rgb = _picture(np.full((SIZE_PX, SIZE_PX, 3), colour, float), 3, 2)
    assert tissue_like_share(overview_of(rgb)) < 0.25


def test_fields_of_real_tissue_are_mostly_of_the_colours_of_tissue(testdata):
    fields = sorted((testdata / "glas_train").glob("train_[1-9].png"))
    shares = [tissue_like_share(overview_of(np.asarray(Image.open(path).convert("RGB")))) for path in fields]
    assert len(shares) == 9
    assert np.median(shares) > 0.6
    assert min(shares) > 0.3


def test_a_crop_of_real_tissue_does_not_take_its_pale_parts_for_glass(testdata):
    full = slide_rgb(testdata, "CMU-1-Small-Region.svs")[1500:1700, 1000:1200]
    assert find_glass(overview_of(full)).share < 0.02  # of the gaps in it
    assert tissue_px(full) > 0.97 * full[..., 0].size


def test_pale_tissue_with_nuclei_all_over_it_is_no_glass():
    rng = np.random.default_rng(8)
    rgb = _picture(np.full((SIZE_PX, SIZE_PX, 3), (200, 190, 215), float), 2, 1)
    rgb[rng.random((SIZE_PX, SIZE_PX)) < 0.5] = (110, 80, 150)
    assert find_glass(overview_of(rgb)).source == "nominal"


def test_a_flat_patch_that_much_is_brighter_than_is_no_glass():
    rng = np.random.default_rng(8)
    rgb = _picture(np.full((SIZE_PX, SIZE_PX, 3), (190, 182, 200), float), 2, 1)
    rgb[:160] = rng.integers((206, 172, 206), (256, 188, 256), (160, SIZE_PX, 3))
    assert find_glass(overview_of(rgb)).source == "nominal"


def test_painted_white_beside_dim_glass_is_not_the_glass():
    rgb, _ = disc_on([182] * 3)
    rgb[:, :40] = 255
    assert find_glass(overview_of(rgb)).rgb == pytest.approx((182, 182, 182), abs=2)


def test_glass_that_somebody_names_is_believed():
    rgb, disc = disc_on((180, 120, 155))  # the hue of tissue: it would not be taken for glass
    assert find_glass(overview_of(rgb)).source == "nominal"
    assert tissue_px(rgb) == rgb[..., 0].size
    assert tissue_px(rgb, glass=(180, 120, 155)) == pytest.approx(disc.sum(), rel=0.01)


def test_a_threshold_in_grey_levels_is_of_the_pixels_as_they_are():
    rgb, _ = disc_on((238, 224, 190))
    fitted = TissueSegmenter(threshold=80).fit(overview_of(rgb))
    assert fitted.colour_rule.tint == (0, 0, 0)
    assert (fitted.class_map(all_valid(rgb)) == (255 - rgb.min(axis=-1) > 80)).all()
    assert not fitted.light.leans_on_glass


def test_otsu_without_bounds_leans_on_no_glass_and_on_a_dark_field_there_is_none():
    rgb, _ = disc_on((238, 224, 190))
    free = fit_foreground(overview_of(rgb), "bright", "otsu", 0, 254)
    assert (free.light.leans_on_glass, free.tint) == (False, (0, 0, 0))
    assert not fit_foreground(overview_of(noisy(6, 1)), "dark", "otsu").light.leans_on_glass


@pytest.mark.parametrize("fall", [0.1, 0.2, 0.3])
@pytest.mark.parametrize("direction", ["right", "down", "to the corner", "from the middle"])
def test_the_fall_of_the_light_is_measured_from_the_glass_alone(fall, direction):
    y, x = np.mgrid[:SIZE_PX, :SIZE_PX] / (SIZE_PX - 1)
    along = {
        "right": x,
        "down": y,
        "to the corner": (x + y) / 2,
        "from the middle": 2 * ((x - 0.5) ** 2 + (y - 0.5) ** 2),
    }
    disc = (x - 0.6) ** 2 + (y - 0.5) ** 2 < 0.2**2
    light = 243 * np.where(disc[..., None], TRANSMITTED, np.ones(3)) * (1 - fall * along[direction])[..., None]
    glass = find_glass(overview_of(_picture(light, 4, 7)))
    assert glass.fall == pytest.approx(fall, abs=0.04)


@pytest.mark.parametrize("lamp", [1.0, 0.7])
def test_even_light_has_no_fall_to_speak_of(testdata, lamp):
    assert find_glass(overview_of(disc_on([243 * lamp] * 3)[0])).fall < 0.01
    rgb = shrunk(slide_rgb(testdata, "CMU-1-Small-Region.svs"), 3)
    assert find_glass(overview_of(np.round(lamp * rgb).astype(np.uint8))).fall < 0.03


DAB = np.array((0.268, 0.570, 0.776))


@pytest.mark.parametrize("glass", [(245, 245, 245), (200, 200, 200), (150, 150, 150), (225, 175, 148), (238, 224, 190)])
def test_the_bands_of_a_stain_do_not_depend_on_the_glass(glass):
    # three discs of known density on the glass; noise of 2 grey levels is 0.01 to 0.03 OD, the bands are 0.1 away
    y, x = np.mgrid[:SIZE_PX, :SIZE_PX]
    density = np.zeros((SIZE_PX, SIZE_PX))
    for k, od in enumerate((0.3, 0.5, 0.75)):
        density[(x - 80 - 120 * k) ** 2 + (y - 200) ** 2 < 50**2] = od
    rgb = _picture(np.array(glass) * 10 ** -(density[..., None] * DAB), 1, 3)
    classes = StainSegmenter().fit(overview_of(rgb)).class_map(all_valid(rgb))
    for band, od in ((2, 0.3), (3, 0.5), (4, 0.75)):
        assert (classes == band).sum() == pytest.approx((density == od).sum(), rel=0.01)
    assert (classes == 0).sum() == pytest.approx((density == 0).sum(), rel=0.01)


def test_densities_against_given_white_are_those_against_255():
    rgb, _ = disc_on((225, 175, 148))
    fitted = StainSegmenter(glass=(255, 255, 255)).fit(overview_of(rgb))
    assert (
        fitted.facts["positive_fraction"]["used"] > 0.9
    )  # the tint counts as brown, which is why it is not the default


def test_the_mean_density_of_tissue_is_against_its_own_glass():
    rgb, _ = disc_on((200, 200, 200), np.array((0.5, 0.5, 0.5)), noise=0)
    rule = TissueSegmenter(signal="od").fit(overview_of(rgb)).colour_rule
    assert rule.density_of(rgb[190:191, 210:211])[0, 0] == pytest.approx(np.log10(2), abs=1e-3)


@pytest.mark.parametrize(
    ("settings", "method"),
    [
        ({}, "otsu-clamped-to-glass"),
        ({"contrast_min": 0, "contrast_max": 254}, "otsu"),
        ({"threshold": 70}, "fixed"),
    ],
)
def test_the_method_says_what_made_the_threshold(settings, method):
    facts = TissueSegmenter(**settings).fit(overview_of(disc_on((243, 243, 243))[0])).facts
    assert facts["method"] == method
    assert (facts["threshold"] == facts["otsu_threshold"]) is (method == "otsu")


def test_the_method_says_where_no_glass_or_a_dark_field_held_the_threshold():
    tissue = _picture(np.full((SIZE_PX, SIZE_PX, 3), (200, 120, 170), float), 10, 1)
    assert TissueSegmenter().fit(overview_of(tissue)).facts["method"] == "otsu-clamped-to-nominal-glass"
    night = noisy(6, 1)
    night[50:120, 50:150] = 180
    assert TissueSegmenter().fit(overview_of(night)).facts["method"] == "otsu-clamped-to-dark-field"
