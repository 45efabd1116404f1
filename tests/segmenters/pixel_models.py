"""Small pixel classifiers that the tests of this room share, made by hand: no scikit-learn is needed to use a model."""

import numpy as np

from wsi_area.model.classes import TissueClass
from wsi_area.segmenters.pixels.feature_set import FeatureSet
from wsi_area.segmenters.pixels.model import PixelModel
from wsi_area.segmenters.pixels.trees import TreeEnsemble

CLASSES = (
    TissueClass(0, "background", (255, 255, 255)),
    TissueClass(1, "stroma", (90, 160, 90), is_tissue=True),
    TissueClass(2, "tumor", (200, 30, 40), is_tissue=True, is_tumor=True),
)
SMALL = FeatureSet(scales_um=(2.0, 6.0, 12.0), work_mpp_um=1.0, pitch_um=2.0)


def stumps(features: FeatureSet, splits, link="softmax", class_ids=(0, 1, 2), start=None) -> TreeEnsemble:
    """Return trees of one split each: (feature name, threshold, class whose score falls by 2 above it)."""
    names = list(features.names)
    n = len(splits)
    feature, threshold, left, right = (np.zeros(3 * n, kind) for kind in (np.int32, np.float32, np.int32, np.int32))
    for t, (name, limit, _) in enumerate(splits):
        feature[3 * t : 3 * t + 3] = names.index(name), 2 * t, 2 * t + 1
        threshold[3 * t] = limit
        left[3 * t : 3 * t + 3] = 3 * t + 1, -1, -1
        right[3 * t : 3 * t + 3] = 3 * t + 2, -1, -1
    values = np.tile(np.array([[1.0], [-1.0]], np.float32), (n, 1))
    outputs = np.array([c for _, _, c in splits], np.int32)
    start = np.zeros(1 if link == "logistic" else len(class_ids), np.float32) if start is None else start
    roots = np.arange(n, dtype=np.int32) * 3
    return TreeEnsemble(len(names), class_ids, link, roots, outputs, feature, threshold, left, right, values, start)


def small_model(features: FeatureSet = SMALL, smoothing_um: float = 3.0) -> PixelModel:
    """Return three classes by density, edges and the surroundings."""
    widest = f"{features.scales_um[-1]:g}um"
    finest = f"{features.scales_um[0]:g}um"
    trees = stumps(
        features,
        [
            (f"od_{finest}", 0.12, 0), (f"od_{widest}", 0.1, 0), (f"od_{finest}", 0.3, 1),
            (f"deviation_{widest}", 0.08, 1), (f"gradient_{finest}", 0.05, 2),
            (f"bump_{widest}", 0.02, 2), (f"hematoxylin_{finest}", 0.2, 1),
            (f"eosin_{widest}", 0.15, 2), (f"texture_{finest}", 0.04, 1),
        ],
        start=np.array([2.5, 0, 0.5], np.float32),
    )  # fmt: skip
    return PixelModel(features, CLASSES, trees, smoothing_um, {"licence": "made by hand", "accuracy": {"dice": 0.5}})


def blobs(height: int, width: int, seed: int = 3):
    """Return uint8 (h, w, 3): smooth stained blobs on glass with some noise."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width]
    density = np.zeros((height, width))
    for _ in range(max(4, height * width // 9000)):
        cy, cx, r = rng.uniform(0, height), rng.uniform(0, width), rng.uniform(4, 25)
        density += rng.uniform(0.2, 0.9) * np.exp(-((y - cy) ** 2 + (x - cx) ** 2) / (2 * r * r))
    od = density[..., None] * np.array([0.6, 0.75, 0.4]) + rng.normal(0, 0.02, (height, width, 3))
    return np.clip(np.round(255 * 10 ** -np.maximum(od, 0)), 0, 255).astype(np.uint8)
