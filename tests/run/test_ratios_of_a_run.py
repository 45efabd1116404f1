"""Ratios of areas end to end: painted discs, with and without a pixel size, in every place where people read them."""

import math
import re
import shutil
from pathlib import Path

import pytest
from command_line import wsi_area
from synthetic import FileForm, disc, write_slide

import wsi_area as face
from wsi_area.audit.verify import verify_run
from wsi_area.model.calibration import Mpp
from wsi_area.model.geometry import Size
from wsi_area.reports.report import write_report
from wsi_area.results.tables.reading import read_workbook

SIZE = Size(900, 700)
DAB_PX, TISSUE_PX = 150, 180  # radii of the two discs
DAB_SHARE = DAB_PX**2 / (DAB_PX**2 + TISSUE_PX**2)


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One slide with a pixel size and one without; what is dark is tumour, the paler rest stroma."""
    folder = tmp_path_factory.mktemp("ratios")
    painted = {"dab": disc(SIZE, 250, 300, DAB_PX), "tissue": disc(SIZE, 640, 350, TISSUE_PX)}
    for name, mpp in (("known", Mpp(0.5, 0.5)), ("unknown", None)):
        write_slide(folder / f"{name}.tif", SIZE, painted, FileForm(mpp=mpp))
    text = '[tiling]\nskip_glass = false\n[segmenter]\nname = "stain"\n'
    flags = ["", 'role = "stroma"', "is_tumor = true", "is_tumor = true", "is_tumor = true"]
    for number, flag in enumerate(flags):
        further = f"is_tissue = true\n{flag}\n" if number else ""
        text += f'[[segmenter.classes]]\nid = {number}\nname = "c{number}"\ncolor = "#{number:06d}"\n{further}'
    (folder / "s.toml").write_text(text)
    slides = [folder / "known.tif", folder / "unknown.tif"]
    ended = wsi_area("run", *slides, "--config", folder / "s.toml", "--out", folder / "out")
    assert ended.code == 3, ended.err
    return folder / "out"


def test_the_ratios_are_those_of_the_painted_discs_whether_or_not_there_is_a_pixel_size(out: Path) -> None:
    run = face.open_run(out)
    for slide_id in ("known", "unknown"):
        found = {ratio.name: ratio for ratio in run[slide_id].counted.ratios}
        assert found["stroma_pct_tumor_stroma"].value == pytest.approx(100 * (1 - DAB_SHARE), rel=0.005)
        assert found["tumor_stroma_ratio"].value == pytest.approx((DAB_PX / TISSUE_PX) ** 2, rel=0.005)
        assert found["tumor_stroma_ratio"].numerator_px == pytest.approx(math.pi * DAB_PX**2, rel=0.005)
        assert found["viable_tumor_pct"].value is None
        # every pixel of the painted brown is of one band: its weight is 3 if it is the strongest
        assert found["weighted_positive_area"].value == pytest.approx(300 * DAB_SHARE, rel=0.005)
        assert 'role = "necrosis"' in (found["necrosis_pct"].reason or "")


def test_table_workbook_report_and_notebook_show_them(out: Path, tmp_path: Path) -> None:
    run = face.open_run(out)
    table = run.ratios.set_index(["slide_id", "ratio"])
    value = table.loc[("known", "tumor_stroma_ratio"), "value"]
    assert value == pytest.approx((DAB_PX / TISSUE_PX) ** 2, rel=0.005)
    sheet = read_workbook((out / "summary.xlsx").read_bytes(), "summary.xlsx")["ratios"]
    assert [row.get("value") for row in sheet.rows if row["ratio"] == "tumor_stroma_ratio"] == [value, value]
    write_report(out, out=tmp_path)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    for shown in (page, run["known"]._repr_html_()):
        assert "tumour ÷ stroma" in shown
        assert f"{value:.4g}" in shown
        assert "no class says that it is necrosis" in shown


def test_a_ratio_that_was_changed_is_found(out: Path, tmp_path: Path) -> None:
    assert verify_run(out, with_slides=False).disagreements == ()
    run = Path(shutil.copytree(out, tmp_path / "run"))
    document = run / "slides/known/result.json"
    text = document.read_text(encoding="utf-8")
    changed, n = re.subn(r'("name": "tumor_stroma_ratio",\s*"value": )[0-9.]+', r"\g<1>9.5", text, count=1)
    assert n == 1
    document.write_text(changed, encoding="utf-8")
    faults = verify_run(run, with_slides=False).disagreements
    assert any("tumor_stroma_ratio is on record with 9.5" in fault.message for fault in faults)


def test_classes_without_a_role_have_no_table_of_ratios(out: Path, tmp_path: Path) -> None:
    ended = wsi_area("run", out.parent / "known.tif", "--config", "he_tissue", "--out", tmp_path / "out")
    assert ended.code == 0, ended.err
    assert not list((tmp_path / "out").glob("ratios.*"))
    assert face.open_run(tmp_path / "out").ratios.empty
