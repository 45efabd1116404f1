"""training: scikit-learn grows the trees; the only place where it is called for that."""

from typing import Any

from wsi_area.errors import MissingExtraError, SettingsError
from wsi_area.segmenters.pixels.trees import TreeEnsemble, from_sklearn
from wsi_area.training.binning import steps_of
from wsi_area.training.sampling import Sampled
from wsi_area.training.settings import TrainSettings


def require_libraries() -> None:
    """Refuse to begin where a library of training is missing, before anything was read.

    Raises
    ------
    MissingExtraError
    """
    for name in ("sklearn", "threadpoolctl", "matplotlib"):
        try:
            __import__(name)
        except ImportError as error:
            raise MissingExtraError.of("training", "train", error) from error


def fitted_trees(sampled: Sampled, settings: TrainSettings) -> TreeEnsemble:
    """Return the trees learnt from some pixels; the same, bit for bit, for the same pixels, settings and versions.

    Raises
    ------
    SettingsError
        If the pixels are of fewer than two classes.
    """
    # imported here: half a second that only training pays
    from threadpoolctl import threadpool_limits

    if len(set(sampled.classes.tolist())) < 2:
        raise SettingsError("the training pixels are all of one class; draw a second one, or use fewer folds")
    classifier = _classifier(settings)
    steps = steps_of(sampled.features)  # scikit-learn's own steps of weighted pixels take longer than its trees
    with threadpool_limits(1):  # sums in floating point depend on how many threads share them
        classifier.fit(steps.codes(sampled.features), sampled.classes, sample_weight=sampled.weights)
    return steps.in_values(from_sklearn(classifier))


def _classifier(settings: TrainSettings) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier

    if settings.classifier == "random_forest":
        return RandomForestClassifier(
            n_estimators=settings.trees,
            max_depth=settings.depth,
            max_leaf_nodes=settings.leaves,
            min_samples_leaf=settings.leaf_px,
            random_state=settings.seed,
            n_jobs=1,
        )
    return HistGradientBoostingClassifier(
        max_iter=settings.trees,
        max_depth=settings.depth,
        max_leaf_nodes=settings.leaves,
        min_samples_leaf=settings.leaf_px,
        learning_rate=settings.learning_rate,
        l2_regularization=1.0,
        early_stopping=False,
        random_state=settings.seed,
    )
