"""reports: which slides of a run need a person: those without a final number, and those that warn; pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from wsi_area.model.slide_result import CountedSlide, EndedSlide
from wsi_area.reports.slide_view import STATUS_SIGN, STATUS_TEXT, anchor_of, findings_of

_MOST_NAMED = 12  # slides of one warning; a folder of hundreds has the table and its filter for the others


@dataclass(frozen=True, slots=True)
class Cause:
    """Slides that have no final number, for the very same reason."""

    reason: str
    slides: tuple[tuple[str, str], ...]  # anchor and id


@dataclass(frozen=True, slots=True)
class Trouble:
    """Slides that have no final number and want the same thing done, which is said once."""

    status: str
    status_text: str
    status_sign: str
    remedies: tuple[str, ...]
    causes: tuple[Cause, ...]


@dataclass(frozen=True, slots=True)
class Warned:
    """Slides that have a final number and carry the same warning."""

    code: str
    look_at: str  # what a person is to look at, or what was found where no remedy is on record
    slides: tuple[tuple[str, str], ...]  # anchor and id, the first of them
    unnamed: int  # how many more there are


def troubles(records: Sequence[EndedSlide]) -> tuple[Trouble, ...]:
    """Return what keeps slides from a final number; what is to be done is said once for all that it helps."""
    found: dict[tuple[str, tuple[str, ...]], dict[str, list[tuple[str, str]]]] = {}
    for place, record in enumerate(records, 1):
        if not record.is_final:
            reason, remedies = _reason_and_remedies(record)
            causes = found.setdefault((record.status, remedies), {})
            causes.setdefault(reason, []).append((anchor_of(place), record.slide_id))
    return tuple(
        Trouble(
            status, STATUS_TEXT[status], STATUS_SIGN[status], remedies,
            tuple(Cause(reason, tuple(slides)) for reason, slides in causes.items()),
        )
        for (status, remedies), causes in found.items()
    )  # fmt: skip


def _reason_and_remedies(record: EndedSlide) -> tuple[str, tuple[str, ...]]:
    refused = [f for f in findings_of(record) if f.severity == "refusal" or f.code == "TILE_UNREADABLE"]
    reason = (record.reason or "no reason on record").removeprefix(f"{record.slide_id}: ")
    messages = tuple(dict.fromkeys(f.message for f in refused))
    return "; ".join(messages) or reason, tuple(dict.fromkeys(f.remedy for f in refused if f.remedy))


def is_warned(record: EndedSlide) -> bool:
    """Return whether a slide carries a warning."""
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
