"""Columns and pictures keep to their page: a stained run, whose table is the widest, on screens and on paper."""

from pathlib import Path
from typing import Any

import pytest
from small_run import edited
from synthetic import FileForm, chequerboard, write_slide

from wsi_area.inputs.collect import collect_slides
from wsi_area.model.calibration import Mpp
from wsi_area.model.geometry import Size
from wsi_area.reports.report import write_report
from wsi_area.run.pipeline import run_slides
from wsi_area.settings.run_settings import load

SIZES = {"landscape": Size(1400, 900), "portrait": Size(700, 1500), "strip": Size(2400, 300)}
CODES = ("STAIN_VECTORS_DOUBTFUL", "TISSUE_TOUCHES_EDGE", "THRESHOLD_UNSTABLE")
WIDER_THAN_ITS_BOX = """() => [...document.querySelectorAll('.scroll')]
  .filter(e => e.scrollWidth > e.clientWidth).map(e => [e.getAttribute('aria-label'), e.scrollWidth, e.clientWidth])"""


@pytest.fixture(scope="module")
def stained(tmp_path_factory: pytest.TempPathFactory, configs: Path) -> Path:
    """A run of three stained slides, each of many specks, so that paper shows two pictures and its tiles."""
    folder = tmp_path_factory.mktemp("stained")
    for name, size in SIZES.items():
        shapes = {"dab": chequerboard(size, 4)}
        write_slide(folder / f"{name}.tif", size, shapes, FileForm(mpp=Mpp(0.5, 0.5)))
    exact = ("tiling.tile_px=128", "tiling.skip_glass=false", "run.executor=serial")
    out = folder / "run"
    run_slides(
        collect_slides([str(folder / f"{name}.tif") for name in SIZES]), load(configs / "ihc_dab.toml", exact), out
    )
    for name in SIZES:
        found = [
            {"slide_id": name, "code": code, "severity": "warning", "measured": None, "limit": None, "unit": "",
             "message": "one of the longer codes", "remedy": "look"}
            for code in CODES
        ]  # fmt: skip
        edited(out / "slides" / name / "result.json", lambda record, found=found: record.update(findings=found))
    return out


@pytest.mark.parametrize("width", [800, 1000, 1100, 1280, 1400])
def test_no_table_is_wider_than_the_window_of_a_tablet_or_a_desk(browser: Any, stained: Path, width: int) -> None:
    page = browser.new_page(viewport={"width": width, "height": 900})
    page.goto(write_report(stained).html.as_uri())
    assert page.locator("#slides-table thead th").count() >= 9
    assert page.evaluate(WIDER_THAN_ITS_BOX) == []
    page.close()


def test_a_code_that_is_folded_is_copied_as_it_is_written(browser: Any, stained: Path) -> None:
    page = browser.new_page(viewport={"width": 500, "height": 900})
    page.goto(write_report(stained).html.as_uri())
    code = page.locator("#slides-table .code").first
    assert code.bounding_box()["height"] > 1.5 * page.evaluate(
        "e => parseFloat(getComputedStyle(e).lineHeight)", code.element_handle()
    )
    assert "STAIN_VECTORS_DOUBTFUL" in code.inner_text()
    page.close()


def test_on_paper_nothing_reaches_out_of_its_column(stained: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    weasyprint = pytest.importorskip(
        "weasyprint", reason="no WeasyPrint: pip install 'wsi-area[pdf]'", exc_type=(ImportError, OSError)
    )
    shown: list[str] = []
    monkeypatch.setattr("wsi_area.reports.report.write_pdf", lambda html, _: shown.append(html))
    write_report(stained, pdf=True)
    pages = weasyprint.HTML(string=shown[0]).render().pages
    boxes = [box for page in pages for box in page._page_box.descendants()]
    pictures = [box for box in boxes if box.element is not None and box.element.get("class") == "stack"]
    assert len(pictures) >= 3 * len(SIZES)
    cells = [box for box in boxes if type(box).__name__ == "TableCellBox"]
    assert len(cells) > 50
    out = [(_name(inner), _end(inner) - _end(cell)) for cell in cells for inner in cell.descendants()
           if hasattr(inner, "width") and _end(inner) > _end(cell) + 0.5]  # fmt: skip
    assert out == []


def _end(box: Any) -> float:
    return float(box.position_x + box.margin_width())


def _name(box: Any) -> str:
    return f"{box.element_tag} {(box.element.get('class') or '') if box.element is not None else ''}"
