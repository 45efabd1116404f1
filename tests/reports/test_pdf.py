"""The report on paper: no page nearly blank, the same bytes each time, a plain word where WeasyPrint is missing."""

import re
import shutil
import sys
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from small_run import edited

from wsi_area.errors import SettingsError
from wsi_area.reports.report import write_report


def pages(content: bytes) -> int:
    """The number of pages, from the objects of a PDF, most of which are packed."""
    packed = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", content, re.DOTALL)
    objects = [zlib.decompressobj().decompress(stream) for stream in packed if stream[:1] == b"x"]
    return sum(len(re.findall(rb"/Type ?/Page\b(?!s)", text)) for text in (content, *objects))


def test_the_same_run_makes_the_same_bytes_of_several_pages(run: Path, caplog: pytest.LogCaptureFixture) -> None:
    pytest.importorskip(
        "weasyprint", reason="no WeasyPrint: pip install 'wsi-area[pdf]'", exc_type=(ImportError, OSError)
    )
    first = write_report(run, pdf=True).pdf
    assert first is not None
    content = first.read_bytes()
    assert content.startswith(b"%PDF-")
    assert pages(content) >= 3
    assert re.search(rb"/CreationDate", content) is None
    write_report(run, pdf=True)
    assert first.read_bytes() == content
    assert not caplog.records  # each picture has its words: WeasyPrint complains of none


@dataclass(frozen=True, slots=True)
class Paper:
    """The pages as WeasyPrint lays them out."""

    page_of: dict[str, int]  # of each anchor
    texts: list[str]
    filled: list[float]  # how far down each page is written on, as a share of the room there is


def laid_out(run: Path, monkeypatch: pytest.MonkeyPatch) -> Paper:
    weasyprint = pytest.importorskip(
        "weasyprint", reason="no WeasyPrint: pip install 'wsi-area[pdf]'", exc_type=(ImportError, OSError)
    )
    shown: list[str] = []
    monkeypatch.setattr("wsi_area.reports.report.write_pdf", lambda html, _: shown.append(html))
    write_report(run, pdf=True)
    sheets = weasyprint.HTML(string=shown[0]).render().pages
    texts = [" ".join(b.text for b in s._page_box.descendants() if hasattr(b, "text")) for s in sheets]
    page_of = {anchor: number for number, sheet in enumerate(sheets) for anchor in sheet.anchors}
    return Paper(page_of, texts, [_filled(sheet._page_box) for sheet in sheets])


def _filled(page: Any) -> float:
    whole = page.children[0]  # without what stands in the margins
    ends = [b.position_y + b.height for b in whole.descendants() if hasattr(b, "text") or hasattr(b, "replacement")]
    return float((max(ends) - page.content_box_y()) / page.height)


def with_more_slides(run: Path, count: int) -> None:
    """Let the run have the slide "disc" several times over, each with other findings."""
    folder, more = run / "slides", [f"disc-{n}" for n in range(count)]
    for n, name in enumerate(more):
        shutil.copytree(folder / "disc", folder / name)
        found = [finding(name)] * (n % 4)
        edited(folder / name / "result.json", lambda r, f=found, name=name: r.update(slide_id=name, findings=f))

    def listed(about: dict[str, Any]) -> None:
        about["slides"] |= {name: {**about["slides"]["disc"], "slide_id": name} for name in more}
        about["slides_planned"] += more

    edited(run / "run.json", listed)


def finding(slide_id: str) -> dict[str, Any]:
    return {
        "slide_id": slide_id, "code": "BLURRED", "severity": "warning", "measured": None, "limit": None, "unit": "",
        "message": "a part is out of focus " * 9, "remedy": "look",
    }  # fmt: skip


@pytest.mark.parametrize("more", [0, 3, 9])
def test_no_page_but_the_last_is_nearly_blank(run: Path, monkeypatch: pytest.MonkeyPatch, more: int) -> None:
    with_more_slides(run, more)
    filled = laid_out(run, monkeypatch).filled
    assert len(filled) > 2 + more / 2
    assert min(filled[:-1]) > 0.5, [round(share, 2) for share in filled]


def test_a_slide_begins_with_its_picture_beside_its_name_and_is_signed(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_more_slides(run, 5)
    paper = laid_out(run, monkeypatch)
    counted = [f"slide-{place}" for place in range(2, 10)]  # the first failed, and has no page of its own
    assert "slide-1-title" not in paper.page_of
    for slide in counted:
        begins, signed = (paper.page_of[f"{slide}-{part}"] for part in ("title", "sign"))
        assert 0 <= signed - begins <= 1
        assert "Numbers" in paper.texts[begins] or "Each pixel shows the class" in paper.texts[begins]


def test_what_failed_is_told_once_on_paper_with_its_file(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    edited(run / "run.json", lambda about: about["slides"]["text"].update(reason="it was eaten by mice"))
    texts = " ".join(laid_out(run, monkeypatch).texts)
    assert texts.count("eaten by mice") == 1
    assert "text.svs" in texts


def test_a_slide_of_two_pages_is_signed_beside_its_name_its_numbers_and_how_it_was_measured(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for count in (6, 9, 12, 30):  # wherever the page ends
        findings = [finding("disc")] * count
        edited(run / "slides" / "disc" / "result.json", lambda record, f=findings: record.update(findings=f))
        paper = laid_out(run, monkeypatch)
        signed = paper.page_of["slide-4-sign"]
        assert paper.page_of["slide-4-close"] == signed
        last = " ".join(paper.texts[signed].split())
        for text in ("disc , complete", "mm²", "How it was measured", "Reviewed:"):
            assert text in last
    assert signed > paper.page_of["slide-4-title"]


def test_without_weasyprint_the_remedy_is_named_and_nothing_is_written(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "weasyprint", None)
    with pytest.raises(SettingsError, match=r"pip install 'wsi-area\[pdf\]'"):
        write_report(run, pdf=True)
    assert not (run / "report.html").exists()
