"""The title of the study: from the settings or the command, on the report and its paper, and never a number's cause."""

import json
from pathlib import Path

import pytest
from command_line import wsi_area
from measuring import measure
from synthetic import SyntheticSlide, disc, write_slide

from wsi_area.errors import SettingsError
from wsi_area.model.geometry import Size
from wsi_area.reports.report import write_report
from wsi_area.settings.run_settings import load

SIZE = Size(300, 200)
TITLES = ("Tumour burden, cohort 3", "Ki-67 & <b>HER2</b> “quoted”", "肿瘤负荷 2026 😀")


def first_lines(html: Path) -> str:
    """What stands above the first number, tags and all."""
    return html.read_text(encoding="utf-8").partition('class="totals"')[0]


@pytest.fixture
def slide(tmp_path: Path) -> SyntheticSlide:
    return write_slide(tmp_path / "s.tiff", SIZE, {"tissue": disc(SIZE, 150, 100, 60)})


@pytest.mark.parametrize("title", TITLES)
def test_a_run_with_a_title_has_it_on_its_report_and_measures_nothing_again(
    slide: SyntheticSlide, tmp_path: Path, title: str
) -> None:
    out = tmp_path / "out"
    plain = wsi_area("run", slide.path, "--out", out)
    assert plain.code == 0
    assert "Report of 1 slide, " in first_lines(out / "report.html")
    seal = json.loads((out / "run.json").read_text())["seal"]
    named = wsi_area("run", slide.path, "--out", out, "--title", title)
    assert named.code == 0
    record = json.loads((out / "run.json").read_text())
    assert (record["settings"]["report"]["title"], record["seal"]) == (title, seal)
    shown = first_lines(out / "report.html")
    assert f"<h1>{title.replace('&', '&amp;').replace('<', '&lt;').replace('>', '&gt;')}</h1>" in shown
    assert "1 slide, " in shown


def test_the_command_report_may_give_another_title_which_the_run_does_not_keep(
    slide: SyntheticSlide, tmp_path: Path
) -> None:
    measure(slide.path, tmp_path / "out", "report.title=first")
    assert "<h1>second</h1>" in first_lines(write_report(tmp_path / "out", title=" second ").html)
    assert "<h1>first</h1>" in first_lines(write_report(tmp_path / "out").html)


@pytest.mark.parametrize("title", ["", "   ", "two\nlines", "a\u202eb", "x" * 201])
def test_what_is_no_title_is_refused_before_anything_is_written(run: Path, title: str) -> None:
    with pytest.raises(SettingsError, match="a title is one line of 1 to 200 characters"):
        write_report(run, title=title)
    assert not (run / "report.html").exists()
    with pytest.raises(SettingsError, match=r"report\.title"):
        load(None, [f"report.title={json.dumps(title)}"])


def test_the_title_goes_with_the_jobs_of_a_cluster(slide: SyntheticSlide, tmp_path: Path) -> None:
    asked = ("submit", slide.path, "--out", tmp_path / "out", "--dry-run")
    assert "Cohort 3" in wsi_area(*asked, "--title", "Cohort 3").out
