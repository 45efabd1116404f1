"""benchmarks: a pixel classifier of ordinary size and a small network, made by hand: what they say means nothing.

``python -m benchmarks.models FOLDER`` writes ``pixels/`` (the features that `wsi-area train` takes, 80 trees) and
``network.onnx`` with its card (three convolutions, of 8 channels, windows of 512).
"""

import json
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from wsi_area.model.classes import TissueClass
from wsi_area.segmenters.onnx.file import sha256_of
from wsi_area.segmenters.pixels.feature_set import FeatureSet
from wsi_area.segmenters.pixels.model import PixelModel, save_model
from wsi_area.segmenters.pixels.trees import TreeEnsemble

TREES, CHANNELS = 80, (3, 8, 8, 2)
COLORS = ("#ffffff", "#c81e1e")


def pixel_model() -> PixelModel:
    """Return a model of as many trees as training makes, of one question each."""
    features, rng = FeatureSet(), np.random.default_rng(1)
    n_features = len(features.names)
    feature, threshold, left, right = (np.zeros(3 * TREES, kind) for kind in (np.int32, np.float32, np.int32, np.int32))
    feature[::3], threshold[::3] = rng.integers(0, n_features, TREES), rng.uniform(0, 0.3, TREES)
    left[:], right[:] = -1, -1
    left[::3], right[::3] = np.arange(1, 3 * TREES, 3), np.arange(2, 3 * TREES, 3)
    values = np.zeros((3 * TREES, 1), np.float32)
    values[1::3, 0], values[2::3, 0] = 1, -1
    roots, outputs = np.arange(0, 3 * TREES, 3, dtype=np.int32), np.zeros(TREES, np.int32)
    trees = TreeEnsemble(
        n_features, (0, 1), "logistic", roots, outputs, feature, threshold, left, right, values, np.zeros(1, np.float32)
    )
    classes = (TissueClass(0, "background", (255, 255, 255)), TissueClass(1, "tumor", (200, 30, 30), True, True))
    return PixelModel(features, classes, trees, 5.0, {"licence": "made by hand"})


def network() -> onnx.ModelProto:
    """Return convolutions of 3 × 3, one after the other."""
    rng, nodes, weights, before = np.random.default_rng(2), [], [], "image"
    for k, (given, made) in enumerate(pairwise(CHANNELS)):
        values = rng.normal(0, 0.1, (made, given, 3, 3)).astype(np.float32)
        weights.append(numpy_helper.from_array(values, f"w{k}"))
        is_last = k == len(CHANNELS) - 2
        after = "scores" if is_last else f"c{k}"
        nodes.append(helper.make_node("Conv", [before, f"w{k}"], [after], pads=[1] * 4))
        if not is_last:
            nodes.append(helper.make_node("Relu", [after], [f"r{k}"]))
        before = f"r{k}"
    shown = helper.make_tensor_value_info("image", TensorProto.FLOAT, ("n", 3, "h", "w"))
    said = helper.make_tensor_value_info("scores", TensorProto.FLOAT, ("n", CHANNELS[-1], "h", "w"))
    graph = helper.make_graph(nodes, "network", [shown], [said], weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True)
    save_model(pixel_model(), folder / "pixels")
    path = folder / "network.onnx"
    onnx.save(network(), path)
    names = ("background", "tumor")
    card = {
        "schema_version": 1, "name": "network", "model_sha256": sha256_of(path),
        "input": {"mpp_um": 1.0, "window_px": 512, "context_px": 16, "scale": "0..1"},
        "output": {"activation": "none"},
        "classes": [
            {"id": k, "name": name, "color": COLORS[k], "is_tissue": k > 0, "is_tumor": k > 0}
            for k, name in enumerate(names)
        ],
        "licence": "made by hand", "provenance": "weights drawn at random",
    }  # fmt: skip
    path.with_name("network.onnx.json").write_text(json.dumps(card, indent=1))


if __name__ == "__main__":
    main()
