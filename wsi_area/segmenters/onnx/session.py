"""segmenters: an ONNX network ready to run in this process: one session each, bounded to the caller's thread.

onnxruntime is an extra, so it is imported inside the functions that need it.
"""

import logging
import threading
from collections import OrderedDict
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from wsi_area.errors import MissingExtraError, SettingsError
from wsi_area.frozen_value import frozen_value
from wsi_area.segmenters.kept_for_tiles import let_go_by
from wsi_area.segmenters.onnx.file import checked_network

_LOG = logging.getLogger(__name__)

Device = Literal["auto", "cpu", "cuda"]
Floats = NDArray[np.float32]

CPU, CUDA = "CPUExecutionProvider", "CUDAExecutionProvider"
# the same convolution algorithm every time, and no rounding to 10 bits of mantissa
_CUDA_OPTIONS = {"cudnn_conv_algo_search": "DEFAULT", "use_tf32": "0"}
_SESSIONS_KEPT = 4
_ERRORS_ONLY = 3

_lock = threading.Lock()
_sessions: "OrderedDict[NetworkAt, Any]" = OrderedDict()


@frozen_value
class NetworkAt:
    """Which network, and on what it is run; small, so that it can travel to a worker."""

    path: str
    sha256: str
    provider: str
    threads: int


def imported_onnxruntime() -> Any:
    """Return the module.

    Raises
    ------
    SettingsError
        If it is not installed.
    """
    try:
        import onnxruntime
    except ImportError as error:
        instead = ", for an NVIDIA card onnxruntime-gpu instead"
        raise MissingExtraError.of("the segmenter 'onnx'", "onnx", error, instead) from error
    return onnxruntime


class _FellBackError(SettingsError):
    """onnxruntime opened the network on another provider than it was asked for."""


def network_on(device: Device, path: str, sha256: str, threads: int) -> NetworkAt:
    """Return the network with the provider it will run on, recorded with every result.

    Raises
    ------
    SettingsError
        If it cannot be opened, or not on the device that was asked for by name.
    """
    network = NetworkAt(path, sha256, chosen_provider(device), threads)
    if device == "auto" and network.provider == CUDA:
        try:
            session_for(network)
        except _FellBackError as error:  # onnxruntime-gpu on a machine without a card
            _LOG.info("%s; device is 'auto', so the CPU is used", error)
            return replace(network, provider=CPU)
    return network


def chosen_provider(device: Device) -> str:
    """Return the execution provider for a device: CUDA where it is there and not declined, else the CPU.

    Raises
    ------
    SettingsError
        If CUDA was asked for by name and is not there.
    """
    offered = imported_onnxruntime().get_available_providers()
    if device == "cpu" or (device == "auto" and CUDA not in offered):
        return CPU
    if CUDA not in offered:
        raise SettingsError(
            f"device is 'cuda', but this onnxruntime offers {', '.join(offered)}; install onnxruntime-gpu, or set "
            "device to 'auto' or 'cpu'"
        )
    return CUDA


def session_for(network: NetworkAt) -> Any:
    """Return this process's session of a network; opened at the first call, then shared by its threads.

    Raises
    ------
    SettingsError
        If the file is not the one that the card describes, or onnxruntime refuses it.
    """
    with _lock:
        if network in _sessions:
            _sessions.move_to_end(network)
            return _sessions[network]
        session = _opened(network)
        let_go_by(_close_those_on_cpu)
        _sessions[network] = session
        while len(_sessions) > _SESSIONS_KEPT:
            _sessions.popitem(last=False)
        return session


def _close_those_on_cpu() -> None:
    """Close what runs on the CPU: its arena keeps the most that a window ever took, and opening takes less than one.

    Whoever is running a window keeps the session to its end.
    """
    with _lock:
        for network in [one for one in _sessions if one.provider == CPU]:
            del _sessions[network]


def _opened(network: NetworkAt) -> Any:
    runtime = imported_onnxruntime()
    content = checked_network(Path(network.path), network.sha256)
    options = runtime.SessionOptions()
    options.intra_op_num_threads = network.threads
    options.inter_op_num_threads = 1
    options.execution_mode = runtime.ExecutionMode.ORT_SEQUENTIAL
    options.use_deterministic_compute = True
    options.log_severity_level = _ERRORS_ONLY
    # a plan of all that a window needs at once is a block beside the arena, and takes no less time
    options.enable_mem_pattern = False
    # a thread that waits for work by spinning takes a core from another worker
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    providers: list[Any] = [CPU] if network.provider == CPU else [(CUDA, _CUDA_OPTIONS), CPU]
    try:
        # from its bytes: what was hashed is what runs, and there is no folder to find other files in
        session = runtime.InferenceSession(content, options, providers=providers)
    except errors_of(runtime) as error:
        raise SettingsError(
            f"onnxruntime {runtime.__version__} refuses the network {network.path}: {error}; export it with a "
            "standard opset that this version knows"
        ) from error
    if session.get_providers()[0] != network.provider:
        raise _FellBackError(
            f"onnxruntime fell back from {network.provider} to {session.get_providers()[0]} for {network.path}: the "
            "driver or CUDA libraries do not fit; mend them, or set device = 'cpu'"
        )
    return session


def errors_of(runtime: Any) -> tuple[type[Exception], ...]:
    """Return the errors that onnxruntime raises: a dozen classes with no parent of their own."""
    state = runtime.capi.onnxruntime_pybind11_state
    own = [v for v in vars(state).values() if isinstance(v, type) and issubclass(v, Exception)]
    return (*own, RuntimeError, ValueError)
