"""What is said of slides of an earlier run: which leave the tables, which stay, and what a lost run.json costs."""

import csv
import logging
from pathlib import Path

import pytest
from measuring import measure
from synthetic import FileForm, disc, write_slide

from wsi_area.audit.verify import verify_run
from wsi_area.errors import ResultError
from wsi_area.model.geometry import Size
from wsi_area.run.events import Event, SlideStarted

SIZE = Size(600, 500)
KEPT = "its earlier result is kept and stands in the tables"
OWN_SIZE = {"mpp": "0.5", "mpp_reason": "from the scanner's log"}


@pytest.fixture
def unsized(tmp_path: Path) -> Path:
    slide = write_slide(tmp_path / "unsized.tif", SIZE, {"tissue": disc(SIZE, 300, 250, 100)}, FileForm(mpp=None))
    return slide.path


@pytest.fixture
def sized(tmp_path: Path) -> Path:
    slide = write_slide(tmp_path / "sized.tif", SIZE, {"tissue": disc(SIZE, 300, 250, 120)})
    return slide.path


def rows(out: Path, table: str = "summary.csv") -> dict[str, dict[str, str]]:
    with (out / table).open(newline="", encoding="utf-8") as file:
        return {row["slide_id"]: row for row in csv.DictReader(file)}


def test_a_slide_that_was_calibrated_alone_keeps_its_row_and_the_next_run_says_so(
    unsized: Path, sized: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    assert measure([unsized, sized], out).exit_code == 3
    assert measure(unsized, out, **OWN_SIZE).exit_code == 0
    again = measure([unsized, sized], out)
    reason = again.documents[0]["reason"]
    assert again.exit_code == 2
    assert reason.endswith(KEPT)
    assert "then 0.5 µm, now none" in reason
    assert "tiles" not in reason  # they follow from the pixel size
    assert "with the same --mpp, or among others in a row of --manifest" in reason
    assert rows(out)["unsized"]["status"] == "complete"
    assert rows(out, "failed.csv") == {}
    assert verify_run(out).disagreements == ()
    manifest = tmp_path / "m.csv"
    manifest.write_text(f"path,mpp_x,mpp_reason\n{unsized},0.5,from the scanner's log\n")
    assert measure([unsized, sized], out, manifest=manifest).exit_code == 0


def test_a_slide_that_cannot_even_be_counted_without_its_size_keeps_its_row_too(unsized: Path, tmp_path: Path) -> None:
    out, looks_round = tmp_path / "out", "exclusions.pen=true"
    assert measure(unsized, out, looks_round, **OWN_SIZE).exit_code == 0
    again = measure(unsized, out, looks_round)
    assert again.exit_code == 3
    assert again.documents[0]["reason"].endswith(KEPT)
    assert rows(out)["unsized"]["status"] == "complete"
    assert verify_run(out).disagreements == ()


def test_a_result_of_other_settings_never_stands_in_the_tables(unsized: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert measure(unsized, out, **OWN_SIZE).exit_code == 0
    forced = measure(unsized, out, "exclusions.pen=true", force=True)
    assert KEPT not in forced.documents[0]["reason"]
    assert rows(out)["unsized"]["status"] == "needs_calibration"


def test_a_size_that_is_given_and_not_believed_is_why_the_earlier_result_is_not_gone_on_with(
    unsized: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    assert measure(unsized, out, **OWN_SIZE).exit_code == 0
    (record,) = measure(unsized, out, mpp="250", mpp_reason="nm").documents
    assert "now none that can be believed" in record["reason"]
    assert "250 µm/px" in record["reason"]


def test_a_file_that_is_gone_says_that_its_earlier_result_lies_there_still(sized: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert measure(sized, out).exit_code == 0
    sized.write_bytes(b"II*\0 and no more")
    (record,) = measure(sized, out).documents
    assert record["status"] == "failed"
    assert record["reason"].endswith(f"its earlier result is kept in {out / 'slides' / 'sized'}, the tables say failed")
    assert rows(out)["sized"]["status"] == "failed"


def test_force_with_other_settings_names_the_slides_that_leave_the_tables(
    unsized: Path, sized: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    out = tmp_path / "out"
    measure([unsized, sized], out, **OWN_SIZE)
    with caplog.at_level(logging.WARNING):
        measure(sized, out, "segmenter.threshold=40", force=True)
    (message,) = [r.getMessage() for r in caplog.records if r.getMessage().startswith("--force")]
    assert "1 slide of the earlier settings leaves the tables" in message
    assert ": unsized;" in message
    assert list(rows(out)) == ["sized"]


def test_a_damaged_run_json_is_mended_as_its_message_says(unsized: Path, sized: Path, tmp_path: Path) -> None:
    out, started = tmp_path / "out", []
    measure([unsized, sized], out)

    def note(event: Event) -> None:
        if isinstance(event, SlideStarted):
            started.append(event.tiles - event.tiles_done)

    (out / "run.json").write_text("{")
    with pytest.raises(ResultError, match=r"run\.json is damaged.*is kept in.*Remove that one file and run the same"):
        measure([unsized, sized], out)
    (out / "run.json").unlink()
    assert measure([unsized, sized], out, listener=note).exit_code == 3
    assert started == [0, 0]  # nothing is measured twice
    assert verify_run(out).disagreements == ()


def test_force_gets_past_a_damaged_run_json(sized: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    measure(sized, out)
    (out / "run.json").write_text("{")
    assert measure(sized, out, force=True).exit_code == 0
    assert verify_run(out).disagreements == ()
