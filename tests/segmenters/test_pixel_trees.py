from dataclasses import replace

import numpy as np
import pytest
from pixel_models import SMALL, stumps

from wsi_area.errors import SettingsError
from wsi_area.segmenters.pixels.trees import TreeEnsemble, from_sklearn

threadpoolctl = pytest.importorskip("threadpoolctl", reason="comes with scikit-learn")
ensemble = pytest.importorskip("sklearn.ensemble", reason="scikit-learn is of the extra 'train'")


@pytest.fixture(autouse=True)
def _one_thread():
    # small samples: more threads than free cores only wait for each other
    with threadpoolctl.threadpool_limits(1):
        yield


def _samples(classes, n=1500):
    rng = np.random.default_rng(classes)
    features = rng.normal(size=(n, 6)).astype(np.float32)
    features[:, 5] = np.round(features[:, 5])  # ties with thresholds
    score = features[:, 0] + features[:, 1] ** 2 + 0.3 * rng.normal(size=n)
    return features, np.searchsorted([0.5, 1.5, 2.5][: classes - 1], score)


@pytest.mark.parametrize("classes", [2, 3, 4])
@pytest.mark.parametrize("leaves", [4, 31, 90])  # more than 64 leaves are walked, fewer worked out whole
def test_boosted_trees_give_sklearns_probabilities(classes, leaves):
    features, labels = _samples(classes)
    classifier = ensemble.HistGradientBoostingClassifier(
        max_iter=6, max_leaf_nodes=leaves, min_samples_leaf=2, early_stopping=False
    ).fit(features, labels)
    found = from_sklearn(classifier).probabilities(features)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, classifier.predict_proba(features), atol=1e-5)


@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize("depth", [1, 4, None])
def test_a_random_forest_gives_sklearns_probabilities(classes, depth):
    features, labels = _samples(classes)
    classifier = ensemble.RandomForestClassifier(12, max_depth=depth, n_jobs=1, random_state=0).fit(features, labels)
    np.testing.assert_allclose(
        from_sklearn(classifier).probabilities(features), classifier.predict_proba(features), atol=1e-5
    )


def test_trees_trained_on_float64_agree_at_float32_samples_that_lie_on_a_threshold():
    values = np.linspace(0, 1, 11)
    labels = (values > 0.45).astype(int)
    classifier = ensemble.RandomForestClassifier(5, random_state=0).fit(
        np.repeat(values, 20)[:, None], labels.repeat(20)
    )
    trees = from_sklearn(classifier)
    near = np.concatenate([np.nextafter(trees.threshold, np.float32(s)) for s in (-9, 9)] + [trees.threshold])[:, None]
    np.testing.assert_allclose(trees.probabilities(near), classifier.predict_proba(near), atol=1e-6)


def test_class_ids_are_those_the_classifier_was_shown():
    features, labels = _samples(2)
    classifier = ensemble.HistGradientBoostingClassifier(max_iter=3).fit(features, labels * 5 + 2)
    assert from_sklearn(classifier).class_ids == (2, 7)


def test_a_sample_has_the_same_probability_alone_as_among_others():
    features, labels = _samples(3)
    trees = from_sklearn(ensemble.HistGradientBoostingClassifier(max_iter=5).fit(features, labels))
    together = trees.probabilities(features)
    for n in (1, 3, 255, 257):
        np.testing.assert_array_equal(trees.probabilities(features[7 : 7 + n]), together[7 : 7 + n])


def test_other_classifiers_are_refused():
    features, labels = _samples(2)
    with pytest.raises(SettingsError, match="ExtraTreesClassifier cannot be converted"):
        from_sklearn(ensemble.ExtraTreesClassifier(3).fit(features, labels))
    with pytest.raises(SettingsError, match="not fitted"):
        from_sklearn(ensemble.HistGradientBoostingClassifier())


def test_features_of_another_width_are_refused():
    trees = stumps(SMALL, [("od_2um", 0.1, 0)])
    with pytest.raises(SettingsError, match=r"got \(4, 2\)"):
        trees.probabilities(np.zeros((4, 2), np.float32))


def test_a_stump_by_hand_gives_the_softmax_one_works_out():
    trees = stumps(SMALL, [("od_2um", 0.5, 0)])
    features = np.zeros((2, len(SMALL.names)), np.float32)
    features[1, SMALL.names.index("od_2um")] = 0.6
    expected = [np.exp([s, 0, 0]) / np.exp([s, 0, 0]).sum() for s in (1.0, -1.0)]
    np.testing.assert_allclose(trees.probabilities(features), expected, atol=1e-6)


def _two_trees() -> TreeEnsemble:
    return stumps(SMALL, [("od_2um", 0.5, 0), ("eosin_6um", 0.2, 2)])


@pytest.mark.parametrize(
    ("name", "index", "value", "words"),
    [
        ("feature", 0, len(SMALL.names), "feature beyond"),
        ("feature", 0, -1, "feature beyond"),
        ("feature", 1, 4, "no values"),
        ("feature", 1, -1, "no values"),
        ("left", 0, 0, "before its parent"),
        ("right", 3, 1, "before its parent"),
        ("right", 0, 6, "no node"),
        ("right", 0, 2**31 - 1, "no node"),
        ("right", 0, 4, "another tree"),
        ("right", 0, -1, "before its parent"),
        ("roots", 1, 6, "no node"),
        ("roots", 1, -3, "no node"),
        ("roots", 1, 0, "one after the other"),
        ("roots", 0, 1, "one after the other"),
        ("outputs", 0, 3, "not there"),
        ("outputs", 0, -1, "not there"),
        ("threshold", 0, np.nan, "not finite"),
        ("values", 0, np.inf, "not finite"),
        ("start", 0, np.nan, "not finite"),
    ],
)
def test_an_index_that_leads_out_of_the_arrays_is_refused(name, index, value, words):
    trees = _two_trees()
    array = getattr(trees, name).copy()
    array[index] = value
    with pytest.raises(SettingsError, match=words):
        replace(trees, **{name: array})


@pytest.mark.parametrize(
    "change",
    [
        {"link": "exec"},
        {"link": "logistic"},
        {"class_ids": (0, 1)},
        {"class_ids": (0, 1, 1)},
        {"roots": np.zeros(0, np.int32)},
        {"left": np.zeros(5, np.int32)},
        {"values": np.zeros((4, 1), np.float64)},
        {"values": np.zeros((4, 4), np.float32)},
        {"values": np.zeros(4, np.float32)},
        {"start": np.zeros(2, np.float32)},
    ],
)
def test_arrays_that_are_no_ensemble_are_refused(change):
    with pytest.raises(SettingsError, match="no trees that can be walked"):
        replace(_two_trees(), **change)
