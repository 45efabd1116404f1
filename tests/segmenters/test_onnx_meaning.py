"""A network that means something else than its card says is refused before a slide is measured."""

import hashlib

import numpy as np
import pytest
from onnx import TensorProto, helper
from onnx_networks import (
    THREE_CLASSES,
    TWO_CLASSES,
    channels_as_scores,
    labels_of_red,
    model_of,
    node,
    of_bytes,
    red_below,
    shown_twice_normalised,
    weight,
    write_network,
)
from pictures import all_valid
from PIL import Image
from pydantic import ValidationError
from test_onnx_model import NOISE, fitted, place_of

from wsi_area.errors import SettingsError
from wsi_area.model.geometry import Region
from wsi_area.segmenters.onnx.model import OnnxSegmenter

SIGMOID, SOFTMAX = {"activation": "sigmoid"}, {"activation": "softmax"}


def ending_in(*operators, channels=1, limit=100.0, **attributes):
    """Scores (limit − red) / 8 of each channel, then these operators in turn."""
    kernel = np.zeros((channels, 3, 1, 1))
    kernel[-1, 0] = -1 / 8
    names = ["s0", *(f"s{n + 1}" for n in range(len(operators) - 1)), "scores"]
    chain = [
        node(op, names[n], names[n + 1], **(attributes if op.endswith("Softmax") else {}))
        for n, op in enumerate(operators)
    ]
    bias = np.zeros(channels)
    bias[-1] = limit / 8
    return model_of([node("Conv", "image w b", "s0"), *chain], [weight("w", kernel), weight("b", bias)], channels)


# ---------------------------------------------------------------- an activation that the graph holds already


@pytest.mark.parametrize(
    ("model", "classes", "output", "decision"),
    [
        (ending_in("Sigmoid"), TWO_CLASSES, SIGMOID, "threshold"),
        (ending_in("HardSigmoid"), TWO_CLASSES, SIGMOID, "threshold"),
        (ending_in("Sigmoid", "Identity"), TWO_CLASSES, SIGMOID, "threshold"),
        (ending_in("Softmax", channels=2, axis=1), TWO_CLASSES, SOFTMAX, "argmax"),
        (ending_in("Softmax", channels=2, axis=1), THREE_CLASSES, SIGMOID, "threshold"),
        (ending_in("Sigmoid", channels=2), TWO_CLASSES, SOFTMAX, "argmax"),
        (ending_in("LogSoftmax", channels=2, axis=1), THREE_CLASSES, SIGMOID, "argmax"),
    ],
)
def test_an_activation_that_is_applied_twice_is_refused_before_the_run(tmp_path, model, classes, output, decision):
    path = write_network(tmp_path, model, classes=classes, output=output)
    with pytest.raises(ValidationError, match=rf'ends in \w+, .* output.decision to "{decision}" in the card'):
        OnnxSegmenter(model=path)


def test_with_the_keys_that_the_refusal_names_the_painted_pixels_are_counted(tmp_path):
    path = write_network(tmp_path, ending_in("Sigmoid"), output={"activation": "none", "decision": "threshold"})
    answer = fitted(path).class_map(all_valid(NOISE))
    assert np.array_equal(answer, (NOISE[..., 0] <= 100).astype(np.uint8))


def test_a_log_softmax_may_be_followed_by_softmax_which_gives_the_probabilities_back(tmp_path):
    path = write_network(tmp_path, ending_in("LogSoftmax", channels=2, limit=100.5, axis=1), output=SOFTMAX)
    answer = fitted(path).class_map(all_valid(NOISE))
    assert np.array_equal(answer, (NOISE[..., 0] <= 100).astype(np.uint8))


def test_a_sigmoid_that_is_no_operator_shows_in_its_answers(tmp_path):
    """1 / (1 + e^-x) in single steps, and a mask of 0 and 1."""
    kernel = np.zeros((1, 3, 1, 1))
    kernel[0, 0] = 1 / 8
    first = [node("Conv", "image w b", "x")]
    constants = [weight("w", kernel), weight("b", [-12.5]), weight("one", [1.0])]
    by_steps = [node("Exp", "x", "e"), node("Add", "e one", "d"), node("Div", "one d", "scores")]
    clipped = [weight("low", 0.0), weight("high", 1.0)]
    for index, (steps, more) in enumerate([(by_steps, []), ([node("Clip", "x low high", "scores")], clipped)]):
        path = write_network(
            tmp_path, model_of([*first, *steps], [*constants, *more], 1), output=SIGMOID, name=f"n{index}"
        )
        with pytest.raises(SettingsError, match=r"answers with \S+ to 1 .* apply sigmoid again"):
            fitted(path)


# ---------------------------------------------------------------- what is held against a threshold


def test_scores_that_are_no_probabilities_are_not_held_against_a_threshold(tmp_path):
    output = {"activation": "none", "decision": "threshold"}
    for index, model in enumerate((ending_in("Identity"), ending_in("Relu"), ending_in("Tanh"))):
        path = write_network(tmp_path, model, output=output, name=f"n{index}")
        with pytest.raises(SettingsError, match=r"no probabilities, .* threshold 0.5; set output.activation to \"sigm"):
            fitted(path)


@pytest.mark.parametrize(
    ("model", "classes", "output"),
    [
        (ending_in("Identity"), TWO_CLASSES, {"activation": "softmax", "decision": "threshold"}),
        (ending_in("Identity", channels=2), THREE_CLASSES, {"activation": "softmax", "decision": "threshold"}),
        (ending_in("Softmax", axis=1), TWO_CLASSES, {"activation": "none", "decision": "threshold"}),
        (ending_in("Softmax", channels=2, axis=1), THREE_CLASSES, {"activation": "none", "decision": "threshold"}),
    ],
)
def test_probabilities_that_add_up_to_one_without_a_background_are_refused(tmp_path, model, classes, output):
    path = write_network(tmp_path, model, classes=classes, output=output)
    with pytest.raises(SettingsError, match=r"one of them always reaches the threshold 0.5 and nothing is background"):
        fitted(path)


def test_probabilities_that_add_up_along_the_picture_are_refused(tmp_path):
    for axis, what in ((2, "column"), (3, "row"), (-1, "row")):
        path = write_network(
            tmp_path, ending_in("Softmax", channels=2, axis=axis), name=f"n{axis + 1}", context_px="window"
        )
        with pytest.raises(SettingsError, match=rf"add up to 1 along each {what} of the picture"):
            fitted(path)


# ---------------------------------------------------------------- pixels in another range


IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
BYTES = (tuple(255 * m for m in IMAGENET[0]), tuple(255 * s for s in IMAGENET[1]))


@pytest.mark.parametrize(
    ("inside", "shown", "wanted"),
    [
        ({"divide": 255}, {"scale": "0..1"}, "0..255"),
        ({"multiply": 1 / 255}, {"scale": "0..1"}, "0..255"),
        ({"divide": 127.5, "subtract_last": 1.0}, {"scale": "0..1"}, "0..255"),
        ({"divide": 255}, {"scale": "0..255", "mean": BYTES[0], "std": BYTES[1]}, "0..255"),
        ({"subtract": IMAGENET[0], "divide": IMAGENET[1]}, {"scale": "0..255"}, "0..1"),
        ({"subtract": IMAGENET[0], "divide": IMAGENET[1]}, {"scale": "0..1", "mean": IMAGENET[0], "std": IMAGENET[1]},
         "0..1"),
        ({"subtract": (0.5,), "divide": (0.5,)}, {"scale": "0..1", "mean": (0.5,) * 3, "std": (0.5,) * 3}, "0..1"),
        ({"subtract": BYTES[0]}, {"scale": "0..1"}, "0..255"),
        ({"subtract": BYTES[0], "divide": BYTES[1]}, {"scale": "0..1"}, "0..255"),
        ({"subtract": IMAGENET[0]}, {"scale": "0..255"}, "0..1"),
        ({"batch_norm": (180.0, 50.0)}, {"scale": "0..1"}, "0..255"),
        ({"batch_norm": (0.7, 0.2)}, {"scale": "0..255"}, "0..1"),
    ],
)  # fmt: skip
def test_pixels_in_another_range_than_the_graph_wants_are_refused(tmp_path, inside, shown, wanted):
    path = write_network(tmp_path, shown_twice_normalised(**inside), **shown)
    with pytest.raises(ValidationError, match=rf'begins with .* set input.scale to "{wanted}" in the card'):
        OnnxSegmenter(model=path)


@pytest.mark.parametrize(
    ("shown", "scale"),
    [
        ({"scale": "0..1", "mean": BYTES[0], "std": BYTES[1]}, "0..255"),
        ({"scale": "0..1", "mean": BYTES[0]}, "0..255"),
        ({"scale": "0..1", "std": (58.0, 58.0, 58.0)}, "0..255"),
        ({"scale": "0..255", "mean": IMAGENET[0], "std": IMAGENET[1]}, "0..1"),
        ({"scale": "0..255", "std": (0.5, 0.5, 0.5)}, "0..1"),
    ],
)
def test_a_mean_and_a_deviation_of_the_other_scale_are_a_wrong_card(tmp_path, shown, scale):
    with pytest.raises(ValidationError, match=rf'set scale to "{scale}"'):
        write_network(tmp_path, red_below(100), **shown)


@pytest.mark.parametrize(
    ("inside", "shown"),
    [
        ({"divide": 255}, {"scale": "0..255"}),
        ({"divide": 255, "subtract_last": IMAGENET[0]}, {"scale": "0..255"}),
        ({"divide": 127.5, "subtract_last": 1.0}, {"scale": "0..255"}),
        ({"subtract": IMAGENET[0], "divide": IMAGENET[1]}, {"scale": "0..1"}),
        ({"subtract": BYTES[0]}, {"scale": "0..255"}),
        ({"multiply": 255, "subtract_last": BYTES[0]}, {"scale": "0..1"}),
        ({"multiply": 0.5, "subtract_last": (-0.5,)}, {"scale": "0..1", "mean": (0.5,) * 3, "std": (0.5,) * 3}),
        ({"batch_norm": (0.7, 0.2)}, {"scale": "0..1"}),
        ({"batch_norm": (180.0, 50.0)}, {"scale": "0..255"}),
        ({}, {"scale": "0..1", "mean": IMAGENET[0], "std": IMAGENET[1]}),
    ],
)
def test_a_graph_that_is_shown_what_it_wants_is_taken(tmp_path, inside, shown):
    OnnxSegmenter(model=write_network(tmp_path, shown_twice_normalised(**inside), **shown))


# ---------------------------------------------------------------- pixels as bytes, answers as labels


def test_a_network_that_takes_bytes_is_shown_the_pixels_as_they_are(tmp_path):
    path = write_network(tmp_path, of_bytes(red_below(100)), dtype="uint8")
    assert np.array_equal(fitted(path).class_map(all_valid(NOISE)), (NOISE[..., 0] < 100).astype(np.uint8))


def test_a_network_that_takes_bytes_says_which_key_of_its_card_is_wrong(tmp_path):
    path = write_network(tmp_path, of_bytes(red_below(100)))
    with pytest.raises(SettingsError, match=r'takes tensor\(uint8\), .* set input.dtype to "uint8"'):
        fitted(path)
    with pytest.raises(ValidationError, match=r"dtype uint8 takes pixels as they are"):
        write_network(tmp_path, of_bytes(red_below(100)), dtype="uint8", scale="0..1")


def test_resampled_pixels_are_rounded_to_bytes(tmp_path):
    model = of_bytes(channels_as_scores())
    path = write_network(tmp_path, model, classes=THREE_CLASSES, dtype="uint8", mpp_um=2.0, window_px=64)
    flat = np.full((64, 64, 3), (11, 21, 31), np.uint8)
    flat[::2] += 1  # two rows to a pixel of the network: 11.5 is shown as 12
    segmenter = fitted(path, flat, mpp=1.0)
    found = segmenter.probabilities_at(all_valid(flat), place_of(Region(0, 0, 64, 64)))
    assert set(np.unique(found).tolist()) == {12.0, 22.0, 32.0}


@pytest.mark.parametrize("kind", ["int64", "int32", "uint8"])
@pytest.mark.parametrize("axes", [3, 4])
def test_labels_are_the_classes(tmp_path, kind, axes):
    output = {"activation": "none", "decision": "labels"}
    path = write_network(tmp_path, labels_of_red((80, 160), kind, axes), classes=THREE_CLASSES, output=output)
    expected = np.digitize(NOISE[..., 0], [80, 160]).astype(np.uint8)
    assert np.array_equal(fitted(path).class_map(all_valid(NOISE)), expected)


@pytest.mark.parametrize(
    ("classes", "output", "words"),
    [
        (THREE_CLASSES, {"activation": "none"}, r'labels, .* means scores; set output.decision to "labels"'),
        (
            TWO_CLASSES,
            {"activation": "none", "decision": "labels"},
            r"labels from 0 to 2, its card has",
        ),
    ],
)
def test_labels_that_the_card_does_not_mean_are_refused(tmp_path, classes, output, words):
    path = write_network(tmp_path, labels_of_red((80, 160), "int64", 3), classes=classes, output=output)
    with pytest.raises((SettingsError, ValidationError), match=words):
        fitted(path)


def test_scores_are_not_taken_for_labels(tmp_path):
    path = write_network(tmp_path, red_below(100), output={"activation": "none", "decision": "labels"})
    with pytest.raises(SettingsError, match=r'its card means labels .* set output.decision to "argmax"'):
        fitted(path)


def test_an_argmax_in_the_graph_is_told_before_the_run(tmp_path):
    model = red_below(100)
    model.graph.node[0].output[0] = "raw"
    model.graph.node.append(helper.make_node("ArgMax", ["raw"], ["scores"], axis=1, keepdims=0))
    model.graph.output[0].CopyFrom(helper.make_tensor_value_info("scores", TensorProto.INT64, ("n", "p", "q")))
    with pytest.raises(ValidationError, match=r'ends in ArgMax, .* set output.decision to "labels"'):
        OnnxSegmenter(model=write_network(tmp_path, model))


def test_whole_numbers_are_labels_whatever_made_them(tmp_path):
    model = red_below(100)
    model.graph.node[0].output[0] = "raw"
    model.graph.node.append(helper.make_node("Cast", ["raw"], ["scores"], to=TensorProto.INT64))
    model.graph.output[0].type.tensor_type.elem_type = TensorProto.INT64
    with pytest.raises(SettingsError, match=r"answers with tensor\(int64\), which are labels, its card means scores"):
        fitted(write_network(tmp_path, model))


# ---------------------------------------------------------------- examples of known class


def example(folder, name, rgb, size=(40, 50)):
    """A flat picture beside the card, and its entry."""
    Image.fromarray(np.full((*size, 3), rgb, np.uint8)).save(folder / name)
    return {"file": name, "sha256": hashlib.sha256((folder / name).read_bytes()).hexdigest()}


def test_network_card_and_examples_are_stated_as_read(tmp_path):
    entries = [{**example(tmp_path, f"{n}.png", (60, 200, 200)), "expected": "tumor"} for n in range(3)]
    path = write_network(tmp_path, red_below(100), examples=entries)
    stated = OnnxSegmenter(model=path).files_read
    assert set(stated) == {file for file in tmp_path.iterdir() if file.is_file()}


@pytest.mark.parametrize("size", [(1, 1), (40, 50), (64, 64), (200, 30)])
def test_an_example_that_is_taken_for_its_class_is_on_record(tmp_path, size):
    dark = {**example(tmp_path, "dark.png", (60, 200, 200), size), "expected": "tumor"}
    path = write_network(tmp_path, red_below(100), examples=[dark])
    (found,) = fitted(path).facts["trial"]["examples"]
    assert found == dark


@pytest.mark.parametrize(
    ("model", "change", "expected"),
    [
        (channels_as_scores((-1, 1, 1), (200, -90, -400)), {}, "tumor"),  # classes in another order
        (red_below(100), {"channels": "BGR"}, "tumor"),
        (red_below(100), {"mean": (-200.0, 0.0, 0.0)}, "tumor"),
        (red_below(100), {}, "background"),
    ],
)
def test_an_example_that_is_taken_for_another_class_refuses_the_network(tmp_path, model, change, expected):
    entry = {**example(tmp_path, "one.png", (60, 200, 200)), "expected": expected}
    classes = THREE_CLASSES if model.graph.output[0].type.tensor_type.shape.dim[1].dim_value == 3 else TWO_CLASSES
    path = write_network(tmp_path, model, classes=classes, examples=[entry], **change)
    with pytest.raises(SettingsError, match=rf"of its example one.png for '\w+' and 0% for '{expected}'"):
        fitted(path)


def test_an_example_that_is_missing_changed_or_no_picture_is_named(tmp_path):
    entry = {**example(tmp_path, "one.png", (60, 200, 200)), "expected": "tumor"}
    path = write_network(tmp_path, red_below(100), examples=[entry])
    (tmp_path / "one.png").write_bytes(b"\x89PNG")
    with pytest.raises(SettingsError, match=r"one.png has the SHA-256"):
        fitted(path)
    (tmp_path / "one.png").unlink()
    with pytest.raises(SettingsError, match=r"one.png cannot be read .* put it beside the card"):
        fitted(path)
    (tmp_path / "bad.png").write_bytes(b"no picture")
    bad = {"file": "bad.png", "sha256": hashlib.sha256(b"no picture").hexdigest(), "expected": "tumor"}
    with pytest.raises(SettingsError, match=r"bad.png is no PNG that can be read"):
        fitted(write_network(tmp_path, red_below(99), examples=[bad], name="other"))


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({"file": "../one.png", "sha256": "0" * 64, "expected": "tumor"}, "examples.0.file"),
        ({"file": "one.png", "sha256": "0" * 64, "expected": "gland"}, "expect the class 'gland'"),
    ],
)
def test_an_example_of_no_class_or_from_elsewhere_is_a_wrong_card(tmp_path, entry, words):
    with pytest.raises(ValidationError, match=words):
        write_network(tmp_path, red_below(100), examples=[entry])
