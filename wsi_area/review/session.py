"""review: a session that writes its chain: each event names the one before it and the heads of the others."""

import secrets
import threading
from collections.abc import Mapping, Sequence
from typing import Any

from wsi_area.errors import ResultError
from wsi_area.model.review.event import Reviewer, ReviewEvent
from wsi_area.review.chain import first_previous, read_chain, sealed_line
from wsi_area.review.chains import Chains, read_chains
from wsi_area.review.folder import ReviewFolder, begun_review, now_text, unwritable
from wsi_area.storage.growing import GrowingFile


class ReviewSession:
    """One writer of a review; threads may share it, other processes begin their own."""

    def __init__(self, folder: ReviewFolder, reviewer: Reviewer) -> None:
        self.folder, self.reviewer = folder, reviewer
        self.writer = secrets.token_hex(8)
        self._review = ""  # until the first event, so that who only looks leaves nothing
        self._file = GrowingFile(folder.chain(self.writer))
        self._written, self._previous = 0, ""
        self._noted: set[str] = set()  # torn lines that some event names
        self._guard = threading.Lock()

    def add(self, drafts: Sequence[Mapping[str, Any]]) -> tuple[ReviewEvent, ...]:
        """Return events, written: all of them and flushed, or none.

        Parameters
        ----------
        drafts : sequence of mapping
            What each event says besides who, when and its place in the chain.

        Raises
        ------
        ResultError
            They cannot be written, or what others wrote cannot be read.
        """
        with self._guard:
            if not self._review:
                self._review = begun_review(self.folder).review
                self._previous = first_previous(self._review, self.writer)
            others = read_chains(self.folder, self._review, but=self.writer)
            about = self._about(others)
            number, previous, lines = self._written, self._previous, b""
            for draft in drafts:
                number += 1
                told = {**about, **draft, "number": number, "utc": now_text(), "previous": previous}
                previous, line = sealed_line(_as_document(told))
                lines += line
                about = {**about, "torn": ()}  # it is noted once
            try:
                self._file.add(lines)
            except FileExistsError as error:
                raise ResultError(
                    f"{self._file.place} was written by another process, though its name is random: nothing of this "
                    "was written; give the same command again"
                ) from error
            except OSError as error:
                raise unwritable(self.folder, error) from error
            written = read_chain(self.writer, lines, self._review).events
            self._written, self._previous = number, previous
            self._noted |= {torn.sha256 for event in written for torn in event.torn}
            return written

    def _about(self, others: Chains) -> dict[str, Any]:
        """Return the facts that all events share which are written now."""
        self._noted |= {torn.sha256 for chain in others.chains for event in chain.events for torn in event.torn}
        torn = (chain.torn for chain in others.chains if chain.torn is not None)
        return {
            "review": self._review,
            "writer": self.writer,
            "reviewer": self.reviewer,
            "seen": others.tips,
            "torn": tuple(one for one in torn if one.sha256 not in self._noted),
        }


def _as_document(told: Mapping[str, Any]) -> dict[str, Any]:
    """Return all that an event says but its hash, JSON-ready, checked by the fields of an event."""
    event = ReviewEvent.model_validate({**told, "hash": "0" * 64})
    return event.model_dump(mode="json", exclude={"hash"})
