"""Stain strengths varied in training: which pixels, by how much, and that nothing else moves."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest
from synthetic_textures import write_pairs

from wsi_area.audit.truth import parse_naming
from wsi_area.errors import SettingsError
from wsi_area.model.calibration import Mpp
from wsi_area.segmenters.pixels.feature_set import FeatureSet
from wsi_area.training.blocks import TruthRule, looked_at
from wsi_area.training.collecting import Collected, collect
from wsi_area.training.material import pair_sources, prepared
from wsi_area.training.settings import TrainSettings, load_train_settings
from wsi_area.training.validation import reach_um

RULE = TruthRule(parse_naming((), ("1=tumor",), rest="background"), {"background": 0, "tumor": 1}, False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_pairs(tmp_path_factory.mktemp("pairs"), 2)


def collected(folder: Path, jitter: float, *, seed: int = 0, balance: bool = True) -> Collected:
    features = FeatureSet(scales_um=(3.0, 6.0), work_mpp_um=1.0, pitch_um=1.0, balanced=balance)
    sources = pair_sources(folder, folder, Mpp(1.0, 1.0), {})
    images = [looked_at(prepared(s, 1.0, partial(reach_um, features, 0.0)), features) for s in sources]
    settings = TrainSettings(samples=2000, stain_jitter=jitter, seed=seed)
    return collect(images, RULE, features, settings)


def rows_as_they_are(folder: Path, jitter: float) -> np.ndarray:
    """bool (n,): the training pixels whose features are those without any variation."""
    plain, varied = (collected(folder, j).sampled for j in (0, jitter))
    assert (plain.classes == varied.classes).all()
    assert (plain.images == varied.images).all()
    assert (plain.weights == varied.weights).all()
    return np.asarray((plain.features == varied.features).all(axis=1))


def test_a_third_of_the_pixels_of_each_class_of_each_image_keeps_its_colours(folder: Path) -> None:
    kept = rows_as_they_are(folder, 0.12)
    sampled = collected(folder, 0).sampled
    for image in (0, 1):
        for class_id in (0, 1):
            own = kept[(sampled.images == image) & (sampled.classes == class_id)]
            assert own.mean() == pytest.approx(1 / 3, abs=0.07)


def test_a_stain_is_as_much_stronger_as_was_drawn_and_alike_for_all_classes(folder: Path) -> None:
    plain, varied = (collected(folder, j).sampled for j in (0, 0.12))
    density = list(FeatureSet(scales_um=(3.0, 6.0)).names).index("od_3um")
    factors = varied.features[:, density] / plain.features[:, density]
    in_image = plain.images == 0
    for class_id in (0, 1):
        own = factors[in_image & (plain.classes == class_id)]
        # three strengths: the slide's own and two drawn; each channel's own share spreads them a little
        for strength in (factors[in_image & (plain.classes == 1 - class_id)].min(), own.max(), 1.0):
            assert np.abs(own - strength).min() < 0.05
    assert 0.5 < factors.min() < 1 < factors.max() < 2


def test_the_same_seed_varies_alike_and_another_seed_otherwise(folder: Path) -> None:
    first, again, other = (collected(folder, 0.12, seed=s).sampled.features for s in (0, 0, 1))
    assert first.tobytes() == again.tobytes()
    assert first.tobytes() != other.tobytes()


def test_features_that_are_not_balanced_are_not_varied(folder: Path) -> None:
    plain, varied = (collected(folder, j, balance=False).sampled.features for j in (0, 0.5))
    assert plain.tobytes() == varied.tobytes()


def test_a_jitter_below_0_is_refused_with_its_meaning() -> None:
    with pytest.raises(SettingsError, match=r"stain_jitter = -0\.1.*stain strength is varied"):
        load_train_settings(None, [("stain_jitter", -0.1)])
