"""run: what the tasks of a job array share: the slides, the settings, and who measures which slide.

Every task computes the plan by itself. The first to come writes it down, and the others hold theirs against it, so
that tasks that were started with another list, other settings or another number of shards are refused instead of
measuring a slide that somebody else has.
"""

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from wsi_area import __version__
from wsi_area.errors import ResultError, StaleResultError
from wsi_area.model.calibration import Mpp, MppCandidate
from wsi_area.results.layout import SCHEMA_VERSION, RunLayout, read_json
from wsi_area.run.continuation import MEASUREMENT_VERSION
from wsi_area.run.inputs import DrawnSource, SlideInput
from wsi_area.run.settings import MEASUREMENT_SECTIONS, RunSettings
from wsi_area.run.shards import split


@dataclass(frozen=True, slots=True)
class ShardPlan:
    """The slides in the order asked for, what they weigh, and into how many shards they are split."""

    count: int
    slides: tuple[SlideInput, ...]
    file_bytes: Mapping[str, int]  # of each slide id; 0 for a file that cannot be looked at
    settings: Mapping[str, Any]  # canonical
    config_hash: str
    measurement_version: int
    forced: bool = False  # it replaces what the folder held before

    def owner(self) -> dict[str, int]:
        """Return the shard of each slide id."""
        return split(self.file_bytes, self.count)

    def slides_of(self, index: int) -> tuple[SlideInput, ...]:
        """Return the slides of one shard, in the order asked for."""
        owner = self.owner()
        return tuple(slide for slide in self.slides if owner[slide.slide_id] == index)

    @property
    def key(self) -> str:
        """Return the hash of all that the shards must agree on; the order of the slides is no part of it."""
        rows = sorted(self._rows().items())
        return _digest([self.count, self.config_hash, self.measurement_version, self._answering_settings(), rows])

    def _answering_settings(self) -> dict[str, Any]:
        """Return the settings that an answer depends on: the numbers, and what is said of them."""
        return {name: self.settings.get(name) for name in (*MEASUREMENT_SECTIONS, "quality")}

    def _rows(self) -> dict[str, Any]:
        return {s.slide_id: {**asdict(s), "file_bytes": self.file_bytes[s.slide_id]} for s in self.slides}

    def document(self) -> dict[str, Any]:
        """Return the plan, JSON-ready."""
        owner = self.owner()
        return {
            "schema_version": SCHEMA_VERSION,
            "wsi_area_version": __version__,
            "measurement_version": self.measurement_version,
            "key": self.key,
            "count": self.count,
            "forced": self.forced,
            "config_hash": self.config_hash,
            "settings": dict(self.settings),
            "slides": [{**row, "shard": owner[name]} for name, row in self._rows().items()],
        }

    def difference(self, other: "ShardPlan") -> str:
        """Return what another plan has otherwise, the first thing of it, in words: then, and now."""
        if self.count != other.count:
            return f"it was split into {self.count} shards, this would be one of {other.count}"
        then, now = self._answering_settings(), other._answering_settings()
        if then != now:
            return f"the settings differ: {_first_change(then, now)}"
        if self.measurement_version != other.measurement_version:
            return f"it was measured by version {self.measurement_version}, this is {other.measurement_version}"
        mine, theirs = self._rows(), other._rows()
        for name in sorted({*mine, *theirs}):
            if name not in theirs:
                return f"{name} was in the list of slides and is not now"
            if name not in mine:
                return f"{name} is in the list of slides and was not"
            if mine[name] != theirs[name]:
                return f"{name}: {_first_change(mine[name], theirs[name])}"
        return "nothing"


def _first_change(then: Mapping[str, Any], now: Mapping[str, Any], prefix: str = "") -> str:
    for name in sorted({*then, *now}):
        before, after = then.get(name), now.get(name)
        if before == after:
            continue
        if isinstance(before, Mapping) and isinstance(after, Mapping):
            return _first_change(before, after, f"{prefix}{name}.")
        return f"{prefix}{name} was {before!r}, is {after!r}"
    return "nothing"


def _digest(facts: object) -> str:
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def shard_plan(slides: Sequence[SlideInput], settings: RunSettings, count: int, *, forced: bool = False) -> ShardPlan:
    """Return the plan that every task comes to by itself: from the list, the settings and the files' sizes."""
    return ShardPlan(
        count,
        tuple(slides),
        {slide.slide_id: _file_bytes(slide.path) for slide in slides},
        settings.canonical(),
        settings.measurement_hash,
        MEASUREMENT_VERSION,
        forced,
    )


def _file_bytes(path: str) -> int:
    """Return the size of a slide's file; 0 where it cannot be looked at, which its own task will say."""
    try:
        return os.stat(path).st_size
    except OSError:
        return 0


def read_shard_plan(layout: RunLayout) -> ShardPlan:
    """Return the plan on record.

    Raises
    ------
    ResultError
        If there is none, or it is damaged.
    """
    content = read_json(layout.shard_plan)
    try:
        rows = content["slides"]
        plan = ShardPlan(
            content["count"],
            tuple(_slide_input(row) for row in rows),
            {row["slide_id"]: row["file_bytes"] for row in rows},
            content["settings"],
            content["config_hash"],
            content["measurement_version"],
            content["forced"],
        )
        whole = plan.key == content["key"]
    except (KeyError, TypeError, AttributeError) as error:
        raise ResultError(_damaged(layout.shard_plan)) from error
    if not whole or any(Path(s.slide_id).name != s.slide_id for s in plan.slides):
        raise ResultError(_damaged(layout.shard_plan))
    return plan


def _damaged(path: Path) -> str:
    return f"{path} is damaged or was changed; run the shards again with --force, or choose another --out"


def _slide_input(row: Mapping[str, Any]) -> SlideInput:
    override = row["override"]
    if override is not None:
        override = MppCandidate(**{**override, "mpp": Mpp(**override["mpp"])})
    drawn = (None if row[name] is None else DrawnSource(**row[name]) for name in ("annotations", "roi"))
    return SlideInput(row["path"], row["slide_id"], override, *drawn)


def agreed_plan(layout: RunLayout, mine: ShardPlan) -> ShardPlan | None:
    """Return the plan on record if it is the same as mine; None if there is none, or mine may replace it.

    Raises
    ------
    StaleResultError
        Naming what differs.
    ResultError
        If the plan on record is damaged.
    """
    if not layout.shard_plan.exists():
        return None
    try:
        found = read_shard_plan(layout)
    except ResultError:
        if mine.forced:
            return None
        raise
    if found.key == mine.key:
        return found
    if mine.forced:
        return None
    raise StaleResultError(
        f"{layout.root} holds other shards: {found.difference(mine)}; give every task the same slides, settings and "
        "number of shards, choose another --out, or --force to begin afresh"
    )
