"""The worked example of docs/plain_images.md does and says what the page says."""

import csv
import re
import shlex
from pathlib import Path

import pytest
from command_line import wsi_area

_TRUE_MM2 = {("march", "anna"): 1303.7, ("june", "anna"): 509.2, ("march", "ben"): 733.3, ("june", "ben"): 749.7}


def rows_of(text: str) -> list[list[str]]:
    """The lines of a table of changes, by cells."""
    lines = text.replace("\u202f", " ").splitlines()  # thousands are set apart by a space that does not break
    return [re.split(r"\s{2,}", line.strip()) for line in lines if line.startswith(("anna ", "ben "))]


def test_the_worked_example_gives_what_the_page_prints(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    root = request.config.rootpath
    page = (root / "docs" / "plain_images.md").read_text(encoding="utf-8")
    (tmp_path / "configs").symlink_to(root / "configs")
    monkeypatch.chdir(tmp_path)
    painting = re.search(r"```python\n(from pathlib.*?)```", page, re.DOTALL)
    assert painting is not None
    exec(compile(painting[1], "docs/plain_images.md", "exec"), {})  # our own page
    commands = [shlex.split(line)[1:] for line in page.splitlines() if "march-mm2/" in line and "wsi-area" in line]
    commands += [shlex.split(line)[1:] for line in page.splitlines() if line.startswith("    wsi-area run june/")]
    (change,) = [command for command in commands if command[0] == "change"]
    for command in commands:
        if command[0] == "run":
            assert wsi_area(*command).code == 0
    shown = wsi_area(*change)
    assert shown.code == 0
    printed = [rows_of(block) for block in re.findall(r"```\n(subject .*?)```", page, re.DOTALL)]
    assert rows_of(shown.out) == printed[0]
    assert rows_of(wsi_area(*change[:3], "--same-scale").out) == printed[1]
    for (month, name), true_mm2 in _TRUE_MM2.items():
        with (tmp_path / f"{month}-mm2" / "summary.csv").open(newline="", encoding="utf-8") as file:
            (row,) = [row for row in csv.DictReader(file) if row["slide_id"] == name]
        assert float(row["tissue_area_mm2"]) == pytest.approx(true_mm2, rel=1e-3)
