"""`wsi-area verify` of a reviewed run: quiet where all is as written, and a name for everything that is not."""

import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
from command_line import wsi_area
from measuring import measure
from reviewed import ADA, EVE, KILLED, OTTO, chains, decide, start

from wsi_area.audit.verify import verify_run
from wsi_area.model.documented import without_version
from wsi_area.model.review.review_seal import ReviewSeal
from wsi_area.results.documents import document_of
from wsi_area.results.layout import write_json
from wsi_area.results.opened_run import open_run
from wsi_area.review.decide import Decision, RunReview
from wsi_area.review.tables import write_review


@pytest.fixture
def reviewed(run: Path) -> Path:
    decide(run, ADA, "accept", "a", "b", "c")
    decide(run, OTTO, "accept", "a")
    write_review(open_run(run))
    return run


def named(run: Path, **more: object) -> list[tuple[str, str]]:
    return [(fault.what, fault.message) for fault in verify_run(run, **more).disagreements]  # type: ignore[arg-type]


def test_a_reviewed_run_is_quiet(reviewed: Path) -> None:
    assert named(reviewed) == []
    assert wsi_area("verify", reviewed).code == 0


def test_a_run_that_nobody_reviewed_is_quiet(run: Path) -> None:
    assert named(run) == []


def test_a_reviewed_run_measured_again_is_quiet(slides: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "out"
    measure(slides[:2], out)
    decide(out, ADA, "accept", "a")
    write_review(open_run(out))
    for more in ({}, {"force": True}):
        measure(slides[:2], out, **more)
        assert named(out) == []
    measure(slides, out)  # another slide joins: another seal, which that of the review names
    assert named(out) == []
    seal = json.loads((out / "review/seal.json").read_text())
    assert seal["measurement"] == json.loads((out / "run.json").read_text())["seal"]


def test_the_workbook_has_a_sheet_of_the_review_beside_the_same_others(run: Path) -> None:
    before = sheets_of(run)
    decide(run, ADA, "accept", "a")
    for name in ("b", "c"):  # the sheet is added, then written again
        decide(run, OTTO, "reject", name, reason="artefact")
        write_review(open_run(run))
    after = sheets_of(run)
    review = after.pop("review")
    assert after == before
    assert [row[:3] for row in review[1:]] == [
        ("a", "p1", "accepted"), ("b", "p1", "rejected"), ("c", "p2", "rejected")
    ]  # fmt: skip


def sheets_of(run: Path) -> dict[str, list[tuple[object, ...]]]:
    book = openpyxl.load_workbook(run / "summary.xlsx")
    return {name: list(book[name].iter_rows(values_only=True)) for name in book.sheetnames}


def test_the_workbook_of_a_run_measured_again_keeps_the_sheet(slides: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "out"
    measure(slides, out)
    decide(out, ADA, "accept", "a")
    write_review(open_run(out))
    measure(slides, out)
    assert sheets_of(out)["review"][1][2] == "accepted"


def test_a_workbook_that_somebody_changed_is_left_and_named(run: Path) -> None:
    book = openpyxl.load_workbook(run / "summary.xlsx")
    book["summary"]["B2"] = "better"
    book.save(run / "summary.xlsx")
    changed = (run / "summary.xlsx").read_bytes()
    decide(run, ADA, "accept", "a")
    write_review(open_run(run))
    assert (run / "summary.xlsx").read_bytes() == changed
    assert any(what == "summary.xlsx" for what, _ in named(run))


def rewrite(run: Path) -> None:
    path = chains(run)[0]
    path.write_text(path.read_text().replace("pathologist", "professor", 1))


def cut(run: Path) -> None:
    path = max(chains(run), key=lambda chain: chain.read_bytes().count(b"\n"))
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))


def foreign(run: Path) -> None:
    path = chains(run)[0]
    review = json.loads((run / "review/review.json").read_text())["review"]
    text = path.read_text().replace(review, "0" * 32)
    (run / "review/events/00000000000000aa.jsonl").write_text(text)


def better_table(run: Path) -> None:
    path = run / "review/summary.csv"
    path.write_text(path.read_text().replace("accepted", "rejected", 1))


def better_sheet(run: Path) -> None:
    with zipfile.ZipFile(run / "summary.xlsx") as package:
        parts = {name: package.read(name).decode() for name in package.namelist()}
    with zipfile.ZipFile(run / "summary.xlsx", "w") as package:
        for name, text in parts.items():
            package.writestr(name, text.replace(">accepted<", ">rejected<", 1))


def other_seal(run: Path) -> None:
    seal = json.loads((run / "review/seal.json").read_text())
    seal["heads"] = seal["heads"][:1]
    (run / "review/seal.json").write_text(json.dumps(seal))


def junk(run: Path) -> None:
    (run / "review/notes.txt").write_text("mine")


def junk_beside_chains(run: Path) -> None:
    (run / "review/events/old").mkdir()
    (run / "review/events/old/0123456789abcdef.jsonl").write_text("")


def link(run: Path) -> None:
    (run / "review/events/0123456789abcdef.jsonl").symlink_to(run / "run.json")


def no_identity(run: Path) -> None:
    (run / "review/review.json").unlink()


def no_table(run: Path) -> None:
    (run / "review/summary.csv").unlink()


@pytest.mark.parametrize(
    ("harm", "what", "told"),
    [
        (rewrite, "review/events/", "was changed"),
        (cut, "review/events/", "its end was cut off"),
        (foreign, "review/events/00000000000000aa.jsonl", "event"),
        (better_table, "review/summary.csv", "not the file that was written"),
        (better_sheet, "summary.xlsx", "verdict is 'rejected' in sheet review"),
        (other_seal, "review/seal.json", "makes the seal"),
        (junk, "review/notes.txt", "no part of a review"),
        (junk_beside_chains, "review/events/old", "no part of a review"),
        (link, "review/events/0123456789abcdef.jsonl", "no part of a review"),
        (no_identity, "review/events", "review.json"),
        (no_table, "review/summary.csv", "cannot be read"),
    ],
)
def test_what_is_not_as_it_was_written_is_named(
    reviewed: Path, harm: Callable[[Path], None], what: str, told: str
) -> None:
    harm(reviewed)
    found = named(reviewed)
    assert any(name.startswith(what) and told in message for name, message in found), found
    assert wsi_area("verify", reviewed).code == 4


def test_the_remedy_of_a_changed_review_is_not_to_measure_again(reviewed: Path) -> None:
    rewrite(reviewed)
    told = wsi_area("verify", reviewed).out
    assert "put its files back from a copy" in told
    assert "--force" not in told


def test_the_last_tail_of_all_is_named_where_a_head_is_on_paper(reviewed: Path) -> None:
    review = RunReview(open_run(reviewed), EVE)
    *_, last = [review.record(Decision("accept", (name,)))[0] for name in "ab"]
    write_review(open_run(reviewed))
    assert named(reviewed, heads=[last.hash[:12]]) == []
    path = reviewed / f"review/events/{last.writer}.jsonl"
    path.write_bytes(path.read_bytes().splitlines(keepends=True)[0])
    assert any("its end was cut off" in told for _, told in named(reviewed))  # the seal of the review saw it
    write_review(open_run(reviewed))
    assert any("its end was cut off" in told for _, told in named(reviewed))  # and so does the next one
    place = reviewed / "review/seal.json"
    seal = ReviewSeal.model_validate(without_version(json.loads(place.read_text())))
    seal = seal.model_copy(update={"heads": tuple(head for head in seal.heads if head.hash != last.hash)})
    write_json(place, document_of(seal.model_copy(update={"seal": seal.expected_seal})))  # now it has not
    assert named(reviewed) == []
    assert any(last.hash[:12] in told for _, told in named(reviewed, heads=[last.hash[:12]]))
    assert wsi_area("verify", reviewed, "--head", last.hash[:12]).code == 4


def test_a_head_on_paper_of_a_review_that_is_gone_is_named(reviewed: Path) -> None:
    shutil.rmtree(reviewed / "review")
    assert any("deadbeef" in told for _, told in named(reviewed, heads=["deadbeef"]))


def test_events_that_came_after_the_table_are_named_until_it_is_made_anew(reviewed: Path) -> None:
    decide(reviewed, EVE, "reject", "b", reason="artefact")
    (fault,) = named(reviewed)
    assert fault[0] == "review/summary.csv"
    assert "came after it was made" in fault[1]
    write_review(open_run(reviewed))
    assert named(reviewed) == []


def test_a_torn_line_is_named_until_the_next_decision_takes_note_of_it(reviewed: Path) -> None:
    start(KILLED, reviewed, "Otto", 5).wait(60)
    assert any("its last line is torn" in told for _, told in named(reviewed))
    decide(reviewed, EVE, "accept", "a")
    write_review(open_run(reviewed))
    assert named(reviewed) == []
    assert any("its last line is torn" in note for note in verify_run(reviewed).not_held)


def test_a_review_beside_a_read_only_run_is_verified_with_it(run: Path, tmp_path: Path) -> None:
    events = tmp_path / "decided"
    (event,) = RunReview(open_run(run), ADA, events).record(Decision("accept", ("a",)))
    write_review(open_run(run), events)
    assert named(run, events=events, heads=[event.hash[:16]]) == []
    (events / "notes.txt").write_text("mine")
    path = events / f"events/{event.writer}.jsonl"
    path.write_text(path.read_text().replace("accept", "reject", 1))
    told = [message for _, message in named(run, events=events)]
    assert any("was changed" in message for message in told)
    assert any("no part of a review" in message for message in told)
    assert wsi_area("verify", run, "--events", events).code == 4
    assert wsi_area("verify", run).code == 0
