"""A report written, and read back as tags and text."""

from html.parser import HTMLParser
from pathlib import Path

from wsi_area.reports.report import write_report


class Tags(HTMLParser):
    """Every tag with its attributes, and the text between."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def written(run: Path) -> str:
    return write_report(run).html.read_text(encoding="utf-8")
