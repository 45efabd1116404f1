"""The certificate of a slide in a notebook and in the report: every block, escaped, and none where none was made."""

import json
from pathlib import Path

import pytest
from measuring import measure
from synthetic import FileForm, disc, write_slide

from wsi_area.errors import ResultError
from wsi_area.model.geometry import Size
from wsi_area.notebook.notebook_run import open_run
from wsi_area.reports.report import write_report

SIZE = Size(600, 400)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("certified")
    form = FileForm(kind="aperio", mpp_text="0.5")
    slide = write_slide(folder / "s.svs", SIZE, {"tissue": disc(SIZE, 300, 200, 100)}, form)
    measure(slide.path, folder / "out", mpp="0.5", mpp_reason="<b>log</b>")
    return folder / "out"


def changed(folder: Path, **blocks: object) -> None:
    path = folder / "slides" / "s" / "result.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**document, **blocks}), encoding="utf-8")


def test_a_notebook_shows_every_block_and_its_hash(folder: Path) -> None:
    shown = open_run(folder)["s"].certificate
    html = shown._repr_html_()
    headings = "picture", "pixel size", "light", "completeness", "orientation", "not assessed", "hash of all this"
    for heading in headings:
        assert f">{heading}</th>" in html
    assert shown.sha256 in html
    assert shown.sha256 in repr(shown)
    assert "claim --mpp (used)" in html
    assert "claim aperio.MPP" in html
    assert "&lt;b&gt;log&lt;/b&gt;" in html
    assert "<b>log" not in html
    assert "stored tiles: 6 of 6 there" in html


def test_the_report_has_it_as_one_section_of_the_slide(folder: Path) -> None:
    report = write_report(folder)
    html = next(Path(path) for path in folder.glob("report.html")).read_text(encoding="utf-8")
    assert report is not None
    (section,) = (part.partition("</table>")[0] for part in html.split('<div class="certificate"')[1:])
    for line in open_run(folder)["s"].certificate.lines:
        assert line[0] in section
    assert open_run(folder)["s"].certificate.sha256 in section
    assert "never scanned: 0 px of level 0" in section
    assert "Not assessed</h3>" not in html  # it is said once


def test_a_result_without_a_certificate_says_what_to_do(folder: Path) -> None:
    changed(folder, certificate=None)
    with pytest.raises(ResultError, match="made no certificates; measure it again"):
        _ = open_run(folder)["s"].certificate
