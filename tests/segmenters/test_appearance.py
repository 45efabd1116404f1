"""How tissue looks: hue and density of known colours, on any glass, at any pixel size."""

import numpy as np
import pytest

from wsi_area.errors import SettingsError
from wsi_area.model.calibration import Mpp
from wsi_area.model.geometry import Size
from wsi_area.model.light import Glass
from wsi_area.model.pixels import Overview
from wsi_area.segmenters.appearance import QUANTITIES, appearance_of, read_trained_on, trained_on

HE = (0.30, 0.45, 0.25)  # optical density in R, G, B


def overview(od, glass=(243, 243, 243), mpp_um=25.0, size=(60, 80), noise=0):
    """Half glass, half tissue of these densities: each pixel glass · 10^-od."""
    rgb = np.empty((*size, 3))
    rgb[:] = glass
    rgb[:, size[1] // 2 :] = np.array(glass) * 10.0 ** -np.array(od)
    rgb += np.random.default_rng(0).normal(0, noise, rgb.shape)
    pixels = np.clip(np.rint(rgb), 0, 255).astype(np.uint8)
    return Overview(pixels, np.ones(size, bool), Size(size[1] * 100, size[0] * 100), Mpp(mpp_um, mpp_um))


@pytest.mark.parametrize("od", [HE, (0.2, 0.4, 0.8), (0.5, 0.55, 0.2)])
@pytest.mark.parametrize("glass", [(243, 243, 243), (182, 182, 182), (240, 230, 215)])
def test_hue_and_density_are_those_of_the_paint_whatever_the_glass(od, glass):
    found = appearance_of(overview(od, glass), Glass(glass, "seen"))
    assert found is not None
    total = sum(od)
    expected = [od[0] / total] * 2 + [od[2] / total] * 2 + [total / 3] * 2
    assert [found[name] for name in QUANTITIES] == pytest.approx(expected, abs=0.01)


def test_the_glass_of_a_slide_is_found_where_nobody_says_it():
    found = appearance_of(overview(HE, (200, 200, 200)))
    assert found is not None
    assert found["od_median"] == pytest.approx(1 / 3, abs=0.01)


@pytest.mark.parametrize("mpp_um", [0.5, 5.0, 25.0, 60.0])
def test_noise_of_fine_pixels_is_no_spread_of_hue(mpp_um):
    size = (1000, 2000) if mpp_um == 0.5 else (200, 300)
    found = appearance_of(overview(HE, mpp_um=mpp_um, size=size, noise=4))
    assert found is not None
    assert found["red_share_high"] - found["red_share_median"] < (0.002 if mpp_um < 1 else 0.03)
    assert found["red_share_median"] == pytest.approx(0.3, abs=0.01)


def test_glass_alone_looks_like_nothing():
    assert appearance_of(overview((0.0, 0.0, 0.0))) is None
    assert trained_on([None, None], 2) is None


def test_a_card_keeps_the_least_and_the_most_of_each_image():
    looks = [appearance_of(overview(od)) for od in (HE, (0.2, 0.4, 0.8), (0.5, 0.55, 0.2))]
    on = trained_on([None, *looks], 3)
    assert on is not None
    assert on.ranges["red_share_median"] == pytest.approx((0.2 / 1.4, 0.5 / 1.25), abs=0.01)
    assert read_trained_on(on.model_dump(mode="json"), "a card") == on


@pytest.mark.parametrize(
    "value",
    [
        "ranges", {"groups": 0, "ranges": {}}, {"groups": 1}, {"groups": 1, "ranges": {"hue": [0, 1]}},
        {"groups": 1, "ranges": {"od_high": [1, 0.5]}}, {"groups": 1, "ranges": {"od_high": [0, float("nan")]}},
    ],
)  # fmt: skip
def test_what_no_training_wrote_is_refused(value):
    with pytest.raises(SettingsError, match=r"the card says in no way that can be read what it was trained on"):
        read_trained_on(value, "the card")
    assert read_trained_on(None, "the card") is None
