"""segmenters: the operators of an ONNX graph at its two ends: what it does to the pixels first, and what it ends in.

Read from the file's bytes, as `segmenters.onnx.file` does: no package that knows ONNX is needed, and nothing is run.
Field numbers are those of ``onnx.proto`` (ONNX 1.17).
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from wsi_area.frozen_value import frozen_value
from wsi_area.segmenters.onnx.file import fields_of

Numbers = NDArray[np.float64]

# they move or copy numbers and change none
_NEUTRAL = frozenset({
    "Identity", "Cast", "Transpose", "Reshape", "Squeeze", "Unsqueeze", "Flatten", "Dropout", "Resize", "Upsample",
    "Slice", "Pad", "DepthToSpace",
})  # fmt: skip
_ARITHMETIC = frozenset({"Add", "Sub", "Mul", "Div"})
_ASKS_ONLY_THE_SHAPE = frozenset({"Shape", "Size"})
_FLOATS: dict[int, type[np.generic]] = {1: np.float32, 10: np.float16, 11: np.float64}  # TensorProto.DataType
_INPUT, _OUTPUT = 11, 12  # of GraphProto
_MOST_STEPS = 32  # of arithmetic at the beginning; no exporter writes more than six
_CHANNELS = (1, 3)  # a number for all colours, or one for each


@frozen_value
class Node:
    """One operator: its kind, and the names of what it takes and gives."""

    op: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    tensor: memoryview | None  # of the operator Constant


@frozen_value
class FirstSteps:
    """What the graph itself does to each pixel before anything else: pixel × ``factor`` + ``shift``, by colour."""

    factor: Numbers  # float64 (1,) or (3,)
    shift: Numbers
    operators: tuple[str, ...]  # their kinds, in order

    @property
    def expected_middle(self) -> Numbers | None:
        """Return the pixel that becomes 0, which is the mean of what it was trained on; None where nothing is taken.

        >>> FirstSteps(np.array([2.0]), np.array([-1.0]), ("Mul", "Sub")).expected_middle.tolist()
        [0.5]
        """
        if not np.any(self.shift) or np.any(self.factor == 0) or "BatchNormalization" in self.operators:
            return None
        return np.asarray(-self.shift / self.factor)


@frozen_value
class Graph:
    """The operators of a network in their order, and where its constants lie."""

    nodes: tuple[Node, ...]
    pictures: tuple[str, ...]  # names of what it takes, constants left out
    answers: tuple[str, ...]  # names of what it gives
    constants: Mapping[str, memoryview]  # name → TensorProto
    epsilons: Mapping[str, float]  # of BatchNormalization, by its output

    def last_operator(self, answer: str) -> str:
        """Return the kind of the operator that makes the numbers of an answer; "" where none does."""
        made_by = {name: node for node in self.nodes for name in node.outputs}
        node = made_by.get(answer)
        for _ in self.nodes:
            if node is None or node.op not in _NEUTRAL or not node.inputs:
                break
            node = made_by.get(node.inputs[0])
        return "" if node is None else node.op

    def first_steps(self, picture: str) -> FirstSteps:
        """Return the arithmetic with constants that the picture of this name meets first."""
        factor, shift, operators, name = np.ones(1), np.zeros(1), [], picture
        for _ in range(_MOST_STEPS):
            takers = [n for n in self.nodes if name in n.inputs and n.op not in _ASKS_ONLY_THE_SHAPE]
            if len(takers) != 1:
                break
            (node,) = takers
            if node.op not in _NEUTRAL:
                step = self._step(node, name)
                if step is None:
                    break
                factor, shift = factor * step[0], shift * step[0] + step[1]
                operators.append(node.op)
            elif node.inputs[0] != name:
                break
            name = node.outputs[0]
        return FirstSteps(factor, shift, tuple(operators))

    def _step(self, node: Node, name: str) -> tuple[Numbers, Numbers] | None:
        """Return the factor and the shift of one operator, None if it does something else."""
        if node.op == "BatchNormalization" and node.inputs[0] == name and len(node.inputs) == 5:
            numbers = [self._constant(other) for other in node.inputs[1:]]
            if any(n is None for n in numbers):
                return None
            gain, bias, mean, variance = (n for n in numbers if n is not None)
            factor = gain / np.sqrt(np.maximum(variance, 0) + self.epsilons.get(node.outputs[0], 1e-5))
            return factor, bias - mean * factor
        if node.op not in _ARITHMETIC or len(node.inputs) != 2:
            return None
        first = node.inputs[0] == name
        number = self._constant(node.inputs[1] if first else node.inputs[0])
        if number is None or (node.op == "Div" and (not first or np.any(number == 0))):
            return None
        one, none = np.ones(1), np.zeros(1)
        if node.op == "Add":
            return one, number
        if node.op == "Sub":
            return (one, -number) if first else (-one, number)
        return (number, none) if node.op == "Mul" else (1 / number, none)

    def _constant(self, name: str) -> Numbers | None:
        """Return a constant of one number, or of one for each colour; None if it is another, or none."""
        tensor = self.constants.get(name)
        return None if tensor is None else _numbers(tensor)


def read_graph(content: bytes) -> Graph:
    """Return the operators of a network that `checked_network` let pass.

    Raises
    ------
    ValueError
        If it is no ONNX file.
    """
    nodes: list[Node] = []
    constants: dict[str, memoryview] = {}
    named: dict[int, list[str]] = {_INPUT: [], _OUTPUT: []}
    epsilons: dict[str, float] = {}
    for number, graph in fields_of(memoryview(content)):
        if number != 7 or isinstance(graph, int):
            continue
        for part, value in fields_of(graph):
            if isinstance(value, int):
                continue
            if part == 5:
                constants[_text(value, 8)] = value
            elif part in named:
                named[part].append(_text(value, 1))
            elif part == 1:
                node, epsilon = _node(value)
                nodes.append(node)
                if node.tensor is not None:
                    constants[node.outputs[0]] = node.tensor
                if epsilon is not None:
                    epsilons[node.outputs[0]] = epsilon
    pictures = tuple(name for name in named[_INPUT] if name not in constants)
    return Graph(tuple(nodes), pictures, tuple(named[_OUTPUT]), constants, epsilons)


def _node(content: memoryview) -> tuple[Node, float | None]:
    """Return an operator, and its epsilon where it has one."""
    inputs: list[str] = []
    outputs: list[str] = []
    op, tensor, epsilon = "", None, None
    for number, value in fields_of(content):
        if isinstance(value, int):
            continue
        if number in (1, 2):
            (inputs if number == 1 else outputs).append(bytes(value).decode())
        elif number == 4:
            op = bytes(value).decode()
        elif number == 5:
            name = _text(value, 1)
            held = {n: v for n, v in fields_of(value) if not isinstance(v, int)}
            if name == "value" and 5 in held:
                tensor = held[5]
            if name == "epsilon" and 2 in held:
                epsilon = float(np.frombuffer(held[2], "<f4")[0])
    return Node(op, tuple(inputs), tuple(outputs), tensor if op == "Constant" else None), epsilon


def _text(content: memoryview, wanted: int) -> str:
    """Return the text in a field of a message, "" where it has none."""
    for number, value in fields_of(content):
        if number == wanted and not isinstance(value, int):
            return bytes(value).decode()
    return ""


def _numbers(tensor: memoryview) -> Numbers | None:
    """Return the numbers of a small tensor of floats, float64 (1,) or (3,); None if it is another."""
    kind, raw, listed = 0, None, []
    for number, value in fields_of(tensor):
        if number == 2 and isinstance(value, int):
            kind = value
        elif number == 9 and not isinstance(value, int):
            raw = value
        elif number in (4, 10) and not isinstance(value, int):
            listed.append(np.frombuffer(value, "<f4" if number == 4 else "<f8"))
    if kind not in _FLOATS:
        return None
    if raw is not None:
        itemsize = np.dtype(_FLOATS[kind]).itemsize
        found = np.frombuffer(raw, _FLOATS[kind]) if len(raw) in {itemsize * n for n in _CHANNELS} else np.empty(0)
    else:
        found = np.concatenate(listed) if listed else np.empty(0)
    return found.astype(np.float64) if found.size in _CHANNELS else None
