"""review: the verdict on each slide, made of all events; the room's door for whoever reads.

The latest decision of each reviewer counts. It is outdated where the slide's content is another one by now, and is
never called wrong. Decisions on the content of now that differ are a verdict of their own.
"""

from collections.abc import Mapping, Sequence

from wsi_area.errors import ResultError
from wsi_area.frozen_value import frozen_value
from wsi_area.model.review.event import Decided, ReviewEvent, SeenHead
from wsi_area.model.review.verdict import STATUS_OF, ReviewersVerdict, SlideComment, SlideVerdict, VerdictStatus
from wsi_area.results.opened_run import OpenedRun
from wsi_area.review.chains import ChainFault, Chains, read_chains
from wsi_area.review.contents import SlideContent, current_contents
from wsi_area.review.folder import ReviewFolder, read_identity, read_review_seal, review_folder
from wsi_area.storage.place import Place

_One = tuple[ReviewEvent, Decided]


@frozen_value
class ReviewState:
    """All that is known of a review: verdicts, chains, and what is wrong with these."""

    verdicts: Mapping[str, SlideVerdict]  # by slide, in the order of the run
    chains: Chains
    faults: tuple[ChainFault, ...]  # those of the chains, and events that are of no slide of the run
    lost: tuple[SeenHead, ...] = ()  # heads that the seal of the review has and no chain

    @property
    def open_slides(self) -> tuple[SlideVerdict, ...]:
        """Return the slides that somebody has to look at."""
        return tuple(verdict for verdict in self.verdicts.values() if verdict.is_open)


def slide_verdicts(run: OpenedRun, events: Place | None = None) -> Mapping[str, SlideVerdict]:
    """Return the verdict on each planned slide of a run, in its order; for parameters and errors as `review_state`."""
    return review_state(run, events).verdicts


def review_state(run: OpenedRun, events: Place | None = None) -> ReviewState:
    """Return the state of the review of a run.

    Parameters
    ----------
    run : OpenedRun
    events : Place or None
        Where its events lie, if not in the run.

    Raises
    ------
    ResultError
        If events or their identity cannot be read.
    NewerDocumentError
        If a later version wrote an event.
    """
    return state_of(review_folder(run.layout, events), current_contents(run))


def state_of(folder: ReviewFolder, contents: Mapping[str, SlideContent]) -> ReviewState:
    """Return the state of a review, its slides being what they are now; for errors as `review_state`."""
    chains = read_chains(folder, read_identity(folder).review) if folder.is_begun else Chains(())
    lost = {head: fault for head in _sealed_heads(folder) if (fault := chains.missing(head, "the seal of the review"))}
    decisions: dict[str, list[_One]] = {slide_id: [] for slide_id in contents}
    unknown: dict[str, tuple[str, ...]] = {}
    for event in chains.events:
        for decided in event.decided:
            if decided.slide_id in decisions:
                decisions[decided.slide_id].append((event, decided))
            else:
                before = unknown.get(event.writer, ())
                unknown[event.writer] = before if decided.slide_id in before else (*before, decided.slide_id)
    named = {fault.place for fault in chains.faults}
    faults = [*chains.faults, *(fault for fault in lost.values() if fault.place not in named)]
    for writer, names in unknown.items():
        told = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
        faults.append(ChainFault(f"events/{writer}.jsonl", f"it decides on {told}: no slide of this run"))
    verdicts = {slide_id: verdict_on(contents[slide_id], found) for slide_id, found in decisions.items()}
    return ReviewState(verdicts, chains, tuple(faults), tuple(lost))


def _sealed_heads(folder: ReviewFolder) -> tuple[SeenHead, ...]:
    """Return the heads that the seal of a review has; none where there is no seal that can be read."""
    if not folder.seal_json.is_file():
        return ()
    try:
        return read_review_seal(folder).heads
    except ResultError:  # `wsi-area verify` says what is wrong with it
        return ()


def verdict_on(content: SlideContent, events: Sequence[_One]) -> SlideVerdict:
    """Return the verdict on one slide.

    Parameters
    ----------
    content : SlideContent
        The slide as it is now.
    events : sequence of (event, what it says of this slide)
        All that were written about it, in their order.
    """
    latest: dict[str, _One] = {}
    for event, decided in events:
        if event.what in STATUS_OF:
            latest.pop(event.reviewer.key, None)  # so that the last comes last
            latest[event.reviewer.key] = (event, decided)
    ones = list(reversed(latest.values()))
    current = [one for one in ones if one[1].content == content.content]
    status = _status(current, decided=bool(ones))
    shown = current or ones
    last = shown[0] if shown else None
    signed = _signature(events, content, status)
    names = list(dict.fromkeys(event.reviewer.name for event, _ in shown))
    return SlideVerdict(
        slide_id=content.slide_id,
        subject=content.subject,
        status=status,
        reviewer="; ".join(names) or None,
        role=(last[0].reviewer.role or None) if last else None,
        utc=last[0].utc if last else None,
        is_outdated=len(current) < len(ones),
        measure=content.measure,
        measured_mm2=content.measured_mm2,
        amended_mm2=content.amended_mm2,
        amended=content.amended,
        decided_mm2=last[1].area_mm2 if last else None,
        reason=last[0].reason if last else None,
        remark=last[0].remark if last else None,
        signed_by=signed.reviewer.name if signed else None,
        signed_utc=signed.utc if signed else None,
        content=content.content,
        by_reviewer=tuple(_of_reviewer(event, decided, content.content) for event, decided in ones),
        comments=tuple(_comment(event) for event, _ in events if event.what == "comment"),
    )


def _status(current: Sequence[_One], *, decided: bool) -> VerdictStatus:
    """Return the status that the decisions on the content of now make together, the last decision first.

    Who asked for a second opinion waits until another one has decided after that.
    """
    if not current:
        return "outdated" if decided else "unreviewed"
    if current[0][0].what == "second_opinion":
        return "second_opinion"
    found = {STATUS_OF[event.what] for event, _ in current if event.what != "second_opinion"}
    if found == {"accepted", "accepted_with_remark"}:
        return "accepted_with_remark"
    return found.pop() if len(found) == 1 else "reviewers_differ"


def _signature(events: Sequence[_One], content: SlideContent, status: VerdictStatus) -> ReviewEvent | None:
    """Return the last signature under what stands: this verdict, on this content."""
    for event, decided in reversed(events):
        if event.what == "sign" and (decided.content, decided.verdict) == (content.content, status):
            return event
    return None


def _of_reviewer(event: ReviewEvent, decided: Decided, content: str | None) -> ReviewersVerdict:
    return ReviewersVerdict(
        reviewer=event.reviewer.name,
        role=event.reviewer.role,
        what=event.what,
        utc=event.utc,
        reason=event.reason,
        remark=event.remark,
        area_mm2=decided.area_mm2,
        is_outdated=decided.content != content,
    )


def _comment(event: ReviewEvent) -> SlideComment:
    return SlideComment(
        reviewer=event.reviewer.name,
        utc=event.utc,
        text=event.remark or "–",
        x_l0_px=event.x_l0_px,
        y_l0_px=event.y_l0_px,
    )
