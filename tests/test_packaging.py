"""What is built holds what it promises: presets in the wheel, what the benchmarks read in the source archive."""

import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from synthetic import disc, write_slide

from wsi_area.model.geometry import Size

REPO = Path(__file__).parents[1]
pytest.importorskip("hatchling", reason="no hatchling: pip install 'wsi-area[dev]'")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "-d", str(out)]
    subprocess.run(command, cwd=REPO, check=True, capture_output=True, timeout=120)
    return out


def test_the_wheel_has_every_preset_and_finds_them_far_from_any_checkout(built: Path, tmp_path: Path) -> None:
    (wheel,) = built.glob("*.whl")
    site = tmp_path / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
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


def test_the_source_archive_has_what_the_benchmarks_and_the_tests_read(built: Path) -> None:
    (archive,) = built.glob("*.tar.gz")
    with tarfile.open(archive) as tar:
        held = {name.partition("/")[2] for name in tar.getnames()}
    tracked = subprocess.run(["git", "ls-files"], cwd=REPO, capture_output=True, text=True, check=False)
    if tracked.returncode:
        pytest.skip("no checkout")
    wanted = [n for n in tracked.stdout.split() if re.match(r"(benchmarks|configs|docs|notebooks|tests|wsi_area)/", n)]
    assert {"benchmarks/rule.toml", "benchmarks/plot.txt", "benchmarks/peers/pyvips_numpy.txt"} <= set(wanted)
    assert not set(wanted) - held
