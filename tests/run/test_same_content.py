"""The same file under two names: the run says so, and what each slide's own document says stays as it is."""

import json
import logging
import shutil
from pathlib import Path

import pytest
from measuring import measure
from synthetic import disc, write_slide

from wsi_area.model.geometry import Size
from wsi_area.run.verify import verify_run

SIZE = Size(600, 500)


@pytest.fixture
def slide(tmp_path: Path) -> Path:
    return Path(write_slide(tmp_path / "a.tif", SIZE, {"tissue": disc(SIZE, 300, 250, 120)}).path)


def groups_in(out: Path) -> list[list[str]] | None:
    found: list[list[str]] | None = json.loads((out / "run.json").read_text()).get("same_content")
    return found


def test_both_are_named_in_the_log_and_in_run_json_and_a_third_slide_is_not(
    slide: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    other = write_slide(tmp_path / "c.tif", SIZE, {"tissue": disc(SIZE, 300, 251, 120)}).path
    copy = shutil.copyfile(slide, tmp_path / "b.tif")
    with caplog.at_level(logging.WARNING):
        assert measure([slide, copy, other], tmp_path / "out").exit_code == 0
    assert groups_in(tmp_path / "out") == [["a", "b"]]
    (message,) = [r.getMessage() for r in caplog.records if "SLIDE_TWICE" in r.getMessage()]
    assert "the files of a and b hold the same" in message
    assert verify_run(tmp_path / "out").disagreements == ()


def test_a_copy_that_joins_the_folder_later_is_found_too(slide: Path, tmp_path: Path) -> None:
    out, copy = tmp_path / "out", shutil.copyfile(slide, tmp_path / "b.tif")
    measure(slide, out)
    assert groups_in(out) is None
    measure(copy, out)
    assert groups_in(out) == [["a", "b"]]


def test_files_of_one_length_with_other_bytes_are_two_slides(slide: Path, tmp_path: Path) -> None:
    content = bytearray(slide.read_bytes())
    content[-1] ^= 1
    (tmp_path / "b.tif").write_bytes(content)
    measure([slide, tmp_path / "b.tif"], tmp_path / "out")
    assert groups_in(tmp_path / "out") is None
