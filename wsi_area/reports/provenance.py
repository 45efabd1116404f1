"""reports: what ran, with what, where and when, as lines; pure."""

import shlex
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from wsi_area.frozen_value import frozen_value
from wsi_area.model.json_tree import flat
from wsi_area.model.run_record import RunRecord
from wsi_area.results.tables.quantity import NONE

_EXIT_TEXT: dict[Any, str] = {
    0: "all good",
    2: "some slides failed or are incomplete",
    3: "some slides need a pixel size",
    130: "interrupted",
}


@frozen_value
class Provenance:
    """Where the numbers come from."""

    lines: tuple[tuple[str, str], ...]
    settings: tuple[tuple[str, str], ...]
    versions: tuple[tuple[str, str], ...]
    seal: str | None  # of the run; None: an earlier version wrote it


def provenance(run: RunRecord) -> Provenance:
    """Return the lines of run.json that a reader checks."""
    host, code = run.host, run.exit_code
    lines = (
        ("measured by", f"wsi-area {run.wsi_area_version}"),
        ("settings hash", run.config_hash),
        ("seal of the run", run.seal or NONE),
        ("began", time_text(run.started)),
        ("ended", time_text(run.ended)),
        ("ended as", f"{run.state}, exit code {code} ({_EXIT_TEXT.get(code, 'see run.json')})"),
        ("on", ", ".join(word for word in (host.name, host.system, host.machine) if word) or NONE),
        ("workers", NONE if run.workers is None else str(run.workers)),
        ("command", shlex.join(run.argv) or NONE),
    )
    left_out = tuple(("left out", left.line.removeprefix("left out: ")) for left in run.left_out or ())
    return Provenance((*lines, *left_out), tuple(_lines(run.settings)), tuple(run.versions.items()), run.seal)


def time_text(stamp: Any) -> str:
    """Return an ISO time as a person reads it, to the second and in the zone it was written in.

    >>> time_text("2026-11-22T19:48:58.968277+00:00"), time_text(None)
    ('2026-11-22 19:48:58 UTC', '–')
    """
    try:
        return datetime.fromisoformat(str(stamp)).strftime("%Y-%m-%d %H:%M:%S %Z")
    except ValueError:
        return NONE


def _lines(settings: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return every setting as ``section.key`` and its value as TOML would have it."""
    found: list[tuple[str, str]] = []
    for key, value in flat(settings):
        if isinstance(value, list) and any(isinstance(item, Mapping) for item in value):
            found += [(f"{key}[{i}]", _inline(item)) for i, item in enumerate(value)]
        else:
            found.append((key, _plain(value)))
    return found


def _inline(item: Any) -> str:
    return ", ".join(f"{k} = {_plain(v)}" for k, v in item.items()) if isinstance(item, Mapping) else _plain(item)


def _plain(value: Any) -> str:
    if value is None:
        return "not set"
    if isinstance(value, bool):
        return "true" if value else "false"
    return ", ".join(_plain(item) for item in value) if isinstance(value, list) else str(value)
