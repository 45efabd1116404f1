"""All slides at a glance: sums that a calculator gives too, and troubles told once."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from recorded import slide_of

from wsi_area.reports.cohort import Cohort
from wsi_area.reports.cohort import cohort as cohort_of
from wsi_area.reports.documents import read_documents


@pytest.fixture(scope="module")
def records(finished_run: Path) -> list[dict[str, Any]]:
    return [slide.model_dump(mode="json") for slide in read_documents(finished_run).slides]


def cohort(records: Iterable[dict[str, Any]]) -> Cohort:
    return cohort_of([slide_of(record) for record in records])


def test_only_complete_slides_enter_a_sum_and_the_note_says_so(records: list[dict[str, Any]]) -> None:
    disc = records[-1]
    twice = cohort([*records, {**disc, "slide_id": "again"}])
    by_name = {total.name: total for total in twice.totals}
    assert by_name["slides"].value == "5"
    assert by_name["slides"].notes == ("2 complete, 1 without a pixel size, 1 incomplete, 1 failed",)
    value, half_width = (float(text) for text in by_name["tissue mm² ± expanded uncertainty"].value.split(" ± "))
    assert value == pytest.approx(2 * disc["tissue"]["area_mm2"], rel=1e-2)
    # both pixel sizes err the same way: the error bars add up, they do not cancel
    assert half_width == pytest.approx(2 * 1.96 * 0.02 * disc["tissue"]["area_mm2"], rel=5e-2)
    assert by_name["tissue mm² ± expanded uncertainty"].notes[:1] == (
        "k = 2, of pixel size; not in it: segmentation, rescan",
    )
    assert by_name["tissue mm² ± expanded uncertainty"].notes[2:] == (
        "class tissue",
        "sum of the 2 complete slides, 2 of 2 with warnings",
    )
    assert "tumour mm² ± expanded uncertainty" not in by_name  # no class of this run is tumour: unknown, not 0


def test_the_same_trouble_of_many_slides_is_told_once(records: list[dict[str, Any]]) -> None:
    bare = next(record for record in records if record["slide_id"] == "bare")
    found = cohort([*records, {**bare, "slide_id": "bare-too"}]).troubles
    assert [trouble.status for trouble in found] == ["failed", "incomplete", "needs_calibration"]
    (cause,) = found[-1].causes
    assert [slide.slide_id for slide in cause.slides] == ["bare", "bare-too"]
    assert any("--mpp" in remedy for remedy in found[-1].remedies)


def test_what_helps_several_slides_is_said_once_below_each_reason(records: list[dict[str, Any]]) -> None:
    bare = next(record for record in records if record["slide_id"] == "bare")
    finding = bare["findings"][0]
    other = {**bare, "slide_id": "other", "findings": [{**finding, "message": "the label says 0"}]}
    trouble = cohort([bare, other]).troubles[0]
    assert len(cohort([bare, other]).troubles) == 1
    assert [cause.reason for cause in trouble.causes] == [finding["message"], "the label says 0"]
    assert trouble.remedies == (finding["remedy"],)


def warning(code: str, severity: str = "warning") -> dict[str, Any]:
    return {
        "slide_id": "s", "code": code, "severity": severity, "measured": None, "limit": None, "unit": "",
        "message": f"{code} was found", "remedy": f"look for {code}",
    }  # fmt: skip


def with_findings(disc: dict[str, Any], slide_id: str, *findings: dict[str, Any]) -> dict[str, Any]:
    return {**disc, "slide_id": slide_id, "findings": list(findings)}


def test_a_sum_says_how_many_of_its_slides_warn_and_each_is_named_with_what_to_look_at(
    records: list[dict[str, Any]],
) -> None:
    disc = records[-1]
    view = cohort(
        [
            with_findings(disc, "quiet", warning("EDGE", "info")),
            with_findings(disc, "blurred", warning("BLURRED")),
            with_findings(disc, "both", warning("BLURRED"), warning("DARK"), warning("EDGE", "info")),
        ]
    )
    assert view.totals[0].notes[-1] == "sum of the 3 complete slides, 2 of 3 with warnings"
    assert [(w.code, w.look_at, [slide_id for _, slide_id in w.slides]) for w in view.warned] == [
        ("BLURRED", "look for BLURRED", ["blurred", "both"]),
        ("DARK", "look for DARK", ["both"]),
    ]
    assert view.troubles == ()


def test_slides_without_a_number_are_told_above_and_warn_nobody_twice(records: list[dict[str, Any]]) -> None:
    bare = next(record for record in records if record["slide_id"] == "bare")
    view = cohort([with_findings(bare, "bare", warning("BLURRED")), with_findings(records[-1], "disc")])
    assert (view.warned, view.warned_text) == ((), "")
    assert view.totals[0].notes[-1] == "of the one complete slide"


def test_a_warning_of_very_many_slides_names_the_first_and_counts_the_others(records: list[dict[str, Any]]) -> None:
    (found,) = cohort([with_findings(records[-1], f"s{n}", warning("BLURRED")) for n in range(40)]).warned
    assert len(found.slides) + found.unnamed == 40
    assert found.slides[0] == ("slide-1", "s0")
    assert 5 < len(found.slides) < 20


def test_one_slide_has_no_spread(records: list[dict[str, Any]]) -> None:
    assert cohort([records[-1]]).plots == ()


def test_a_number_that_is_not_known_is_a_dash_that_sorts_last(records: list[dict[str, Any]]) -> None:
    view = cohort(records)
    failed = next(row for row in view.rows if row.slide_id == "text")
    assert {(cell.text, cell.sort) for cell in failed.cells} == {("–", "")}
    disc = next(row for row in view.rows if row.slide_id == "disc")
    assert float(disc.cells[0].sort) == records[-1]["tissue"]["area_mm2"]


def test_findings_are_counted_by_slide_and_incomplete_areas_are_bounds(records: list[dict[str, Any]]) -> None:
    view = cohort(records)
    assert dict(view.codes)["TILE_UNREADABLE"] == 1
    tissue = next(plot for plot in view.plots if plot.title == "Tissue")
    assert {dot.of.slide: dot.of.is_bound for dot in tissue.dots} == {"torn": True, "disc": False}


def test_a_run_of_failures_alone_has_no_total_and_no_plot(records: list[dict[str, Any]]) -> None:
    view = cohort([record for record in records if record["status"] == "failed"])
    assert [total.name for total in view.totals] == ["slides"]
    assert view.plots == ()


@pytest.mark.parametrize(
    ("statuses", "said"),
    [
        (("estimated",), "of the one estimated slide"),
        (("estimated", "estimated"), "sum of the 2 estimated slides"),
        (("complete", "estimated", "complete"), "sum of the 2 complete and 1 estimated slides"),
    ],
)
def test_an_estimate_that_is_as_exact_as_was_asked_enters_a_sum_and_is_named(
    records: list[dict[str, Any]], statuses: tuple[str, ...], said: str
) -> None:
    disc = records[-1]
    view = cohort([{**disc, "slide_id": f"s{n}", "status": s, "findings": []} for n, s in enumerate(statuses)])
    assert view.totals[0].notes[-1] == said
    assert float(view.totals[0].value.split(" ± ")[0]) == pytest.approx(
        len(statuses) * disc["tissue"]["area_mm2"], rel=1e-2
    )
