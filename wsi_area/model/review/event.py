"""model: one event of a review, a line of a chain: who decided what, on which content, and which heads were seen.

An event is written once and never changed. Its hash is over all else that its line says, the hash of the event before
it among that, so that a chain shows where one was changed or taken out. That its end was cut off shows only where
somebody else saw the head: another chain, the seal of the review, a printed report.
"""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from wsi_area.model.documented import Count, Hash, Name, Number, Part, Says, Whole, not_there

What = Literal[
    "accept", "accept_with_remark", "reject", "needs_remeasuring", "second_opinion", "comment", "sign"
]  # fmt: skip
Scope = Literal["slide", "subject", "run"]
Reason = Literal[
    "wrong_slide", "wrong_outline", "missed_tumor", "too_much_tumor", "wrong_tissue", "artefact", "out_of_focus",
    "wrong_pixel_size", "incomplete", "other",
]  # fmt: skip
"""Why a slide is rejected; ``other`` needs a remark."""
Measure = Literal["tumor", "positive", "tissue"]

Writer = Annotated[str, Field(pattern="^[0-9a-f]{16}$")]
"""The random id of a session, and the name of the one file that it writes."""
ContentHash = Annotated[str, Field(pattern="^sha256:[0-9a-f]{64}$")]
ReviewId = Annotated[str, Field(pattern="^[0-9a-f]{32}$")]

_NO_PLACE = "it is about no place"


class Reviewer(Part):
    """Who decides, as that person typed it."""

    comes_from: ClassVar[str] = "the person"

    name: Annotated[Name, Field(max_length=200), Says("name, as typed")]
    role: Annotated[str, Field(max_length=200), Says("role, as typed", empty="none was given")]
    is_authenticated: Annotated[
        Literal[False], Says("whether anybody made sure that it is this person; no version of this program does")
    ] = False

    @property
    def key(self) -> str:
        """Return the name without case and spaces that do not tell two people apart.

        >>> Reviewer(name=" Ada  Miller", role="").key
        'ada miller'
        """
        return " ".join(self.name.split()).casefold()


class Decided(Part):
    """One slide as it was when somebody decided on it."""

    comes_from: ClassVar[str] = "the slide's result (results.content_hash)"

    slide_id: Annotated[Name, Says("the slide")]
    content: Annotated[ContentHash, Says("hash of what was decided on: numbers, findings, certificate")]
    area_mm2: Annotated[Number | None, Says("its main area at that time", "mm²", "it had none")]
    measure: Annotated[Measure | None, Says("what that area is of", empty="it had none")]
    amended: Annotated[
        Count | None, Field(exclude_if=not_there), Says("number of the amended version", empty="as it was measured")
    ] = None
    verdict: Annotated[
        Name | None, Field(exclude_if=not_there), Says("what was signed: the verdict", empty="it is no signature")
    ] = None


class SeenHead(Part):
    """The last event of another chain, as a writer saw it."""

    comes_from: ClassVar[str] = "the chains beside its own"

    writer: Annotated[Writer, Says("whose chain")]
    number: Annotated[Whole, Field(ge=1), Says("number of its last event")]
    hash: Annotated[Hash, Says("hash of that event")]


class TornTail(Part):
    """A last line that is not whole: its writer was killed while it wrote."""

    comes_from: ClassVar[str] = "the chains beside its own"

    writer: Annotated[Writer, Says("whose chain")]
    size_bytes: Annotated[Whole, Field(ge=1), Says("length of the torn line", "bytes")]
    sha256: Annotated[Hash, Says("SHA-256 of the torn line")]


class ReviewEvent(Part):
    """One event of a review: a decision, a comment or a signature."""

    comes_from: ClassVar[str] = "the person"

    review: Annotated[ReviewId, Says("random id of the review, as its review.json has it", source="review.json")]
    writer: Annotated[Writer, Says("random id of the session that wrote it", source="the session")]
    number: Annotated[Whole, Field(ge=1), Says("its number in the chain of that session", source="the session")]
    utc: Annotated[Name, Says("when, ISO 8601, by the clock of the writer", source="the session")]
    reviewer: Reviewer
    what: Annotated[What, Says("what was decided; comment decides nothing; sign puts a name under what was")]
    scope: Annotated[Scope, Says("what it is about: slides, all slides of a subject, all slides of the run")] = "slide"
    subject: Annotated[
        Name | None, Field(exclude_if=not_there), Says("the subject that is signed", empty="it is about none")
    ] = None
    decided: Annotated[tuple[Decided, ...], Field(min_length=1), Says("each slide that it is about")]
    reason: Annotated[Reason | None, Field(exclude_if=not_there), Says("why it is rejected", empty="it is not")] = None
    remark: Annotated[
        Name | None, Field(exclude_if=not_there, max_length=20_000), Says("in words", empty="nothing was said")
    ] = None
    x_l0_px: Annotated[
        Number | None, Field(exclude_if=not_there), Says("column of the place", "level-0 px", _NO_PLACE)
    ] = None
    y_l0_px: Annotated[
        Number | None, Field(exclude_if=not_there), Says("row of the place", "level-0 px", _NO_PLACE)
    ] = None
    seen: Annotated[
        tuple[SeenHead, ...],
        Says(
            "heads of the other chains when it was written, but for those that one of these names", source="the session"
        ),
    ]
    torn: Annotated[
        tuple[TornTail, ...], Says("torn lines that its writer found, and left as they are", source="the session")
    ] = ()
    previous: Annotated[Hash, Says("hash of the event before it; of the first, of review and writer")]
    hash: Annotated[Hash, Says("SHA-256 over all else in its line")]
