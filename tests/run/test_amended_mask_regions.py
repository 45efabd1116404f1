"""Regions that are codes of a mask have rows in amended versions too, while the mask lies where it was."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from amending import MPP, Measured
from measuring import FLAT
from painting_by_hand import box, operation
from PIL import Image
from synthetic import FileForm, disc, write_slide

from wsi_area.audit.verify import verify_run
from wsi_area.inputs.collect import collect_slides
from wsi_area.model.calibration import Mpp
from wsi_area.model.geometry import Size
from wsi_area.results.opened_slide import OpenedSlide
from wsi_area.run.pipeline import run_slides
from wsi_area.settings.run_settings import load

SIZE = Size(600, 440)
CORRECTIONS = [
    operation("add", box(20.3, 20.3, 90.7, 70.2), **{"class": "tissue"}),
    operation("erase", box(210.3, 120.3, 330.7, 200.2)),
]
CODES = (3, 7, 11)


def mask_of(folder: Path) -> Path:
    """Three codes, a mask pixel two by two of the slide; the first and the second meet in the tissue."""
    codes = np.zeros((SIZE.height_px // 2, SIZE.width_px // 2), np.uint8)
    codes[5:90, 5:130], codes[90:160, 60:200], codes[200:215, 250:290] = CODES
    Image.fromarray(codes).save(folder / "mask.png")
    (folder / "mask_class_codes.csv").write_text("code,name\n3,north\n7,south\n11,glass\n")
    return folder / "mask.png"


def measured(folder: Path, **drawn: Path) -> Measured:
    form = FileForm(mpp=Mpp(MPP, MPP), downsamples=(1, 2, 4), tile_px=64)
    slide = write_slide(folder / "s.tif", SIZE, {"tissue": disc(SIZE, 240, 180, 140)}, form)
    told = (*FLAT, "tiling.tile_px=128")
    outcome = run_slides(collect_slides([str(slide.path)], **drawn), load(None, told), folder / "out")
    assert [s.status for s in outcome.slides] == ["complete"]
    return Measured(folder / "out", told)


def outlined(path: Path) -> Path:
    feature = {"type": "Feature", "geometry": box(100.3, 40.3, 300.7, 260.2), "properties": {"name": "bed"}}
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    return path


def counted(version: Any, mask: Path) -> dict[int, tuple[int, int]]:
    """What lies under each code of a mask: all of its pixels, and those of tissue."""
    codes = np.asarray(Image.open(mask)).repeat(2, axis=0).repeat(2, axis=1)
    tissue = OpenedSlide(version.layout, version.result).class_map() == 1
    return {code: (int((codes == code).sum()), int(tissue[codes == code].sum())) for code in CODES}


def rows_by_code(version: Any) -> dict[int, tuple[int, int]]:
    return {
        row.mask_code: (row.n_px, sum(c.n_px for c in row.classes if c.name == "tissue"))
        for row in version.result.regions.listed
        if row.mask_code is not None
    }


@pytest.mark.parametrize("given", ["regions_from", "roi"])
def test_each_code_is_counted_on_the_corrected_map(tmp_path: Path, given: str) -> None:
    mask = mask_of(tmp_path)
    run = measured(tmp_path, **{given: mask})
    version = run.laid(CORRECTIONS)
    rows = rows_by_code(version)
    assert rows == counted(version, mask)
    assert [rows[code][1] > 0 for code in CODES] == [True, True, False]
    assert "REGIONS_NOT_AMENDED" not in {f.code for f in version.result.findings}
    assert verify_run(run.out, with_slides=False).disagreements == ()


def test_a_mask_beside_outlines_keeps_its_rows_and_its_file(tmp_path: Path) -> None:
    mask = mask_of(tmp_path)
    run = measured(tmp_path, roi=outlined(tmp_path / "bed.geojson"), regions_from=mask)
    before, version = run.slide.counted, run.laid(CORRECTIONS)
    assert before.regions is not None
    assert [row.region_id for row in version.result.regions.listed] == [r.region_id for r in before.regions.listed]
    assert [(row.mask_file, row.mask_code) for row in version.result.regions.listed] == [
        (r.mask_file, r.mask_code) for r in before.regions.listed
    ]
    assert rows_by_code(version) == counted(version, mask)
    assert verify_run(run.out, with_slides=False).disagreements == ()


@pytest.mark.parametrize("harm", ["removed", "changed"])
def test_of_a_mask_that_is_gone_the_codes_are_told_and_outlines_keep_their_rows(tmp_path: Path, harm: str) -> None:
    mask = mask_of(tmp_path)
    run = measured(tmp_path, roi=mask, regions_from=outlined(tmp_path / "bed.geojson"))
    if harm == "removed":
        mask.unlink()
    else:
        Image.fromarray(np.asarray(Image.open(mask)) // 2).save(mask)
    version = run.laid(CORRECTIONS)
    (row,) = version.result.regions.listed
    assert (row.name, row.mask_code) == ("bed", None)
    (told,) = [f for f in version.result.findings if f.code == "REGIONS_NOT_AMENDED"]
    assert told.measured == len(CODES)
    assert str(mask) in told.message
    assert verify_run(run.out, with_slides=False).disagreements == ()
