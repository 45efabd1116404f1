"""What is built holds what it promises: presets and kernels in the wheel, what benchmarks read in the source."""

import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from synthetic import disc, write_slide

from wsi_area.compute.shipped_code import SHIPPED
from wsi_area.compute.shipping import declared_natives
from wsi_area.model.geometry import Size

REPO = Path(__file__).parents[1]
pytest.importorskip("hatchling", reason="no hatchling: pip install 'wsi-area[dev]'")
pytestmark = pytest.mark.timeout(900)  # where the tree has no kernels of its sources, the build compiles them


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "-d", str(out)]
    subprocess.run(command, cwd=REPO, check=True, capture_output=True, timeout=600)
    return out


@pytest.fixture(scope="module")
def site(built: Path) -> Path:
    (wheel,) = built.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(built / "site")
    return built / "site"


def test_the_wheel_has_every_preset_and_finds_them_far_from_any_checkout(site: Path, tmp_path: Path) -> None:
    for file in (REPO / "configs").glob("*.toml"):
        assert (site / "wsi_area" / "presets" / file.name).read_bytes() == file.read_bytes()
    size = Size(300, 200)
    write_slide(tmp_path / "s.tif", size, {"tissue": disc(size, 150, 100, 60)})
    line = ["wsi-area", "run", "s.tif", "--config", "he_tissue", "--out", "out", "--no-report"]
    script = f"""
import sys
sys.path.insert(0, {str(site)!r})
import wsi_area
assert wsi_area.__file__.startswith({str(site)!r}), wsi_area.__file__
from wsi_area.cli.main import main
sys.argv = {line!r}
main()
"""
    ended = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert ended.returncode == 0, ended.stderr
    assert '"preset he_tissue"' in (tmp_path / "out" / "run.json").read_text(encoding="utf-8")


KERNELS = """
import sys
from unittest import mock
sys.path.insert(0, {site!r})
import wsi_area.compute.object_code as object_code
from wsi_area.compute.machine_code import native_function
from wsi_area.compute.shipping import declared_natives
assert object_code.__file__.startswith({site!r}), object_code.__file__
by_numba, made = mock.Mock(side_effect=AssertionError("compiled")), mock.Mock(wraps=object_code.object_of)
with mock.patch.object(object_code, "compiled_by_numba", by_numba), mock.patch.object(object_code, "object_of", made):
    for native in declared_natives():
        native_function(*native)
print(made.call_count, "numba" in sys.modules)
"""


def test_every_kernel_is_in_the_wheel_so_that_its_first_run_compiles_none(site: Path, tmp_path: Path) -> None:
    natives = declared_natives()
    assert len(list((site / "wsi_area" / SHIPPED.name).iterdir())) == 2 * len(natives)
    program = KERNELS.format(site=str(site))
    cache, another = {"NUMBA_CACHE_DIR": str(tmp_path / "kept")}, {"NUMBA_CPU_NAME": "generic"}
    # here nothing is left to do; another processor makes its own of bitcode, and then has them
    for processor, made in (({}, 0), (another, len(natives)), (another, 0)):
        ended = subprocess.run(
            [sys.executable, "-c", program], env=os.environ | cache | processor, cwd=tmp_path, capture_output=True,
            text=True, timeout=120,
        )  # fmt: skip
        assert ended.returncode == 0, ended.stderr
        assert ended.stdout.split() == [str(made), "False"]
        assert ended.stderr == ""


def test_a_build_whose_kernels_cannot_be_compiled_says_so_and_makes_a_wheel_without(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    (tree / "wsi_area").mkdir(parents=True)
    for name in ("pyproject.toml", "hatch_build.py", "README.md", "LICENSE"):
        shutil.copy(REPO / name, tree)
    for name in ("__init__.py", "version.py"):  # and no kernels
        shutil.copy(REPO / "wsi_area" / name, tree / "wsi_area")
    (tree / "configs").mkdir()
    (tree / "configs" / "one.toml").touch()
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path / "dist")]
    ended = subprocess.run(command, cwd=tree, capture_output=True, text=True, timeout=120)
    assert ended.returncode == 0, ended.stderr
    assert "the first run compiles them" in ended.stdout + ended.stderr
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        assert not [name for name in archive.namelist() if SHIPPED.name in name]
        assert "wsi_area/presets/one.toml" in archive.namelist()


def test_the_source_archive_has_what_the_benchmarks_and_the_tests_read(built: Path) -> None:
    (archive,) = built.glob("*.tar.gz")
    with tarfile.open(archive) as tar:
        held = {name.partition("/")[2] for name in tar.getnames()}
    tracked = subprocess.run(["git", "ls-files"], cwd=REPO, capture_output=True, text=True, check=False)
    if tracked.returncode:
        pytest.skip("no checkout")
    assert "hatch_build.py" in held
    wanted = [n for n in tracked.stdout.split() if re.match(r"(benchmarks|configs|docs|notebooks|tests|wsi_area)/", n)]
    assert {"benchmarks/rule.toml", "benchmarks/plot.txt", "benchmarks/peers/pyvips_numpy.txt"} <= set(wanted)
    assert not set(wanted) - held
