"""compute: objects too small to be believed take the class around them; judged on whole objects, never on a box's part.

The stages follow one another: foci, tissue, holes; each sees what the one before has left. A stage is one
summary of every box, one merge, one decision for each object that reaches a seam; objects inside a box are
decided there. A box can be brought to any stage from its first class map alone, so nothing in between is stored.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from wsi_area.compute.objects.components import RESERVED, Box, BoxSeams, Parts, find_parts, seams_of
from wsi_area.compute.objects.part_columns import AREA
from wsi_area.compute.objects.parts_kernels import count_contacts
from wsi_area.compute.objects.run_lengths import CODES, BoxRuns
from wsi_area.compute.objects.seams import SeamGrid, beside, objects_of_parts
from wsi_area.errors import PlanError
from wsi_area.frozen_value import frozen_value
from wsi_area.model.calibration import Mpp
from wsi_area.model.classes import BACKGROUND_ID, ClassScheme
from wsi_area.model.objects import SizeChange, SizeFilters

KEPT = -1
"""In place of a class: the object stays what it is."""


@frozen_value
class SizeStage:
    """One filter, in pixels and class ids."""

    name: str
    class_ids: tuple[int, ...]  # of the objects, as one set
    corners_join: bool
    limit_um2: float
    um2_per_px: float  # level-0
    class_count: int  # of the scheme
    must_be_enclosed: bool  # reaches neither the slide's border nor a pixel of unknown class
    takes: tuple[int, ...]  # the classes that an object may become, ascending
    last_resort: tuple[int, ...]  # those it becomes where it has no other neighbour: excluded classes


@frozen_value(eq=False)
class StageSummary:
    """What one box tells of a stage."""

    seams: BoxSeams
    areas_px: NDArray[np.int64]  # (m,) of the parts that reach a seam
    contacts: NDArray[np.int64]  # (m, classes + 3): pairs of neighbouring pixels, with each class and with unknown ones
    at_border: NDArray[np.bool_]  # (m,), the slide's
    changed: int  # objects inside the box that are too small
    changed_px: int


@frozen_value(eq=False)
class StageDecision:
    """What becomes of the objects that reach a seam."""

    classes: Mapping[tuple[int, int], NDArray[np.int16]]  # by box (row, col): of each of its parts, or KEPT
    change: SizeChange


def stages_of(filters: SizeFilters, scheme: ClassScheme, mpp: Mpp | None) -> tuple[SizeStage, ...]:
    """Return the stages that are asked for, in their order: foci, tissue, holes.

    Raises
    ------
    PlanError
        If any is and the slide has no pixel size: a size in µm² means nothing then.

    >>> from wsi_area.model.classes import TissueClass
    >>> scheme = ClassScheme((TissueClass(0, "glass", (0, 0, 0)), TissueClass(1, "tissue", (0, 0, 0), is_tissue=True)))
    >>> [stage.name for stage in stages_of(SizeFilters(1.0, 2.0, 3.0), scheme, Mpp(0.5, 0.5))]
    ['tissue', 'hole']
    """
    if not filters.any:
        return ()
    if mpp is None:
        raise PlanError(
            "objects are to be filtered by their size in µm², which needs a pixel size and this slide has none; "
            "give one with --mpp or in the manifest"
        )
    um2 = mpp.x * mpp.y
    excluded = tuple(c.class_id for c in scheme.classes if c.is_excluded)
    tumour = tuple(c.class_id for c in scheme.classes if c.is_tumor)
    tissue = tuple(c.class_id for c in scheme.classes if c.is_tissue)

    def stage(name: str, class_ids: tuple[int, ...], limit_um2: float) -> SizeStage:
        takes = tuple(c.class_id for c in scheme.classes if c.class_id not in (*class_ids, *excluded))
        is_hole = class_ids == (BACKGROUND_ID,)
        return SizeStage(name, class_ids, not is_hole, limit_um2, um2, len(scheme.classes), is_hole, takes, excluded)

    asked = (
        stage("focus", tumour, filters.min_focus_um2),
        stage("tissue", tissue, filters.min_tissue_um2),
        stage("hole", (BACKGROUND_ID,), filters.max_hole_um2),
    )
    return tuple(s for s in asked if s.limit_um2 > 0 and s.class_ids)


def summarise_stage(runs: BoxRuns, box: Box, stage: SizeStage) -> StageSummary:
    """Return the summary of a box in a stage: the parts that reach a seam, and what is decided inside already."""
    parts, contacts = _parts(runs, box, stage)
    classes = _classes(parts.integers[:, AREA], contacts, parts.at_border, stage)
    changed = (classes != KEPT) & ~parts.at_seam
    at = parts.at_seam
    return StageSummary(
        seams_of(runs, box, parts)[0],
        parts.integers[at, AREA],
        contacts[at],
        parts.at_border[at],
        int(changed.sum()),
        int(parts.integers[changed, AREA].sum()),
    )


def apply_stage(runs: BoxRuns, box: Box, stage: SizeStage, of_seams: NDArray[np.int16]) -> BoxRuns:
    """Return a box as it is after a stage.

    Parameters
    ----------
    runs, box, stage
        As they were when the box was summarised.
    of_seams
        int16 (m,): what was decided on the parts that reach a seam; (1,) for the same of all.
    """
    parts, contacts = _parts(runs, box, stage)
    classes = _classes(parts.integers[:, AREA], contacts, parts.at_border, stage)
    classes[parts.at_seam] = of_seams
    of_runs = np.append(np.int16(KEPT), classes)[parts.numbers]
    return runs.recoded(np.where(of_runs == KEPT, runs.codes, of_runs).astype(np.uint8))


def merge_stage(summaries: Sequence[StageSummary], stage: SizeStage) -> StageDecision:
    """Return the fate of every object that reaches a seam; the summaries may come in any order."""
    summaries = sorted(summaries, key=lambda s: (s.seams.row, s.seams.col))
    grid = SeamGrid([s.seams for s in summaries])
    count, objects = objects_of_parts(grid, _reach(stage))
    of_parts = objects[1:]
    areas_px, contacts = np.zeros(count, np.int64), np.zeros((count, _columns(stage)), np.int64)
    at_border = np.zeros(count, np.bool_)
    np.add.at(areas_px, of_parts, np.concatenate([s.areas_px for s in summaries]))
    np.add.at(contacts, of_parts, np.concatenate([s.contacts for s in summaries]))
    np.logical_or.at(at_border, of_parts, np.concatenate([s.at_border for s in summaries]))
    column_of_code = _column_of_code(stage)
    for one, other in grid.all():
        for a, b in (beside(one, other, 0), beside(other, one, 0)):
            facing = (a.parts > 0) & (b.parts == 0)
            np.add.at(contacts, (objects[a.parts[facing]], column_of_code[b.codes[facing]]), 1)
    classes = _classes(areas_px, contacts, at_border, stage)
    classes[objects[0]] = KEPT  # the object of no part
    changed = classes != KEPT
    decided = np.split(classes[of_parts], np.cumsum([len(s.areas_px) for s in summaries])[:-1])
    return StageDecision(
        {(s.seams.row, s.seams.col): d for s, d in zip(summaries, decided, strict=True)},
        SizeChange(
            stage.name,
            stage.limit_um2,
            int(changed.sum()) + sum(s.changed for s in summaries),
            int(areas_px[changed].sum()) + sum(s.changed_px for s in summaries),
        ),
    )


def _reach(stage: SizeStage) -> NDArray[np.uint8]:
    return np.array([0, stage.corners_join], np.uint8)


def _parts(runs: BoxRuns, box: Box, stage: SizeStage) -> tuple[Parts, NDArray[np.int64]]:
    kinds = np.zeros(CODES, np.uint8)
    kinds[list(stage.class_ids)] = 1
    parts = find_parts(runs, box, kinds, _reach(stage))
    contacts = np.zeros((len(parts.marks), _columns(stage)), np.int64)
    count_contacts(runs, parts.numbers, _column_of_code(stage), contacts)
    return parts, contacts


def _columns(stage: SizeStage) -> int:
    return stage.class_count + len(RESERVED)


def _column_of_code(stage: SizeStage) -> NDArray[np.int64]:
    """Return the column of the contacts that a code is counted in: few, because there may be millions of objects."""
    columns = np.zeros(CODES, np.int64)
    columns[: stage.class_count] = np.arange(stage.class_count)
    columns[list(RESERVED)] = stage.class_count + np.arange(len(RESERVED))
    return columns


def _classes(
    areas_px: NDArray[np.int64], contacts: NDArray[np.int64], at_border: NDArray[np.bool_], stage: SizeStage
) -> NDArray[np.int16]:
    """Return the class that each object becomes: that of most contact, of equal ones the lowest; or KEPT."""
    small = areas_px * stage.um2_per_px < stage.limit_um2
    if stage.must_be_enclosed:
        small &= ~at_border & (contacts[:, stage.class_count :].sum(axis=1) == 0)
    classes = np.full(len(areas_px), KEPT, np.int16)
    for candidates in (stage.last_resort, stage.takes):  # the latter overrules
        if candidates:
            touching = contacts[:, list(candidates)]
            chosen = small & (touching.max(axis=1) > 0)
            classes[chosen] = np.array(candidates, np.int16)[touching[chosen].argmax(axis=1)]
    return classes
