"""No verb for nothing: every public function of ``compute`` is reached from a command, a notebook or the face.

Read from the sources alone. A definition reaches the names in it; a name is what its module defines or imports, and a
text that names a function (``native_function``, entry points) reaches that.
"""

import ast
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]
ROOTS = ("wsi_area.cli", "wsi_area.notebook")
NOT_WIRED: set[str] = set()
"""What nothing calls yet. Take a name off as soon as it is wired; put none on."""

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


@dataclass
class Module:
    """What a module defines at its top, what it imports, and what it does while it is imported."""

    definitions: dict[str, Definition] = field(default_factory=dict)
    imported: dict[str, str] = field(default_factory=dict)  # a name: "module" or "module:name"
    at_import: list[ast.stmt] = field(default_factory=list)


@cache
def modules() -> dict[str, Module]:
    found = {}
    for path in sorted((REPO / "wsi_area").rglob("*.py")):
        name = ".".join(path.relative_to(REPO).with_suffix("").parts).removesuffix(".__init__")
        found[name] = module_of(ast.parse(path.read_text(encoding="utf-8")))
    return found


def module_of(tree: ast.Module) -> Module:
    module = Module()
    for statement in tree.body:
        if isinstance(statement, Definition):
            module.definitions[statement.name] = statement
        else:
            module.at_import.append(statement)
    for node in ast.walk(tree):  # imports within functions, too
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("wsi_area"):
            for alias in node.names:
                module.imported[alias.asname or alias.name] = f"{node.module}:{alias.name}"
        elif isinstance(node, ast.Import):
            for alias in node.names:
                module.imported[alias.asname or alias.name] = alias.name
    return module


def resolved(name: str) -> str | None:
    """``module:name`` of what such a text stands for where it is defined, through those that only pass it on."""
    where, _, what = name.partition(":")
    if not what or f"{where}.{what}" in modules():
        return None  # a module: it is reached by what is taken from it
    module = modules().get(where)
    if module is None:
        return None
    if what in module.definitions:
        return name
    return resolved(module.imported[what]) if what in module.imported else f"{where}:"


def names_in(module: str, nodes: list[ast.stmt]) -> Iterator[str]:
    """Everything of ours that some statements name."""
    own = modules()[module]
    texts: list[str] = []
    for node in (inner for one in nodes for inner in ast.walk(one)):
        if isinstance(node, ast.Name):
            yield f"{module}:{node.id}" if node.id in own.definitions else own.imported.get(node.id, "")
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            yield f"{own.imported.get(node.value.id, '').replace(':', '.')}:{node.attr}"
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            texts.append(node.value)
    for where in texts:  # native_function("module", "name", …)
        if where in modules():
            yield from (f"{where}:{what}" for what in texts if what in modules()[where].definitions)


def reached() -> set[str]:
    entries = tomllib.loads((REPO / "pyproject.toml").read_text(encoding="utf-8"))["project"]["entry-points"]
    todo = [target for group in entries.values() for target in group.values()]
    todo += [
        f"{name}:{what}"
        for name, module in modules().items()
        if name == "wsi_area" or name.startswith(ROOTS)
        for what in ("", *module.definitions)
    ]
    seen: set[str] = set()
    while todo:
        name = todo.pop()
        where, _, what = name.partition(":")
        if name in seen or where not in modules():
            continue
        seen.add(name)
        module = modules()[where]
        body: list[ast.stmt] = [module.definitions[what]] if what else module.at_import
        todo.append(f"{where}:")  # who is taken from a module has it imported
        todo += [found for one in names_in(where, body) if (found := resolved(one)) is not None]
    return seen


def test_every_public_function_of_compute_is_reached_from_a_command_a_notebook_or_the_face() -> None:
    public = {
        f"{name}:{what}"
        for name, module in modules().items()
        if name.startswith("wsi_area.compute")
        for what, definition in module.definitions.items()
        if not isinstance(definition, ast.ClassDef) and not what.startswith("_")
    }
    assert len(public) > 50
    assert public - reached() == NOT_WIRED


def test_what_is_reached_is_known_through_a_call_a_module_an_entry_point_and_a_text() -> None:
    found = reached()
    assert "wsi_area.compute.count.area:area_mm2" in found
    assert "wsi_area.compute.count.compiled_means:fill_means" in found  # compiled, called by its name as a text
    assert "wsi_area.segmenters.onnx.model:OnnxSegmenter" in found
    assert "wsi_area.compute.judge.agreement:nobody" not in found
