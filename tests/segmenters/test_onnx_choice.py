"""The class that is chosen of a network's answer, held against numpy's argmax; what is not finite is found anywhere."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper
from onnx_networks import write_card_for

from wsi_area.errors import SegmentationError
from wsi_area.segmenters.onnx.asking import answers_of, class_maps_to, scores_to
from wsi_area.segmenters.onnx.card import OnnxCard, read_card
from wsi_area.segmenters.onnx.file import sha256_of
from wsi_area.segmenters.onnx.session import CPU, NetworkAt

EDGE = 72  # more pixels than are worked on at once, and no multiple of that


def classes_of_card(count: int) -> tuple[dict[str, Any], ...]:
    return tuple(
        {"id": k, "name": f"c{k}", "color": f"#{k:02x}{255 - k:02x}10", "is_tissue": k > 0} for k in range(count)
    )


def network_that_says(
    folder: Path, said: NDArray[np.float32], layout: str, rule: str = "argmax"
) -> tuple[NetworkAt, OnnxCard, NDArray[np.float32]]:
    """A network of one channel a score: it answers each window with these numbers, (channels, h, w)."""
    turned = said if layout == "NCHW" else said.transpose(1, 2, 0)
    values = onnx.numpy_helper.from_array(np.ascontiguousarray(turned[None]), "said")
    nodes = [  # the numbers whatever is shown: nothing of the picture but its number of windows
        helper.make_node("Identity", ["said"], ["scores"]),
        helper.make_node("ReduceMax", ["image"], ["unused"], keepdims=0),
    ]
    shown = helper.make_tensor_value_info("image", TensorProto.FLOAT, (1, 3, EDGE, EDGE))
    answer = helper.make_tensor_value_info("scores", TensorProto.FLOAT, values.dims)
    other = helper.make_tensor_value_info("unused", TensorProto.FLOAT, ())
    graph = helper.make_graph(nodes, "fixed", [shown], [answer, other], [values])
    path = folder / "fixed.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    classes = classes_of_card(len(said) + (rule == "threshold"))
    output = {"activation": "none", "decision": rule, "layout": layout, "name": "scores"}
    card = read_card(write_card_for(path, classes, output, window_px=EDGE))
    return NetworkAt(str(path), sha256_of(path), CPU, 1), card, np.zeros((1, 3, EDGE, EDGE), np.float32)


def noise(channels: int, kind: str) -> NDArray[np.float32]:
    rng = np.random.default_rng(channels)
    if kind == "ties":
        return rng.integers(0, 3, (channels, EDGE, EDGE)).astype(np.float32)
    if kind == "below 0":
        return -rng.random((channels, EDGE, EDGE), np.float32) * np.float32(1e30)
    return rng.normal(0, 1, (channels, EDGE, EDGE)).astype(np.float32)


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
@pytest.mark.parametrize("kind", ["noise", "ties", "below 0"])
@pytest.mark.parametrize("channels", [2, 3, 19])
def test_the_class_is_numpys_argmax_of_the_scores(tmp_path, layout, kind, channels):
    said = noise(channels, kind)
    (classes,) = class_maps_to(*network_that_says(tmp_path, said, layout))
    np.testing.assert_array_equal(classes[0], np.argmax(said, axis=0))


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
@pytest.mark.parametrize("channels", [1, 2, 7])
def test_with_a_threshold_the_highest_is_a_class_where_it_reaches_it(tmp_path, layout, channels):
    said = (np.random.default_rng(channels).integers(0, 11, (channels, EDGE, EDGE)) / 10).astype(np.float32)
    (classes,) = class_maps_to(*network_that_says(tmp_path, said, layout, "threshold"))
    expected = np.where((said >= np.float32(0.5)).any(axis=0), np.argmax(said, axis=0) + 1, 0)
    np.testing.assert_array_equal(classes[0], expected)
    assert {0, channels} <= set(np.unique(expected).tolist())


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
@pytest.mark.parametrize("places", [[(0, 0, 0)], [(2, EDGE - 1, EDGE - 1)], [(0, 5, 5), (1, 5, 5), (1, 60, 3)]])
@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_not_finite_are_counted_wherever_they_are(tmp_path, layout, places, number):
    said = noise(3, "noise")
    for place in places:
        said[place] = number
    told = re.escape(f"{len(places)} of {said.size} numbers that are not finite")
    network, card, shown = network_that_says(tmp_path, said, layout)
    for ask in (class_maps_to, scores_to):
        with pytest.raises(SegmentationError, match=told):
            ask(network, card, shown)
    with pytest.raises(SegmentationError, match=told):
        answers_of(network, card, 1, [np.zeros((EDGE, EDGE, 3), np.float32)])


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
def test_the_largest_and_the_smallest_numbers_are_finite(tmp_path, layout):
    said = noise(3, "noise")
    limits = np.finfo(np.float32)
    said[:, 0, :4] = [[limits.max, limits.min, limits.smallest_subnormal, -0.0]] * 3
    said[1, 1, 1] = limits.max
    (classes,) = class_maps_to(*network_that_says(tmp_path, said, layout))
    assert classes[0, 0, :4].tolist() == [0, 0, 0, 0]
    assert classes[0, 1, 1] == 1
