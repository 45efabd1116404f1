"""The build compiles every kernel: what the modules that call kernels import, the build has."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

REPO = Path(__file__).parents[1]
PROGRAM = """
import re, sys
from importlib.abc import MetaPathFinder
from importlib.metadata import packages_distributions, requires

def plain(name):
    return re.sub(r"[-_.]+", "-", name).lower()

here, todo = set(), [plain(name) for name in sys.argv[1:]]
while todo:
    name = todo.pop()
    if name not in here:
        here.add(name)
        needed = [one for one in requires(name) or () if "extra ==" not in one]
        todo += [plain(re.match(r"[\\w.-]+", one).group()) for one in needed if ";" not in one]
of = {module: {plain(name) for name in names} for module, names in packages_distributions().items()}

class Refusing(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        owners = of.get(name.partition(".")[0])
        if owners and "wsi-area" not in owners and not owners & here:
            raise ModuleNotFoundError(f"{name} is no requirement of the build")

sys.meta_path.insert(0, Refusing())
from wsi_area.compute.shipping import declared_natives
print(len(declared_natives()))
"""


def loaded(names: list[str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, *names], cwd=REPO, capture_output=True, text=True, check=False
    )


def build_requirements() -> list[str]:
    project = tomllib.loads((REPO / "pyproject.toml").read_text(encoding="utf-8"))
    return [re.split(r"[<>=~! ]", one)[0] for one in project["build-system"]["requires"] if "hatchling" not in one]


def test_modules_that_call_kernels_import_nothing_that_the_build_has_not() -> None:
    ended = loaded(build_requirements())
    assert ended.returncode == 0, ended.stderr
    assert int(ended.stdout) >= 70


def test_what_the_build_has_not_is_refused_here() -> None:
    ended = loaded([name for name in build_requirements() if name != "shapely"])
    assert "shapely is no requirement of the build" in ended.stderr
