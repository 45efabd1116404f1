"""What was drawn stands beside what was counted: outlines, the region of interest, and the tiles outside it."""

import json
import re
from pathlib import Path

import pytest
from measuring import measure
from synthetic import FileForm, disc, write_slide

from wsi_area.model.calibration import Mpp
from wsi_area.model.geometry import Size
from wsi_area.reports.areas_table import areas_table
from wsi_area.reports.documents import read_documents
from wsi_area.reports.report import write_report

SIZE, MPP_UM = Size(1200, 800), 0.5
ROI = [[100, 100], [700, 100], [700, 500], [100, 500]]  # 600 × 400 px
TUMOR = [[200, 200], [500, 200], [500, 400], [200, 400]]  # 300 × 200 px, all of it inside
REGIONS = (
    'segmenter.name="regions"',
    'segmenter.classes=[{id=0,name="background",color="#ffffff"},'
    '{id=1,name="tumor",color="#d62728",is_tissue=true,is_tumor=true,match=["tumor"]}]',
)


def drawn(path: Path, ring: list[list[int]], name: str) -> Path:
    geometry = {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}
    properties = {"objectType": "annotation", "classification": {"name": name, "color": [200, 0, 0]}}
    feature = {"type": "Feature", "geometry": geometry, "properties": properties}
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    return path


@pytest.fixture(scope="module")
def drawn_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("drawn")
    form = FileForm(mpp=Mpp(MPP_UM, MPP_UM))
    slide = write_slide(folder / "s.tif", SIZE, {"tissue": disc(SIZE, 400, 300, 200)}, form).path
    annotations, roi = drawn(folder / "a.geojson", TUMOR, "tumor"), drawn(folder / "r.geojson", ROI, "roi")
    options = {"annotations": annotations, "roi": roi}
    from wsi_area.inputs.collect import collect_slides
    from wsi_area.run.pipeline import run_slides
    from wsi_area.settings.run_settings import load

    settings = load(None, [*REGIONS, "tiling.tile_px=128"])
    run_slides(collect_slides([str(slide)], **options), settings, folder / "out")
    return folder / "out"


def test_the_table_has_what_was_drawn_beside_what_was_counted(drawn_run: Path) -> None:
    (record,) = read_documents(drawn_run).slides
    table = areas_table(record)
    rows = {row.name: row for row in table.rows}
    tumor_mm2, roi_mm2 = 300 * 200 * MPP_UM**2 * 1e-6, 600 * 400 * MPP_UM**2 * 1e-6  # 0.015, 0.06
    assert table.has_outline
    assert float(rows["tumor"].outline) == pytest.approx(tumor_mm2)
    assert float(rows["region of interest"].outline) == pytest.approx(roi_mm2)
    assert float(rows["region of interest"].area) == pytest.approx(roi_mm2)
    assert float(rows["outside the region of interest"].area) == pytest.approx(
        (SIZE.area_px - 600 * 400) * MPP_UM**2 * 1e-6, rel=1e-3
    )
    assert "all tissue" not in rows  # it is the tumour, which has its own line
    (sentence,) = table.drawn
    assert sentence.startswith("The outlines of tumor enclose 0.015 mm² on the whole slide")


def test_the_page_says_so_and_tiles_outside_are_not_called_glass(drawn_run: Path) -> None:
    html = write_report(drawn_run).html.read_text(encoding="utf-8")
    assert "mm², as drawn" in html
    assert "region mm²" in html
    # 10 × 7 tiles of 128 px, of which columns 0 to 5 and rows 0 to 3 meet the region
    assert re.search(r"outside the region of interest: 46\b", html)
    # of the 24 others none is skipped: fewer than 59 bare tiles are all read
    assert "skipped as bare glass:" not in html
    assert read_documents(drawn_run).slides[0].work.tiles_skipped == 0


def test_a_slide_of_one_tile_has_no_picture_of_its_tiles_and_says_why(tmp_path: Path) -> None:
    slide = write_slide(tmp_path / "s.tif", Size(200, 150), {"tissue": disc(Size(200, 150), 90, 70, 40)}).path
    measure(slide, tmp_path / "out")
    html = write_report(tmp_path / "out").html.read_text(encoding="utf-8")
    assert "No picture of the tiles" in html
    assert "Share of tissue in each tile" not in html


@pytest.mark.parametrize(("name", "flags"), [("gland", ",is_tissue=true"), ("metal", "")])
def test_a_tissue_goes_by_the_name_of_the_one_class_that_it_is(tmp_path: Path, name: str, flags: str) -> None:
    slide = write_slide(tmp_path / "s.tif", SIZE, {"tissue": disc(SIZE, 400, 300, 200)}).path
    classes = f'[{{id=0,name="glass",color="#ffffff"}},{{id=1,name="{name}",color="#d6609c"{flags}}}]'
    measure(slide, tmp_path / "out", f"segmenter.classes={classes}")
    html = write_report(tmp_path / "out").html.read_text(encoding="utf-8")
    assert f"<dt>{name}</dt>" in html
    assert "tissue mm²" not in html
    assert ("gland mm²" in html) == (name == "gland")
    assert ">of tissue<" not in html


def test_the_lines_to_sign_on_are_for_paper_only(drawn_run: Path) -> None:
    html = write_report(drawn_run).html.read_text(encoding="utf-8")
    assert ".sign { display: none; }" in html
    assert html.count('-sign"') == 1  # one for each slide
    assert "Signature" in html
