"""training: the whole line: images and truth → training pixels → cross-validation → a model and how good it is."""

import logging
import platform
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from wsi_area.audit.truth import Naming
from wsi_area.errors import SettingsError
from wsi_area.model.classes import ClassScheme
from wsi_area.segmenters.appearance import trained_on
from wsi_area.segmenters.pixels.feature_set import FeatureSet
from wsi_area.segmenters.pixels.model import PixelModel, save_model
from wsi_area.training.blocks import TruthRule, looked_at
from wsi_area.training.classes import scheme_of
from wsi_area.training.collecting import Collected, collect
from wsi_area.training.fitting import fitted_trees, require_libraries
from wsi_area.training.importance import Importance, feature_groups, permutation_importances
from wsi_area.training.material import Source, TrainingImage, prepared
from wsi_area.training.outcome import TrainOutcome
from wsi_area.training.sampling import Sampled
from wsi_area.training.settings import TrainSettings
from wsi_area.training.validation import CrossValidated, cross_validate, fold_of_each, reach_um
from wsi_area.version import __version__

_LOG = logging.getLogger(__name__)

REPORT_NAME = "report.html"
Told = Callable[[str], None]


def train(
    sources: Sequence[Source],
    naming: Naming,
    settings: TrainSettings,
    out: Path,
    *,
    rest_in_tissue: bool,
    told: Told = _LOG.info,
) -> TrainOutcome:
    """Train a model, measure it by cross-validation, and write it with its report.

    Parameters
    ----------
    sources
        Slides or images with their truth.
    naming
        What the names and codes in the truth mean.
    settings
        How.
    out
        A folder that is new or empty.
    rest_in_tissue
        Whether what was not drawn is ``naming.rest`` only where there is tissue, and background where there is glass.
    told
        Called with a line about each step.

    Raises
    ------
    WsiAreaError
        Naming what cannot be used; nothing is written then.
    """
    require_libraries()
    # imported here: the report draws figures, which only training pays for
    from wsi_area.training.report import write_report

    _refuse_occupied(out)
    told(f"opening {len(sources)} images …")
    features, images = _prepared_all(sources, settings)
    scheme, rule = _classes(images, naming, settings, rest_in_tissue)
    told(f"reading training pixels at {features.work_mpp_um:.4g} µm, {len(features.names)} features …")
    collected = collect(images, rule, features, settings)
    _require_two_classes(collected.sampled, scheme)
    validated, reason = _validated(images, collected.sampled, rule, scheme, features, settings, told)
    told("training on everything …")
    trees = fitted_trees(collected.sampled, settings)
    importances = _importances(validated, trees, collected.sampled, features, settings)
    about = _about(images, collected, scheme, settings, naming, validated, reason, importances)
    model = PixelModel(features, scheme.classes, trees, settings.smoothing_um, about)
    model_hash = save_model(model, out)
    accuracy = None if validated is None else validated.accuracy
    outcome = TrainOutcome(model, model_hash, out, accuracy, reason, importances)
    write_report(outcome, out / REPORT_NAME)
    return outcome


def _refuse_occupied(out: Path) -> None:
    """Refuse now what could not be written after an hour of work."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise SettingsError(f"{out} is there already and is not an empty folder; choose another --out")


def _prepared_all(sources: Sequence[Source], settings: TrainSettings) -> tuple[FeatureSet, list[TrainingImage]]:
    """Return the features for the common work pixel size and every image cut for it."""
    if not sources:
        raise SettingsError("there is nothing to learn from; give slides with annotations, or images with masks")
    work_um = settings.work_mpp
    if work_um is None:
        work_um = max(prepared(source, None).work_mpp_um for source in sources)
    features = FeatureSet(
        scales_um=settings.scales_um, work_mpp_um=work_um, pitch_um=settings.pitch_um, balanced=settings.balanced
    )
    reach = partial(reach_um, features, settings.smoothing_um)
    return features, [looked_at(prepared(source, work_um, reach), features) for source in sources]


def _classes(
    images: Sequence[TrainingImage], naming: Naming, settings: TrainSettings, rest_in_tissue: bool
) -> tuple[ClassScheme, TruthRule]:
    names: set[str] = set().union(*(naming.classes_in(image.drawn) for image in images))
    if naming.rest is not None:
        names |= {naming.rest, "background"} if rest_in_tissue else {naming.rest}
    scheme = scheme_of(names, settings.classes)
    ids = {c.name: c.class_id for c in scheme.classes if c.name in names}
    return scheme, TruthRule(naming, ids, rest_in_tissue)


def _require_two_classes(sampled: Sampled, scheme: ClassScheme) -> None:
    found = sorted({scheme.classes[k].name for k in set(sampled.classes.tolist())})
    if len(found) < 2:
        raise SettingsError(
            f"the labelled pixels are all {found[0]}; a classifier needs two classes: draw a second one, or say with "
            "--rest-is NAME what the tissue is that was not drawn"
        )


def _validated(
    images: Sequence[TrainingImage],
    sampled: Sampled,
    rule: TruthRule,
    scheme: ClassScheme,
    features: FeatureSet,
    settings: TrainSettings,
    told: Told,
) -> tuple[CrossValidated | None, str]:
    """Return the outcome of cross-validation, or None and the reason why there could be none."""
    folds = fold_of_each([image.group for image in images], settings.folds, settings.seed)
    if folds is None:
        reason = (
            f"all images are of one group ({images[0].group}), so none could be held out; accuracy is unknown until "
            "the model is held against other slides with `wsi-area evaluate`"
        )
        told(f"no cross-validation: {reason}")
        return None, reason
    told(f"cross-validation in {max(folds) + 1} folds …")
    return cross_validate(images, sampled, folds, rule, scheme, features, settings), ""


def _importances(
    validated: CrossValidated | None, trees: Any, sampled: Sampled, features: FeatureSet, settings: TrainSettings
) -> dict[str, list[Importance]]:
    """Return the importances, where it can be on pixels of the first fold and a model that did not learn from them."""
    if validated is not None:
        trees = validated.models[0].trees
        sampled = sampled.of_images(i for i, fold in enumerate(validated.folds) if fold == 0)
    groups = feature_groups(features.names)
    return {what: permutation_importances(trees, sampled, own, settings.seed) for what, own in groups.items()}


def _about(
    images: Sequence[TrainingImage],
    collected: Collected,
    scheme: ClassScheme,
    settings: TrainSettings,
    naming: Naming,
    validated: CrossValidated | None,
    reason: str,
    importances: dict[str, list[Importance]],
) -> dict[str, Any]:
    """Return the card's account of where the model comes from; no date and no path, so that it repeats."""
    looks = trained_on((image.appearance for image in images), len({image.group for image in images}))
    return {
        "settings": settings.model_dump(mode="json"),
        "naming": {**asdict(naming), "codes": {str(code): name for code, name in naming.codes.items()}},
        "training_data": _image_rows(images, collected, scheme, validated),
        "training_px": len(collected.sampled.classes),
        "appearance": None if looks is None else looks.model_dump(mode="json"),
        "accuracy": None if validated is None else validated.accuracy.document(),
        "accuracy_reason": reason or None,
        "accuracy_protocol": None if validated is None else _protocol(validated),
        "importances": {what: [asdict(importance) for importance in found[:20]] for what, found in importances.items()},
        "versions": {
            "wsi_area": __version__,
            "python": platform.python_version(),
            **{name: version(name) for name in ("numpy", "scikit-learn", "numba")},
        },
    }


def _image_rows(
    images: Sequence[TrainingImage], collected: Collected, scheme: ClassScheme, validated: CrossValidated | None
) -> list[dict[str, Any]]:
    """Return the facts of each image, and those of what was learned from it."""
    return [
        {
            "id": image.info.slide_id,
            "group": image.group,
            "sha256": image.files(),
            "mpp_x_um": image.mpp.x,
            "mpp_y_um": image.mpp.y,
            "mpp_source": image.mpp_source,
            "work_mpp_um": image.work_mpp_um,
            "fold": None if validated is None else validated.folds[number],
            "used_l0_px": None if used is None else asdict(used),
            "within": None if image.within is None else Path(image.within.path).name,
            "labelled_work_px": {scheme.classes[k].name: n for k, n in labelled.items()},
        }
        for number, (image, used, labelled) in enumerate(
            zip(images, collected.used_l0_px, collected.labelled_work_px, strict=True)
        )
    ]


def _protocol(validated: CrossValidated) -> str:
    accuracy = validated.accuracy
    return (
        f"{max(validated.folds) + 1}-fold cross-validation of {len(accuracy.images)} images by {accuracy.groups} "
        "groups; each whole image was classified by a model that saw none of its group; counts pooled over images"
    )
