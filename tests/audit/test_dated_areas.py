"""The rims of the classes of a slide, counted band by band, are those of the class map as a whole."""

from pathlib import Path

import numpy as np
import pytest
from measuring import measure
from synthetic import FileForm, disc, write_slide

from wsi_area.audit import dated_areas
from wsi_area.compute.judge.area_change import crack_count, u_count_of_cracks_mm2
from wsi_area.model.calibration import Mpp
from wsi_area.model.geometry import Size
from wsi_area.results.opened_run import open_run

SIZE = Size(701, 503)


@pytest.mark.parametrize("band_px", [1, 701 * 7, 1 << 25])
def test_bands_of_any_height_find_the_same_rim(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, band_px: int) -> None:
    slide = write_slide(tmp_path / "s.tiff", SIZE, {"tissue": disc(SIZE, 300, 250, 200)}, FileForm(mpp=Mpp(0.5, 0.475)))
    measure(slide.path, tmp_path / "out", "tiling.tile_px=128")
    opened = open_run(tmp_path / "out")["s"]
    monkeypatch.setattr(dated_areas, "_BAND_PX", band_px)
    found = {(area.kind, area.name): area for area in dated_areas.dated_areas(opened)}
    cracks = crack_count(opened.class_map() == 1)
    assert cracks == pytest.approx(8 * 200, abs=8)
    tissue = found["class", "tissue"]
    assert tissue.area.u_count_mm2 == pytest.approx(u_count_of_cracks_mm2(cracks, 0.5 * 0.475e-6))
    assert tissue.area.area_mm2 == pytest.approx(np.pi * 200**2 * 0.2375e-6, rel=1e-3)
    assert found["total", "tissue"].area == tissue.area
    assert found["class", "background"].is_background
    assert ("total", "tumor") not in found  # nobody said what tumour is
