"""segmenters: an ONNX file looked at without running it: its hash, and nothing in it that reaches outside.

The file is a protobuf message; the few fields that matter are walked here, so that a file can be refused before
onnxruntime sees it and without the ``onnx`` package. Field numbers are those of ``onnx.proto`` (ONNX 1.17).
"""

import hashlib
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from wsi_area.errors import SettingsError

KNOWN_DOMAINS = frozenset({"", "ai.onnx", "ai.onnx.ml", "com.microsoft"})
"""Operators that onnxruntime itself holds; any other domain needs a library of somebody's code."""

_EXTERNAL = 1  # TensorProto.DataLocation.EXTERNAL
_OPSET_DOMAIN, _NODE_DOMAIN = 1, 7
_OPSET, _FUNCTION = 8, 25  # of ModelProto
_TENSOR_EXTERNAL_DATA, _TENSOR_LOCATION = 13, 14
# message → field → the message that the field holds
_INSIDE: dict[str, dict[int, str]] = {
    "model": {7: "graph", _FUNCTION: "function"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "function": {7: "node", 11: "attribute"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
    "tensor": {},
}
_MAX_DEPTH = 64  # of graphs in graphs: no network comes near it, a hostile file might

Field = tuple[int, int | memoryview]


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file as hex; remembered while its size and date stay as they are.

    Raises
    ------
    SettingsError
        If it cannot be read.
    """
    try:
        stat = path.stat()
        return _sha256(str(path.resolve()), stat.st_size, stat.st_mtime_ns)
    except OSError as error:
        raise SettingsError(
            f"the network {path} cannot be read ({error.strerror or error}); give its .onnx file as segmenter.model"
        ) from error


@lru_cache(maxsize=16)
def _sha256(path: str, _size_bytes: int, _mtime_ns: int) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def checked_network(path: Path, sha256: str) -> bytes:
    """Return the content of a network's file, if it is the very one and needs nothing outside itself.

    Parameters
    ----------
    path
        The ``.onnx`` file.
    sha256
        What its hash must be.

    Raises
    ------
    SettingsError
        If the hash differs, it is no ONNX file, keeps weights in other files, or needs somebody's operators.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise SettingsError(
            f"the network {path} cannot be read ({error.strerror or error}); give its .onnx file as segmenter.model"
        ) from error
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise SettingsError(
            f"the network {path} has the SHA-256 {found[:12]}…, its card is for {sha256[:12]}…; "
            "give the card that was made with it"
        )
    try:
        _refuse_outside(str(path), "model", memoryview(content), 0)
    except (ValueError, IndexError) as error:
        raise SettingsError(f"the network {path} is not an ONNX file: {error}") from error
    return content


def _refuse_outside(path: str, message: str, content: memoryview, depth: int) -> None:
    if depth > _MAX_DEPTH:
        raise ValueError(f"it nests deeper than {_MAX_DEPTH} messages")
    for number, value in fields_of(content):
        if message == "tensor" and ((number == _TENSOR_LOCATION and value == _EXTERNAL) or
                                    number == _TENSOR_EXTERNAL_DATA):  # fmt: skip
            raise SettingsError(
                f"the network {path} keeps weights in other files; save it as one file, with onnx.save(…, "
                "save_as_external_data=False)"
            )
        if isinstance(value, int):
            continue
        if message == "node" and number == _NODE_DOMAIN:
            _refuse_domain(path, bytes(value).decode())
        if message == "model" and number == _OPSET:
            for inner, domain in fields_of(value):
                if inner == _OPSET_DOMAIN and not isinstance(domain, int):
                    _refuse_domain(path, bytes(domain).decode())
        inside = _INSIDE[message].get(number)
        if inside is not None:
            _refuse_outside(path, inside, value, depth + 1)


def _refuse_domain(path: str, domain: str) -> None:
    # functions that a file defines itself have a domain of their own, but exporters inline them on request
    if domain not in KNOWN_DOMAINS:
        raise SettingsError(
            f"the network {path} needs operators of {domain!r}, which are not onnxruntime's own; export it with "
            "standard operators only (functions inlined)"
        )


def fields_of(content: memoryview) -> Iterator[Field]:
    """Yield the number and the value of each field of a protobuf message; raise ValueError where it is none."""
    at, end = 0, len(content)
    while at < end:
        key, at = _varint(content, at)
        number, kind = key >> 3, key & 7
        if kind == 0:
            value, at = _varint(content, at)
            yield number, value
            continue
        if kind == 2:
            length, at = _varint(content, at)
        elif kind in (1, 5):
            length = 8 if kind == 1 else 4
        else:
            raise ValueError(f"wire type {kind} at byte {at}")
        if number == 0 or at + length > end:
            raise ValueError(f"a field of {length} bytes at byte {at} of {end}")
        yield number, content[at : at + length]
        at += length


def _varint(content: memoryview, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        byte = content[at]
        value |= (byte & 0x7F) << shift
        at += 1
        if byte < 0x80:
            return value, at
    raise ValueError(f"an endless number at byte {at}")
