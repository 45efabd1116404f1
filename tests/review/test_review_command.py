"""`wsi-area review`: what is decided is written, what waits is told, and exit codes say which."""

import csv
import io
import json
import stat
from pathlib import Path

import pytest
from command_line import wsi_area
from painting_by_hand import box, operation, write_corrections
from reviewed import OTTO, decide

from wsi_area.errors import ResultError
from wsi_area.results import layout
from wsi_area.results.opened_run import open_run

ADA = ("--by", "Ada Miller", "--role", "pathologist")


def test_status_says_who_has_to_look_at_what_until_nobody_has_to(run: Path) -> None:
    ended = wsi_area("review", run, "--status")
    assert ended.code == 3
    assert "3 nobody decided on: a, b, c" in ended.out
    assert wsi_area("review", run, "--accept", "a", "b", *ADA).code == 0
    ended = wsi_area("review", run)
    assert ended.code == 3
    assert "1 nobody decided on: c" in ended.out
    assert wsi_area("review", run, "--reject", "c", "--reason", "artefact", *ADA).code == 0
    ended = wsi_area("review", run, "--status")
    assert ended.code == 0
    assert "no slide waits for anybody" in ended.out


def test_a_decision_is_told_with_the_number_that_it_is_given_on(run: Path, tmp_path: Path) -> None:
    def area(slide: object) -> str:
        return f"{slide.tissue_area_mm2:.6g} mm² tissue"  # type: ignore[attr-defined]

    measured = open_run(run)["a"]
    assert f"accept: a at {area(measured)} (Ada" in wsi_area("review", run, "--accept", "a", *ADA).out
    base = wsi_area("amend", run, "a", "--json").document["measured"]
    drawn = [operation("add", box(5.3, 5.3, 45.7, 45.2), **{"class": "tissue"})]
    assert wsi_area("amend", run, "a", write_corrections(tmp_path / "c.geojson", base, drawn)).code == 0
    (version,) = open_run(run)["a"].amended
    assert area(version) != area(measured)
    ended = wsi_area("review", run, "--reject", "a", "--reason", "artefact", *ADA)
    assert f"reject: a at {area(version)}, amended 1 (Ada" in " ".join(ended.out.split())
    assert "comment: a (Ada" in wsi_area("review", run, "--comment", "a", "look", *ADA).out


def test_status_says_that_the_table_is_older_than_the_events_until_it_is_renewed(run: Path) -> None:
    wsi_area("review", run, "--accept", "a", *ADA)
    assert "summary.csv" not in wsi_area("review", run, "--status").err
    table = (run / "review/summary.csv").read_bytes()
    decide(run, OTTO, "accept", "b")  # as of a session that was stopped before it made the table
    ended = wsi_area("review", run, "--status")
    assert ended.code == 3
    assert "summary.csv is older than the events; the next decision writes it anew" in " ".join(ended.err.split())
    assert (run / "review/summary.csv").read_bytes() == table
    assert "older than" in wsi_area("review", run, "--status", "--json").document["old_table"]
    wsi_area("review", run, "--accept", "c", *ADA)
    assert wsi_area("review", run, "--status", "--json").document["old_table"] is None
    (run / "review/summary.csv").unlink()
    assert "summary.csv is not there" in " ".join(wsi_area("review", run, "--status").err.split())


@pytest.mark.parametrize("name", ["Ada\nMiller", "Ada\x1b[31m", "Ada\rMiller", "\u202eadA", "x" * 201])
@pytest.mark.parametrize("what", ["name", "role"])
def test_a_name_is_one_line_of_text_or_nothing_is_written(run: Path, name: str, what: str) -> None:
    by = ("--by", "Ada", "--role", name) if what == "role" else ("--by", name)
    ended = wsi_area("review", run, "--accept", "a", *by)
    assert ended.code == 1
    assert f"the {what} " in ended.err
    assert "\x1b" not in ended.err
    assert not (run / "review").exists()


def test_where_the_table_cannot_be_written_nobody_is_told_to_decide_again(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(path: Path, parts: object, **options: object) -> None:
        if "review" in Path(path).parts and Path(path).suffix == ".csv":
            raise PermissionError(13, "Permission denied", str(path))
        commit(path, parts, **options)

    commit = layout.commit
    monkeypatch.setattr(layout, "commit", refused)
    ended = wsi_area("review", run, "--accept", "a", *ADA)
    told = " ".join(ended.err.split())
    assert ended.code == 2
    assert "the table of it is not" in told
    assert "Permission denied" in told
    assert "no decision is to be repeated" in told
    assert "same command again" not in told


def test_status_is_of_the_whole_run(run: Path) -> None:
    ended = wsi_area("review", run, "--status", "a")
    assert ended.code == 1
    assert "--status is of the whole run" in ended.err


def test_status_as_json_has_every_slide_and_the_heads(run: Path) -> None:
    wsi_area("review", run, "--accept", "a", "--remark", "thin", *ADA)
    wsi_area("review", run, "--reject", "a", "--reason", "wrong_outline", "--by", "Otto Okafor")
    ended = wsi_area("review", run, "--status", "--json")
    told = ended.document
    assert (ended.code, told["exit_code"]) == (3, 3)
    assert told["open"] == ["a", "b", "c"]
    assert [slide["status"] for slide in told["slides"]] == ["reviewers_differ", "unreviewed", "unreviewed"]
    assert [pair["kappa"] for pair in told["agreement"]] == [0.0]
    assert [head["number"] for head in told["heads"]] == [1, 1]
    assert told["faults"] == []


def test_a_decision_as_json_is_its_event(run: Path) -> None:
    told = wsi_area("review", run, "--comment", "a", "--at", "10,20.5", "look here", *ADA, "--json").document
    (event,) = told["events"]
    assert (event["what"], event["remark"], event["x_l0_px"], event["y_l0_px"]) == ("comment", "look here", 10, 20.5)
    assert event["reviewer"] == {"name": "Ada Miller", "role": "pathologist", "is_authenticated": False}
    assert len(event["writer"]) == 16


def test_everything_that_can_be_decided_has_an_option(run: Path) -> None:
    for option, slide, status in (
        ("--needs-remeasuring", "a", "needs_remeasuring"), ("--second-opinion", "b", "second_opinion"),
        ("--accept", "c", "accepted"),
    ):  # fmt: skip
        told = wsi_area("review", run, option, slide, *ADA, "--json").document
        assert {one["slide_id"]: one["status"] for one in told["slides"]}[slide] == status
    wsi_area("review", run, "--accept", "a", "b", *ADA)
    assert wsi_area("review", run, "--sign", "slide", "c", *ADA).code == 0
    assert wsi_area("review", run, "--sign", "subject", "p1", *ADA).code == 0
    assert wsi_area("review", run, "--sign", "run", *ADA).code == 0
    told = wsi_area("review", run, "--json").document
    assert all(slide["is_signed"] for slide in told["slides"])


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--accept", "a"), "--by: who decides?"),
        (("--accept", "--by", "A"), "which slides?"),
        (("--accept", "--reject", "a", "--by", "A"), "one thing at a time"),
        (("a", "--by", "A"), "what is decided?"),
        (("--comment", "a", "--by", "A"), "then the text"),
        (("--comment", "a", "x", "--at", "10", "--by", "A"), "give x,y in level-0 px"),
        (("--reject", "a", "--by", "A"), "each rejection needs one"),
        (("--sign", "run", "a", "--by", "A"), "name none"),
        (("--sign", "run", "--by", "A"), "3 of 3 slides are not ready to be signed"),
        (("--accept", "a", "--at", "1,1", "--by", "A"), "--at is the place of a --comment"),
    ],
)
def test_what_cannot_be_decided_is_refused_with_the_remedy(run: Path, words: tuple[str, ...], told: str) -> None:
    ended = wsi_area("review", run, *words)
    assert ended.code == 1
    assert told in ended.err
    assert not (run / "review").exists()


def test_a_folder_without_a_run_is_refused(tmp_path: Path) -> None:
    assert wsi_area("review", tmp_path, "--status").code == 1


def test_events_that_were_changed_end_with_4_and_are_named(run: Path) -> None:
    wsi_area("review", run, "--accept", "a", "b", "c", *ADA)
    (path,) = (run / "review/events").iterdir()
    path.write_text(path.read_text().replace('"accept"', '"second_opinion"', 1))
    ended = wsi_area("review", run, "--status")
    assert ended.code == 4
    assert "event 1 was changed" in ended.err


def test_a_run_that_is_read_only_is_reviewed_in_a_folder_of_its_own(run: Path, tmp_path: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in run.rglob("*")}
    events = tmp_path / "decided"
    assert wsi_area("review", run, "--events", events, "--accept", "a", "b", "c", *ADA).code == 0
    assert wsi_area("review", run, "--events", events).code == 0
    assert wsi_area("review", run).code == 3
    assert (events / "summary.csv").is_file()
    assert {path: path.stat().st_mtime_ns for path in run.rglob("*")} == before


def test_a_run_that_may_not_be_written_says_the_way_out(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from wsi_area.review import folder

    def refused(*_: object) -> bool:
        raise PermissionError(13, "Permission denied")

    assert stat.S_ISDIR(run.stat().st_mode)
    monkeypatch.setattr(folder, "make_once", refused)
    ended = wsi_area("review", run, "--accept", "a", *ADA)
    assert ended.code == 1
    assert "Permission denied" in ended.err
    assert "--events" in ended.err


def test_the_folder_for_events_may_not_be_a_run(run: Path, measured: Path) -> None:
    ended = wsi_area("review", run, "--events", measured, "--accept", "a", *ADA)
    assert (ended.code, "holds a run" in ended.err) == (1, True)


def test_the_table_has_a_row_for_each_slide_and_names_that_order_nothing(run: Path) -> None:
    wsi_area("review", run, "--accept", "a", "--remark", "=1+1\nsecond line", "--by", "@Ada")
    rows = rows_of(run / "review/summary.csv")
    assert [(row["slide_id"], row["verdict"], row["subject"]) for row in rows] == [
        ("a", "accepted_with_remark", "p1"), ("b", "unreviewed", "p1"), ("c", "unreviewed", "p2")
    ]  # fmt: skip
    assert rows[0]["reviewer"] == "'@Ada"
    assert rows[0]["remark"].startswith("'=1+1")
    summary = {row["slide_id"]: row for row in rows_of(run / "summary.csv")}
    assert [row["measured_mm2"] for row in rows] == [summary[row["slide_id"]]["tissue_area_mm2"] for row in rows]


@pytest.mark.parametrize("name", ["review/summary.csv", "summary.xlsx"])
def test_a_table_that_cannot_be_written_loses_no_decision(
    run: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    from wsi_area.review import tables

    def full(place: Path, content: bytes) -> None:
        if place == run / name:
            raise ResultError("the disk is full")
        write_bytes(place, content)

    write_bytes = tables.write_bytes
    monkeypatch.setattr(tables, "write_bytes", full)
    ended = wsi_area("review", run, "--accept", "a", *ADA)
    assert ended.code == 2
    assert "what was decided is written, and the table of it is not: the disk is full" in ended.err
    assert wsi_area("verify", run).code == 4  # it says so
    monkeypatch.undo()
    told = wsi_area("review", run, "--json").document
    assert told["slides"][0]["status"] == "accepted"
    assert wsi_area("review", run, "--accept", "b", *ADA).code == 0
    assert wsi_area("verify", run).code == 0


def test_a_file_system_that_locks_nothing_is_reviewed_all_the_same(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from wsi_area.storage import locks

    def no_locks(*_: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(locks.fcntl, "flock", no_locks)
    assert wsi_area("review", run, "--accept", "a", "b", "c", *ADA).code == 0
    assert wsi_area("review", run).code == 0


def rows_of(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"), newline="")))


def test_the_seal_of_a_review_names_that_of_the_measurement(run: Path) -> None:
    wsi_area("review", run, "--accept", "a", *ADA)
    seal = json.loads((run / "review/seal.json").read_text())
    assert seal["measurement"] == json.loads((run / "run.json").read_text())["seal"]
    assert [head["number"] for head in seal["heads"]] == [1]
