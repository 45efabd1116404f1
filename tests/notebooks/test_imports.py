"""A notebook needs the face of the package and nothing behind it."""

import ast
import json
from pathlib import Path

import pytest

import wsi_area

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))


def code_of(path: Path) -> str:
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return "\n\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_imports_nothing_of_the_package_but_its_face(path: Path) -> None:
    code = code_of(path)
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            assert not [a.name for a in node.names if a.name.startswith("wsi_area.")]
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "wsi_area":
            assert node.module == "wsi_area"
            assert {a.name for a in node.names} <= set(wsi_area.__all__)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "wsi_area":
            assert node.attr in wsi_area.__all__


def test_there_are_notebooks() -> None:
    assert len(NOTEBOOKS) >= 5
