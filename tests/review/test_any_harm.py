"""Whatever is done to the files of a review: each event that was written stands, or it is told as lost."""

import shutil
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from reviewed import ADA, EVE, OTTO

from wsi_area.model.review.event import ReviewEvent
from wsi_area.review.chains import Chains, read_chains
from wsi_area.review.folder import ReviewFolder, read_identity
from wsi_area.review.session import ReviewSession

DECIDED = ({"slide_id": "a", "content": f"sha256:{'0' * 64}", "area_mm2": 1.0, "measure": "tumor"},)
WRITERS = (ADA, OTTO, EVE)

histories = st.lists(st.integers(0, 2), min_size=3, max_size=14)
"""Who writes, one after the other."""
harms = st.sampled_from(["cut a tail", "drop a line", "swap lines", "change a byte", "remove a file", "tear a line"])


def written(folder: ReviewFolder, history: list[int]) -> list[ReviewEvent]:
    sessions = [ReviewSession(folder, person) for person in WRITERS]
    events = []
    for number, who in enumerate(history):
        events += sessions[who].add([{"what": "comment", "decided": DECIDED, "remark": str(number)}])
    return events


def read(folder: ReviewFolder) -> Chains:
    return read_chains(folder, read_identity(folder).review)


def do_harm(path: Path, harm: str, place: int) -> None:
    lines = path.read_bytes().splitlines(keepends=True)
    at = place % len(lines)
    if harm == "cut a tail":
        lines = lines[:at]
    elif harm == "drop a line":
        del lines[at]
    elif harm == "swap lines":
        lines[at], lines[-1] = lines[-1], lines[at]
    elif harm == "tear a line":
        lines[-1] = lines[-1][: 1 + place % (len(lines[-1]) - 2)]
    elif harm == "change a byte":
        line = bytearray(lines[at])
        line[place % (len(line) - 1)] ^= 1
        lines[at] = bytes(line)
    if harm == "remove a file":
        path.unlink()
    else:
        path.write_bytes(b"".join(lines))


@settings(max_examples=120, deadline=None)
@given(history=histories, harm=harms, which=st.integers(0, 99), place=st.integers(0, 9999))
def test_an_event_that_does_not_stand_any_more_is_named(history: list[int], harm: str, which: int, place: int) -> None:
    folder = ReviewFolder(Path(tempfile.mkdtemp()) / "review")
    try:
        events = written(folder, history)
        before = read(folder)
        assert before.faults == ()
        assert [event.remark for event in before.events] == [event.remark for event in events]
        paths = sorted(Path(str(folder.events)).iterdir())
        do_harm(paths[which % len(paths)], harm, place)
        after = read(folder)
        stands = {event.hash for event in after.events}
        lost = [event for event in events if event.hash not in stands]
        on_paper = [after.missing(head, "paper") for head in before.tips]
        if lost:
            assert after.faults or any(on_paper)  # the last event of all is seen by paper and seal alone
        assert stands <= {event.hash for event in events}  # and nothing stands that nobody wrote
    finally:
        shutil.rmtree(Path(str(folder.root)).parent)
