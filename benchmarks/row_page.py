"""benchmarks: the page of a file of rows, Markdown, and the name that file has."""

from typing import Any

from benchmarks.figures import processor_text
from benchmarks.row import figure, sides_of
from benchmarks.row_targets import ROWS


def size_of(document: dict[str, Any]) -> tuple[int, int]:
    """Return width and height of the slide, px; files before 2026-12 have the side of a square."""
    return sides_of(document["size"] if "size" in document else str(document["side_px"]))


def size_name(size: str) -> str:
    """Return a size as file names have it: the side of a square, else both sides.

    >>> size_name("64x64"), size_name("64"), size_name("64x48")
    ('64', '64', '64x48')
    """
    width, height = sides_of(size)
    return f"{width}" if width == height else f"{width}x{height}"


def page(document: dict[str, Any]) -> str:
    """Return the page of a results file."""
    samples, (width, height) = document["samples"], size_of(document)
    on, turns = document["machine"], [sum(s["key"] == key for s in samples) for key in {s["key"] for s in samples}]
    name = size_name(f"{width}x{height}")
    lines = [
        f"# Around the fast path, {document['date']}, a slide of {f'{width}²' if width == height else name}",
        "",
        f"Made from `rows-{document['date']}-{name}.json` by `python -m benchmarks.rows`. CPU seconds (user + system),",
        f"warm, in one process for each row; turns: {_range(turns)}, median with least and most.",
        f"{processor_text(on)}, load {on['load_before']} before the start.",
        "",
        "| what | measured | wanted | |",
        "|---|---:|---:|---|",
    ]
    for row in ROWS:
        found = figure(row, samples)
        if found is not None:
            lines.append(f"| {row.title} | {found.text()} | {verdict(row.wanted, found.median)} |")
    failed = [f"- {s['key']}, turn {s['repeat']}: {s['error']}" for s in samples if "error" in s]
    absent = dict.fromkeys(f"- {who}: {why}" for s in samples for who, why in s.get("absent", {}).items())
    for title, listed in (("Came to nothing:", failed), ("Not there to be measured:", list(absent))):
        lines += ["", title, "", *listed] if listed else []
    return "\n".join([*lines, ""])


def _range(turns: list[int]) -> str:
    """Return the number of turns, least to most.

    >>> _range([3, 3]), _range([3, 1])
    ('3', '1 to 3')
    """
    return f"{max(turns)}" if min(turns) == max(turns) else f"{min(turns)} to {max(turns)}"


def verdict(wanted: float | None, median: float) -> str:
    """Return the last two cells of a row: what was wanted, and whether that is reached."""
    if wanted is None:
        return "– | "
    return f"≤ {wanted:g} | {'reached' if median <= wanted else '**falls short**'}"
