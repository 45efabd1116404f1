"""model: run.json, what ran, with what, where, and how it ended, as one frozen value.

How a field is added, and what a reader does with older and newer documents, stands in `slide_result`; it is the same.
"""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from wsi_area.model.burden import Status
from wsi_area.model.documented import Count, Hash, Name, Part, Says, Whole, not_there, without_version
from wsi_area.model.record.left_out import LeftOut
from wsi_area.model.record.slide_origin import TileError, Timing
from wsi_area.model.record.subjects import Case
from wsi_area.model.slide_result import EndedSlide, FailedSlide, UncountedSlide

RunState = Literal["running", "finished", "interrupted"]


class Host(Part):
    """The machine that the run was started on."""

    system: Annotated[str, Says("its operating system")]
    machine: Annotated[str, Says("its kind of processor")]
    name: Annotated[str, Says("its name in the network")]


class TaskOnRecord(Part):
    """How one task of a job array ended."""

    state: Annotated[RunState, Says("whether it came to its end")]
    started: Annotated[str, Says("when it began, ISO 8601")]
    ended: Annotated[str | None, Says("when it ended, ISO 8601", empty="it was killed")]
    exit_code: Annotated[Whole | None, Says("its exit code", empty="it was killed")]
    host: Annotated[Host | None, Says("the machine that it ran on")]
    slurm: Annotated[dict[str, str] | None, Says("SLURM's names for it", empty="it was no job of SLURM")]
    argv: Annotated[tuple[str, ...] | None, Says("its command line")]
    workers: Annotated[Count | None, Says("workers that it had", empty="it was killed")]


class ShardsOnRecord(Part):
    """What a run has of the tasks of a job array."""

    count: Annotated[Count, Says("tasks of the array")]
    plan: Annotated[str, Says("hash of the plan that they share")]
    merged: Annotated[dict[str, Hash], Says("SHA-256 of each task's file that is merged, by its name")]
    tasks: Annotated[dict[str, TaskOnRecord], Says("how each task ended, by its number")]
    other_versions: Annotated[
        dict[str, dict[str, str]], Says("versions of packages, of tasks that ran with others than the first")
    ]


class ShareOnRecord(Part):
    """What became of one task's part of a slide."""

    slide_id: Annotated[Name, Says("the slide")]
    path: Annotated[str, Says("its file")]
    status: Annotated[str, Says("measured, or what the slide as a whole will not be better than")]
    reason: Annotated[str, Says("why it is not measured")]
    batches: Annotated[tuple[Count, ...], Says("the first and the last of its batches")]
    batches_in_all: Annotated[Count, Says("batches of the whole slide")]
    tile_errors: Annotated[tuple[TileError, ...], Says("tiles that could not be read")]
    timing: Annotated[Timing | None, Says("what measuring it took")]
    own_batches: Annotated[Count, Says("how many batches are its own")]


class RunRecord(Part):
    """A run: what was asked for, and how it ended. What is known at its end only is absent until then."""

    wsi_area_version: Annotated[Name, Says("version that ran")]
    argv: Annotated[tuple[str, ...], Says("the command line", empty="it was started from Python")]
    started: Annotated[str, Says("when it began, ISO 8601")]
    host: Host
    slurm: Annotated[dict[str, str] | None, Says("SLURM's names for the process", empty="it was no job of SLURM")]
    versions: Annotated[dict[str, str], Says("versions of Python and of the packages that decide")]
    settings: Annotated[dict[str, Any], Says("all settings, section by section")]
    settings_origin: Annotated[dict[str, Any], Says("who gave each setting")]
    config_hash: Annotated[Hash, Says("SHA-256 over the settings that the measurement depends on")]
    segmenter_package: Annotated[
        Name | None, Field(exclude_if=not_there), Says("package of the segmenter; absent: it is one of ours")
    ] = None
    slides_planned: Annotated[tuple[Name, ...], Says("every slide of the folder, in the order of the tables")]
    shards: Annotated[
        ShardsOnRecord | None, Field(exclude_if=not_there), Says("the job array; absent: there was none")
    ] = None
    left_out: Annotated[
        tuple[LeftOut, ...] | None,
        Field(exclude_if=not_there),
        Says("what lay where slides were looked for and is none of them, reason by reason; absent: nothing"),
    ] = None
    slide_settings: Annotated[dict[str, Any], Says("settings of single slides, by their ids")] = Field(
        default_factory=dict
    )
    cases: Annotated[
        dict[str, Case] | None,
        Field(exclude_if=not_there),
        Says("who or what is on each slide, by its id, as the manifest says; absent: it says nothing"),
    ] = None
    same_content: Annotated[
        tuple[tuple[Name, ...], ...] | None,
        Field(exclude_if=not_there),
        Says("slides whose files hold the same, group by group; absent: there are none"),
    ] = None
    state: Annotated[RunState, Says("running also of a run that was killed")]
    ended: Annotated[str | None, Field(exclude_if=not_there), Says("when it ended, ISO 8601")] = None
    exit_code: Annotated[Whole | None, Field(exclude_if=not_there), Says("its exit code")] = None
    statuses: Annotated[
        dict[Status, Count] | None, Field(exclude_if=not_there), Says("how many of the slides asked for ended how")
    ] = None
    slides: Annotated[
        dict[str, EndedSlide] | None, Field(exclude_if=not_there), Says("how each slide of the folder ended, by its id")
    ] = None
    not_reached: Annotated[
        Count | None, Field(exclude_if=not_there), Says("how many slides the run did not come to")
    ] = None
    slides_not_reached: Annotated[
        tuple[Name, ...] | None, Field(exclude_if=not_there), Says("which slides the run did not come to")
    ] = None
    seal: Annotated[
        Hash | None,
        Field(exclude_if=not_there),
        Says("one hash of what was measured, see seal.json; absent: an earlier version ran, or it has not ended"),
    ] = None
    workers: Annotated[Count | None, Field(exclude_if=not_there), Says("workers that it had")] = None
    timing: Annotated[
        dict[str, Timing] | None, Field(exclude_if=not_there), Says("what measuring each slide took, by its id")
    ] = None

    @property
    def ended_slides(self) -> dict[str, EndedSlide]:
        """Return the end of each slide of the folder, by its id; empty while a first run is at work."""
        return self.slides or {}

    @property
    def known_cases(self) -> dict[str, Case]:
        """Return who or what is on each slide, by its id; empty where no manifest said so."""
        return self.cases or {}

    @property
    def title(self) -> str:
        """Return the title of the study, as the run was told; empty where it was told none."""
        return str(self.settings.get("report", {}).get("title") or "")

    @property
    def twins(self) -> tuple[tuple[str, ...], ...]:
        """Return the slides whose files hold the same, group by group."""
        return self.same_content or ()


class TaskRecord(RunRecord):
    """What one task of a job array says of its slides: a run of its own, without tables."""

    shard: Annotated[Name, Says("which task of how many, as 2/3")]
    plan: Annotated[str, Says("hash of the plan that it went by")]
    pieces_planned: Annotated[tuple[Name, ...], Says("slides of which it has a part")]
    pieces: Annotated[dict[str, ShareOnRecord], Says("what became of its parts of slides")] = Field(
        default_factory=dict
    )
    results: Annotated[dict[str, Hash | None], Says("SHA-256 of each result that it wrote")] = Field(
        default_factory=dict
    )
    uncounted: Annotated[
        dict[str, Annotated[UncountedSlide | FailedSlide, BeforeValidator(without_version)]],
        Says("its slides without counts, in full"),
    ] = Field(default_factory=dict)
