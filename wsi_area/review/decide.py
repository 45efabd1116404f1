"""review: the room's door for whoever decides: what is decided is checked against the run, and written."""

from collections.abc import Iterator, Mapping
from typing import Any

from wsi_area.errors import SettingsError
from wsi_area.frozen_value import frozen_value
from wsi_area.model.review.event import Reason, Reviewer, ReviewEvent, Scope, What
from wsi_area.model.review.verdict import SlideVerdict
from wsi_area.plain_text import is_one_line
from wsi_area.results.opened_run import OpenedRun
from wsi_area.review.contents import SlideContent, current_contents
from wsi_area.review.folder import review_folder
from wsi_area.review.session import ReviewSession
from wsi_area.review.verdicts import state_of
from wsi_area.storage.place import Place

NAMED = 5
"""Slides named in a refusal."""
MOST_LETTERS = 200
"""Of a name or a role."""
_SETTLED = frozenset({"accepted", "accepted_with_remark", "rejected"})


@frozen_value
class Decision:
    """What one reviewer decides, before it is an event."""

    what: What
    slide_ids: tuple[str, ...] = ()  # of a signature of the run, or of a subject: none
    scope: Scope = "slide"
    subject: str | None = None  # whose slides are signed
    reason: Reason | None = None
    remark: str | None = None
    at_l0_px: tuple[float, float] | None = None  # x and y of a comment


def named_reviewer(name: str, role: str = "") -> Reviewer:
    """Return a reviewer, as typed.

    Raises
    ------
    SettingsError
        There is no name, or name or role is no line of text.
    """
    if not name.strip():
        raise SettingsError("who decides? give the name of the person")
    for what, text in (("name", name), ("role", role)):
        if not is_one_line(text) or len(text) > MOST_LETTERS:
            raise SettingsError(
                f"the {what} {text[:40]!r} is not one line of at most {MOST_LETTERS} characters; it stands in tables "
                "and under verdicts, so give it without line ends and control characters"
            )
    return Reviewer(name=" ".join(name.split()), role=" ".join(role.split()))


class RunReview:
    """A run under review by one person: what is decided is written at once."""

    def __init__(self, run: OpenedRun, by: Reviewer, events: Place | None = None) -> None:
        self.folder = review_folder(run.layout, events)
        self._contents = current_contents(run)
        self._session = ReviewSession(self.folder, named_reviewer(by.name, by.role))

    def record(self, decision: Decision) -> tuple[ReviewEvent, ...]:
        """Return the events of a decision, written: one for each slide; one for a signature of several.

        Raises
        ------
        SettingsError
            The decision lacks something, or cannot be made of such slides; nothing was written.
        ResultError
            It cannot be written, or what others wrote cannot be read.
        """
        require_whole(decision)
        return self._session.add(list(self._drafts(decision)))

    def _drafts(self, decision: Decision) -> Iterator[dict[str, Any]]:
        slides = [self._contents[name] for name in self._names(decision)]
        if decision.what == "sign":
            yield self._signature(decision, slides)
            return
        for slide in slides:
            _require_decidable(decision, slide)
            x, y = decision.at_l0_px or (None, None)
            yield {
                "what": decision.what,
                "decided": (_decided(slide),),
                "reason": decision.reason,
                "remark": decision.remark,
                "x_l0_px": x,
                "y_l0_px": y,
            }

    def _names(self, decision: Decision) -> tuple[str, ...]:
        """Return the slides that a decision is about.

        Raises
        ------
        SettingsError
            There is no such slide, or none of the subject.
        """
        if decision.scope == "run":
            return tuple(self._contents)
        if decision.scope == "subject":
            names = tuple(s.slide_id for s in self._contents.values() if s.subject == decision.subject)
            if not names:
                known = sorted({s.subject for s in self._contents.values() if s.subject is not None})
                there = _some(known) if known else "none, since no manifest names any"
                raise SettingsError(f"no slide of the run is of subject {decision.subject!r}; there are: {there}")
            return names
        if unknown := [name for name in decision.slide_ids if name not in self._contents]:
            raise SettingsError(
                f"{_some([repr(name) for name in unknown])}: no such slide in this run; there are: "
                f"{_some(list(self._contents))}"
            )
        return tuple(dict.fromkeys(decision.slide_ids))

    def _signature(self, decision: Decision, slides: list[SlideContent]) -> dict[str, Any]:
        """Return a signature under the verdicts on slides, all of which are settled.

        Raises
        ------
        SettingsError
            One is not: a name stands under a verdict, not in its place.
        """
        state = state_of(self.folder, self._contents)
        if state.faults:
            first = state.faults[0]
            raise SettingsError(
                f"nothing is signed while the events of the review are not what was written: {first.place}: "
                f"{first.message}"
            )
        waiting = [state.verdicts[s.slide_id] for s in slides if state.verdicts[s.slide_id].status not in _SETTLED]
        if waiting:
            raise SettingsError(
                f"{len(waiting)} of {len(slides)} slides are not ready to be signed ({_told(waiting)}): a name stands "
                "under a verdict, so accept or reject them first"
            )
        return {
            "what": "sign",
            "scope": decision.scope,
            "subject": decision.subject,
            "remark": decision.remark,
            "decided": tuple({**_decided(s), "verdict": state.verdicts[s.slide_id].status} for s in slides),
        }


def require_whole(decision: Decision) -> None:
    """Refuse a decision that lacks something, or says too much.

    Raises
    ------
    SettingsError
    """
    what, has_remark = decision.what, bool((decision.remark or "").strip())
    if decision.scope == "slide" and not decision.slide_ids:
        raise SettingsError(f"{what}: which slides? name at least one by its id, as wsi-area review RUN lists them")
    if what == "sign" and decision.scope == "subject" and not decision.subject:
        raise SettingsError("a signature for a subject: which one? name it as the manifest does")
    if what != "sign" and decision.scope != "slide":
        raise SettingsError(f"{what} is about single slides: name each; only a signature is for a subject or the run")
    if (what == "reject") != (decision.reason is not None):
        raise SettingsError("a reason belongs to a rejection, and each rejection needs one; see wsi-area review --help")
    if decision.reason == "other" and not has_remark:
        raise SettingsError("reason other says nothing: give a remark too")
    if what in {"accept_with_remark", "comment"} and not has_remark:
        raise SettingsError(f"{what} needs its text")
    if what == "accept" and has_remark:
        raise SettingsError("to accept with a remark is a decision of its own: accept_with_remark")
    if decision.at_l0_px is not None and what != "comment":
        raise SettingsError("a place belongs to a comment")


def _require_decidable(decision: Decision, slide: SlideContent) -> None:
    """Refuse what cannot be said of a slide.

    Raises
    ------
    SettingsError
    """
    if slide.content is None:
        raise SettingsError(
            f"{slide.slide_id}: its document cannot be read, so nobody knows what is decided on; run wsi-area verify"
        )
    if decision.what.startswith("accept") and not slide.was_counted:
        raise SettingsError(
            f"{slide.slide_id} was not counted, so there is no number to accept; reject it, or say that it needs to be "
            "measured again"
        )
    if decision.at_l0_px is not None and slide.size_l0_px is not None:
        (x, y), (width, height) = decision.at_l0_px, slide.size_l0_px
        if not (0 <= x <= width and 0 <= y <= height):
            raise SettingsError(
                f"{x:g},{y:g} does not lie on {slide.slide_id}, which has {width} × {height} level-0 pixels; give x,y "
                "of its upper left corner as 0,0"
            )


def _decided(slide: SlideContent) -> Mapping[str, Any]:
    return {
        "slide_id": slide.slide_id,
        "content": slide.content,
        "area_mm2": slide.area_mm2,
        "measure": slide.measure,
        "amended": slide.amended,
    }


def _told(waiting: list[SlideVerdict]) -> str:
    return _some([f"{verdict.slide_id}: {verdict.status}" for verdict in waiting])


def _some(names: list[str]) -> str:
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more} more" if more > 0 else "")
