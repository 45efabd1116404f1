"""What tests of reviews share: a measured run of three slides, whole and as a copy for each test."""

import shutil
from pathlib import Path

import pytest
from measuring import measure
from synthetic import FileForm, disc, write_slide

from wsi_area.model.calibration import Mpp
from wsi_area.model.geometry import Size

SIZE = Size(401, 303)


@pytest.fixture(scope="session")
def slides(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("reviewed")
    form = FileForm(mpp=Mpp(0.25, 0.25), tile_px=128)
    for name, radius in (("a", 120), ("b", 80), ("c", 40)):
        write_slide(folder / f"{name}.tif", SIZE, {"tissue": disc(SIZE, 200, 150, radius)}, form)
    return sorted(folder.iterdir())


@pytest.fixture(scope="session")
def measured(slides: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that nobody may change."""
    out = tmp_path_factory.mktemp("measured") / "out"
    manifest = slides[0].parent.parent / "manifest.csv"
    lines = ["path,slide_id,subject", *(f"{p},{p.stem},{'p1' if p.stem != 'c' else 'p2'}" for p in slides)]
    manifest.write_text("\n".join(lines) + "\n", encoding="utf-8")
    measure([], out, manifest=manifest)
    return out


@pytest.fixture
def run(measured: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(measured, tmp_path / "run"))
