"""The envelope of a slide's tissue: areas that are known, the same for every tile size and executor."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from measuring import measure
from synthetic import FileForm, disc, write_slide
from synthetic_shapes import centres

from wsi_area.model.calibration import Mpp
from wsi_area.model.geometry import Size
from wsi_area.notebook.notebook_run import open_run
from wsi_area.reports.report import write_report

SIZE = Size(1600, 1400)
FORM = FileForm(mpp=Mpp(1.0, 1.0), downsamples=(1, 4))
RADIUS_PX = 500.0


def with_fat(every_px: int, fat_px: float):
    """A disc of tissue in which fat cells lie in rows: discs of glass."""
    whole = disc(SIZE, 800.0, 700.0, RADIUS_PX)
    x, y = centres(SIZE)
    fat = (x % every_px - every_px / 2) ** 2 + (y % every_px - every_px / 2) ** 2 <= fat_px**2
    return replace(whole, mask=whole.mask & ~fat)


def envelope_of(path: Path, out: Path, *settings: str, **options):
    (record,) = measure(path, out, *settings, **options).documents
    return record


@pytest.mark.parametrize("fat_px", [20, 36])
def test_fat_is_glass_to_the_pixels_and_tissue_to_the_envelope(tmp_path, fat_px):
    slide = write_slide(tmp_path / "fat.tiff", SIZE, {"tissue": with_fat(80, fat_px)}, FORM)
    record = envelope_of(slide.path, tmp_path / "out", "tiling.work_mpp=2")
    disc_mm2 = np.pi * (RADIUS_PX * 1e-3) ** 2
    assert record["tissue"]["area_mm2"] < 0.9 * disc_mm2
    assert record["tissue_envelope"]["area_mm2"] == pytest.approx(disc_mm2, rel=0.05)
    assert record["tissue_envelope"]["n_px"] == record["tissue"]["n_px"] + record["tissue_envelope"]["enclosed_px"]


def test_tissue_without_gaps_has_its_own_area(tmp_path):
    slide = write_slide(tmp_path / "disc.tiff", SIZE, {"tissue": disc(SIZE, 800.0, 700.0, RADIUS_PX)}, FORM)
    record = envelope_of(slide.path, tmp_path / "out")
    assert record["tissue_envelope"]["enclosed_px"] == 0
    assert record["tissue_envelope"]["area_mm2"] == record["tissue"]["area_mm2"]


@pytest.mark.parametrize(
    "settings",
    [
        ("tiling.tile_px=64",),
        ("tiling.tile_px=200", "run.executor=serial"),
        ("run.executor=processes", "run.workers=2"),
    ],
)
def test_it_does_not_depend_on_tiles_and_executors(tmp_path, settings):
    slide = write_slide(tmp_path / "fat.tiff", SIZE, {"tissue": with_fat(70, 28)}, FORM)
    plain = envelope_of(slide.path, tmp_path / "plain")["tissue_envelope"]
    assert plain["enclosed_px"] > 0
    assert envelope_of(slide.path, tmp_path / "other", *settings)["tissue_envelope"] == plain


def test_what_lies_outside_the_region_of_interest_is_no_part_of_it(tmp_path):
    slide = write_slide(tmp_path / "fat.tiff", SIZE, {"tissue": with_fat(80, 36)}, FORM)
    whole = envelope_of(slide.path, tmp_path / "whole")["tissue_envelope"]["n_px"]
    roi = tmp_path / "roi.geojson"
    ring = [[0, 0], [800, 0], [800, 1400], [0, 1400], [0, 0]]
    roi.write_text(
        '{"type": "Feature", "properties": {"classification": "ROI"}, "geometry": '
        f'{{"type": "Polygon", "coordinates": [{ring}]}}}}'
    )
    half = envelope_of(slide.path, tmp_path / "half", roi=str(roi))["tissue_envelope"]["n_px"]
    assert half == pytest.approx(whole / 2, rel=0.03)


def test_without_a_pixel_size_there_is_none(tmp_path):
    slide = write_slide(tmp_path / "bare.tiff", SIZE, {"tissue": disc(SIZE, 800.0, 700.0, 300.0)}, FileForm(mpp=None))
    assert envelope_of(slide.path, tmp_path / "out")["tissue_envelope"] is None


def test_report_and_notebook_show_the_envelope_beside_the_tissue_with_its_rule(tmp_path):
    slide = write_slide(tmp_path / "fat.tiff", SIZE, {"tissue": with_fat(80, 30)}, FORM)
    out = tmp_path / "out"
    record = envelope_of(slide.path, out)
    area = f"{record['tissue_envelope']['area_mm2']:.3f}"
    write_report(out)
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "envelope of tissue" in page
    assert "closed by 50 µm, gaps filled up to 250 µm, in boxes of 8 µm" in page
    assert area in page
    shown = open_run(out)["fat"]._repr_html_()
    assert "envelope of tissue" in shown
    assert area in shown
