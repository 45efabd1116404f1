"""A run ends by saying what ran, what did not, why, and what to do."""

from pathlib import Path

from command_line import wsi_area
from synthetic import FileForm, disc, write_slide

from wsi_area.model.geometry import Size
from wsi_area.model.slide_result import EndedSlide
from wsi_area.run.ending import ending_lines
from wsi_area.run.run_document import RunOutcome

SIZE = Size(300, 200)


def test_the_command_ends_with_what_ran_and_what_to_do_about_the_rest(tmp_path: Path) -> None:
    folder = tmp_path / "slides"
    folder.mkdir()
    write_slide(folder / "good.tif", SIZE, {"tissue": disc(SIZE, 150, 100, 50)})
    write_slide(folder / "unsized.tif", SIZE, {"tissue": disc(SIZE, 150, 100, 50)}, FileForm(mpp=None))
    (folder / "broken.tif").write_bytes(b"no slide")
    ended = wsi_area("run", folder, "--out", tmp_path / "out", "--no-report", "--set", "segmenter.threshold=60")
    assert ended.code == 2
    assert "1 of 3 slides is complete; 1 failed, 1 needs_calibration" in ended.out
    assert "failed (broken): do what each reason says" in ended.out
    assert "needs_calibration (unsized): give the pixel size of each: --mpp for it alone" in ended.out


def test_a_long_list_is_cut_and_counted_and_what_was_not_reached_is_said() -> None:
    records = tuple(EndedSlide(slide_id=f"s{n}", status="failed", reason="torn", path="") for n in range(12))
    first, failed = ending_lines(RunOutcome(records, True, 20))
    assert first == "0 of 20 slides are complete; 12 failed, 8 not reached"
    assert failed.startswith("failed (s0, s1, s2, s3, s4 and 7 more): ")


def test_where_all_is_well_one_line_says_so() -> None:
    records = tuple(EndedSlide(slide_id=f"s{n}", status="complete", reason="", path="") for n in range(3))
    assert ending_lines(RunOutcome(records, False, 3)) == ["3 of 3 slides are complete"]
