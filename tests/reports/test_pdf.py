"""The report on paper: a page a slide, the same bytes each time, and a plain word where WeasyPrint is missing."""

import re
import sys
import zlib
from pathlib import Path

import pytest

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


def test_without_weasyprint_the_remedy_is_named_and_nothing_is_written(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "weasyprint", None)
    with pytest.raises(SettingsError, match=r"pip install 'wsi-area\[pdf\]'"):
        write_report(run, pdf=True)
    assert not (run / "report.html").exists()
