"""A review of a run in a bucket: two writers lose nothing, without a lock, and verify reads what they wrote."""

from pathlib import Path

import pytest
from command_line import wsi_area
from measuring import measure
from reviewed import ADA, OTTO, WRITER, decide, faults, start, state, verdict
from synthetic_shapes import disc
from synthetic_slides import write_slide

from wsi_area.errors import ResultError
from wsi_area.model.geometry import Size
from wsi_area.results.opened_run import open_run
from wsi_area.review.decide import Decision, RunReview
from wsi_area.storage.growing import GrowingFile, make_once
from wsi_area.storage.object_path import ObjectPath


@pytest.fixture
def run(place: ObjectPath, tmp_path: Path) -> ObjectPath:
    size = Size(300, 200)
    slide = write_slide(tmp_path / "a.tif", size, {"tissue": disc(size, 150, 100, 60)})
    measure(slide.path, place)  # type: ignore[arg-type]
    return place


def test_two_processes_at_once_lose_nothing_in_a_bucket(run: ObjectPath) -> None:
    writers = [start(WRITER, run, name, 5) for name in ("Ada", "Otto")]
    assert [writer.wait(100) for writer in writers] == [0, 0]
    assert faults(str(run)) == []
    assert [chain.lines for chain in state(str(run)).chains.chains] == [5, 5]
    assert len(verdict(str(run)).comments) == 10


def test_the_command_reviews_and_verifies_a_run_in_a_bucket(run: ObjectPath) -> None:
    assert wsi_area("review", run, "--status").code == 3
    assert wsi_area("review", run, "--accept", "a", "--by", "Ada").code == 0
    assert wsi_area("review", run, "--sign", "run", "--by", "Ada").code == 0
    assert wsi_area("review", run, "--status").code == 0
    assert (run / "review/summary.csv").is_file()
    assert wsi_area("verify", run).code == 0


def test_a_session_grows_over_its_own_version_alone(run: ObjectPath) -> None:
    review = RunReview(open_run(str(run)), ADA)
    (event,) = review.record(Decision("accept", ("a",)))
    chain = run / f"review/events/{event.writer}.jsonl"
    chain.write_bytes(chain.read_bytes() + b"\n")  # somebody else puts it
    with pytest.raises(ResultError, match="written by another process"):
        review.record(Decision("comment", ("a",), remark="lost?"))
    assert b"lost?" not in chain.read_bytes()


def test_an_object_whose_first_answer_was_lost_is_known_as_our_own(place: ObjectPath) -> None:
    file = GrowingFile(place / "grown.jsonl")
    file.add(b"one\n")
    (place / "grown.jsonl").write_bytes(b"one\ntwo\n")  # our put came through, its answer did not
    file.add(b"two\n")
    file.add(b"three\n")
    assert (place / "grown.jsonl").read_bytes() == b"one\ntwo\nthree\n"


def test_of_two_who_make_the_same_object_one_did(place: ObjectPath) -> None:
    assert make_once(place / "one.json", b"first")
    assert not make_once(place / "one.json", b"second")
    assert (place / "one.json").read_bytes() == b"first"


def test_two_who_begin_a_review_at_once_are_of_one_review(run: ObjectPath) -> None:
    decide(str(run), ADA, "accept", "a")
    decide(str(run), OTTO, "accept", "a")
    assert len({event.review for event in state(str(run)).chains.events}) == 1
