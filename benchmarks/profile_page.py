"""benchmarks: the page of a file of profiles, Markdown: a table a row, the program before beside that of today."""

import re
from typing import Any

from benchmarks.figures import processor_text
from benchmarks.profile_rows import PROFILED, Profiled

SHOWN = 10
"""Functions of each program: those that took most by themselves."""

Side = dict[str, Any]


def page(document: dict[str, Any]) -> str:
    """Return the page of a file of profiles."""
    before, now, date, on = (document[key] for key in ("before", "now", "date", "machine"))
    lines = [
        f"# Where the CPU went and where it goes, {date}",
        "",
        f"Made from `profiles-{date}.json` by `python -m benchmarks.profiles`. Before is {before}, now is {now};",
        f"the slide has {document['slide_px']}² px, machine code is made, results are written to memory.",
        f"{processor_text(on)}, load {on['load_before']} before the start.",
        "",
        "CPU s are user + system of the whole process and its children, loading included, measured once without a",
        f"profiler. py-spy looked {document['rate']} times a second which function runs on each thread that works; its",
        "share of these looks is its share of the CPU s. What a library or machine code takes counts for the Python",
        f"function that calls it, and what a package takes to load for the package. The {SHOWN} that took most by",
        "themselves are listed; what is below three in a hundred may be chance.",
    ]
    for row in PROFILED:
        if row.key in document["rows"]:
            lines += ["", *_table(row, document["rows"][row.key])]
    return "\n".join([*lines, ""])


def _table(row: Profiled, sides: dict[str, Side]) -> list[str]:
    """Return the lines of one row."""
    before, now = sides["before"], sides["now"]
    lines = [f"## {row.title}", "", row.changed, ""]
    lines += [f"    wsi-area {readable(command)}" for command in (*row.first, row.command)]
    if row.only_now:
        lines += ["", f"Today also with `{row.only_now}`, which the program before did not know."]
    if row.within:
        lines += [
            "",
            f"Only what is called from `{row.within}`; CPU s as the results say (`{row.told}`).",
        ]
    lines += ["", f"| before | {_total(before)} | now | {_total(now)} |", "|---|---:|---|---:|"]
    cells = [[*_cells(side), *[("", "")] * SHOWN][:SHOWN] for side in (before, now)]
    lines += [f"| {b} | {bs} | {n} | {ns} |" for (b, bs), (n, ns) in zip(*cells, strict=True) if b or n]
    return lines


def readable(command: str) -> str:
    """Return a command as a reader would type it.

    >>> readable("run {slide} --config {rule} --out {out}")
    'run slide --config rule.toml --out out'
    """
    told = command.replace("{rule}", "rule.toml").replace("{foci}", "foci.toml").replace("{configs}", "configs")
    return re.sub(r"[{}]", "", told)


def _total(side: Side) -> str:
    return f"not known: {side['error']}" if "error" in side else f"{side['cpu_s']:.2f} CPU s"


def _cells(side: Side) -> list[tuple[str, str]]:
    """Return name and seconds, with the share, of each function."""
    if "error" in side:
        return []
    return [(f"`{name}`", f"{share * side['cpu_s']:.2f} ({100 * share:.0f} %)") for name, share in side["functions"]]
