"""What tests of reviews share: decisions in one line each, and writers in processes of their own."""

import os
import subprocess
import sys
from pathlib import Path

from wsi_area.model.review.event import Reviewer, ReviewEvent
from wsi_area.model.review.verdict import SlideVerdict
from wsi_area.results.opened_run import open_run
from wsi_area.review.decide import Decision, RunReview
from wsi_area.review.verdicts import ReviewState, review_state
from wsi_area.storage.place import Place

ADA, OTTO, EVE = (Reviewer(name=name, role="pathologist") for name in ("Ada Miller", "Otto Okafor", "Eve Li"))


def decide(run: Place | str, by: Reviewer, what: str, *slides: str, **more: object) -> tuple[ReviewEvent, ...]:
    """One decision in a session of its own."""
    return RunReview(open_run(run), by).record(Decision(what, slides, **more))  # type: ignore[arg-type]


def state(run: Place | str) -> ReviewState:
    return review_state(open_run(run))


def verdict(run: Place | str, slide_id: str = "a") -> SlideVerdict:
    return state(run).verdicts[slide_id]


def faults(run: Place | str) -> list[str]:
    return [fault.message for fault in state(run).faults]


def chains(run: Path) -> list[Path]:
    return sorted((run / "review/events").iterdir())


def chain_of(run: Path, event: ReviewEvent) -> Path:
    return run / "review/events" / f"{event.writer}.jsonl"


WRITER = """
import sys
from wsi_area.model.review.event import Reviewer
from wsi_area.results.opened_run import open_run
from wsi_area.review.decide import Decision, RunReview
run, name, times = sys.argv[1], sys.argv[2], int(sys.argv[3])
review = RunReview(open_run(run), Reviewer(name=name, role="test"))
for number in range(times):
    review.record(Decision("comment", ("a",), remark=f"{name} {number}"))
"""
"""A process that writes so many comments, one after the other."""

KILLED = (
    """
import os, signal
from wsi_area.storage import growing
whole = growing._write_all
def half(descriptor, content):
    if b'"number": 3' in content:
        os.write(descriptor, bytes(content)[: len(content) // 2])
        os.kill(os.getpid(), signal.SIGKILL)
    whole(descriptor, content)
growing._write_all = half
"""
    + WRITER
)
"""The same, killed when half of its third event is in the file."""


def start(code: str, run: Place | str, name: str, times: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", code, str(run), name, str(times)]
    return subprocess.Popen(command, env=os.environ.copy())
