"""run: whether the tasks of a job array agree: the plan on record against the one that a task comes to by itself."""

from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Any

from wsi_area.errors import ResultError, StaleResultError
from wsi_area.inputs.collect import SlideInput
from wsi_area.inputs.drawn_source import DrawnSource
from wsi_area.model.calibration import Mpp, MppCandidate
from wsi_area.model.record.subjects import Case
from wsi_area.plain_text import named_file
from wsi_area.results.layout import RunLayout, read_json
from wsi_area.run.array.array_plan import ArrayPlan
from wsi_area.settings.own_settings import OwnSettings
from wsi_area.storage.place import Place


class OnRecord(Enum):
    """Which plan a folder has."""

    NONE = "there is none"
    MINE = "it is this task's, too"
    ANOTHER = "it has other slides, other settings or another number of tasks"
    DAMAGED = "it is damaged or was changed"


class PlanAct(Enum):
    """What a task does about the plan on record."""

    LAY_DOWN = "write it down: this is the first task to come"
    KEEP = "go by it"
    REPLACE = "write its own, in its place"
    REFUSE = "measure nothing"


TABLE: Mapping[tuple[OnRecord, bool], PlanAct] = {
    # plan on record    forced
    (OnRecord.NONE, False): PlanAct.LAY_DOWN,
    (OnRecord.NONE, True): PlanAct.LAY_DOWN,
    (OnRecord.MINE, False): PlanAct.KEEP,
    (OnRecord.MINE, True): PlanAct.KEEP,
    (OnRecord.ANOTHER, False): PlanAct.REFUSE,
    (OnRecord.ANOTHER, True): PlanAct.REPLACE,
    (OnRecord.DAMAGED, False): PlanAct.REFUSE,
    (OnRecord.DAMAGED, True): PlanAct.REPLACE,
}
"""What a task does, by the plan on record and whether the task is forced."""


def agreed_plan(layout: RunLayout, mine: ArrayPlan, written: bytes | None = None) -> tuple[PlanAct, ArrayPlan]:
    """Return the act of a task about the plan on record, and the plan that it goes by.

    Parameters
    ----------
    layout, mine
        Of the run, and the plan that the task comes to by itself.
    written
        That plan as it would be written down, where the caller has it: what is on record to the last byte is not read
        as a plan again, which takes a task some tenths of a second while all others wait.

    Raises
    ------
    StaleResultError
        Naming what differs.
    ResultError
        If the plan on record is damaged.
    """
    if written is not None and _is_written(layout, written):
        return PlanAct.KEEP, mine
    on_record, found, fault = OnRecord.NONE, None, None
    if layout.array_plan.exists():
        try:
            found = read_array_plan(layout)
            on_record = OnRecord.MINE if found.key == mine.key else OnRecord.ANOTHER
        except ResultError as error:
            on_record, fault = OnRecord.DAMAGED, error
    act = TABLE[on_record, mine.forced]
    if act is PlanAct.KEEP and found is not None:
        return act, found
    if act is not PlanAct.REFUSE:
        return act, mine
    if found is None:
        raise ResultError(str(fault)) from fault
    raise StaleResultError(
        f"{layout.root} holds other shards: {found.difference(mine)}; give every task the same slides, settings and "
        "number of shards, choose another --out, or --force to begin afresh"
    )


def _is_written(layout: RunLayout, written: bytes) -> bool:
    """Return True if the plan on record is this one, byte for byte."""
    try:
        return layout.array_plan.read_bytes() == written
    except OSError:  # there is none, or it is told why it cannot be read
        return False


def read_array_plan(layout: RunLayout) -> ArrayPlan:
    """Return the plan on record.

    Raises
    ------
    ResultError
        If there is none, or it is damaged.
    """
    return plan_of_document(read_json(layout.array_plan), layout.array_plan)


def plan_of_document(content: Mapping[str, Any], file: Place) -> ArrayPlan:
    """Return the plan that a document says.

    Raises
    ------
    ResultError
        If it is damaged, naming the file.
    """
    try:
        rows = content["slides"]
        plan = ArrayPlan(
            content["count"],
            tuple(_slide_input(row) for row in rows),
            {row["slide_id"]: row["file_bytes"] for row in rows},
            content["settings"],
            content["config_hash"],
            content["measurement_version"],
            content["forced"],
            content.get("segmenter_package"),
        )
        whole = plan.key == content["key"]
    except (KeyError, TypeError, AttributeError) as error:
        raise ResultError(_damaged(file)) from error
    if not whole or any(Path(s.slide_id).name != s.slide_id for s in plan.slides):
        raise ResultError(_damaged(file))
    return plan


def _damaged(path: Place) -> str:
    return f"{path} is damaged or was changed; run the shards again with --force, or choose another --out"


def _drawn_source(row: Mapping[str, Any]) -> DrawnSource:
    return DrawnSource(**{**row, "path": named_file(row["path"])})


def _slide_input(row: Mapping[str, Any]) -> SlideInput:
    override = row["override"]
    if override is not None:
        override = MppCandidate(**{**override, "mpp": Mpp(**override["mpp"])})
    names = ("annotations", "roi", "regions")
    annotations, roi, regions = (None if row.get(name) is None else _drawn_source(row[name]) for name in names)
    own = None if row["own"] is None else OwnSettings(**row["own"])
    case = None if row["case"] is None else Case(**row["case"])
    return SlideInput(named_file(row["path"]), row["slide_id"], override, annotations, roi, regions, own, case)
