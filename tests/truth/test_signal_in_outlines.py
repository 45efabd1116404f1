"""The density of DAB in outlines on a Ki-67 slide, against scikit-image and numpy on the whole picture."""

import json
from pathlib import Path

import numpy as np
import pytest
import shapely
import tifffile
from skimage import color

from wsi_area.audit.verify import verify_run
from wsi_area.inputs.collect import collect_slides
from wsi_area.results.opened_run import open_run
from wsi_area.run.pipeline import run_slides
from wsi_area.settings.run_settings import load

OUTLINES = {
    "irregular": [(100.3, 150.2), (1800.9, 260.7), (1500.2, 1900.4), (300.6, 1700.1), (700.7, 900.3)],
    "small": [(900.1, 900.2), (1010.4, 905.9), (1000.3, 1020.7)],
    "over it": [(20.2, 30.1), (2100.7, 60.3), (1200.1, 2150.9)],
}


@pytest.mark.parametrize("factor", [1, 2])
def test_outlines_on_a_ki67_slide_have_the_density_that_scikit_image_finds(
    testdata: Path, tmp_path: Path, configs: Path, factor: int
) -> None:
    features = [
        {"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [[*ring, ring[0]]]},
         "properties": {"name": name}}
        for name, ring in OUTLINES.items()
    ]  # fmt: skip
    (tmp_path / "drawn.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    path = testdata / "slides" / "OS-2-ndpi.tif"
    settings = load(configs / "ihc_dab.toml", ["segmenter.glass=[255, 255, 255]", f"tiling.work_mpp={0.23 * factor}"])
    run_slides(collect_slides([str(path)], regions_from=tmp_path / "drawn.geojson"), settings, tmp_path / "out")
    opened = open_run(tmp_path / "out")["OS-2-ndpi"]
    codes, mpp, rgb = opened.class_map(), opened.mpp, tifffile.imread(path)[..., :3].astype(np.int64)
    assert mpp is not None
    height, width = (side // factor for side in rgb.shape[:2])
    assert codes.shape == (height, width)
    sums = rgb.reshape(height, factor, width, factor, 3).sum(axis=(1, 3))
    mean = ((2 * sums + factor**2) // (2 * factor**2)).astype(np.uint8)
    density = np.maximum(color.separate_stains(mean, color.hdx_from_rgb)[..., 1] * 6, 0)
    y, x = factor * (np.mgrid[0:height, 0:width] + 0.5)
    frame = opened.regions.set_index("region_name")
    for name, ring in OUTLINES.items():
        tissue = shapely.contains_xy(shapely.Polygon(ring), x, y) & (codes > 0)
        assert frame.loc[name, "mean_od"] == pytest.approx(density[tissue].mean(), rel=1e-5)
        integrated = density[tissue].sum() * factor**2 * mpp.x * mpp.y * 1e-6
        assert frame.loc[name, "integrated_od"] == pytest.approx(integrated, rel=1e-5)
        strong = density[tissue & (codes == 4)]
        assert frame.loc[name, "class_strong_mean_od"] == pytest.approx(strong.mean(), rel=1e-5)
    assert verify_run(tmp_path / "out").disagreements == ()
