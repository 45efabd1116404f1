"""run: slides of a run whose files hold the same, so that one tissue would be counted twice.

It is said in the log and in run.json, not as a finding: tasks of a job array measure slides without seeing each other,
and what a slide's document says must not depend on who measured it.
"""

import logging
import os
from collections.abc import Mapping, Sequence
from typing import Any

from wsi_area.results.place import is_object
from wsi_area.results.record import is_counted
from wsi_area.run.earlier_run import NAMED
from wsi_area.slides.fingerprint import content_digest

_LOG = logging.getLogger(__name__)

Record = Mapping[str, Any]


def same_content(records: Sequence[Record]) -> list[list[str]]:
    """Return the ids of slides whose files hold the same, group by group, of those that were counted.

    Only files of one length are looked at. Those in a bucket, and those that cannot be reached any more, are not
    compared.
    """
    by_size: dict[int, list[Record]] = {}
    for record in records:
        if is_counted(record):
            by_size.setdefault(record["file_bytes"], []).append(record)
    by_content: dict[str, list[str]] = {}
    for record in (record for alike in by_size.values() if len(alike) > 1 for record in alike):
        if (content := _content(record)) is not None:
            by_content.setdefault(content, []).append(record["slide_id"])
    return [names for names in by_content.values() if len(names) > 1]


def warn_of_same_content(records: Sequence[Record]) -> dict[str, Any]:
    """Return what run.json says of slides that hold the same, after a warning for each group; nothing of none."""
    groups = same_content(records)
    for names in groups:
        _LOG.warning(
            "SLIDE_TWICE: the files of %s hold the same: in sums over the slides its tissue counts %d times; measure "
            "one of them only, in another --out, or copy the right file back if one was overwritten",
            " and ".join(names if len(names) <= NAMED else [*names[:NAMED], f"{len(names) - NAMED} more"]),
            len(names),
        )
    return {"same_content": groups} if groups else {}


def _content(record: Record) -> str | None:
    path = str(record["path"])
    if is_object(path) or not os.path.isfile(path):
        return None
    try:
        return content_digest(path)
    except OSError:
        return None  # it went away while the others were measured: nothing can be said of it
