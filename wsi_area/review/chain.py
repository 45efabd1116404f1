"""review: one chain read: its events, and what in it is not as it was written; pure."""

import hashlib
import json
from typing import Any

from pydantic import ValidationError

from wsi_area.errors import NewerDocumentError
from wsi_area.frozen_value import frozen_value
from wsi_area.model.documented import SCHEMA_VERSION, without_version
from wsi_area.model.json_tree import json_digest
from wsi_area.model.review.event import ReviewEvent, SeenHead, TornTail

MOST_LINE_BYTES = 1 << 26


@frozen_value
class Chain:
    """The events of one session, the first first."""

    writer: str
    events: tuple[ReviewEvent, ...]  # those that are what was written
    lines: int  # whole lines of the file
    torn: TornTail | None  # a last line that is not whole
    faults: tuple[str, ...]  # what was changed, taken out, or is of another review

    @property
    def head(self) -> SeenHead | None:
        """Return the last event, as others name it."""
        last = self.events[-1] if self.events else None
        return None if last is None else SeenHead(writer=self.writer, number=last.number, hash=last.hash)

    @property
    def who(self) -> str:
        """Return whose chain it is, for people: session and name."""
        return f"{self.writer} ({self.events[0].reviewer.name})" if self.events else self.writer


def first_previous(review: str, writer: str) -> str:
    """Return the text that the first event of a chain has for the hash of the one before it."""
    return json_digest({"review": review, "writer": writer})


def sealed_line(told: dict[str, Any]) -> tuple[str, bytes]:
    """Return the hash of an event and its line, from all that it says but the hash."""
    content = {"schema_version": SCHEMA_VERSION, **told}
    digest = json_digest(content)
    line = json.dumps({**content, "hash": digest}, ensure_ascii=False, allow_nan=False)
    return digest, (line + "\n").encode()


def read_chain(writer: str, content: bytes, review: str) -> Chain:
    """Return the chain of one session, as far as it is what was written.

    A last line without its end was torn by a kill, unless all of the event is there. An event that was changed is
    named and not taken; those beside it stand by their own hashes.

    Parameters
    ----------
    writer : str
        The session that the file is named after.
    content : bytes
        All of the file.
    review : str
        The id of the review that it lies in.

    Raises
    ------
    NewerDocumentError
        If a later version wrote an event.
    """
    *lines, tail = content.split(b"\n")
    torn = None
    if tail and _event(tail)[0] is None:
        torn = TornTail(writer=writer, size_bytes=len(tail), sha256=hashlib.sha256(tail).hexdigest())
    elif tail:
        lines.append(tail)  # only its line end is missing
    events, faults = _linked(writer, lines, review)
    return Chain(writer, events, len(lines), torn, faults)


def _linked(writer: str, lines: list[bytes], review: str) -> tuple[tuple[ReviewEvent, ...], tuple[str, ...]]:
    """Return the events of whole lines that are what was written, and what of the lines is not."""
    events: list[ReviewEvent] = []
    faults: list[str] = []
    previous, foreign, due = first_previous(review, writer), 0, 1
    for line in lines:
        event, why = _event(line)
        if event is None:
            faults.append(f"event {due} {why}")
            previous, due = "", due + 1
            continue
        if event.review != review:
            foreign += 1
        elif event.writer != writer:
            faults.append(f"event {event.number} was written by session {event.writer}, whose file it does not lie in")
        else:
            if event.number != due or (previous and event.previous != previous):
                faults.append(
                    f"event {event.number} stands where event {due} is due and does not follow the line before it: an "
                    "event was taken out, put in or moved"
                )
            events.append(event)
        previous, due = event.hash, event.number + 1
    if foreign:
        faults.append(f"{foreign} of its {len(lines)} events are of another run's review, and count for nothing here")
    return tuple(events), tuple(faults)


def _event(line: bytes) -> tuple[ReviewEvent | None, str]:
    """Return an event, or None and why it is not what was written."""
    if len(line) > MOST_LINE_BYTES:
        return None, f"has {len(line)} bytes, more than any event has"
    try:
        told = json.loads(line)
    except (ValueError, RecursionError):
        return None, "is no whole line of JSON"
    if not isinstance(told, dict):
        return None, "is no event"
    version = told.get("schema_version")
    if isinstance(version, int) and version > SCHEMA_VERSION:
        raise NewerDocumentError(
            f"an event was written by a newer wsi_area: it has schema version {version}, and this one knows "
            f"{SCHEMA_VERSION} and those before it; install the newer version, then give the same command again"
        )
    hash_told = told.pop("hash", None)
    try:
        digest = json_digest(told)
        event = ReviewEvent.model_validate(without_version({**told, "hash": hash_told}))
    except (ValidationError, ValueError, RecursionError):
        return None, "is no event that this program writes: it was changed"
    if digest != hash_told:
        return None, f"was changed: its content makes the hash {digest[:12]}…, its line says {str(hash_told)[:12]}…"
    return event, ""
