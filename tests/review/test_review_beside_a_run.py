"""A folder for events beside a run goes on with the review in the run, and can be put into it again."""

import shutil
from pathlib import Path

import pytest
from command_line import wsi_area
from reviewed import ADA, EVE, OTTO, chains, decide

from wsi_area.audit.verify import verify_run
from wsi_area.model.review.event import Reviewer, ReviewEvent
from wsi_area.results.opened_run import open_run
from wsi_area.review.decide import Decision, RunReview
from wsi_area.review.tables import write_review
from wsi_area.review.verdicts import review_state


@pytest.fixture
def events(run: Path, tmp_path: Path) -> Path:
    """A folder beside a run in which Ada has decided on two slides."""
    decide(run, ADA, "accept", "a")
    decide(run, ADA, "reject", "b", reason="wrong_outline")
    write_review(open_run(run))
    return tmp_path / "beside"


def beside(run: Path, events: Path, by: Reviewer, what: str, *slides: str) -> ReviewEvent:
    (event,) = RunReview(open_run(run), by, events).record(Decision(what, slides))  # type: ignore[arg-type]
    return event


def statuses(run: Path, events: Path | None = None) -> dict[str, str]:
    return {name: verdict.status for name, verdict in review_state(open_run(run), events).verdicts.items()}


def faults(run: Path, events: Path | None = None) -> list[str]:
    return [fault.message for fault in review_state(open_run(run), events).faults]


def test_what_was_decided_in_the_run_counts_before_the_folder_is_there(run: Path, events: Path) -> None:
    assert statuses(run, events) == statuses(run) == {"a": "accepted", "b": "rejected", "c": "unreviewed"}
    assert not events.exists()
    assert (
        verify_run(run, with_slides=False, events=events).disagreements
        == verify_run(run, with_slides=False).disagreements
    )


@pytest.mark.parametrize(
    ("what", "slide", "expected"),
    [("accept", "a", "accepted"), ("accept", "b", "reviewers_differ"), ("second_opinion", "a", "second_opinion")],
)
def test_decisions_of_both_make_the_verdict_and_the_run_is_not_written(
    run: Path, events: Path, what: str, slide: str, expected: str
) -> None:
    before = {path: path.stat().st_mtime_ns for path in run.rglob("*")}
    event = beside(run, events, OTTO, what, slide)
    assert {head.writer for head in event.seen} <= {path.stem for path in chains(run)}
    assert event.seen
    assert statuses(run, events)[slide] == expected
    assert faults(run, events) == []
    assert {path: path.stat().st_mtime_ns for path in run.rglob("*")} == before


def test_the_files_of_the_folder_join_the_run_later_and_may_lie_in_both(run: Path, events: Path) -> None:
    beside(run, events, OTTO, "accept", "b")
    write_review(open_run(run), events)
    assert verify_run(run, with_slides=False, events=events).disagreements == ()
    for path in (events / "events").iterdir():
        shutil.copy(path, run / "review/events")
    write_review(open_run(run))
    assert statuses(run) == {"a": "accepted", "b": "reviewers_differ", "c": "unreviewed"}
    assert (faults(run), faults(run, events)) == ([], [])
    assert verify_run(run, with_slides=False).disagreements == ()
    beside(run, events, EVE, "accept", "c")
    assert statuses(run, events)["c"] == "accepted"


def test_a_file_that_lies_in_both_and_says_two_things_is_named(run: Path, events: Path) -> None:
    beside(run, events, OTTO, "accept", "b")
    (own,) = (events / "events").iterdir()
    (run / "review/events" / own.name).write_text(own.read_text().replace("Otto", "Eva"))
    assert any("is not the file of this name beside the run" in message for message in faults(run, events))


def test_a_folder_that_was_begun_before_stays_a_review_of_its_own_and_that_is_said(run: Path, tmp_path: Path) -> None:
    events = tmp_path / "beside"
    beside(run, events, OTTO, "accept", "a")
    decide(run, ADA, "reject", "a", reason="artefact")
    assert (statuses(run)["a"], statuses(run, events)["a"]) == ("rejected", "accepted")
    ended = wsi_area("review", run, "--status", "--events", events)
    assert "holds a review of its own, which is not counted here" in " ".join(ended.err.split())
    assert "holds a review of its own" not in " ".join(wsi_area("review", run, "--status").err.split())


def test_the_folder_in_the_run_is_the_review_of_the_run_and_no_other_folder_of_it_is_one(
    run: Path, events: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(run)
    for name in (run / "review", Path("review"), run / "slides" / ".." / "review"):
        assert wsi_area("review", run, "--events", name, "--comment", "a", "look", "--by", "Eve").code == 0
    assert verify_run(run, with_slides=False).disagreements == ()
    for place in (run / "review" / "events", run / "slides", run / "decided"):
        ended = wsi_area("review", run, "--events", place, "--accept", "a", "--by", "Eve")
        assert (ended.code, "lies in the run itself" in " ".join(ended.err.split())) == (1, True)
        assert not (place / "events").exists()
    assert wsi_area("review", run, "--events", f"{run}-decided", "--accept", "c", "--by", "Eve").code == 0
    assert statuses(run, events)["c"] == "unreviewed"


@pytest.mark.parametrize("name", ["  Ada Miller", "Ada  Miller ", "\tAda\u00a0Miller"])
def test_spaces_around_a_name_make_no_other_person_and_are_not_shown(run: Path, name: str) -> None:
    if "\t" in name:
        name = name.strip()
    decide(run, Reviewer(name=name, role=" pathologist "), "accept", "a")
    decide(run, ADA, "reject", "a", reason="artefact")
    (one,) = review_state(open_run(run)).verdicts["a"].by_reviewer
    assert (one.reviewer, one.role, one.what) == ("Ada Miller", "pathologist", "reject")
