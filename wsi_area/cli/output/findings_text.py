"""cli: findings for people: each once, with the slides that have it and what to do about it."""

from collections.abc import Iterable

from wsi_area.cli.output.printer import Printer, print_lines
from wsi_area.frozen_value import frozen_value
from wsi_area.model.finding import QaFinding

SEVERITY_STYLES = {"refusal": "bold red", "warning": "yellow", "info": "dim"}
_MOST_NAMED = 8
_WORDS = {"refusal": "REFUSED", "warning": "warning", "info": "note"}


@frozen_value
class Told:
    """What is to be said of one slide; what is said of several is grouped by everything but slide and message."""

    slide_id: str
    severity: str
    code: str
    message: str
    remedy: str


def told_findings(findings: Iterable[QaFinding]) -> list[Told]:
    """Return findings as what is to be said.

    >>> told_findings([QaFinding("S1", "MPP_MISSING", "refusal", None, None, "", "no size", "give it")])
    [Told(slide_id='S1', severity='refusal', code='MPP_MISSING', message='no size', remedy='give it')]
    """
    return [Told(f.slide_id, f.severity, f.code, f.message, f.remedy) for f in findings]


def print_findings(console: Printer, told: Iterable[Told]) -> None:
    """Print each finding once, the worst first: a line for each slide that has it, then its remedy."""
    grouped: dict[tuple[str, str, str], list[Told]] = {}
    for item in told:
        grouped.setdefault((item.severity, item.code, item.remedy), []).append(item)
    order = list(_WORDS)
    for (severity, code, remedy), items in sorted(grouped.items(), key=lambda group: order.index(group[0][0])):
        print_group(console, f"{_WORDS[severity]} {code}", SEVERITY_STYLES[severity], items, remedy)


def print_failures(console: Printer, heading: str, reasons: Iterable[tuple[str, str]], style: str = "bold red") -> None:
    """Print what befell slides under one heading, from pairs of slide and reason; the very same reason once."""
    told = [Told(slide_id, "", "", reason.removeprefix(f"{slide_id}: "), "") for slide_id, reason in reasons]
    if told:
        print_group(console, heading, style, told, "")


def print_group(console: Printer, heading: str, style: str, items: Iterable[Told], remedy: str) -> None:
    """Print a heading, below it a line for each thing to be said, and the remedy once."""
    console.print_text()
    print_lines(console, heading, style)
    by_message: dict[str, list[str]] = {}
    for item in items:
        by_message.setdefault(item.message, []).append(item.slide_id)
    for message, slides in by_message.items():
        print_lines(console, f"{_named(list(dict.fromkeys(slides)))}: {message}", indent="  ")
    if remedy:
        print_lines(console, remedy, indent="    → ", hanging="      ")


def _named(slides: list[str]) -> str:
    """Return the slides that something is said of; of many the first, and how many more. The tables name each.

    >>> _named(["a", "b"]), _named([str(n) for n in range(10)])
    ('a, b', '0, 1, 2, 3, 4, 5, 6, 7 and 2 others')
    """
    more = len(slides) - _MOST_NAMED
    if more < 2:  # one more is as short as saying so
        return ", ".join(slides)
    return f"{', '.join(slides[:_MOST_NAMED])} and {more} others"
