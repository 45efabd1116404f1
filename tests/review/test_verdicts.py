"""The verdict on a slide: of one reviewer, of two, of one who changes, and of a slide that is another by now."""

import shutil
from pathlib import Path

import pytest
from measuring import measure
from reviewed import ADA, EVE, OTTO, decide, state, verdict

from wsi_area.errors import SettingsError
from wsi_area.model.review.event import Reviewer
from wsi_area.results.opened_run import open_run
from wsi_area.review.agreement import agreements
from wsi_area.review.decide import Decision, RunReview


def test_nobody_has_decided_at_first(run: Path) -> None:
    found = state(run)
    assert [(name, one.status) for name, one in found.verdicts.items()] == [(name, "unreviewed") for name in "abc"]
    assert found.open_slides == tuple(found.verdicts.values())
    assert not (run / "review").exists()  # looking leaves nothing


@pytest.mark.parametrize(
    ("what", "more", "status"),
    [
        ("accept", {}, "accepted"),
        ("accept_with_remark", {"remark": "thin"}, "accepted_with_remark"),
        ("reject", {"reason": "wrong_outline"}, "rejected"),
        ("needs_remeasuring", {}, "needs_remeasuring"),
        ("second_opinion", {}, "second_opinion"),
    ],
)
def test_each_decision_is_a_verdict(run: Path, what: str, more: dict[str, str], status: str) -> None:
    decide(run, ADA, what, "a", **more)
    found = verdict(run)
    assert (found.status, found.reviewer, found.role) == (status, "Ada Miller", "pathologist")
    assert (found.reason, found.remark) == (more.get("reason"), more.get("remark"))
    assert found.decided_mm2 == found.measured_mm2 == open_run(run)["a"].tissue_area_mm2
    assert not found.is_outdated
    assert verdict(run, "b").status == "unreviewed"


def test_the_latest_decision_of_a_reviewer_counts(run: Path) -> None:
    decide(run, ADA, "reject", "a", reason="artefact")
    decide(run, Reviewer(name="ada  MILLER", role=""), "accept", "a")  # the same name, typed otherwise
    assert verdict(run).status == "accepted"
    assert len(verdict(run).by_reviewer) == 1


def test_a_comment_decides_nothing(run: Path) -> None:
    decide(run, ADA, "accept", "a")
    decide(run, ADA, "comment", "a", remark="here", at_l0_px=(10.0, 20.5))
    found = verdict(run)
    assert found.status == "accepted"
    assert [(c.text, c.x_l0_px, c.y_l0_px) for c in found.comments] == [("here", 10.0, 20.5)]


def test_two_who_differ_are_a_verdict_of_their_own_until_they_agree(run: Path) -> None:
    decide(run, ADA, "accept", "a")
    decide(run, OTTO, "reject", "a", reason="missed_tumor")
    found = verdict(run)
    assert found.status == "reviewers_differ"
    assert found.reviewer == "Otto Okafor; Ada Miller"
    assert found.is_open
    decide(run, OTTO, "accept_with_remark", "a", remark="seen together")
    assert verdict(run).status == "accepted_with_remark"


def test_a_second_opinion_waits_for_another_reviewer_who_decides_after_it_was_asked_for(run: Path) -> None:
    decide(run, OTTO, "accept", "a")
    decide(run, ADA, "second_opinion", "a")
    assert verdict(run).status == "second_opinion"
    decide(run, EVE, "accept", "a")
    assert verdict(run).status == "accepted"


def test_who_decided_before_and_asks_for_a_second_opinion_now_waits_for_another(run: Path) -> None:
    decide(run, ADA, "accept", "a")
    decide(run, OTTO, "accept", "a")
    decide(run, ADA, "second_opinion", "a")
    assert verdict(run).status == "second_opinion"
    decide(run, OTTO, "accept", "a")
    assert verdict(run).status == "accepted"


def test_a_plain_run_and_one_that_measures_afresh_keep_verdicts(run: Path, slides: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "again"
    measure(slides, out)
    decide(out, ADA, "accept", "a", "b", "c")
    decide(out, ADA, "sign", scope="run")
    for force in (False, True):
        measure(slides, out, force=force)
        assert {one.status for one in state(out).verdicts.values()} == {"accepted"}
        assert all(one.is_signed for one in state(out).verdicts.values())


def test_another_number_makes_a_verdict_outdated_and_the_same_number_again_does_not(
    slides: list[Path], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    measure(slides, out)
    decide(out, ADA, "accept", "a")
    accepted_mm2 = verdict(out).measured_mm2
    measure(slides, out, "tiling.work_mpp=1.0", force=True)
    found = verdict(out)
    assert (found.status, found.is_outdated, found.is_open) == ("outdated", True, True)
    assert found.decided_mm2 == accepted_mm2 != found.measured_mm2
    measure(slides, out, force=True)
    assert verdict(out).status == "accepted"


def test_one_who_looked_again_settles_a_slide_and_the_other_is_outdated(slides: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "out"
    measure(slides, out)
    decide(out, ADA, "reject", "a", reason="artefact")
    measure(slides, out, "tiling.work_mpp=1.0", force=True)
    decide(out, OTTO, "accept", "a")
    found = verdict(out)
    assert (found.status, found.is_outdated) == ("accepted", True)
    assert [(one.reviewer, one.is_outdated) for one in found.by_reviewer] == [
        ("Otto Okafor", False), ("Ada Miller", True)
    ]  # fmt: skip


def test_a_slide_whose_document_is_damaged_is_outdated_and_stops_no_other(run: Path) -> None:
    decide(run, ADA, "accept", "a", "b")
    (run / "slides/a/result.json").write_text("{")
    assert verdict(run, "a").status == "outdated"
    assert verdict(run, "b").status == "accepted"
    with pytest.raises(SettingsError, match="wsi-area verify"):
        decide(run, ADA, "accept", "a")


def test_a_signature_is_for_what_stands_and_falls_with_it(run: Path) -> None:
    decide(run, ADA, "accept", "a")
    decide(run, ADA, "sign", "a")
    assert (verdict(run).signed_by, verdict(run).is_signed) == ("Ada Miller", True)
    decide(run, ADA, "reject", "a", reason="artefact")
    assert not verdict(run).is_signed


def test_a_subject_and_the_run_are_signed_once_each_slide_is_settled(run: Path) -> None:
    decide(run, ADA, "accept", "a")
    with pytest.raises(SettingsError, match=r"1 of 2 slides are not ready .* \(b: unreviewed\)"):
        decide(run, ADA, "sign", scope="subject", subject="p1")
    decide(run, ADA, "accept", "b")
    decide(run, OTTO, "sign", scope="subject", subject="p1")
    assert [one.signed_by for one in state(run).verdicts.values()] == ["Otto Okafor", "Otto Okafor", None]
    decide(run, ADA, "reject", "c", reason="out_of_focus")
    decide(run, EVE, "sign", scope="run")
    assert [one.signed_by for one in state(run).verdicts.values()] == ["Eve Li"] * 3


def test_nothing_is_signed_over_events_that_were_changed(run: Path) -> None:
    decide(run, ADA, "accept", "a", "b", "c")
    (path,) = (run / "review/events").iterdir()
    path.write_text(path.read_text().replace("pathologist", "professor", 1))
    with pytest.raises(SettingsError, match="not what was written"):
        decide(run, ADA, "sign", scope="run")


@pytest.mark.parametrize(
    ("decision", "told"),
    [
        (Decision("accept"), "which slides"),
        (Decision("accept", ("z",)), "no such slide in this run; there are: a, b, c"),
        (Decision("reject", ("a",)), "each rejection needs one"),
        (Decision("accept", ("a",), reason="artefact"), "a reason belongs to a rejection"),
        (Decision("reject", ("a",), reason="other"), "give a remark too"),
        (Decision("comment", ("a",), remark=" "), "needs its text"),
        (Decision("comment", ("a",), remark="x", at_l0_px=(402.0, 1.0)), "does not lie on a, which has 401 × 303"),
        (Decision("accept", ("a",), at_l0_px=(1.0, 1.0)), "a place belongs to a comment"),
        (Decision("accept", scope="run"), "only a signature"),
        (Decision("sign", scope="subject", subject="nobody"), "there are: p1, p2"),
    ],
)
def test_a_decision_that_cannot_be_made_is_refused_and_nothing_is_written(
    run: Path, decision: Decision, told: str
) -> None:
    with pytest.raises(SettingsError, match=told):
        RunReview(open_run(run), ADA).record(decision)
    assert not (run / "review").exists()


def test_a_slide_that_failed_can_be_rejected_and_not_accepted(slides: list[Path], tmp_path: Path) -> None:
    bad = tmp_path / "bad.tif"
    bad.write_bytes(b"no slide")
    out = tmp_path / "out"
    measure([slides[0], bad], out)
    with pytest.raises(SettingsError, match="no number to accept"):
        decide(out, ADA, "accept", "bad")
    decide(out, ADA, "reject", "bad", reason="incomplete")
    assert verdict(out, "bad").status == "rejected"
    shutil.copy(slides[1], bad)
    measure([slides[0], bad], out)
    assert verdict(out, "bad").status == "outdated"  # there is a number now


def test_kappa_is_that_of_cohen_over_slides_with_both(run: Path) -> None:
    decide(run, ADA, "accept", "a", "b")
    decide(run, ADA, "reject", "c", reason="artefact")
    decide(run, OTTO, "accept_with_remark", "a", remark="thin")
    decide(run, OTTO, "reject", "b", "c", reason="artefact")
    (pair,) = agreements(state(run).verdicts.values())
    assert (pair.first, pair.second, pair.slides, pair.agreed) == ("Ada Miller", "Otto Okafor", 3, 2)
    # by hand: 2/3 agree; chance: accept 2/3 × 1/3 + reject 1/3 × 2/3 = 4/9; (6/9 - 4/9) / (5/9)
    assert pair.kappa == pytest.approx(0.4)
