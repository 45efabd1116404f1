"""What a run says of itself while it works: of the whole run, not of what it happens to have begun."""

import pytest

from wsi_area.measuring.pace import Pace
from wsi_area.measuring.progress import shown_progress
from wsi_area.run.events import BatchDone, SlideDone, SlideStarted


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_slides_that_nobody_has_begun_count_too(clock: Clock) -> None:
    pace = Pace(4, clock)
    pace.note(SlideStarted("a", 10, 0))
    pace.note(BatchDone("a", 5, 5_000_000))
    assert pace.share == pytest.approx(0.5 / 4)
    pace.note(BatchDone("a", 5, 5_000_000))
    pace.note(SlideDone("a", "complete", "", False))
    assert (pace.share, pace.slides_done) == (0.25, 1)
    clock.now_s += 10
    assert pace.left == "about 30 s left"
    assert str(pace) == "25% of the run, 1 Mpx/s, about 30 s left"


def test_what_an_earlier_run_did_says_nothing_of_the_speed_of_this_one(clock: Clock) -> None:
    pace = Pace(2, clock)
    pace.note(SlideStarted("a", 8, 8))
    pace.note(SlideDone("a", "complete", "", True))
    clock.now_s += 600  # all of which went into looking at what is there
    assert (pace.share, str(pace)) == (0.5, "50% of the run")
    pace.note(SlideStarted("b", 8, 4))
    clock.now_s += 60
    pace.note(BatchDone("b", 2, 1))
    # a quarter of a slide took a minute, a quarter is left
    assert pace.left == "about 60 s left"


def test_slides_that_never_begin_end_all_the_same(clock: Clock) -> None:
    pace = Pace(2, clock)
    for name in "ab":
        pace.note(SlideDone(name, "failed", "no such file", False))
    assert (pace.share, pace.slides_done) == (1.0, 2)
    clock.now_s += 5
    assert str(pace) == "100% of the run"


def test_no_speed_and_no_time_is_told_from_the_first_seconds_which_load_and_prepare(clock: Clock) -> None:
    pace = Pace(1, clock)
    clock.now_s += 30  # until the slide is planned
    pace.note(SlideStarted("a", 100, 0))
    clock.now_s += 2
    pace.note(BatchDone("a", 1, 250_000))
    assert str(pace) == "1% of the run"
    clock.now_s += 8
    pace.note(BatchDone("a", 49, 11_750_000))
    assert str(pace) == "50% of the run, 1.2 Mpx/s, about 10 s left"


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        (
            "/lab/drawn/a.geojson is not JSON that can be read (begins at: line 1); again",
            "a.geojson is not JSON that can",
        ),
        (
            "a: /lab/wave 2/drawn/here holds no file with regions named like the slide; name it",
            "here holds no file with",
        ),
        ("s3://lab/drawn/b.xml has no outline that: encloses an area", "b.xml has no outline that: encloses an area"),
        (
            "1 of 12 outlines would fit at 1/2.73 or less: no scale; state one",
            "would fit at 1/2.73 or less: no scale …",
        ),
    ],
)
def test_a_line_of_progress_keeps_the_sentence_in_which_a_path_stands(
    capsys: pytest.CaptureFixture[str], reason: str, told: str
) -> None:
    with shown_progress(1) as listener:
        listener(SlideDone("a", "failed", reason, False))
    line = capsys.readouterr().err
    assert told in line
    assert "/lab/drawn" not in line


def test_a_line_of_progress_tells_how_a_reason_begins(capsys: pytest.CaptureFixture[str]) -> None:
    reason = "dir/a.svs: neither of two readers knows the format; copy the slide again with its companions"
    with shown_progress(2) as listener:
        listener(SlideDone("a", "failed", reason, False))
        listener(SlideDone("b", "complete", "", True))
    assert capsys.readouterr().err.splitlines() == [
        "[1/2] a: failed: neither of two readers knows the format …",
        "[2/2] b: complete (already measured)",
    ]
