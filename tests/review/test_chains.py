"""Chains of events: what several writers write is all there, and what is cut, changed or foreign is named."""

import json
import shutil
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from measuring import measure
from reviewed import ADA, EVE, KILLED, OTTO, WRITER, chain_of, chains, decide, faults, start, state, verdict

from wsi_area.errors import NewerDocumentError, ResultError
from wsi_area.model.review.event import Decided, ReviewEvent
from wsi_area.results.opened_run import open_run
from wsi_area.review.chain import Chain, first_previous
from wsi_area.review.chains import Chains
from wsi_area.review.decide import Decision, RunReview


def test_two_threads_with_a_session_each_lose_nothing(run: Path) -> None:
    def write(number: int) -> None:
        review = RunReview(open_run(run), (ADA, OTTO)[number])
        for n in range(8):
            review.record(Decision("comment", ("a",), remark=f"{number} {n}"))

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(write, (0, 1)))
    found = state(run)
    assert found.faults == ()
    assert len(found.chains.chains) == 2
    assert sorted(comment.text for comment in verdict(run).comments) == sorted(
        f"{number} {n}" for number in (0, 1) for n in range(8)
    )


def test_threads_that_share_a_session_write_one_chain(run: Path) -> None:
    review = RunReview(open_run(run), ADA)
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda n: review.record(Decision("comment", ("b",), remark=str(n))), range(12)))
    assert faults(run) == []
    assert len(chains(run)) == 1
    assert {comment.text for comment in verdict(run, "b").comments} == {str(n) for n in range(12)}


def test_two_processes_at_once_lose_nothing_and_see_each_other(run: Path) -> None:
    writers = [start(WRITER, run, name, 10) for name in ("Ada", "Otto")]
    assert [writer.wait(60) for writer in writers] == [0, 0]
    found = state(run)
    assert found.faults == ()
    assert [chain.lines for chain in found.chains.chains] == [10, 10]
    decide(run, EVE, "accept", "a")
    events = {event.hash: event for event in state(run).chains.events}
    seen = [head.hash for head in state(run).chains.events[-1].seen]
    for name in seen:  # directly, and through those that it names
        seen += [head.hash for head in events[name].seen if head.hash not in seen]
    assert {head.hash for head in found.chains.heads} <= set(seen)


def test_no_event_comes_before_one_that_its_writer_saw_whatever_the_clocks_say(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from wsi_area.review import session

    decide(run, ADA, "accept", "a")
    monkeypatch.setattr(session, "now_text", lambda: "1999-01-01T00:00:00.000+00:00")  # a clock that is years behind
    decide(run, ADA, "reject", "a", reason="artefact")
    assert verdict(run).status == "rejected"
    assert [event.what for event in state(run).chains.events] == ["accept", "reject"]


def test_events_of_writers_who_did_not_see_each_other_stand_in_the_order_of_their_clocks() -> None:
    def chain(writer: str, *times: int) -> Chain:
        events, previous = [], first_previous("0" * 32, writer)
        for number, time in enumerate(times, 1):
            event = ReviewEvent(
                review="0" * 32, writer=writer, number=number, utc=f"2026-01-01T00:00:0{time}", reviewer=ADA,
                what="comment", decided=(Decided(slide_id="a", content=f"sha256:{'0' * 64}", area_mm2=None,
                measure=None),), remark="x", seen=(), previous=previous, hash=f"{writer}{number:048x}",
            )  # fmt: skip
            events.append(event)
            previous = event.hash
        return Chain(writer, tuple(events), len(events), None, ())

    both = Chains((chain("a" * 16, 1, 4, 5), chain("b" * 16, 2, 3, 6)))
    assert [int(event.utc[-1]) for event in both.events] == [1, 2, 3, 4, 5, 6]


def test_a_killed_writer_loses_its_last_line_alone_and_the_next_takes_note_of_it(run: Path) -> None:
    killed = start(KILLED, run, "Ada", 5)
    assert killed.wait(60) == -signal.SIGKILL
    (told,) = faults(run)
    assert "its last line is torn" in told
    assert "its 2 events before that stand" in told
    assert [comment.text for comment in verdict(run).comments] == ["Ada 0", "Ada 1"]
    torn = chains(run)[0].read_bytes()
    decide(run, OTTO, "accept", "a")
    assert faults(run) == []
    assert any("its last line is torn" in note for note in state(run).chains.notes)
    assert chain_of(run, state(run).chains.chains[0].events[0]).exists()
    assert torn in [path.read_bytes() for path in chains(run)]  # nobody changes the file of another
    decide(run, EVE, "accept", "a")
    assert sum(len(event.torn) for event in state(run).chains.events) == 1  # it is noted once


def test_an_event_that_lacks_only_its_line_end_stands(run: Path) -> None:
    (event,) = decide(run, ADA, "accept", "a")
    path = chain_of(run, event)
    path.write_bytes(path.read_bytes().removesuffix(b"\n"))
    assert faults(run) == []
    assert verdict(run).status == "accepted"


def test_a_tail_that_was_cut_off_is_named_where_another_chain_saw_it(run: Path) -> None:
    review = RunReview(open_run(run), ADA)
    for what in ("accept", "reject"):
        review.record(Decision(what, ("a",), reason="artefact" if what == "reject" else None))  # type: ignore[arg-type]
    decide(run, OTTO, "comment", "b", remark="seen")
    path = chains(run)[0] if b"Ada" in chains(run)[0].read_bytes() else chains(run)[1]
    first, _ = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(first)
    (told,) = faults(run)
    assert "it ends after event 1" in told
    assert "saw event 2: its end was cut off" in told


@pytest.mark.parametrize("gone", ["the first", "the second", "both"])
def test_what_the_last_of_three_saw_through_another_is_named_too(run: Path, gone: str) -> None:
    (first,) = decide(run, ADA, "accept", "a")
    (second,) = decide(run, OTTO, "accept", "b")
    (third,) = decide(run, EVE, "accept", "c")
    assert [head.writer for head in third.seen] == [second.writer]  # which names the first
    for name, event in (("the first", first), ("the second", second)):
        if gone in (name, "both"):
            chain_of(run, event).unlink()
    assert len(faults(run)) == 1
    assert "is not there any more" in faults(run)[0]


def test_a_whole_file_that_is_gone_is_named_where_another_chain_saw_it(run: Path) -> None:
    (event,) = decide(run, ADA, "accept", "a")
    decide(run, OTTO, "accept", "b")
    chain_of(run, event).unlink()
    (told,) = faults(run)
    assert f"saw event 1 of session {event.writer}, whose file is not there any more" in told


@pytest.mark.parametrize("field", ["utc", "what", "number", "remark"])
def test_a_rewritten_event_is_named_and_counts_for_nothing(run: Path, field: str) -> None:
    (event,) = decide(run, ADA, "accept", "a")
    path = chain_of(run, event)
    told = json.loads(path.read_text())
    told[field] = {"utc": "2001-01-01", "what": "second_opinion", "number": 2, "remark": "nice"}[field]
    path.write_text(json.dumps(told) + "\n")
    assert any("was changed: its content makes the hash" in message for message in faults(run))
    assert verdict(run).status == "unreviewed"


def test_an_event_rewritten_with_a_hash_that_fits_is_named_where_another_chain_saw_it(run: Path) -> None:
    from wsi_area.model.json_tree import json_digest

    (event,) = decide(run, ADA, "accept", "a")
    decide(run, OTTO, "accept", "b")
    path = chain_of(run, event)
    told = json.loads(path.read_text())
    del told["hash"]
    told["what"], told["reason"] = "reject", "artefact"
    path.write_text(json.dumps({**told, "hash": json_digest(told)}) + "\n")
    (message,) = faults(run)
    assert "event 1 is not the one that event 1 of" in message
    assert "it was rewritten" in message


@pytest.mark.parametrize("gone", [0, 1])
def test_an_event_taken_out_is_named(run: Path, gone: int) -> None:
    review = RunReview(open_run(run), ADA)
    for slide in "abc":
        review.record(Decision("accept", (slide,)))
    (path,) = chains(run)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(line for n, line in enumerate(lines) if n != gone))
    (told,) = faults(run)
    assert f"event {gone + 2} stands where event {gone + 1} is due" in told
    assert sum(v.status == "accepted" for v in state(run).verdicts.values()) == 2


def test_two_events_that_changed_places_are_named(run: Path) -> None:
    review = RunReview(open_run(run), ADA)
    for slide in "abc":
        review.record(Decision("accept", (slide,)))
    (path,) = chains(run)
    first, second, third = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(first + third + second)
    assert any("event 3 stands where event 2 is due" in told for told in faults(run))


def test_events_of_another_run_are_named_and_count_for_nothing(run: Path, slides: list[Path], tmp_path: Path) -> None:
    other = tmp_path / "other"
    measure(slides, other, "segmenter.threshold=70")  # the same slides, measured otherwise
    (event,) = decide(other, EVE, "reject", "a", reason="artefact")
    decide(run, ADA, "accept", "a")
    shutil.copy(chain_of(other, event), run / "review/events")
    (told,) = faults(run)
    assert "1 of its 1 events are of another run's review" in told
    assert verdict(run).status == "accepted"


def test_a_chain_under_another_name_is_named(run: Path) -> None:
    (event,) = decide(run, ADA, "accept", "a")
    chain_of(run, event).rename(run / "review/events/0123456789abcdef.jsonl")
    assert any(f"was written by session {event.writer}, whose file it does not lie in" in told for told in faults(run))
    assert verdict(run).status == "unreviewed"


def test_an_event_on_a_slide_that_the_run_does_not_have_is_named(run: Path, slides: list[Path], tmp_path: Path) -> None:
    decide(run, ADA, "accept", "a", "b", "c")
    smaller = tmp_path / "smaller"
    measure(slides[:1], smaller)
    shutil.copytree(run / "review", smaller / "review")
    assert any("it decides on b, c: no slide of this run" in told for told in faults(smaller))


@pytest.mark.parametrize("content", [b"\x00\xff\n", b"[1, 2]\n", b"{}\n", b"[" * 100_000 + b"\n", b'{"a": NaN}\n'])
def test_a_file_that_is_no_chain_is_named_and_costs_the_others_nothing(run: Path, content: bytes) -> None:
    decide(run, ADA, "accept", "a")
    (run / "review/events/00000000000000ff.jsonl").write_bytes(content)
    assert len(faults(run)) == 1
    assert verdict(run).status == "accepted"


def test_events_of_a_later_version_are_refused(run: Path) -> None:
    (event,) = decide(run, ADA, "accept", "a")
    path = chain_of(run, event)
    path.write_text(path.read_text().replace('"schema_version": 2', '"schema_version": 9'))
    with pytest.raises(NewerDocumentError, match="install the newer version"):
        state(run)


def test_events_without_the_id_of_their_review_are_refused_with_the_remedy(run: Path) -> None:
    decide(run, ADA, "accept", "a")
    (run / "review/review.json").unlink()
    with pytest.raises(ResultError, match=r"put that file back"):
        decide(run, OTTO, "accept", "a")
