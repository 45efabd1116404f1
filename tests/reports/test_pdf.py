"""The report on paper: a page a slide, the same bytes each time, and a plain word where WeasyPrint is missing."""

import re
import sys
import zlib
from pathlib import Path

import pytest
from small_run import edited

from wsi_area.errors import SettingsError
from wsi_area.reports.report import write_report


def pages(content: bytes) -> int:
    """The number of pages, from the objects of a PDF, most of which are packed."""
    packed = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", content, re.DOTALL)
    objects = [zlib.decompressobj().decompress(stream) for stream in packed if stream[:1] == b"x"]
    return sum(len(re.findall(rb"/Type ?/Page\b(?!s)", text)) for text in (content, *objects))


def test_each_slide_has_a_page_and_the_same_run_makes_the_same_bytes(
    run: Path, caplog: pytest.LogCaptureFixture
) -> None:
    pytest.importorskip(
        "weasyprint", reason="no WeasyPrint: pip install 'wsi-area[pdf]'", exc_type=(ImportError, OSError)
    )
    first = write_report(run, pdf=True).pdf
    assert first is not None
    content = first.read_bytes()
    assert content.startswith(b"%PDF-")
    assert pages(content) >= 5  # of all slides, and one of each
    assert re.search(rb"/CreationDate", content) is None
    write_report(run, pdf=True)
    assert first.read_bytes() == content
    assert not caplog.records  # each picture has its words: WeasyPrint complains of none


def laid_out(run: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[dict[str, int], list[str]]:
    """The page on which each anchor of the paper stands, and the text of each page, as WeasyPrint lays them out."""
    weasyprint = pytest.importorskip(
        "weasyprint", reason="no WeasyPrint: pip install 'wsi-area[pdf]'", exc_type=(ImportError, OSError)
    )
    shown: list[str] = []
    monkeypatch.setattr("wsi_area.reports.report.write_pdf", lambda html, _: shown.append(html))
    write_report(run, pdf=True)
    sheets = weasyprint.HTML(string=shown[0]).render().pages
    texts = [" ".join(b.text for b in s._page_box.descendants() if hasattr(b, "text")) for s in sheets]
    return {anchor: number for number, sheet in enumerate(sheets) for anchor in sheet.anchors}, texts


def test_a_slide_is_one_page_and_is_signed_on_it(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page_of, texts = laid_out(run, monkeypatch)
    slides = [f"slide-{place}" for place in (1, 2, 3, 4)]
    assert [page_of[f"{slide}-title"] for slide in slides] == list(range(len(texts) - 4, len(texts)))
    assert [page_of[f"{slide}-sign"] for slide in slides] == [page_of[f"{slide}-title"] for slide in slides]
    assert not any("(continued)" in text for text in texts)


def test_a_slide_of_two_pages_is_signed_beside_its_name_its_numbers_and_how_it_was_measured(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = {
        "slide_id": "disc", "code": "BLURRED", "severity": "warning", "measured": None, "limit": None, "unit": "",
        "message": "a part is out of focus " * 9, "remedy": "look",
    }  # fmt: skip
    for count in (6, 9, 12, 20):  # wherever the page ends
        findings = [found] * count
        edited(run / "slides" / "disc" / "result.json", lambda record, f=findings: record.update(findings=f))
        page_of, texts = laid_out(run, monkeypatch)
        signed = page_of["slide-4-sign"]
        assert page_of["slide-4-close"] == signed
        last = " ".join(texts[signed].split())
        for text in ("disc , complete", "mm²", "How it was measured", "Reviewed:"):
            assert text in last
        assert ("disc (continued)" in last) == (signed > page_of["slide-4-title"])
    assert signed > page_of["slide-4-title"]


def test_without_weasyprint_the_remedy_is_named_and_nothing_is_written(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "weasyprint", None)
    with pytest.raises(SettingsError, match=r"pip install 'wsi-area\[pdf\]'"):
        write_report(run, pdf=True)
    assert not (run / "report.html").exists()
