import contextlib
import hashlib

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper
from onnx_networks import model_of, node, random_unet, red_below, weight

from wsi_area.errors import SettingsError
from wsi_area.segmenters.onnx.file import checked_network, sha256_of


def checked(path):
    return checked_network(path, hashlib.sha256(path.read_bytes()).hexdigest())


@pytest.mark.parametrize("model", [red_below(100), random_unet()])
def test_a_network_that_needs_nothing_outside_itself_is_read_as_it_is(tmp_path, model):
    path = tmp_path / "net.onnx"
    onnx.save(model, path)
    assert checked(path) == model.SerializeToString()


@pytest.mark.parametrize("location", ["weights.bin", "../../etc/passwd"])
def test_weights_in_other_files_are_refused_wherever_they_lie(tmp_path, location):
    model = red_below(100)
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value=location)
    path = tmp_path / "net.onnx"
    path.write_bytes(model.SerializeToString())
    with pytest.raises(SettingsError, match=r"keeps weights in other files; save it as one file"):
        checked(path)


def test_weights_that_onnx_itself_saves_apart_are_refused(tmp_path):
    path = tmp_path / "net.onnx"
    onnx.save(random_unet(), path, save_as_external_data=True, size_threshold=0)
    with pytest.raises(SettingsError, match=r"keeps weights in other files"):
        checked(path)


def test_weights_apart_are_found_in_a_branch_of_a_branch_too(tmp_path):
    hidden = weight("v", [1.0])
    hidden.ClearField("raw_data")
    hidden.data_location = TensorProto.EXTERNAL
    said = helper.make_tensor_value_info("v", TensorProto.FLOAT, [1])
    inner = helper.make_graph([helper.make_node("Constant", [], ["v"], value=hidden)], "inner", [], [said])
    outer = helper.make_graph(
        [helper.make_node("If", ["yes"], ["v"], then_branch=inner, else_branch=inner)], "outer", [], [said]
    )
    model = model_of([helper.make_node("If", ["yes"], ["scores"], then_branch=outer, else_branch=outer)], [])
    path = tmp_path / "net.onnx"
    path.write_bytes(model.SerializeToString())
    with pytest.raises(SettingsError, match=r"keeps weights in other files"):
        checked(path)


def test_operators_of_somebodys_library_are_refused(tmp_path):
    path = tmp_path / "net.onnx"
    for model in (
        model_of([helper.make_node("Run", ["image"], ["scores"], domain="evil.ops")], [], domains=("evil.ops",)),
        model_of([helper.make_node("Run", ["image"], ["scores"], domain="evil.ops")], []),
    ):
        path.write_bytes(model.SerializeToString())
        with pytest.raises(SettingsError, match=r"needs operators of 'evil\.ops', which are not onnxruntime's own"):
            checked(path)


def test_another_hash_and_another_kind_of_file_are_refused(tmp_path):
    path = tmp_path / "net.onnx"
    path.write_bytes(b"\x89PNG\r\n\x1a\n not a network at all")
    with pytest.raises(SettingsError, match=r"has the SHA-256 \w+…, its card is for 000000"):
        checked_network(path, "0" * 64)
    with pytest.raises(SettingsError, match=r"is not an ONNX file"):
        checked(path)
    with pytest.raises(SettingsError, match=r"cannot be read"):
        checked_network(tmp_path / "nowhere.onnx", "0" * 64)
    with pytest.raises(SettingsError, match=r"cannot be read"):
        sha256_of(tmp_path / "nowhere.onnx")


def test_the_hash_follows_the_file(tmp_path):
    path = tmp_path / "net.onnx"
    path.write_bytes(b"one")
    assert sha256_of(path) == hashlib.sha256(b"one").hexdigest()
    path.write_bytes(b"three")
    assert sha256_of(path) == hashlib.sha256(b"three").hexdigest()


@settings(max_examples=60, deadline=None)
@given(cut=st.integers(0, 400), junk=st.binary(max_size=20))
def test_a_damaged_file_is_refused_or_read_but_never_breaks_the_reader(tmp_path_factory, cut, junk):
    path = tmp_path_factory.mktemp("damaged") / "net.onnx"
    path.write_bytes(red_below(100).SerializeToString()[:cut] + junk)
    with contextlib.suppress(SettingsError):
        checked(path)


def test_weights_are_not_mistaken_for_messages(tmp_path):
    """The bytes of a tensor may look like any field; only declared fields are walked."""
    bytes_like_external = np.frombuffer(bytes([0x70, 0x01] * 8), np.float32)  # field 14 = 1, over and over
    path = tmp_path / "net.onnx"
    onnx.save(model_of([node("Add", "image w", "scores")], [weight("w", bytes_like_external[0])]), path)
    assert checked(path)
