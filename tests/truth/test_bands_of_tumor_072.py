"""Bands round the metastases of CAMELYON16 tumor_072: what scipy's distances gave on earlier maps of it, in mm²."""

from pathlib import Path

import pytest

from wsi_area.audit.verify import verify_run
from wsi_area.inputs.collect import collect_slides
from wsi_area.results.opened_run import open_run
from wsi_area.run.pipeline import run_slides
from wsi_area.settings.run_settings import load

MM2 = {(-250.0, 0.0): 3.0286, (0.0, 250.0): 3.6932, (250.0, 500.0): 3.7511, (500.0, 1000.0): 8.5159}


def test_bands_round_the_drawn_metastases_lie_in_the_tissue_of_its_own_layer(
    testdata: Path, tmp_path: Path, configs: Path
) -> None:
    slides = collect_slides(
        [str(testdata / "slides" / "camelyon16_tumor_072")],
        annotations=testdata / "annotations" / "camelyon16_tumor_072.json",
        annotation_scale="1/128",
    )
    settings = load(configs / "regions.toml", ["bands.edges_um=[-250, 0, 250, 500, 1000]", "hotspots.areas_mm2=[1]"])
    run_slides(slides, settings, tmp_path / "out")
    run = open_run(str(tmp_path / "out"))
    found = run.bands.groupby(["from_um", "to_um"])["area_mm2"].sum()
    assert found.to_dict() == pytest.approx(MM2, abs=5e-5)
    # each of the two sections holds a metastasis larger than a window
    assert run.hotspots["positive_mm2"].iloc[:2].tolist() == pytest.approx([1.0, 1.0], rel=0.01)
    assert abs(run.hotspots["center_x_px"].diff().iloc[1]) > 500
    assert verify_run(tmp_path / "out").disagreements == ()
