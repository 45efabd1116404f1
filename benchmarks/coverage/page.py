"""benchmarks: a table of measured coverage put into a page, between the two comments that name it."""

import argparse
import re
from pathlib import Path

from benchmarks.accuracy.places import REPO


def arguments(description: str | None, draws: int) -> argparse.Namespace:
    """Return what a command line asked for: ``seed``, ``draws``, and the ``page`` that the table is written into."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--draws", type=int, default=draws)
    parser.add_argument("--page", type=Path, default=REPO / "docs" / "uncertainty.md")
    return parser.parse_args()


def replaced_table(page: Path, name: str, table: str) -> None:
    """Write a table into a page in place of the one of that name."""
    begin, end = f"<!-- coverage: {name} -->", "<!-- end -->"
    text = page.read_text(encoding="utf-8")
    found = re.compile(rf"{re.escape(begin)}\n.*?{re.escape(end)}", re.DOTALL)
    if len(found.findall(text)) != 1:
        raise SystemExit(f"{page} has no place for the table: a line {begin}, and after it a line {end}")
    page.write_text(found.sub(lambda _: f"{begin}\n\n{table}\n\n{end}", text), encoding="utf-8")
