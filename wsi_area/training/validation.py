"""training: a model on images it did not learn from, compared with the truth pixel by pixel."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from wsi_area.audit.accuracy import Accuracy, Case, ImageAgreement
from wsi_area.audit.truth import NO_TRUTH
from wsi_area.compute.cut.grid import work_edges_l0_px
from wsi_area.compute.judge.agreement import confusion_matrix
from wsi_area.compute.judge.reliability import Reliability, reliability
from wsi_area.frozen_value import frozen_value
from wsi_area.model.classes import UNSCANNED_CODE, ClassScheme
from wsi_area.model.pixels import ClassMap
from wsi_area.segmenters.pixels.feature_set import FeatureSet
from wsi_area.segmenters.pixels.model import PixelModel
from wsi_area.segmenters.pixels.probability import probability_reach_px
from wsi_area.training.blocks import Block, TruthRule, blocks_of
from wsi_area.training.fitting import fitted_trees
from wsi_area.training.material import TrainingImage
from wsi_area.training.sampling import Sampled
from wsi_area.training.settings import TrainSettings

_LOG = logging.getLogger(__name__)

CASE_SIDE_PX = 320
_CASES_KEPT = 3
_RELIABILITY_PX = 2000  # of each block, drawn with the seed


@frozen_value(eq=False)
class CrossValidated:
    """What cross-validation found, and the models it found it with."""

    accuracy: Accuracy
    folds: tuple[int, ...]  # of each image
    models: tuple[PixelModel, ...]  # of each fold


def cross_validate(
    images: Sequence[TrainingImage],
    sampled: Sampled,
    folds: Sequence[int],
    rule: TruthRule,
    scheme: ClassScheme,
    features: FeatureSet,
    settings: TrainSettings,
) -> CrossValidated:
    """Return the agreement of each whole image with a model that learnt from the other folds only."""
    models: list[PixelModel] = []
    found: list[ImageAgreement] = []
    for fold in range(max(folds) + 1):
        learnt = sampled.of_images(i for i, f in enumerate(folds) if f != fold)
        model = PixelModel(features, scheme.classes, fitted_trees(learnt, settings), settings.smoothing_um, {})
        models.append(model)
        for number, image in enumerate(images):
            if folds[number] == fold:
                found.append(agreement_of(model, image, rule, settings.seed))
                found = _fewer_cases(found)
        _LOG.info("fold %d of %d: %d images held out", fold + 1, max(folds) + 1, folds.count(fold))
    found.sort(key=lambda image: image.slide_id)
    return CrossValidated(Accuracy(scheme, tuple(found), settings.seed), tuple(folds), tuple(models))


def reach_um(features: FeatureSet, smoothing_um: float, work_mpp_um: float) -> float:
    """Return the reach of a model round a pixel of ``work_mpp_um``, in µm."""
    own = features.at_work_mpp(work_mpp_um)
    return own.context_um + probability_reach_px(own, smoothing_um) * work_mpp_um


def evaluate_model(model: PixelModel, images: Sequence[TrainingImage], rule: TruthRule, seed: int) -> Accuracy:
    """Return the agreement of a model with images of any kind."""
    found: list[ImageAgreement] = []
    for image in images:
        found = _fewer_cases([*found, agreement_of(model, image, rule, seed)])
    return Accuracy(model.scheme, tuple(found), seed)


def _fewer_cases(found: list[ImageAgreement]) -> list[ImageAgreement]:
    """Return the images with pictures of the best and the worst only, so that memory does not grow with the images."""
    ranked = sorted((i for i in found if i.case is not None), key=lambda image: (-image.score, image.slide_id))
    dropped = {id(image) for image in ranked[_CASES_KEPT : len(ranked) - _CASES_KEPT]}
    return [replace(image, case=None) if id(image) in dropped else image for image in found]


def agreement_of(model: PixelModel, image: TrainingImage, rule: TruthRule, seed: int) -> ImageAgreement:
    """Return the agreement of a model with the truth of one whole image, which is read block by block."""
    k = len(model.classes)
    matrix = np.zeros((k, k), np.int64)
    without_truth = 0
    bins: dict[int, Reliability] = dict.fromkeys(model.trees.class_ids, Reliability())
    widths, heights = (np.diff(edges) for edges in work_edges_l0_px(image.plan))
    own = replace(model, features=model.features.at_work_mpp(image.work_mpp_um))
    picture = _Picture(image)
    for block in blocks_of(image, rule):
        origin = block.place.work_px.x_px, block.place.work_px.y_px
        stated = own.probabilities(block.pixels, origin, image.balance)[block.core]
        valid = block.pixels.valid[block.core]
        predicted = _likeliest(stated, model.trees.class_ids)
        predicted[~valid] = UNSCANNED_CODE
        core = block.core_work_px
        weights = widths[core.x_px : core.right_px], heights[core.y_px : core.bottom_px]
        matrix += confusion_matrix(block.truth, predicted, k, *weights)
        without_truth += int(np.outer(weights[1], weights[0])[valid & (block.truth == NO_TRUTH)].sum())
        for class_id, more in _reliability(stated, block.truth, bins, [seed, block.number]).items():
            bins[class_id] += more
        picture.take(block, predicted)
    rest = image.info.size_l0_px.area_px - int(matrix.sum()) - without_truth
    left_out = {"without_truth": without_truth, "unscanned_or_outside": rest}
    pixel_mm2 = image.mpp.pixel_area_mm2
    return ImageAgreement(image.info.slide_id, image.group, matrix, left_out, pixel_mm2, bins, picture.case())


def _likeliest(stated: NDArray[np.float32], class_ids: Sequence[int]) -> ClassMap:
    """Return the class of highest probability, the first of equals in the order of the trees, as the model does."""
    ids = np.array(class_ids, np.uint8)
    return np.asarray(ids[stated[..., list(class_ids)].argmax(axis=-1)])


def _reliability(
    stated: NDArray[np.float32], truth: ClassMap, wanted: Mapping[int, Reliability], seed: Sequence[int]
) -> dict[int, Reliability]:
    rows, cols = np.nonzero(truth != NO_TRUTH)
    if not len(rows):
        return {}
    drawn = np.random.default_rng(list(seed)).permutation(len(rows))[:_RELIABILITY_PX]
    rows, cols = rows[drawn], cols[drawn]
    return {k: reliability(np.clip(stated[rows, cols, k], 0, 1), truth[rows, cols] == k) for k in wanted}


class _Picture:
    """A picture of an image, every ``step``-th work pixel of it, filled block by block."""

    def __init__(self, image: TrainingImage) -> None:
        size = image.plan.work_size_px
        self._step = max(1, -(-max(size.width_px, size.height_px) // CASE_SIDE_PX))
        shape = -(-size.height_px // self._step), -(-size.width_px // self._step)
        self._rgb = np.full((*shape, 3), 255, np.uint8)
        self._truth, self._predicted = np.full(shape, NO_TRUTH, np.uint8), np.full(shape, UNSCANNED_CODE, np.uint8)

    def take(self, block: Block, predicted: ClassMap) -> None:
        """Put one block in its place."""
        step, core = self._step, block.core_work_px
        first_row, first_col = -core.y_px % step, -core.x_px % step
        some = np.s_[first_row::step, first_col::step]
        small = predicted[some]
        top, left = (core.y_px + first_row) // step, (core.x_px + first_col) // step
        at = np.s_[top : top + small.shape[0], left : left + small.shape[1]]
        self._rgb[at] = block.pixels.rgb[block.core][some]
        self._truth[at], self._predicted[at] = block.truth[some], small

    def case(self) -> Case:
        """Return the picture, cut to what was looked at."""
        seen = self._predicted != UNSCANNED_CODE
        rows, cols = np.flatnonzero(seen.any(axis=1)), np.flatnonzero(seen.any(axis=0))
        at = np.s_[rows[0] : rows[-1] + 1, cols[0] : cols[-1] + 1] if len(rows) else np.s_[:, :]
        return Case(self._rgb[at], self._truth[at], self._predicted[at], self._step)


def fold_of_each(groups: Sequence[str], folds: int, seed: int) -> tuple[int, ...] | None:
    """Return the fold in which each image is held out, or None where there is only one group.

    All images of a group (a slide, a patient) share a fold. Groups are dealt out largest first, each to the fold that
    has fewest images so far; groups of one size in an order drawn with the seed. With fewer groups than folds, each
    group is a fold.

    >>> fold_of_each(["a", "a", "b"], 5, 0)
    (0, 0, 1)
    >>> fold_of_each(["a", "a"], 5, 0) is None
    True
    """
    names = sorted(set(groups))
    if len(names) < 2:
        return None
    drawn = np.random.default_rng(seed).permutation(len(names))
    sizes = {name: sum(1 for g in groups if g == name) for name in names}
    order = sorted((names[i] for i in drawn), key=lambda name: -sizes[name])
    held = [0] * min(folds, len(names))
    fold: dict[str, int] = {}
    for name in order:
        fold[name] = held.index(min(held))
        held[fold[name]] += sizes[name]
    return tuple(fold[g] for g in groups)
