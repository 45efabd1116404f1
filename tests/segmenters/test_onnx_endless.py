"""A network that loops for ever, on all tiles or on one, ends by the tile's deadline, or with the second Ctrl-C."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import tifffile
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


def endless(redder_than: float = -1e9) -> "helper.ModelProto":
    """A network that turns round 2⁶² times where 2R - G - B of a pixel is more than this; by default of any."""
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
        node("Conv", "image redness", "how_red"),
        node("ReduceMax", "how_red", "reddest", keepdims=0),
        node("Greater", "reddest limit", "begin"),
        helper.make_node("Loop", ["turns", "begin", "reddest"], ["turned"], body=body),
        node("Sub", "middle red", "below_middle"),
        node("Mul", "turned zero", "nothing"),
        node("Add", "below_middle nothing", "tumor"),
        node("Neg", "tumor", "background"),
        node("Concat", "background tumor", "scores", axis=1),
    ]
    whole = [numpy_helper.from_array(np.array(value, np.int64), name) for name, value in
             (("from", [0]), ("to", [1]), ("axes", [1]), ("turns", 2**62))]  # fmt: skip
    weights = [
        weight("limit", redder_than),
        weight("redness", [[[[2.0]], [[-1.0]], [[-1.0]]]]),
        weight("middle", 170.0),
        weight("zero", 0.0),
        *whole,
    ]
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


@pytest.fixture
def slides(tmp_path: Path) -> list[Path]:
    """Two slides, the first with pure red in the last of its six tiles."""
    paths = [tmp_path / "a.tif", tmp_path / "b.tif"]
    for path, spot in zip(paths, (20, 0), strict=True):
        rgb = np.full((200, 300, 3), (150, 90, 60), np.uint8)
        rgb[150 : 150 + spot, 270 : 270 + spot] = (255, 0, 0)
        scale = {"resolution": (4e4, 4e4), "resolutionunit": "CENTIMETER"}
        tifffile.imwrite(path, rgb, tile=(64, 64), photometric="rgb", compression="deflate", metadata=None, **scale)
    return paths


ONE_TILE = ("tiling.skip_glass=false", "tiling.tile_px=128")


def test_one_tile_that_never_ends_costs_itself_and_the_other_slide_is_complete(
    slides: list[Path], tmp_path: Path
) -> None:
    network = write_network(tmp_path, endless(509.0), mpp_um=0.25)
    wanted = ["segmenter.name=onnx", f'segmenter.model="{network}"', "run.workers=1", *PROCESSES, *ONE_TILE]
    outcome = run_slides(collect_slides([str(path) for path in slides]), load(None, wanted), tmp_path / "out")
    first, second = outcome.slides
    assert (outcome.exit_code, first.status, second.status) == (2, "incomplete", "complete")
    assert "run.tile_timeout_s" in first.reason
    assert first.counts.n_px_unreadable > 0
    assert second.counts.n_px_unreadable == 0


def test_in_threads_a_tile_that_never_ends_is_named_and_the_second_ctrl_c_ends_the_run(
    slides: list[Path], tmp_path: Path
) -> None:
    network = write_network(tmp_path, endless(509.0), mpp_um=0.25)
    own = (
        "segmenter.name=onnx",
        f'segmenter.model="{network}"',
        "run.executor=threads",
        "run.tile_timeout_s=1",
        *ONE_TILE,
    )
    words = [sys.executable, "-m", "wsi_area", "run", str(slides[0]), "--out", str(tmp_path / "out"), "--no-report"]
    told = tmp_path / "told.txt"
    with told.open("w") as lines:
        process = subprocess.Popen([*words, *(w for o in own for w in ("--set", o))], stderr=lines, stdout=lines)
    try:
        wait_for("cannot be ended in a thread", told, process)
        os.kill(process.pid, signal.SIGINT)
        wait_for("interrupted", told, process)
        os.kill(process.pid, signal.SIGINT)
        assert process.wait(30) == 130
    finally:
        process.kill()
        process.wait(30)
    assert "tile row" in told.read_text()
    assert "Traceback" not in told.read_text()


def wait_for(words: str, told: Path, process: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + 90
    while words not in told.read_text():
        assert time.monotonic() < end, told.read_text()
        assert process.poll() is None, told.read_text()
        time.sleep(0.05)
