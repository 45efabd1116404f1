"""model: the verdict on a slide as it stands: made of the events of all reviewers, a row of the table of the review."""

from typing import Annotated, ClassVar, Literal

from wsi_area.model.documented import Area, Count, Flag, Name, Part, Says, Table
from wsi_area.model.finding import SLIDE_ID
from wsi_area.model.review.event import Measure, Reason, What

VerdictStatus = Literal[
    "unreviewed", "accepted", "accepted_with_remark", "rejected", "needs_remeasuring", "second_opinion",
    "reviewers_differ", "outdated",
]  # fmt: skip
OPEN: frozenset[VerdictStatus] = frozenset({"unreviewed", "outdated", "second_opinion", "reviewers_differ"})
"""Verdicts that wait for somebody to look at the slide."""

STATUS_OF: dict[What, VerdictStatus] = {
    "accept": "accepted", "accept_with_remark": "accepted_with_remark", "reject": "rejected",
    "needs_remeasuring": "needs_remeasuring", "second_opinion": "second_opinion",
}  # fmt: skip
"""What a slide is by the decision of one reviewer; comments and signatures decide nothing."""

_IN: tuple[Table, ...] = ("review",)
_NOBODY = "nobody decided"
_NOT_SIGNED = "nobody signed what stands"


class ReviewersVerdict(Part):
    """The latest decision of one reviewer on one slide."""

    comes_from: ClassVar[str] = "the reviewer's latest event on the slide"

    reviewer: Annotated[Name, Says("name, as typed")]
    role: Annotated[str, Says("role, as typed", empty="none was given")]
    what: Annotated[What, Says("what was decided")]
    utc: Annotated[Name, Says("when, ISO 8601")]
    reason: Annotated[Reason | None, Says("why it was rejected", empty="it was not")]
    remark: Annotated[str | None, Says("in words", empty="nothing was said")]
    area_mm2: Annotated[float | None, Says("the area that was decided on", "mm²", "there was none")]
    is_outdated: Annotated[Flag, Says("whether the slide's content is another one by now")]


class SlideComment(Part):
    """What somebody said of a slide, at a place on it."""

    comes_from: ClassVar[str] = "the events of the review"

    reviewer: Annotated[Name, Says("name, as typed")]
    utc: Annotated[Name, Says("when, ISO 8601")]
    text: Annotated[Name, Says("in words")]
    x_l0_px: Annotated[float | None, Says("column of the place", "level-0 px", "it is about no place")]
    y_l0_px: Annotated[float | None, Says("row of the place", "level-0 px", "it is about no place")]


class SlideVerdict(Part):
    """The verdict on one slide, and what it is about."""

    comes_from: ClassVar[str] = "the events of the review (review.verdicts)"

    slide_id: Annotated[Name, Says(SLIDE_ID, source="the run", column="slide_id", tables=_IN)]
    subject: Annotated[
        str | None, Says("who or what is on it", "", "no manifest says so", "the manifest", "subject", _IN)
    ]
    status: Annotated[
        VerdictStatus,
        Says(
            "unreviewed, accepted, accepted_with_remark, rejected, needs_remeasuring, second_opinion: one was asked "
            "for; reviewers_differ; outdated: the number decided on is another one by now",
            column="verdict", tables=_IN,
        ),
    ]  # fmt: skip
    reviewer: Annotated[str | None, Says("who decided, each name once", "", _NOBODY, "", "reviewer", _IN)]
    role: Annotated[str | None, Says("role of who decided last, as typed", "", f"{_NOBODY}, or none was given", "",
                                     "role", _IN)]  # fmt: skip
    utc: Annotated[str | None, Says("when it was last decided, ISO 8601", "", _NOBODY, "", "utc", _IN)]
    is_outdated: Annotated[
        Flag, Says("whether a reviewer decided on another content than the slide has now", "", column="is_outdated",
                   tables=_IN)
    ]  # fmt: skip
    measure: Annotated[
        Measure | None, Says("what the areas of the row are of", "", "it has no area", "the result", "measure", _IN)
    ]
    measured_mm2: Annotated[
        Area | None, Says("area as it was measured", "mm²", "it has none", "the result", "measured_mm2", _IN)
    ]
    amended_mm2: Annotated[
        Area | None,
        Says("area with the corrections of a person", "mm²", "it was not amended, or has none",
             "the latest amended version", "amended_mm2", _IN),
    ]  # fmt: skip
    amended: Annotated[
        Count | None,
        Says("number of the latest amended version", "", "it was not amended", "the run", "amended_version", _IN),
    ]
    decided_mm2: Annotated[
        float | None, Says("area that was last decided on", "mm²", f"{_NOBODY}, or it had none", "", "decided_mm2", _IN)
    ]
    reason: Annotated[Reason | None, Says("why it was rejected", "", "it was not", "", "reason", _IN)]
    remark: Annotated[str | None, Says("remark of who decided last", "", "nothing was said", "", "remark", _IN)]
    signed_by: Annotated[
        str | None, Says("who signed this verdict on this content", "", _NOT_SIGNED, "", "signed_by", _IN)
    ]
    signed_utc: Annotated[str | None, Says("when, ISO 8601", "", _NOT_SIGNED, "", "signed_utc", _IN)]
    content: Annotated[
        str | None,
        Says("hash of what is decided on: numbers, findings, certificate", "", "its document cannot be read",
             "results.content_hash", "content", _IN),
    ]  # fmt: skip
    by_reviewer: Annotated[tuple[ReviewersVerdict, ...], Says("the latest decision of each reviewer, the last first")]
    comments: Annotated[tuple[SlideComment, ...], Says("comments, the first first")]

    @property
    def n_comments(self) -> Annotated[int, Says("comments on it", "", column="comments", tables=_IN)]:
        """Return the number of comments on it."""
        return len(self.comments)

    @property
    def is_open(self) -> bool:
        """Return True if somebody has to look at the slide."""
        return self.status in OPEN

    @property
    def is_signed(self) -> bool:
        """Return True if somebody signed this verdict on this content."""
        return self.signed_by is not None
