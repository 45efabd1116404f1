"""tests: small ONNX networks whose right answer is known, each written with its card."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from wsi_area.segmenters.onnx.card import OnnxCard
from wsi_area.segmenters.onnx.file import sha256_of

TWO_CLASSES = (
    {"id": 0, "name": "background", "color": "#ffffff"},
    {"id": 1, "name": "tumor", "color": "#c81e1e", "is_tissue": True, "is_tumor": True},
)
THREE_CLASSES = (
    *TWO_CLASSES,
    {"id": 2, "name": "stroma", "color": "#1e64c8", "is_tissue": True},
)
OPSET = 17


def weight(name: str, values: Any) -> onnx.TensorProto:
    return numpy_helper.from_array(np.asarray(values, np.float32), name)


def node(op: str, inputs: str, output: str, **attributes: Any) -> onnx.NodeProto:
    names = ["" if name == "-" else name for name in inputs.split()]  # an input that is left out has an empty name
    return helper.make_node(op, names, output.split(), **attributes)


def model_of(
    nodes: list[onnx.NodeProto],
    weights: list[onnx.TensorProto],
    channels: int = 2,
    *,
    input_shape: tuple[Any, ...] = ("n", 3, "h", "w"),
    output_shape: tuple[Any, ...] | None = None,
    domains: tuple[str, ...] = (),
) -> onnx.ModelProto:
    """A network from ``image`` to ``scores``."""
    shown = helper.make_tensor_value_info("image", TensorProto.FLOAT, input_shape)
    said = helper.make_tensor_value_info("scores", TensorProto.FLOAT, output_shape or ("n", channels, "p", "q"))
    graph = helper.make_graph(nodes, "small", [shown], [said], weights)
    opsets = [helper.make_opsetid("", OPSET), *(helper.make_opsetid(d, 1) for d in domains)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8)


def write_network(
    folder: Path,
    model: onnx.ModelProto,
    *,
    classes: tuple[dict[str, Any], ...] = TWO_CLASSES,
    output: dict[str, Any] | None = None,
    name: str = "small",
    background_is_glass: bool = True,
    examples: Sequence[dict[str, Any]] = (),
    also: dict[str, Any] | None = None,
    **shown: Any,
) -> Path:
    """Write the network with a card that shows it pixels as they are, 0..255, unless told otherwise."""
    path = folder / f"{name}.onnx"
    onnx.save(model, path)
    write_card_for(path, classes, output, background_is_glass, examples, also, **shown)
    return path


def write_card_for(
    path: Path,
    classes: tuple[dict[str, Any], ...] = TWO_CLASSES,
    output: dict[str, Any] | None = None,
    background_is_glass: bool = True,
    examples: Sequence[dict[str, Any]] = (),
    also: dict[str, Any] | None = None,
    **shown: Any,
) -> Path:
    document = {
        "schema_version": 1,
        "name": path.stem,
        "model_sha256": sha256_of(path),
        "input": {"mpp_um": 1.0, "window_px": 64, "context_px": 0, "scale": "0..255"} | shown,
        "output": {"activation": "none"} | (output or {}),
        "classes": classes,
        "background_is_glass": background_is_glass,
        "examples": examples,
        "licence": "made by a test",
        "provenance": "weights written by hand",
        **(also or {}),
    }
    beside = path.with_name(path.name + ".json")
    beside.write_text(OnnxCard.model_validate(document).model_dump_json(indent=2))
    return beside


def red_below(limit: float) -> onnx.ModelProto:
    """Scores (0, limit − red): class 1 exactly where red < limit."""
    kernel = np.zeros((2, 3, 1, 1))
    kernel[1, 0] = -1
    return model_of([node("Conv", "image w b", "scores")], [weight("w", kernel), weight("b", [0, limit])])


def red_sum_below(limit: float, size_px: int) -> onnx.ModelProto:
    """Class 1 where the sum of red over size × size pixels is < limit; whole numbers, so exact in float32."""
    kernel = np.zeros((2, 3, size_px, size_px))
    kernel[1, 0] = -1
    pads = [size_px // 2] * 4
    return model_of([node("Conv", "image w b", "scores", pads=pads)], [weight("w", kernel), weight("b", [0, limit])])


def pooled_red_below(limit: float, pool_px: int) -> onnx.ModelProto:
    """Class 1 where no pixel of the pool_px block on the window's own grid has red ≥ limit."""
    kernel = np.zeros((2, 3, 1, 1))
    kernel[1, 0] = -1
    step = [pool_px, pool_px]
    return model_of(
        [
            node("MaxPool", "image", "most", kernel_shape=step, strides=step),
            node("Resize", "most - scales", "grown", mode="nearest", nearest_mode="floor",
                 coordinate_transformation_mode="asymmetric"),
            node("Conv", "grown w b", "scores"),
        ],
        [weight("w", kernel), weight("b", [0, limit]), weight("scales", [1, 1, pool_px, pool_px])],
    )  # fmt: skip


def block_mean(pool_px: int, limit: float) -> onnx.ModelProto:
    """Scores (0, limit − mean red) for each pool_px block: an output of a coarser stride."""
    kernel = np.zeros((2, 3, 1, 1))
    kernel[1, 0] = -1
    step = [pool_px, pool_px]
    return model_of(
        [node("AveragePool", "image", "mean", kernel_shape=step, strides=step), node("Conv", "mean w b", "scores")],
        [weight("w", kernel), weight("b", [0, limit])],
    )


def darker_than_window() -> onnx.ModelProto:
    """Class 1 where red is below the mean red of the whole window."""
    kernel = np.zeros((1, 3, 1, 1))
    kernel[0, 0] = 1
    return model_of(
        [
            node("Conv", "image w", "red"),
            node("GlobalAveragePool", "red", "mean"),
            node("Sub", "red red", "zero"),
            node("Sub", "mean red", "darker"),
            node("Concat", "zero darker", "scores", axis=1),
        ],
        [weight("w", kernel)],
    )


def channels_as_scores(scale: Any = (1, 1, 1), shift: Any = (0, 0, 0)) -> onnx.ModelProto:
    """Three scores: each channel as it was shown, times a scale, plus a shift."""
    return model_of(
        [node("Conv", "image w b", "scores")],
        [weight("w", np.diag(scale).reshape(3, 3, 1, 1)), weight("b", shift)],
        3,
    )


def channels_last(limit: float) -> onnx.ModelProto:
    """``red_below`` that takes and gives NHWC."""
    kernel = np.zeros((2, 3, 1, 1))
    kernel[1, 0] = -1
    return model_of(
        [
            node("Transpose", "image", "first", perm=[0, 3, 1, 2]),
            node("Conv", "first w b", "said"),
            node("Transpose", "said", "scores", perm=[0, 2, 3, 1]),
        ],
        [weight("w", kernel), weight("b", [0, limit])],
        input_shape=("n", "h", "w", 3),
        output_shape=("n", "h", "w", 2),
    )


def shown_twice_normalised(
    *,
    subtract: Any = None,
    divide: Any = None,
    multiply: Any = None,
    subtract_last: Any = None,
    batch_norm: tuple[float, float] | None = None,
) -> onnx.ModelProto:
    """A network that does arithmetic with each pixel first: these steps in this order, one number or one a colour."""
    nodes, weights, name = [node("Identity", "image", "p0")], [], "p0"
    for op, number in (("Sub", subtract), ("Div", divide), ("Mul", multiply), ("Sub", subtract_last)):
        if number is None:
            continue
        step = f"p{len(nodes)}"
        weights.append(weight(f"{step}_c", np.reshape(np.asarray(number, np.float64), (1, -1, 1, 1))))
        nodes.append(node(op, f"{name} {step}_c", step))
        name = step
    if batch_norm is not None:
        mean, deviation = batch_norm
        for letter, number in (("g", 1.0), ("h", 0.0), ("m", mean), ("v", deviation**2)):
            weights.append(weight(letter, np.full(3, number)))
        nodes.append(node("BatchNormalization", f"{name} g h m v", "normed"))
        name = "normed"
    kernel = np.zeros((2, 3, 1, 1))
    kernel[1, 0] = -1
    nodes.append(node("Conv", f"{name} w", "scores"))
    return model_of(nodes, [*weights, weight("w", kernel)])


def of_bytes(model: onnx.ModelProto) -> onnx.ModelProto:
    """The same network, which takes uint8."""
    model.graph.node.insert(0, helper.make_node("Cast", ["image"], ["floats"], to=TensorProto.FLOAT))
    for other in model.graph.node[1:]:
        other.input[:] = ["floats" if name == "image" else name for name in other.input]
    model.graph.input[0].type.tensor_type.elem_type = TensorProto.UINT8
    return model


def labels_of_red(limits: tuple[float, float], kind: str, axes: int) -> onnx.ModelProto:
    """Labels 0, 1, 2 by how many of the limits red reaches: (n, h, w), or with an axis of one channel."""
    kernel = np.zeros((3, 3, 1, 1))
    kernel[:, 0, 0, 0] = (0, 1, 2)
    bias = [0, -limits[0] + 0.5, -sum(limits) + 1]
    types = {"int64": TensorProto.INT64, "int32": TensorProto.INT32, "uint8": TensorProto.UINT8}
    nodes = [
        node("Conv", "image w b", "each"),
        node("ArgMax", "each", "best", axis=1, keepdims=int(axes == 4)),
        node("Cast", "best", "scores", to=types[kind]),
    ]
    shape = ("n", "p", "q") if axes == 3 else ("n", 1, "p", "q")
    model = model_of(nodes, [weight("w", kernel), weight("b", bias)], output_shape=shape)
    model.graph.output[0].type.tensor_type.elem_type = types[kind]
    return model


def random_unet(seed: int = 5, base: int = 8) -> onnx.ModelProto:
    """Two poolings, skips, five 3 × 3 convolutions with random weights: floating point as in real networks."""
    rng = np.random.default_rng(seed)
    weights: list[onnx.TensorProto] = [weight("two", [1, 1, 2, 2])]
    nodes: list[onnx.NodeProto] = []

    def conv(source: str, name: str, inside: int, outside: int) -> None:
        kernel = rng.normal(0, (2 / (9 * inside)) ** 0.5, (outside, inside, 3, 3))
        weights.extend([weight(f"{name}_w", kernel), weight(f"{name}_b", rng.normal(0, 0.1, outside))])
        nodes.append(node("Conv", f"{source} {name}_w {name}_b", f"{name}_c", pads=[1, 1, 1, 1]))
        nodes.append(node("Relu", f"{name}_c", name))

    def down(source: str, name: str) -> None:
        nodes.append(node("MaxPool", source, name, kernel_shape=[2, 2], strides=[2, 2]))

    def up(source: str, skip: str, name: str) -> None:
        nodes.append(node("Resize", f"{source} - two", f"{name}_up", mode="linear",
                          coordinate_transformation_mode="half_pixel"))  # fmt: skip
        nodes.append(node("Concat", f"{name}_up {skip}", name, axis=1))

    conv("image", "a", 3, base)
    down("a", "a2")
    conv("a2", "b", base, 2 * base)
    down("b", "b2")
    conv("b2", "c", 2 * base, 4 * base)
    up("c", "b", "cb")
    conv("cb", "d", 6 * base, 2 * base)
    up("d", "a", "da")
    conv("da", "e", 3 * base, base)
    weights.extend([weight("w", rng.normal(0, 1, (3, base, 1, 1))), weight("bias", [0, 0, 0])])
    nodes.append(node("Conv", "e w bias", "scores"))
    return model_of(nodes, weights, 3)
