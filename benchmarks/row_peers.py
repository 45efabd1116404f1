"""benchmarks: parts of rows that have a peer: networks, features of pixels, outlines; see `row_parts`.

Each peer does on the same pixels what its documentation does for the task. onnxruntime and scikit-learn are extras of
the project; rasterio runs in an environment of its own.
"""

import json
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray

from benchmarks.contenders import cost_of
from benchmarks.environments import HERE, VENVS
from benchmarks.measure import run_measured
from benchmarks.memory import write_models
from benchmarks.row_runs import COARSE, RULE, run, spent_s
from benchmarks.slide import WORK
from wsi_area.exports.export import ExportOptions, export_run
from wsi_area.model.slide_result import CountedSlide
from wsi_area.results.opened_run import open_run
from wsi_area.segmenters.onnx import asking
from wsi_area.segmenters.onnx.session import NetworkAt, session_for

MODELS = WORK / "models"
CLASSIFIED_PX = 512
"""The side of the stained picture that scikit-image classifies: it has no larger one."""


def windows_met(out: Path, slide: CountedSlide, kept_px: int) -> int:
    """Return the number of a network's windows that keep pixels that were read: on a grid of what one keeps."""
    opened = open_run(str(out))[slide.slide_id]
    read = opened.ledger()[..., opened.ledger_columns.index("status")] == 1
    tile_px, size = slide.work.tile_px, opened.grid.size_px
    met = np.zeros((-(-size.height_px // kept_px), -(-size.width_px // kept_px)), np.bool_)
    for row, col in np.argwhere(read):
        bottom, right = min((row + 1) * tile_px, size.height_px), min((col + 1) * tile_px, size.width_px)
        met[row * tile_px // kept_px : -(-bottom // kept_px), col * tile_px // kept_px : -(-right // kept_px)] = True
    return int(met.sum())


def session_s(runs: int, window_px: int) -> float:
    """Return the CPU seconds in which a bare onnxruntime session is run so often, on one thread."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(MODELS / "network.onnx", options, providers=["CPUExecutionProvider"])
    shown = {"image": np.random.default_rng(3).random((1, 3, window_px, window_px), np.float32)}
    session.run(None, shown)
    before = time.process_time()
    for _ in range(runs):
        session.run(None, shown)
    return time.process_time() - before


class TimedSession:
    """A session of onnxruntime, how often it was run, and the CPU seconds that this took in the threads that asked."""

    def __init__(self, session: Any) -> None:
        self._session, self.runs, self.cpu_s = session, 0, 0.0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)

    def run(self, *told: Any) -> Any:
        before = time.thread_time()
        answer = self._session.run(*told)
        self.cpu_s += time.thread_time() - before
        self.runs += 1
        return answer


def network(slides: list[str], out: Path) -> Mapping[str, float]:
    """A network at its own pixel, tiles cut by the program, beside a bare session that is run on as many windows.

    What the tiles take beside the network is timed within the run: the bare session takes up to a tenth more in one
    minute than in the next, which is a third of what is beside it. It is run before the tiles and after them.
    """
    write_models(MODELS)
    card = json.loads((MODELS / "network.onnx.json").read_text())["input"]
    told = (f"segmenter.model={MODELS / 'network.onnx'}", "tissue.name=none", "run.workers=1", "run.executor=threads")
    measured = partial(run, slides, out, "onnx_model", *told, force=True)
    (slide,) = (
        measured()
    )  # the trial of the network is no part of its tiles, and how many windows there are must be known
    windows = slide.timing.network_runs
    bare_s = session_s(windows, card["window_px"])
    timed: list[TimedSession] = []

    def timed_session(network: NetworkAt) -> TimedSession:
        if not timed:
            timed.append(TimedSession(session_for(network)))
        return timed[0]

    with patch.object(asking, "session_for", timed_session):
        (slide,) = measured()
    bare_s = (bare_s + session_s(windows, card["window_px"])) / 2
    if timed[0].runs != windows:
        raise SystemExit(f"{timed[0].runs} windows were timed, and the run says {windows}")
    return {
        "runs": windows,
        "windows": windows_met(out, slide, card["window_px"] - 2 * card["context_px"]),
        "beside": slide.timing.inner_cpu_s - slide.timing.edge_proof_cpu_s - timed[0].cpu_s,
        "network": timed[0].cpu_s,
        "session": bare_s,
    }


def features(slides: list[str], out: Path) -> Mapping[str, float]:
    """The tiles of a pixel classifier, beside scikit-image's features and scikit-learn's forest: CPU µs a pixel."""
    write_models(MODELS)
    told = (f"segmenter.model={MODELS / 'pixels'}", "tissue.name=none", "run.workers=1", "run.executor=threads")
    (slide,) = run(slides, out, "pixel_classifier", *told, force=True)
    opened = open_run(str(out))[slide.slide_id]
    read = opened.ledger()[..., opened.ledger_columns.index("status")] == 1
    return {
        "ours": 1e6 * slide.timing.inner_cpu_s / (read.sum() * slide.work.tile_px**2),
        "scikit-image": 1e6 * classified_s() / CLASSIFIED_PX**2,
    }


def classified_s() -> float:
    """Return the CPU seconds in which scikit-image and a forest of 80 trees classify a stained picture."""
    import skimage.data
    from skimage.feature import multiscale_basic_features
    from sklearn.ensemble import RandomForestClassifier

    picture: NDArray[np.uint8] = skimage.data.immunohistochemistry()
    kept = multiscale_basic_features(picture, sigma_min=2.4, sigma_max=40, channel_axis=-1)
    flat = kept.reshape(-1, kept.shape[-1])
    some = flat[::50]
    forest = RandomForestClassifier(80, max_depth=8, n_jobs=1, random_state=0).fit(some, some[:, 0] > some[:, 0].mean())
    before = time.process_time()
    multiscale_basic_features(picture, sigma_min=2.4, sigma_max=40, channel_axis=-1)
    forest.predict(flat)
    return time.process_time() - before


def outlines(slides: list[str], out: Path) -> Mapping[str, float]:
    """The GeoJSON of a stained slide, beside rasterio's shapes of the same class map, written as lines of JSON."""
    (slide,) = run(slides, out, RULE, COARSE, force=True)
    exported = spent_s(lambda: list(export_run(out, ExportOptions("geojson"))))
    codes = out / "codes.npy"
    np.save(codes, open_run(str(out))[slide.slide_id].class_map())
    script = HERE / "peers" / "rasterio_outlines.py"
    cost = run_measured([VENVS / "rasterio_outlines" / "bin" / "python", script, codes])
    if cost.exit_code:
        raise SystemExit(f"rasterio: {cost_of(cost)['failed']}")
    return {"export": exported, "rasterio": json.loads(cost.stdout)["cpu_s"]}
