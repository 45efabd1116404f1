"""The page that explains the house names its rooms, their order and every dependency as they are."""

import re
import tomllib
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

REPO = Path(__file__).resolve().parent.parent
DESIGN = (REPO / "DESIGN.md").read_text(encoding="utf-8")
DEVELOPERS = {"dev", "interop"}  # what no user installs has its reason in pyproject.toml


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    return tomllib.loads((REPO / "pyproject.toml").read_text(encoding="utf-8"))


def first_column(heading: str) -> list[str]:
    """The first column of the first table below a heading."""
    rows = [line for line in DESIGN.split(f"## {heading}")[1].split("\n## ")[0].splitlines() if line.startswith("|")]
    return [row.split("|")[1] for row in rows[2:]]


def names(requirements: list[str]) -> set[str]:
    return {re.split(r"[<>=\[]", requirement)[0] for requirement in requirements}


def test_every_dependency_has_its_reason_and_none_is_left_of_those_that_are_gone(project: dict[str, Any]) -> None:
    wanted = {(name, "") for name in names(project["project"]["dependencies"])}
    for extra, requirements in project["project"]["optional-dependencies"].items():
        wanted |= {(name, extra) for name in names(requirements) if extra not in DEVELOPERS}
    told = set()
    for cell in first_column("Dependencies"):
        packages, _, extra = cell.partition("(extra")
        told |= {(name.strip(), extra.strip(" `)")) for name in packages.split(",")}
    assert told == wanted


def test_the_rooms_and_their_order_are_those_that_the_layers_are_checked_by(project: dict[str, Any]) -> None:
    straight, *_ = project["tool"]["importlinter"]["contracts"]
    (line,) = (text for text in re.findall(r"`([^`]*)`", DESIGN) if " > " in text)
    order = [[room.strip() for room in layer.split("|")] for layer in line.split(">")]
    assert order == [[room.strip() for room in layer.split("|")] for layer in straight["layers"]]
    described = {
        room for cell in first_column("Rooms, and who may import whom") for room in re.findall(r"`(\w+)`", cell)
    }
    assert described == {room for layer in order for room in layer}


@pytest.mark.parametrize("page", ["DESIGN.md", "docs/decisions.md"])
def test_every_module_and_function_that_a_page_names_is_there(page: str) -> None:
    rooms = "|".join(path.stem for path in (REPO / "wsi_area").iterdir() if path.is_dir())
    text = (REPO / page).read_text(encoding="utf-8")
    told = set(re.findall(rf"`((?:{rooms})(?:\.\w+)+)`", text))
    assert len(told) >= 3
    assert {name for name in told if not is_there(name)} == set()


def is_there(name: str) -> bool:
    """Whether a dotted name is a module of the package, or something that one holds."""
    where, _, last = f"wsi_area.{name}".rpartition(".")
    return find_spec(where) is not None and (
        hasattr(import_module(where), last) or find_spec(f"{where}.{last}") is not None
    )
