"""results: slides of a run whose files hold the same, so that one tissue counts twice: found in all of its documents.

Each slide's document has a digest of what its file holds; which other slides hold the same is a matter of the run. So
it stands in run.json, and as a finding in what is made from all documents: tables, report, frames. Not in a slide's own
document, where it would become untrue when the twin joins, leaves the run or is measured anew, and where tasks of a job
array, which measure slides without seeing each other, could not write it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from wsi_area.errors import ResultError
from wsi_area.model.finding import QaFinding
from wsi_area.results.layout import RunLayout, read_json
from wsi_area.results.record import is_counted

Record = Mapping[str, Any]

SAME_CONTENT = "same_content"
"""The key of run.json under which the groups stand."""

_NAMED = 5
"""Slides named in a finding; run.json has all of them."""
_REMEDY = (  # slides that a folder has stay in its run.json, whether or not a command names them again
    "leave all but one of the files out: take them away, remove run.json (and shards/, if there is one) from the "
    "folder of results and run the same command again, which measures nothing twice; if one was overwritten, copy the "
    "right file back and measure that one with --force"
)


def same_content(records: Iterable[Record]) -> dict[str, list[list[str]]]:
    """Return what run.json says of slides whose files hold the same, group by group; nothing of none.

    Slides without counts add to no sum and are left out.

    >>> a, b, c = ({"slide_id": name, "classes": [], "content_digest": d} for name, d in ("a1", "b2", "c1"))
    >>> same_content([a, b, c]), same_content([a, b])
    ({'same_content': [['a', 'c']]}, {})
    """
    by_content: dict[str, list[str]] = {}
    for record in records:
        if is_counted(record) and record.get("content_digest"):
            by_content.setdefault(record["content_digest"], []).append(record["slide_id"])
    groups = [names for names in by_content.values() if len(names) > 1]
    return {SAME_CONTENT: groups} if groups else {}


def measured_documents(layout: RunLayout, about: Record) -> Iterator[Record]:
    """Yield the document of each slide that a run measured; one that cannot be read is passed over."""
    for slide_id, ended in about.get("slides", {}).items():
        if ended.get("status") != "failed":
            try:
                yield read_json(layout.slide(slide_id).result_json)
            except ResultError:
                continue


def with_same_content(record: Record, about: Record) -> Record:
    """Return what a run says of a slide: its document, and SLIDE_TWICE if run.json names others that hold the same.

    Parameters
    ----------
    record : mapping
        The slide's document, left as it is.
    about : mapping
        run.json.
    """
    for names in about.get(SAME_CONTENT, ()):
        if record["slide_id"] in names and is_counted(record):
            found = asdict(_slide_twice(str(record["slide_id"]), names))
            return {**record, "findings": [*record["findings"], found]}
    return record


def _slide_twice(slide_id: str, names: Sequence[str]) -> QaFinding:
    others = [name for name in names if name != slide_id]
    more = len(others) - _NAMED
    told = [*others[:_NAMED], *([f"{more} more"] if more > 0 else [])]
    message = (
        f"its file holds the same as that of {' and '.join(told)}: sums over the slides count this tissue "
        f"{len(names)} times"
    )
    measured, limit = float(len(names)), 1.0
    return QaFinding(slide_id, "SLIDE_TWICE", "warning", measured, limit, "slides", message, _REMEDY)
