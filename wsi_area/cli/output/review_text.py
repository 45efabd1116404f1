"""cli: a review in lines and as a document: how each slide stands, who has to look at what, what was decided."""

from collections.abc import Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from wsi_area.cli.output.console import fits, report_console
from wsi_area.cli.output.printer import print_lines
from wsi_area.cli.output.wrapping import say_beside
from wsi_area.model.review.event import Decided, ReviewEvent
from wsi_area.model.review.verdict import ReviewersVerdict, SlideVerdict
from wsi_area.review.agreement import agreements
from wsi_area.review.verdicts import ReviewState

_NAMED = 8
_HEADINGS = {
    "unreviewed": "nobody decided on",
    "outdated": "decided on another number than there is now",
    "second_opinion": "another reviewer is asked to decide on",
    "reviewers_differ": "reviewers differ on",
}


def say_events(events: Sequence[ReviewEvent], state: ReviewState) -> None:
    """Print what was written, and what still waits."""
    console = report_console()
    for event in events:
        names = ", ".join(_with_number(event, decided) for decided in event.decided[:_NAMED])
        more = len(event.decided) - _NAMED
        told = f"{names}{f' and {more} more' if more > 0 else ''}"
        print_lines(console, f"{event.what.replace('_', ' ')}: {told} ({event.reviewer.name}, {event.utc})")
    waiting = len(state.open_slides)
    print_lines(
        console, f"{waiting} of {len(state.verdicts)} slides wait for somebody" if waiting else "no slide waits"
    )
    _say_faults(state)


def _with_number(event: ReviewEvent, decided: Decided) -> str:
    """Return a slide with the number that was decided on, and whose corrections are in it."""
    if decided.area_mm2 is None or event.what == "comment":
        return decided.slide_id
    of = f", amended {decided.amended}" if decided.amended is not None else ""
    measure = (decided.measure or "").replace("tumor", "tumour")
    return f"{decided.slide_id} at {decided.area_mm2:.6g} mm² {measure}".rstrip() + of


def say_state(state: ReviewState) -> None:
    """Print how each slide stands, and who has to look at what."""
    console = report_console()
    verdicts = list(state.verdicts.values())
    wide = _wide(verdicts)
    console.print(wide if fits(console, wide) else _narrow(verdicts))
    for line in waiting_lines(state.open_slides):
        print_lines(console, line)
    if not state.open_slides:
        print_lines(console, "no slide waits for anybody")
    for pair in agreements(state.verdicts.values()):
        kappa = "not defined, since chance alone would agree" if pair.kappa is None else f"{pair.kappa:.3f}"
        both = f"{pair.first} and {pair.second}: the same on {pair.agreed} of {pair.slides} slides"
        print_lines(console, f"{both}, kappa {kappa}")
    for note in state.chains.notes:
        print_lines(console, note)
    _say_faults(state)


def _wide(verdicts: Sequence[SlideVerdict]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("slide", "verdict", "by", "when", "signed by"):
        table.add_column(heading, overflow="fold")
    for heading in ("mm²", "decided on"):
        table.add_column(heading, justify="right", no_wrap=True)
    for verdict in verdicts:
        table.add_row(*(Text(cell) for cell in _cells(verdict)))
    return table


def _narrow(verdicts: Sequence[SlideVerdict]) -> Table:
    """Return the same in two lines a slide; ids and names alone are folded."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("slide\nverdict", overflow="fold", min_width=16)
    table.add_column("by\nwhen", overflow="fold", min_width=19)
    table.add_column("signed by", overflow="fold")
    table.add_column("mm²\ndecided on", justify="right", no_wrap=True)
    for verdict in verdicts:
        slide, status, by, when, signed, now, decided = _cells(verdict)
        table.add_row(*map(Text, (f"{slide}\n{status}", f"{by}\n{when}", signed, f"{now}\n{decided}")))
    return table


def waiting_lines(waiting: Sequence[SlideVerdict]) -> list[str]:
    """Return who has to look at what, a line for each kind of waiting."""
    lines = []
    for status, heading in _HEADINGS.items():
        found = [verdict for verdict in waiting if verdict.status == status]
        if found:
            told = ", ".join(_why(verdict) for verdict in found[:_NAMED])
            more = len(found) - _NAMED
            lines.append(f"{len(found)} {heading}: {told}{f' and {more} more' if more > 0 else ''}")
    return lines


def _why(verdict: SlideVerdict) -> str:
    said = [f"{one.reviewer}: {_shown(one)}" for one in verdict.by_reviewer if verdict.status == "outdated"
            or not one.is_outdated]  # fmt: skip
    return f"{verdict.slide_id} ({'; '.join(said)})" if said else verdict.slide_id


def _shown(one: ReviewersVerdict) -> str:
    at = "" if one.area_mm2 is None else f" at {one.area_mm2:.6g} mm²"
    return f"{one.what.replace('_', ' ')}{f', {one.reason}' if one.reason else ''}{at}"


def _cells(verdict: SlideVerdict) -> tuple[str, ...]:
    now = verdict.measured_mm2 if verdict.amended is None else verdict.amended_mm2
    amended = "" if verdict.amended is None else f" (amended {verdict.amended})"
    return (
        verdict.slide_id, verdict.status.replace("_", " "), verdict.reviewer or "–", (verdict.utc or "–")[:19],
        verdict.signed_by or "–", _mm2(now) + amended, _mm2(verdict.decided_mm2),
    )  # fmt: skip


def _mm2(area_mm2: float | None) -> str:
    return "–" if area_mm2 is None else f"{area_mm2:.6g}"


def _say_faults(state: ReviewState) -> None:
    for fault in state.faults:
        say_beside(f"{fault.place}: {fault.message}")


def review_document(state: ReviewState) -> dict[str, Any]:
    """Return all that is known of a review as JSON values."""
    return {
        "open": [verdict.slide_id for verdict in state.open_slides],
        "slides": [
            {**verdict.model_dump(mode="json"), "is_open": verdict.is_open, "is_signed": verdict.is_signed}
            for verdict in state.verdicts.values()
        ],
        "agreement": [
            {"reviewers": [p.first, p.second], "slides": p.slides, "agreed": p.agreed, "kappa": p.kappa}
            for p in agreements(state.verdicts.values())
        ],
        "heads": [head.model_dump(mode="json") for head in state.chains.heads],
        "notes": list(state.chains.notes),
        "faults": [{"file": fault.place, "message": fault.message} for fault in state.faults],
    }
