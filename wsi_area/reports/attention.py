"""reports: which slides of a run need a person: those without a final number, and those that warn; pure."""

from collections.abc import Sequence

from wsi_area.frozen_value import frozen_value
from wsi_area.model.slide_result import CountedSlide, EndedSlide
from wsi_area.reports.slide_view import STATUS_SIGN, STATUS_TEXT, anchor_of, findings_of

_MOST_NAMED = 12  # slides of one warning; a folder of hundreds has the table and its filter for the others


@frozen_value
class Concerned:
    """One slide that has no final number."""

    anchor: str
    slide_id: str
    path: str
    has_page: bool  # its counts are shown further on; else all that is known of it stands here


@frozen_value
class Cause:
    """Slides that have no final number, for the very same reason."""

    reason: str
    remedies: tuple[str, ...]  # where those of the other causes are others
    slides: tuple[Concerned, ...]


@frozen_value
class Trouble:
    """Slides of one status without a final number; what helps all of them is said once."""

    status: str
    status_text: str
    status_sign: str
    remedies: tuple[str, ...]
    causes: tuple[Cause, ...]

    @property
    def slides(self) -> int:
        """Return the number of slides."""
        return sum(len(cause.slides) for cause in self.causes)


@frozen_value
class Warned:
    """Slides that have a final number and carry the same warning."""

    code: str
    look_at: str  # what a person is to look at, or what was found where no remedy is on record
    slides: tuple[tuple[str, str], ...]  # anchor and id, the first of them
    unnamed: int  # how many more there are


def troubles(records: Sequence[EndedSlide]) -> tuple[Trouble, ...]:
    """Return the reasons that keep slides from a final number, by status; each reason and each remedy is told once."""
    found: dict[str, dict[tuple[str, tuple[str, ...]], list[Concerned]]] = {}
    for place, record in enumerate(records, 1):
        if not record.is_final:
            causes = found.setdefault(record.status, {})
            slide = Concerned(anchor_of(place), record.slide_id, record.path, isinstance(record, CountedSlide))
            causes.setdefault(_reason_and_remedies(record), []).append(slide)
    return tuple(_trouble(status, causes) for status, causes in found.items())


def _trouble(status: str, found: dict[tuple[str, tuple[str, ...]], list[Concerned]]) -> Trouble:
    shared = {remedies for _, remedies in found}
    for_all = next(iter(shared)) if len(shared) == 1 else ()
    causes = tuple(
        Cause(reason, () if for_all else remedies, tuple(slides)) for (reason, remedies), slides in found.items()
    )
    return Trouble(status, STATUS_TEXT[status], STATUS_SIGN[status], for_all, causes)


def _reason_and_remedies(record: EndedSlide) -> tuple[str, tuple[str, ...]]:
    refused = [f for f in findings_of(record) if f.severity == "refusal" or f.code == "TILE_UNREADABLE"]
    reason = record.reason or "no reason on record"
    for begins in (record.slide_id, record.path):  # whose reason it is stands beside it
        reason = reason.removeprefix(f"{begins}: ")
    messages = tuple(dict.fromkeys(f.message for f in refused))
    return "; ".join(messages) or reason, tuple(dict.fromkeys(f.remedy for f in refused if f.remedy))


def is_warned(record: EndedSlide) -> bool:
    """Return True if a slide carries a warning."""
    return isinstance(record, CountedSlide) and any(f.severity == "warning" for f in record.findings)


def warned(records: Sequence[EndedSlide]) -> tuple[Warned, ...]:
    """Return the warnings of the slides that have a final number, each said once; the commonest first."""
    found: dict[tuple[str, str], dict[str, str]] = {}
    for place, record in enumerate(records, 1):
        if record.is_final:
            for f in findings_of(record):
                if f.severity == "warning":
                    slides = found.setdefault((f.code, f.remedy or f.message), {})
                    slides[anchor_of(place)] = record.slide_id
    ordered = sorted(found.items(), key=lambda item: (-len(item[1]), item[0]))
    return tuple(
        Warned(code, look_at, tuple(slides.items())[:_MOST_NAMED], max(0, len(slides) - _MOST_NAMED))
        for (code, look_at), slides in ordered
    )


def warned_text(records: Sequence[EndedSlide]) -> str:
    """Return the words on the slides that were summed and carry a warning; empty where none does."""
    final = [r for r in records if r.is_final]
    n = sum(is_warned(r) for r in final)
    return f"{n} of {len(final)} with warnings" if n else ""
