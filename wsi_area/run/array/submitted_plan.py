"""run: the plan of a job array, written down once where it is submitted, so that no task lists and looks at all slides.

It lies in the run's folder under a name made of its bytes. A task that is told the name goes by the plan if settings
and lists are still those that it was made from; where there is no such file, the task plans by itself as any other.
"""

import hashlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Self

from wsi_area.errors import ResultError, StaleResultError
from wsi_area.inputs.collect import CollectedSlides, left_out_of
from wsi_area.model.json_tree import apart
from wsi_area.model.record.left_out import LeftOut
from wsi_area.plain_text import named_file, plain_values
from wsi_area.results.layout import RunLayout, json_bytes, read_json
from wsi_area.results.run_folder import Wish
from wsi_area.run.array.agreement import agreed_plan, plan_of_document
from wsi_area.run.array.array_plan import ArrayPlan, array_plan, file_bytes_of
from wsi_area.run.array.division import ArrayTask
from wsi_area.run.earlier_run import settled
from wsi_area.settings.run_settings import RunSettings
from wsi_area.storage.place import Place, commit

_LOG = logging.getLogger(__name__)

_NAME_DIGITS = 16


@dataclass(frozen=True)  # without slots: its bytes are made once
class SubmittedPlan:
    """A plan as it is submitted: with what lay beside the slides and is none of them, and what named them."""

    plan: ArrayPlan
    slides: CollectedSlides  # of the plan
    lists: Mapping[str, str]  # path of a list or manifest, and the hash of its bytes
    said: Mapping[str, str]  # what the command line said of the slides, by option

    @classmethod
    def of(cls, plan: ArrayPlan, slides: CollectedSlides, lists: Sequence[Path], said: Mapping[str, str]) -> Self:
        """Return a plan with the files that its slides were named by, as they are now."""
        return cls(plan, slides, {str(path): hash_of(path) for path in lists}, said)

    @cached_property
    def content(self) -> bytes:
        """Return the bytes of its file."""
        return json_bytes(
            {
                "lists": [{"path": path, "sha256": digest} for path, digest in self.lists.items()],
                "said": dict(self.said),
                "left_out": [left.model_dump(mode="json") for left in left_out_of(self.slides)],
                "plan": self.plan.document(),
            }
        )

    @property
    def name(self) -> str:
        """Return the name that a task is told."""
        return _name_of(self.content)


def write_submitted(layout: RunLayout, found: SubmittedPlan) -> None:
    """Write a plan that is to be submitted; what lies there under its name has its bytes, or is damaged."""
    layout.tasks.mkdir(parents=True, exist_ok=True)
    commit(layout.submitted_plan(found.name), (found.content,), flushed=True)


def refuse_what_tasks_would(layout: RunLayout, plan: ArrayPlan, settings: RunSettings) -> None:
    """Refuse a plan that no task could go by, since the folder holds something else: then nothing need be submitted.

    Raises
    ------
    StaleResultError, ResultError
    """
    agreed_plan(layout, plan)
    settled(layout, settings, Wish.TASK_AFRESH if plan.forced else Wish.TASK)


def read_submitted(layout: RunLayout, name: str) -> SubmittedPlan | None:
    """Return the plan of that name; None where there is none.

    Raises
    ------
    ResultError
        If it is damaged.
    """
    file = layout.submitted_plan(name)
    if not file.exists():
        return None
    if _name_of(file.read_bytes()) != name:
        raise ResultError(f"{file} is damaged or was changed; submit again, or leave --plan out")
    content = read_json(file)
    plan = plan_of_document(content["plan"], file)
    left_out = [LeftOut.model_validate(left) for left in content["left_out"]]
    lists = {named_file(row["path"]): row["sha256"] for row in content["lists"]}
    return SubmittedPlan(plan, CollectedSlides(plan.slides, left_out), lists, content["said"])


def refuse_stale(
    found: SubmittedPlan, settings: RunSettings, task: ArrayTask, *, said: Mapping[str, str], forced: bool
) -> None:
    """Refuse a plan that was made from other settings or lists; warn of slides of this task that changed since.

    A slide that changed is measured as it is, and its result names the bytes that were measured.

    Raises
    ------
    StaleResultError
        Naming what differs.
    """
    plan = found.plan
    without_slides = replace(plan, slides=(), file_bytes={})
    different = [f"{path} has changed" for path, digest in found.lists.items() if hash_of(Path(path)) != digest]
    different += [f"{key} was {then!r}, is {now!r}" for key, then, now in apart(found.said, plain_values(said))]
    if plan.forced is not forced:
        different.append(f"--force was {'' if plan.forced else 'not '}given")
    elif plan.count != task.count or (without_slides.key != array_plan((), settings, task.count, forced=forced).key):
        different.append(without_slides.difference(array_plan((), settings, task.count, forced=forced)))
    if different:
        raise StaleResultError(
            f"shard {task} is not what wsi-area submit sent: {', '.join(different)}; submit again, which keeps what is "
            "measured where slides and settings are the same, or with --force or another --out"
        )
    own = [*plan.slides_of(task.index), *(slide for slide, _ in plan.shares_of(task.index))]
    now = file_bytes_of(own, settings.storage.access)
    for slide in own:
        if now[slide.slide_id] != plan.file_bytes[slide.slide_id]:
            _LOG.warning(
                "%s: its file had %d bytes when it was submitted and has %d now; it is measured as it is",
                slide.slide_id, plan.file_bytes[slide.slide_id], now[slide.slide_id],
            )  # fmt: skip


def _name_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:_NAME_DIGITS]


def hash_of(path: Place) -> str:
    """Return the hash of a file's bytes; empty where it cannot be read, which is a change too."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""
