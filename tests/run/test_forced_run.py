"""A forced run of one process: what it has not reached does not read as measured, what failed not as of this run."""

from pathlib import Path

import pytest
from command_line import wsi_area
from measuring import measure
from synthetic import disc, write_slide

from wsi_area.model.geometry import Size
from wsi_area.results.layout import read_json
from wsi_area.results.opened_run import open_run

SIZE = Size(300, 250)
ONE_BY_ONE = ("run.executor=serial", "run.slides_in_flight=1")


@pytest.fixture
def slides(tmp_path: Path) -> list[Path]:
    """Two slides, s0 and s1."""
    return [
        Path(write_slide(tmp_path / f"s{n}.tif", SIZE, {"tissue": disc(SIZE, 150, 120, 60 + 30 * n)}).path)
        for n in range(2)
    ]


def explained(out: Path) -> list[int]:
    return [wsi_area("explain", out, name).code for name in ("s0", "s1")]


@pytest.mark.parametrize("further", [(), ("segmenter.threshold=90",)], ids=["same settings", "other settings"])
def test_a_kill_leaves_no_earlier_document_to_be_explained(
    slides: list[Path], tmp_path: Path, further: tuple[str, ...]
) -> None:
    out, seen = tmp_path / "out", []
    measure(slides, out, *ONE_BY_ONE)
    assert explained(out) == [0, 0]

    def killed(event: object) -> None:
        if not seen:  # the next slide may begin before the run has heard of the end: nobody asks a second time
            seen.append(explained(out))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        measure(slides, out, *ONE_BY_ONE, *further, force=True, listener=killed)
    assert seen
    assert all(codes == [1, 1] for codes in seen)
    assert "s1" not in open_run(out)
    assert "there is no result of slide s1" in wsi_area("explain", out, "s1").err


def test_what_a_forced_run_that_failed_fast_did_not_reach_is_not_explained(slides: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "out"
    measure(slides, out, *ONE_BY_ONE)
    slides[0].write_bytes(b"II*\0 and then nothing")
    ended = measure(slides, out, *ONE_BY_ONE, "run.fail_fast=true", "segmenter.threshold=90", force=True)
    assert [slide.slide_id for slide in ended.not_reached] == ["s1"]
    assert explained(out) == [1, 1]


def test_a_forced_run_of_the_same_says_the_same_at_its_end(slides: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "out"
    measure(slides, out)
    before = {name: (out / name).read_bytes() for name in ("summary.csv", "areas.parquet", "flags.csv")}
    measure(slides, out, force=True)
    assert {name: (out / name).read_bytes() for name in before} == before
    assert explained(out) == [0, 0]


def test_the_result_of_a_slide_that_failed_since_is_named_as_of_an_earlier_run(
    slides: list[Path], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    measure(slides, out)
    slides[0].write_bytes(b"II*\0 and then nothing")
    assert measure(slides, out).exit_code == 2
    assert read_json(out / "slides/s0/result.json")["status"] == "complete"  # kept: it was right then
    assert explained(out) == [1, 0]
    assert "failed in this run" in wsi_area("explain", out, "s0").err
