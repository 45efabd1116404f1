"""review: all chains of a review together: held against what they saw of one another, and put into one order."""

import heapq
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property

from wsi_area.errors import ResultError
from wsi_area.frozen_value import frozen_value
from wsi_area.model.review.event import ReviewEvent, SeenHead
from wsi_area.review.chain import Chain, read_chain
from wsi_area.review.folder import SUFFIX, ReviewFolder, is_writers_file
from wsi_area.storage.place import Place

_AT_ONCE = 8  # files asked for at once: a bucket answers each a while later


@frozen_value
class ChainFault:
    """What is not as it was written."""

    place: str  # in the folder of the review
    message: str


@dataclass(frozen=True)
class Chains:
    """The chains of a review."""

    chains: tuple[Chain, ...]
    faults: tuple[ChainFault, ...] = ()
    notes: tuple[str, ...] = ()  # torn lines that a later event names: nothing that was acknowledged is lost

    @cached_property
    def events(self) -> tuple[ReviewEvent, ...]:
        """Return all events in one order: whoever saw another comes after it, else by their clocks."""
        return tuple(_ordered({event.hash: event for chain in self.chains for event in chain.events}))

    @property
    def heads(self) -> tuple[SeenHead, ...]:
        """Return the last event of each chain, by writer."""
        return tuple(head for chain in self.chains if (head := chain.head) is not None)

    @property
    def tips(self) -> tuple[SeenHead, ...]:
        """Return the heads that no event names: they name all others, directly or through those that they name."""
        named = {head.hash for chain in self.chains for event in chain.events for head in event.seen}
        return tuple(head for head in self.heads if head.hash not in named)

    @cached_property
    def _hashes(self) -> frozenset[tuple[str, str]]:
        return frozenset((chain.writer, event.hash) for chain in self.chains for event in chain.events)

    @cached_property
    def _chain_of(self) -> dict[str, Chain]:
        return {chain.writer: chain for chain in self.chains}

    def missing(self, head: SeenHead, by: str) -> ChainFault | None:
        """Return the fault of a head that somebody saw; None where it is there.

        Parameters
        ----------
        head : SeenHead
        by : str
            Who saw it, for people.
        """
        if (head.writer, head.hash) in self._hashes:
            return None
        return ChainFault(f"events/{head.writer}{SUFFIX}", _missing(head, self._chain_of.get(head.writer), by))


def read_chains(folder: ReviewFolder, review: str, but: str = "") -> Chains:
    """Return the chains of a review, as far as they are what was written, and what of them is not.

    Parameters
    ----------
    folder : ReviewFolder
    review : str
        Its id.
    but : str
        A session whose own chain is left out: who writes it knows it.

    Raises
    ------
    NewerDocumentError
        If a later version wrote an event.
    ResultError
        If a file cannot be read.
    """
    contents, apart = _contents(folder, but)
    chains = [read_chain(writer, content, review) for writer, content in contents.items()]
    found = Chains(tuple(chains))
    faults = [ChainFault(f"events/{c.writer}{SUFFIX}", f"{c.who}: {why}") for c in chains for why in c.faults]
    faults += apart
    faults += _unseen(found)
    torn, notes = _torn(found)
    return Chains(found.chains, (*faults, *torn), notes)


def _torn(found: Chains) -> tuple[tuple[ChainFault, ...], tuple[str, ...]]:
    """Return the torn lines that no event names, and in words those that one does."""
    noted = {torn.sha256 for chain in found.chains for event in chain.events for torn in event.torn}
    faults, notes = [], []
    for chain in found.chains:
        if chain.torn is None:
            continue
        told = (
            f"{chain.who}: its last line is torn ({chain.torn.size_bytes} bytes), since its writer was killed while it "
            f"wrote; its {len(chain.events)} events before that stand"
        )
        if chain.torn.sha256 in noted:
            notes.append(f"{told}, and a later event names the torn line")
        else:
            told = f"{told}. The next decision on this run takes note of it"
            faults.append(ChainFault(f"events/{chain.writer}{SUFFIX}", told))
    return tuple(faults), tuple(notes)


def chain_files(folder: ReviewFolder) -> list[Place]:
    """Return the file of each session that wrote, by name; then those of the review in the run that it goes on with."""
    files: list[Place] = []
    if folder.events.exists():
        files = sorted((f for f in folder.events.iterdir() if is_writers_file(f.name)), key=lambda file: file.name)
    return files if folder.joined is None else [*files, *chain_files(folder.joined)]


def _contents(folder: ReviewFolder, but: str) -> tuple[dict[str, bytes], list[ChainFault]]:
    """Return the events of each session, by writer, and those of which two files of one name say different things."""
    files = [file for file in chain_files(folder) if file != folder.chain(but)]
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        contents = list(threads.map(_content, files))
    found: dict[str, bytes] = {}
    apart = []
    for file, content in zip(files, contents, strict=True):
        writer = file.name.removesuffix(SUFFIX)
        longer, shorter = sorted((found.get(writer, b""), content), key=len, reverse=True)
        found[writer] = longer  # a copy that was put into the run ends where it ended then
        if not longer.startswith(shorter):
            apart.append(ChainFault(f"events/{file.name}", f"{file} is not the file of this name beside the run"))
    return dict(sorted(found.items())), apart


def _content(file: Place) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise ResultError(
            f"{file} cannot be read ({error.strerror or error}), so nobody can say what was decided; mend that first"
        ) from error


def _unseen(found: Chains) -> list[ChainFault]:
    """Return the events that one chain saw of another and that are not there: of each chain the last that was seen."""
    last: dict[str, tuple[int, ChainFault]] = {}
    for chain in found.chains:
        for event in chain.events:
            for head in event.seen:
                fault = found.missing(head, f"event {event.number} of {chain.who}")
                if fault is not None and head.number >= last.get(head.writer, (0, fault))[0]:
                    last[head.writer] = (head.number, fault)
    return [fault for _, fault in last.values()]


def _missing(head: SeenHead, chain: Chain | None, by: str) -> str:
    if chain is None:
        return f"{by} saw event {head.number} of session {head.writer}, whose file is not there any more"
    there = {event.number for event in chain.events}
    if head.number in there:
        return f"{chain.who}: event {head.number} is not the one that {by} saw: it was rewritten"
    if head.number <= chain.lines:
        return f"{chain.who}: event {head.number}, which {by} saw, does not stand there any more: it was changed"
    return f"{chain.who}: it ends after event {chain.lines}, and {by} saw event {head.number}: its end was cut off"


def _ordered(events: Mapping[str, ReviewEvent]) -> Iterator[ReviewEvent]:
    """Yield events, given by hash, so that none comes before one that it saw (Kahn 1962), else by time and hash."""
    waits: dict[str, int] = {}
    then: dict[str, list[str]] = {}
    for name, event in events.items():
        before = {head.hash for head in event.seen if head.hash in events}
        before |= {event.previous} & events.keys()
        waits[name] = len(before)
        for one in before:
            then.setdefault(one, []).append(name)
    ready = [(event.utc, name) for name, event in events.items() if not waits[name]]
    heapq.heapify(ready)
    while ready:
        _, name = heapq.heappop(ready)
        yield events[name]
        for one in then.get(name, ()):
            waits[one] -= 1
            if not waits[one]:
                heapq.heappush(ready, (events[one].utc, one))
