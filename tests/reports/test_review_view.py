"""What people decided stands in the report: on the cards, in a table, under each slide, with heads to check it by."""

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from reviewed import ADA, EVE, OTTO, chain_of, decide, state

from wsi_area.model.run_record import RunRecord
from wsi_area.reports.report import write_report
from wsi_area.reports.review_view import ReviewView, review_view
from wsi_area.results.documents import read_run
from wsi_area.results.layout import RunLayout


@pytest.fixture
def run(finished_run: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished_run, tmp_path / "run"))


def record_of(run: Path) -> RunRecord:
    return read_run(RunLayout(run))


def view_of(run: Path) -> ReviewView:
    found = review_view(RunLayout(run), record_of(run))
    assert found is not None
    return found


def html_of(run: Path) -> str:
    return (write_report(run).html).read_text(encoding="utf-8")


def test_a_run_that_nobody_reviewed_has_no_word_of_it(run: Path) -> None:
    assert review_view(RunLayout(run), record_of(run)) is None
    html = html_of(run)
    assert "What was decided" not in html
    assert "not reviewed" not in html


def test_verdicts_stand_on_the_cards_in_the_table_and_under_the_slide(run: Path) -> None:
    decide(run, ADA, "accept_with_remark", "disc", remark="thin <b>rim</b>")
    decide(run, OTTO, "reject", "text", reason="incomplete")
    decide(run, ADA, "sign", "disc")
    html = html_of(run)
    assert '<span class="verdict verdict-accepted_with_remark">accepted with remark, signed</span>' in html
    assert "thin &lt;b&gt;rim&lt;/b&gt;" in html
    assert "<b>rim</b>" not in html
    table = html.split('id="review-title"')[1].split("</section>")[0]
    assert sorted(re.findall(r"<bdi>(disc|text|torn|bare)</bdi>", table)) == ["disc", "text"]
    assert "2 of 4 slides are decided on, 2 wait for somebody" in table
    assert "nobody checked them" in table
    under = re.findall(r'class="sign" id=.*?</div>', html, re.DOTALL)
    decided = [block for block in under if "Accepted with remark" in block]
    assert len(decided) == 1
    assert "Signed by <bdi>Ada Miller" in decided[0]
    assert "☐" not in decided[0]  # no box of ink for what is decided
    assert all("☐ accepted" in block for block in under if block not in decided)


def test_the_heads_that_are_printed_are_those_that_no_event_names(run: Path) -> None:
    decide(run, ADA, "accept", "disc")
    decide(run, OTTO, "accept", "disc")
    (last,) = decide(run, EVE, "accept", "bare")
    assert [(head.head, head.by) for head in view_of(run).heads] == [(last.hash[:16], "Eve Li")]
    assert f"wsi-area verify RUN --head {last.hash[:16]}" in html_of(run)


def test_a_cut_end_and_a_changed_event_are_told_in_the_report(run: Path) -> None:
    (event,) = decide(run, ADA, "accept", "disc")
    decide(run, OTTO, "accept", "disc")
    chain_of(run, event).write_bytes(b"")
    assert any("its end was cut off" in fault for fault in view_of(run).faults)
    assert "Not what was written:" in html_of(run)


def test_events_that_cannot_be_read_cost_the_report_nothing_else(run: Path) -> None:
    decide(run, ADA, "accept", "disc")
    (run / "review/review.json").write_text("{")
    html = html_of(run)
    assert "what was decided cannot be read" in html
    assert "disc" in html


def test_the_review_of_a_read_only_run_is_told_from_its_own_folder(run: Path, tmp_path: Path) -> None:
    from wsi_area.results.opened_run import open_run
    from wsi_area.review.decide import Decision, RunReview

    RunReview(open_run(run), ADA, tmp_path / "decided").record(Decision("accept", ("disc",)))
    written = write_report(run, out=tmp_path / "paper", events=tmp_path / "decided")
    assert "What was decided" in written.html.read_text(encoding="utf-8")
    assert not (run / "review").exists()


def test_the_same_review_makes_the_same_report(run: Path) -> None:
    decide(run, ADA, "accept", "disc")
    assert html_of(run) == html_of(run)
    assert len(state(run).chains.tips) == 1


@pytest.mark.parametrize("width", [320, 1200])
def test_a_reviewed_report_fits_its_screen_and_axe_finds_no_serious_fault(
    browser: Any, run: Path, axe_source: str, width: int
) -> None:
    decide(run, ADA, "accept_with_remark", "disc", remark="averyveryverylongwordwithoutanyspaceinit" * 3)
    decide(run, OTTO, "reject", "text", reason="incomplete")
    decide(run, ADA, "sign", "disc")
    context = browser.new_context(viewport={"width": width, "height": 700})
    page = context.new_page()
    page.goto(write_report(run).html.as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.evaluate(axe_source)
    found = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
    faults = [(v["id"], v["impact"], [n["html"][:120] for n in v["nodes"]][:3]) for v in found["violations"]]
    context.close()
    assert [fault for fault in faults if fault[1] in {"serious", "critical", "moderate"}] == []
