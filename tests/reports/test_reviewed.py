"""What people decided stands in the report: on the card of a slide, on its page, with the heads of the chains."""

import json
import re
from pathlib import Path

import pytest
from command_line import wsi_area
from read_html import Tags, written

from wsi_area.reports.report import write_report

ADA = ("--by", "Ada Miller", "--role", "pathologist")
OKOYE = ("--by", "B. Okoye")


def decided(run: Path, *said: str) -> None:
    assert wsi_area("review", run, *said).code in (0, 3)


def card_of(html: str, slide_id: str) -> str:
    found = re.search(rf'<li class="card [^>]*data-name="{slide_id}">(.*?)</li>', html, re.DOTALL)
    assert found is not None
    return " ".join("".join(Tags(found[1]).text).split())


def page_of(html: str, slide_id: str) -> str:
    text = " ".join("".join(Tags(html[html.index('aria-labelledby="sign-title"') :]).text).split())
    return text[text.index(f"{slide_id} ") :]


def test_nothing_is_said_of_a_review_that_nobody_began(run: Path) -> None:
    html = written(run)
    assert "What was decided" not in html
    assert "not reviewed" not in html


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ([("--accept", "disc", *ADA)], "accepted"),
        ([("--accept", "disc", "--remark", "rim is fat", *ADA)], "accepted with a remark"),
        ([("--reject", "disc", "--reason", "wrong_outline", *ADA)], "rejected"),
        ([("--second-opinion", "disc", *ADA)], "second opinion wanted"),
        ([("--accept", "disc", *ADA), ("--reject", "disc", "--reason", "artefact", *OKOYE)], "reviewers differ"),
        ([("--accept", "disc", *ADA), ("--sign", "slide", "disc", *ADA)], "accepted, signed"),
    ],
)
def test_a_verdict_stands_on_the_card_and_on_the_page_of_its_slide(
    run: Path, said: list[tuple[str, ...]], shown: str
) -> None:
    for words in said:
        decided(run, *words)
    html = written(run)
    assert shown in card_of(html, "disc")
    assert "not reviewed" in card_of(html, "torn")
    page = page_of(html, "disc")
    assert shown in page
    assert "by Ada Miller (pathologist), 20" in page


def test_a_comment_and_a_remark_are_text_whatever_they_look_like(run: Path) -> None:
    decided(run, "--comment", "disc", "--at", "10,10", "<script>alert(1)</script>", *OKOYE)
    decided(run, "--accept", "disc", "--remark", "<b>bold</b>", *ADA)
    html = written(run)
    assert "<script>alert(1)" not in html
    page = page_of(html, "disc")
    assert "comment by B. Okoye" in page
    assert "<b>bold</b>" in page


def test_the_report_has_the_last_event_of_each_chain_and_a_cut_one_is_told(run: Path) -> None:
    decided(run, "--accept", "disc", *ADA)
    decided(run, "--reject", "torn", "--reason", "incomplete", *OKOYE)
    chains = sorted((run / "review" / "events").glob("*.jsonl"))
    assert len(chains) == 2
    heads = [json.loads(chain.read_text().splitlines()[-1])["hash"] for chain in chains]
    html = written(run)
    assert all(head in html for head in heads)
    assert "1 accepted" in html
    assert "1 rejected" in html
    lines = chains[0].read_bytes().splitlines(keepends=True)
    chains[0].write_bytes(b"".join(lines).replace(b'"accept"', b'"reject"').replace(b"incomplete", b"other"))
    assert chains[0].name in written(run)  # it is named among what is not as it was written


def test_events_beside_a_run_that_may_not_be_written_are_shown(run: Path, tmp_path: Path) -> None:
    beside = tmp_path / "events"
    decided(run, "--accept", "disc", *ADA, "--events", str(beside))
    assert "What was decided" not in written(run)
    html = write_report(run, events=beside).html.read_text(encoding="utf-8")
    assert "accepted" in card_of(html, "disc")


@pytest.mark.parametrize("side_px", [40, 100])
def test_an_amended_area_stands_beside_the_measured_one(run: Path, tmp_path: Path, side_px: int) -> None:
    square = [[10, 10], [10 + side_px, 10], [10 + side_px, 10 + side_px], [10, 10 + side_px], [10, 10]]
    drawn = {
        "type": "Feature",
        "geometry": {"type": "Polygon", "coordinates": [square]},
        "properties": {"operation": "add", "class": "tissue", "utc": "2026-03-01T09:00:00Z"},
    }
    file = tmp_path / "corrections.geojson"
    file.write_text(json.dumps({"type": "FeatureCollection", "features": [drawn]}))
    before = card_of(written(run), "disc")
    assert wsi_area("amend", run, "disc", file, "--on", "measured", "--reviewer", "Ada Miller").code == 0
    html = written(run)
    shown = card_of(html, "disc")
    assert shown.startswith(before.partition(" tissue")[0])  # what was measured stays
    measured, amended = (float(text) for text in re.findall(r"(\d\.\d+) ± ", shown))
    # the square lies on glass: its pixels of 0.5 × 0.475 µm are what is added
    assert amended - measured == pytest.approx(side_px**2 * 0.5 * 0.475 / 1e6, abs=1.1e-4)
    assert "tissue, amended (1)" in page_of(html, "disc")
