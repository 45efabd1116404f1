import json

import numpy as np
import pytest
import skimage.data
from pictures import all_valid, noisy, overview_of, shrunk, slide_rgb
from scipy.optimize import nnls
from sklearn.decomposition import NMF, DictionaryLearning

from wsi_area.compute.judge.quality import stain_findings
from wsi_area.errors import SegmentationError, SettingsError
from wsi_area.model.geometry import Size
from wsi_area.model.pixels import Overview
from wsi_area.segmenters.colour.stain import StainSegmenter
from wsi_area.segmenters.colour.stain_estimation import (
    angle_deg,
    assigned,
    estimate_stains,
    refuse_strays,
    stained_densities,
    tissue_pixels,
    unexplained_share,
)
from wsi_area.segmenters.colour.stain_vectors import NAMED_VECTORS
from wsi_area.segmenters.colour.tissue import TissueSegmenter
from wsi_area.segmenters.contract import SegmenterContract
from wsi_area.segmenters.protocol import WantsSamples

WHITE = (243, 243, 243)


def unit(*vector):
    return tuple(float(v) for v in np.array(vector) / np.linalg.norm(vector))


def mixture(first, second, n=60_000, noise=1.0, seed=1):
    """Pixels, uint8 (n, 3), whose stains are known: many of nearly one stain, many of both, camera noise on top."""
    random = np.random.default_rng(seed)
    amounts = random.gamma(1.2, 0.35, (n, 2)) * (random.random((n, 2)) < 0.7)
    od = amounts @ np.array([first, second])
    return np.clip(np.round(243 * 10**-od + random.normal(0, noise, (n, 3))), 0, 255).astype(np.uint8)


MIXTURES = [
    (unit(0.65, 0.70, 0.29), unit(0.27, 0.57, 0.78)),
    (unit(0.65, 0.70, 0.29), unit(0.07, 0.99, 0.11)),
    (unit(0.80, 0.55, 0.22), unit(0.35, 0.56, 0.75)),  # bluer and duller than any published pair
]


@pytest.mark.parametrize(("first", "second"), MIXTURES)
@pytest.mark.parametrize("noise", [0, 1.5])
def test_the_vectors_of_a_known_mixture_are_found_within_two_degrees(first, second, noise):
    estimate = estimate_stains(stained_densities(mixture(first, second, noise=noise), WHITE))
    for truth in (first, second):
        assert min(angle_deg(truth, found) for found in estimate.vectors) < 2
    assert estimate.off_plane < 0.01


@pytest.mark.parametrize(("first", "second"), MIXTURES)
def test_sparse_dictionary_learning_finds_the_same_vectors(first, second):
    # the method of Vahadane et al. 2016, by scikit-learn; its penalty draws the two a little together
    od = np.maximum(stained_densities(mixture(first, second, n=6_000), WHITE), 0)
    options = {"fit_algorithm": "cd", "transform_algorithm": "lasso_cd", "positive_code": True, "positive_dict": True}
    learned = DictionaryLearning(2, alpha=0.1, max_iter=60, random_state=0, **options).fit(od[:2000]).components_
    found = estimate_stains(od).vectors
    for vector in learned:
        assert min(angle_deg(unit(*vector), other) for other in found) < 5


@pytest.mark.parametrize("names", [("hematoxylin", "dab"), ("hematoxylin", "eosin")])
def test_each_vector_gets_the_name_it_is_nearest_to_whichever_came_first(names):
    reference = {name: NAMED_VECTORS["h-e-dab"][name] for name in names}
    truth = {name: unit(*vector) for name, vector in reference.items()}
    for order in (names, names[::-1]):
        pixels = mixture(*(truth[name] for name in order))
        found = assigned(estimate_stains(stained_densities(pixels, WHITE)), reference)
        assert list(found) == list(names)
        assert all(angle_deg(found[name], truth[name]) < 2 for name in names)


def test_the_same_seed_gives_the_same_bits_and_another_nearly_the_same_vectors():
    pixels = mixture(*MIXTURES[0], n=400_000)
    first, again = (estimate_stains(stained_densities(pixels, WHITE)) for _ in range(2))
    assert first == again
    other = estimate_stains(stained_densities(pixels, WHITE, seed=1))
    assert other != first
    assert all(angle_deg(a, b) < 0.5 for a, b in zip(first.vectors, other.vectors, strict=True))


def test_too_few_stained_pixels_are_refused_with_their_number():
    with pytest.raises(SegmentationError, match="only 0 stained pixels, 2000 are needed"):
        estimate_stains(stained_densities(np.full((9_000, 3), 240, np.uint8), WHITE))


def test_a_slide_of_one_stain_is_refused_with_its_angle():
    first, second = MIXTURES[0]
    single = mixture(first, np.add(first, np.multiply(0.05, second)))
    with pytest.raises(SegmentationError, match=r"span \d+\.\d°, 15° are needed"):
        estimate_stains(stained_densities(single, WHITE))


def test_a_vector_far_from_its_name_is_refused():
    with pytest.raises(SegmentationError, match="'dab' is 90° from"):
        refuse_strays({"dab": (1.0, 0.0, 0.0)}, {"dab": (0.0, 0.0, 1.0)})


def test_what_its_own_vectors_leave_unexplained_is_next_to_nothing_and_other_stains_leave_more():
    first, second = MIXTURES[0]
    od = stained_densities(mixture(first, second), WHITE)
    assert unexplained_share(od, {"a": first, "b": second}) < 0.005
    assert unexplained_share(od, NAMED_VECTORS["h-e"]) > 0.1
    assert unexplained_share(od, NAMED_VECTORS["h-e-dab"]) < 0.005  # three stains explain two of them


@pytest.mark.parametrize("name", sorted(NAMED_VECTORS))
def test_the_share_that_no_amounts_explain_is_that_of_lawson_and_hanson_pixel_by_pixel(name):
    od = np.random.default_rng(7).gamma(1.2, 0.3, (9_001, 3))  # more than are added up at once, and an odd number
    stains = np.array(list(NAMED_VECTORS[name].values())).T
    missed = sum(nnls(stains, pixel)[1] ** 2 for pixel in od)
    assert unexplained_share(od, NAMED_VECTORS[name]) == pytest.approx(missed / (od**2).sum(), abs=2e-6)


def test_saturated_and_pale_pixels_have_no_say():
    pixels = np.array([[0, 120, 120], [240, 241, 242], [100, 120, 140]], np.uint8)
    assert len(stained_densities(pixels, WHITE)) == 1


# --- through the segmenter


def h_dab_picture():
    """A tile of glass with stained pixels in its middle; the stains are ``MIXTURES[2]``."""
    rgb = noisy(243, 1, 300)
    rgb[50:250, 50:250] = mixture(*MIXTURES[2], n=40_000).reshape(200, 200, 3)
    return rgb


def test_macenko_measures_with_the_vectors_of_the_slide_and_records_them():
    rgb = h_dab_picture()
    fitted = StainSegmenter(vectors="macenko").fit(overview_of(rgb))
    facts = json.loads(json.dumps(fitted.facts))
    assert facts["vectors_from"] == "macenko"
    assert angle_deg(tuple(facts["stain_vectors"]["dab"]), MIXTURES[2][1]) < 2
    assert facts["stain_fit"]["pixels_from"] == "overview"
    assert facts["stain_fit"]["pixels"] > 20_000
    published = angle_deg(MIXTURES[2][0], NAMED_VECTORS["h-dab"]["hematoxylin"])
    assert facts["stain_fit"]["angles_deg"]["hematoxylin"] == pytest.approx(published, abs=2)
    assert facts["stain_fit"]["unexplained"] < 0.01


def test_samples_at_the_work_pixel_size_are_preferred_to_the_overview():
    grey = overview_of(noisy(200, 3))  # nothing on the overview would tell two stains
    blocks = tuple(all_valid(mixture(*MIXTURES[0], n=4096, seed=s).reshape(64, 64, 3)) for s in range(4))
    overview = Overview(grey.rgb, grey.valid, Size(200, 200), None, samples=blocks)
    fit = StainSegmenter(vectors="macenko").fit(overview).facts["stain_fit"]
    assert fit["pixels_from"] == "samples"
    assert fit["pixels"] > 5_000


def test_samples_are_asked_for_only_where_vectors_are_estimated():
    assert isinstance(StainSegmenter(), WantsSamples)
    assert StainSegmenter(vectors="macenko").sample_blocks == 16
    assert StainSegmenter().sample_blocks == 0


def test_a_slide_that_cannot_be_estimated_fails_unless_falling_back_was_asked_for():
    glass = overview_of(noisy(243, 1))
    with pytest.raises(SegmentationError, match="stained pixels"):
        StainSegmenter(vectors="macenko").fit(glass)
    facts = StainSegmenter(vectors="macenko", macenko_fallback=True).fit(glass).facts
    assert facts["vectors_from"] == "h-dab"
    assert facts["stain_vectors"]["dab"] == [0.268, 0.570, 0.776]
    assert "stained pixels" in facts["stain_fit"]["estimate_refused"]


def test_a_target_that_the_reference_does_not_name_is_refused():
    with pytest.raises(SettingsError, match="'eosin' is not among the stain vectors"):
        StainSegmenter(vectors="macenko", target="eosin").fit(overview_of(h_dab_picture()))


class TestMacenko(SegmenterContract):
    def segmenter(self):
        return StainSegmenter(vectors="macenko")

    def pictures(self):
        rgb = h_dab_picture()
        return overview_of(rgb), all_valid(rgb)


# --- on real slides, and the finding that follows


def fit_of(rgb, **stain):
    fit = StainSegmenter(**stain).fit(overview_of(rgb)).facts["stain_fit"]
    return fit, [f.code for f in stain_findings("slide", fit["unexplained"], fit["angles_deg"])]


def test_the_fixed_h_dab_vectors_fit_two_real_immunostains(testdata):
    for rgb in (skimage.data.immunohistochemistry(), shrunk(slide_rgb(testdata, "OS-2-ndpi.tif"), 2)):
        fit, codes = fit_of(rgb)
        assert fit["unexplained"] < 0.02
        assert max(fit["angles_deg"].values()) < 20
        assert codes == []


def test_the_fixed_h_dab_vectors_are_doubtful_on_an_h_and_e_slide(testdata):
    _, codes = fit_of(shrunk(slide_rgb(testdata, "CMU-1-Small-Region.svs"), 2))
    assert codes == ["STAIN_VECTORS_DOUBTFUL"]


def test_h_and_e_vectors_are_doubtful_on_an_immunostain():
    fit, codes = fit_of(skimage.data.immunohistochemistry(), vectors="h-e", target="eosin")
    assert fit["unexplained"] > 0.3
    assert codes == ["STAIN_VECTORS_DOUBTFUL"]


def test_the_vectors_of_the_ki67_slide_are_dab_within_seven_degrees_and_a_bluer_hematoxylin(testdata):
    rgb = slide_rgb(testdata, "OS-2-ndpi.tif")
    facts = StainSegmenter(vectors="macenko").fit(overview_of(shrunk(rgb, 2))).facts
    assert facts["stain_fit"]["angles_deg"]["dab"] < 7
    assert 15 < facts["stain_fit"]["angles_deg"]["hematoxylin"] < 22
    red, green, blue = facts["stain_vectors"]["hematoxylin"]
    assert red > green > blue  # its nuclei are sky blue: red is absorbed most
    assert facts["stain_fit"]["unexplained"] < 0.005


def test_nmf_agrees_on_the_stains_of_a_real_immunostain():
    rgb = skimage.data.immunohistochemistry()
    rule = TissueSegmenter().fit(overview_of(rgb)).colour_rule
    pixels, source = tissue_pixels(overview_of(rgb), rule)
    assert source == "overview"
    od = np.maximum(stained_densities(pixels, (222, 222, 222)), 0)
    parts = NMF(2, init="nndsvda", max_iter=500, random_state=0).fit(od[::8]).components_
    for part in parts:
        assert min(angle_deg(unit(*part), found) for found in estimate_stains(od).vectors) < 15
