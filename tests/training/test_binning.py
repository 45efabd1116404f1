"""Trees grown on steps decide, once their thresholds are values again, as they did."""

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier

from wsi_area.segmenters.pixels.trees import from_sklearn
from wsi_area.training.fitting import steps_of


def _sample(seed: int, n: int = 3000) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(n, 5)).astype(np.float32)
    features[:, 1] = np.round(features[:, 1])  # few distinct values
    features[:, 2] = 7.0  # one
    classes = (features[:, 0] + features[:, 1] * features[:, 3] + rng.normal(size=n) > 0).astype(np.uint8)
    return features, classes


@pytest.mark.parametrize(
    "classifier",
    [
        HistGradientBoostingClassifier(max_iter=12, random_state=0, early_stopping=False),
        RandomForestClassifier(n_estimators=12, max_depth=8, random_state=0),
    ],
    ids=["boosting", "forest"],
)
def test_the_answer_is_that_of_the_steps_for_values_never_seen(classifier: object) -> None:
    features, classes = _sample(0)
    steps = steps_of(features)
    classifier.fit(steps.codes(features), classes)  # type: ignore[attr-defined]
    unseen = np.concatenate([_sample(1)[0] * 3, features])
    in_values = steps.in_values(from_sklearn(classifier)).probabilities(unseen)
    of_codes = classifier.predict_proba(steps.codes(unseen))  # type: ignore[attr-defined]
    assert in_values == pytest.approx(of_codes, abs=2e-6)


def test_few_distinct_values_keep_their_distinction_and_a_constant_has_no_edge() -> None:
    features, _ = _sample(2)
    steps = steps_of(features)
    codes = steps.codes(features)
    assert len(np.unique(codes[:, 1])) == len(np.unique(features[:, 1]))
    assert len(steps.edges[2]) == 0
    assert len(np.unique(codes[:, 0])) == 255


def test_steps_hold_about_the_same_number_of_pixels() -> None:
    features, _ = _sample(3, 25_500)
    counts = np.bincount(steps_of(features).codes(features)[:, 0].astype(int))
    assert counts.min() > 80
    assert counts.max() < 120
