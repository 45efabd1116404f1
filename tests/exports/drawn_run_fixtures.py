"""A slide drawn in five classes, measured: fixtures to import (two conftest.py cannot be collected together)."""

import json
import shutil
from pathlib import Path

import pytest
from drawn_run import DRAWN, MPP, SIZE, measure_drawn
from synthetic import FileForm, box, write_slide

from wsi_area.results.opened_run import OpenedRun, open_run


@pytest.fixture(name="drawn_slide", scope="session")
def drawn_slide_fixture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("slide") / "S1.tiff"
    return write_slide(path, SIZE, {"tissue": box(SIZE, 20, 20, 500, 300)}, FileForm(mpp=MPP)).path


@pytest.fixture(name="drawing", scope="session")
def drawing_fixture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("drawing") / "S1.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": DRAWN}))
    return path


@pytest.fixture(name="measured_run", scope="session")
def measured_run_fixture(tmp_path_factory: pytest.TempPathFactory, drawn_slide: Path, drawing: Path) -> Path:
    out = tmp_path_factory.mktemp("measured") / "out"
    measure_drawn(drawn_slide, drawing, out)
    return out


@pytest.fixture(name="folder")
def folder_fixture(measured_run: Path, tmp_path: Path) -> Path:
    """A copy of that run's folder, to be exported into."""
    return Path(shutil.copytree(measured_run, tmp_path / "out"))


@pytest.fixture(name="run")
def run_fixture(folder: Path) -> OpenedRun:
    return open_run(folder)
