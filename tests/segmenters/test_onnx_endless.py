"""A network that loops for ever ends by the tile's deadline in worker processes."""

from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx_networks import model_of, node, weight, write_network
from synthetic import FileForm, box, write_slide

from wsi_area.inputs.collect import collect_slides
from wsi_area.model.calibration import Mpp
from wsi_area.model.geometry import Size
from wsi_area.run.pipeline import run_slides
from wsi_area.run.run_document import RunOutcome
from wsi_area.settings.run_settings import load

SIZE = Size(300, 200)


def endless() -> "helper.ModelProto":
    """A network that turns round 2⁶² times, whatever it is shown."""
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["go"], ["go_on"]),
            helper.make_node("Sin", ["x"], ["turned"]),
        ],
        "turn",
        [
            helper.make_tensor_value_info("i", TensorProto.INT64, []),
            helper.make_tensor_value_info("go", TensorProto.BOOL, []),
            helper.make_tensor_value_info("x", TensorProto.FLOAT, None),
        ],
        [
            helper.make_tensor_value_info("go_on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("turned", TensorProto.FLOAT, None),
        ],
    )
    nodes = [
        node("Slice", "image from to axes", "red"),
        node("ReduceMax", "red", "brightest", keepdims=0),
        node("Less", "brightest below", "begin"),
        helper.make_node("Loop", ["turns", "begin", "brightest"], ["turned"], body=body),
        node("Sub", "middle red", "below_middle"),
        node("Mul", "turned zero", "nothing"),
        node("Add", "below_middle nothing", "tumor"),
        node("Neg", "tumor", "background"),
        node("Concat", "background tumor", "scores", axis=1),
    ]
    whole = [numpy_helper.from_array(np.array(value, np.int64), name) for name, value in
             (("from", [0]), ("to", [1]), ("axes", [1]), ("turns", 2**62))]  # fmt: skip
    weights = [weight("below", 1e9), weight("middle", 170.0), weight("zero", 0.0), *whole]
    return model_of(nodes, weights)


@pytest.fixture
def slide(tmp_path: Path) -> Path:
    form = FileForm(mpp=Mpp(0.25, 0.25), tile_px=64)
    return write_slide(tmp_path / "s.tif", SIZE, {"dab": box(SIZE, 0, 0, 150, 200)}, form).path


def run(slide: Path, network: Path, out: Path, *assignments: str) -> RunOutcome:
    wanted = ["segmenter.name=onnx", f'segmenter.model="{network}"', "run.workers=1", *assignments]
    return run_slides(collect_slides([str(slide)]), load(None, wanted), out)


PROCESSES = ("run.executor=processes", "run.tile_timeout_s=3", "run.worker_retries=0", "tiling.tile_px=128")


def test_in_processes_a_network_that_never_answers_fails_its_slide_by_the_deadline(slide: Path, tmp_path: Path) -> None:
    network = write_network(tmp_path, endless(), mpp_um=0.25)
    outcome = run(slide, network, tmp_path / "out", *PROCESSES)
    [ended] = outcome.slides
    assert (outcome.exit_code, ended.status) == (2, "failed")
    assert "run.tile_timeout_s" in ended.reason
