"""benchmarks: a table of measured coverage put into a page, between the two comments that name it."""

import re
from pathlib import Path


def replaced_table(page: Path, name: str, table: str) -> None:
    """Write a table into a page in place of the one of that name."""
    begin, end = f"<!-- coverage: {name} -->", "<!-- end -->"
    text = page.read_text(encoding="utf-8")
    found = re.compile(rf"{re.escape(begin)}\n.*?{re.escape(end)}", re.DOTALL)
    if len(found.findall(text)) != 1:
        raise SystemExit(f"{page} has no place for the table: a line {begin}, and after it a line {end}")
    page.write_text(found.sub(lambda _: f"{begin}\n\n{table}\n\n{end}", text), encoding="utf-8")
