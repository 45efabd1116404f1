"""compute: the connected parts of one box of a class map, and the small summary that a task sends back; pure."""

import numpy as np
from numpy.typing import NDArray

from wsi_area.compute.objects.feret import PartHulls, part_hulls
from wsi_area.compute.objects.part_columns import (
    ABOVE,
    AREA,
    BOTTOM,
    FIRST_X,
    LEFT,
    PART_INTEGERS,
    RIGHT,
    SUM_X2,
    SUM_Y2,
    TOP,
)
from wsi_area.compute.objects.parts_kernels import join_runs, mark_touching, sum_parts
from wsi_area.compute.objects.run_lengths import CODES, BoxRuns
from wsi_area.frozen_value import frozen_value
from wsi_area.model.calibration import Mpp
from wsi_area.model.classes import OUTSIDE_ROI_CODE, UNREADABLE_CODE, UNSCANNED_CODE
from wsi_area.model.objects import FOCI_KEPT_MOST

RESERVED = (UNREADABLE_CODE, OUTSIDE_ROI_CODE, UNSCANNED_CODE)
FOCUS, GAP = 1, 2
"""What a code belongs to: the objects, whose corners join, or what lies between, whose corners do not."""
REACH = np.array([0, 1, 0], np.uint8)
REACHES_RESERVED, TOUCHES_UNREAD = 1, 2

PART_FIELDS = np.dtype(
    [
        ("area_px", np.int64),  # level-0 px
        ("hole_px", np.int64),  # of the holes that are known to be enclosed by it
        ("sum_x2", np.int64),  # twice the sum of its level-0 pixels' centres
        ("sum_y2", np.int64),
        ("left", np.int64),  # its box, level-0 px
        ("top", np.int64),
        ("right", np.int64),
        ("bottom", np.int64),
        ("first_x", np.int64),  # its first pixel in reading order, on the work grid
        ("first_y", np.int64),
        ("extent_um", np.float64),
        ("touches_border", np.bool_),
        ("touches_unread", np.bool_),
    ]
)


@frozen_value(eq=False)
class Box:
    """Where a box of the class map lies; a side is a seam where another box goes on, else the slide's border."""

    row: int  # in the grid of boxes
    col: int
    x_px: int  # work px
    y_px: int
    x_edges_l0_px: NDArray[np.int64]  # (w + 1,), the level-0 edges of its columns
    y_edges_l0_px: NDArray[np.int64]
    seams: tuple[bool, bool, bool, bool]  # left, top, right, bottom

    @property
    def shape(self) -> tuple[int, int]:
        """Return its height and width in work px."""
        return len(self.y_edges_l0_px) - 1, len(self.x_edges_l0_px) - 1


@frozen_value(eq=False)
class Line:
    """The outermost pixels of one side of a box, as runs: the part that each belongs to (0: none) and its code."""

    ends: NDArray[np.int32]
    numbers: NDArray[np.int32]
    codes: NDArray[np.uint8]


@frozen_value(eq=False)
class BoxSeams:
    """What of a box its neighbours must know; parts that reach no seam have no number here."""

    row: int
    col: int
    kinds: NDArray[np.uint8]  # (m,) of each part that reaches a seam; their numbers are 1..m
    left: Line
    top: Line
    right: Line
    bottom: Line


@frozen_value(eq=False)
class Parts:
    """The connected parts of a box, numbered from 1 in reading order."""

    numbers: NDArray[np.int32]  # of each run; 0 where it belongs to none
    integers: NDArray[np.int64]  # (n, PART_INTEGERS)
    marks: NDArray[np.uint8]  # (n,)
    kinds: NDArray[np.uint8]  # (n,)
    at_seam: NDArray[np.bool_]  # (n,)
    at_border: NDArray[np.bool_]  # (n,), the slide's


@frozen_value(eq=False)
class FociSummary:
    """What one box tells of its foci, and of the gaps that may turn out to be their holes."""

    seams: BoxSeams
    x_px: int  # of the box, work px
    parts: NDArray[np.void]  # (m,) of PART_FIELDS: foci and gaps that reach a seam
    is_open: NDArray[np.bool_]  # (m,): reaches the slide's border or a pixel of unknown class
    above: NDArray[np.int32]  # (m,): the part above the first pixel, BEYOND_BOX, or 0 for one that reaches no seam
    hulls: PartHulls  # of the m parts; gaps have none
    foci: NDArray[np.void]  # (k,) of PART_FIELDS: those that end inside the box; the largest, if there are many
    foci_count: int
    foci_px: int
    foci_hole_px: int
    foci_extent_um: float
    foci_touching_border: int
    foci_touching_unread: int
    hole_count: int  # enclosed, inside the box


def find_parts(runs: BoxRuns, box: Box, kinds: NDArray[np.uint8], reach: NDArray[np.uint8] = REACH) -> Parts:
    """Return the connected parts of a box.

    Parameters
    ----------
    runs, box
        The box's class map, and where it lies.
    kinds
        uint8 (256,): what each code belongs to, 0 for nothing.
    reach
        uint8 by kind: 1 where pixels join at corners, too.
    """
    numbers, count = join_runs(runs, kinds, reach)
    integers = np.zeros((count, PART_INTEGERS), np.int64)
    marks, first_codes = np.zeros(count, np.uint8), np.zeros(count, np.uint8)
    mark_of_code = np.zeros(CODES, np.uint8)
    mark_of_code[list(RESERVED)] = REACHES_RESERVED
    edges_l0_px = box.x_edges_l0_px, box.y_edges_l0_px
    sum_parts(runs, numbers, edges_l0_px, mark_of_code, integers, marks, first_codes)
    at_sides = (
        integers[:, LEFT] == 0,
        integers[:, TOP] == 0,
        integers[:, RIGHT] == box.shape[1],
        integers[:, BOTTOM] == box.shape[0],
    )
    at_seam, at_border = np.zeros(count, bool), np.zeros(count, bool)
    for at_side, is_seam in zip(at_sides, box.seams, strict=True):
        (at_seam if is_seam else at_border)[at_side] = True
    return Parts(numbers, integers, marks, kinds[first_codes], at_seam, at_border)


def seams_of(runs: BoxRuns, box: Box, parts: Parts) -> tuple[BoxSeams, NDArray[np.int32]]:
    """Return a box's four lines, and the number that each part has in them, int32 (n + 1,); 0 stays 0."""
    renumbered = np.zeros(len(parts.at_seam) + 1, np.int32)
    renumbered[1:][parts.at_seam] = np.arange(1, int(parts.at_seam.sum()) + 1)
    first, last = runs.row_starts[:-1], runs.row_starts[1:] - 1

    def line(chosen: NDArray[np.int64], ends: NDArray[np.int64]) -> Line:
        numbers, codes = renumbered[parts.numbers[chosen]], runs.codes[chosen]
        stops = np.append((numbers[1:] != numbers[:-1]) | (codes[1:] != codes[:-1]), True)
        return Line(ends[stops].astype(np.int32), numbers[stops], codes[stops])

    def row_line(y: int) -> Line:
        chosen = np.arange(first[y], last[y] + 1)
        return line(chosen, np.append(runs.starts[chosen][1:], runs.width_px).astype(np.int64))

    down = np.arange(1, runs.height_px + 1)
    kinds = parts.kinds[parts.at_seam]
    sides = (line(first, down), row_line(0), line(last, down), row_line(runs.height_px - 1))
    return BoxSeams(box.row, box.col, kinds, *sides), renumbered


def summarise_foci(
    runs: BoxRuns, box: Box, class_ids: tuple[int, ...], mpp: Mpp | None, kept_most: int = FOCI_KEPT_MOST
) -> FociSummary:
    """Return the summary of a box: the foci of a set of classes in it.

    Parameters
    ----------
    runs, box
        The box's class map, and where it lies.
    class_ids
        The classes that make up a focus, as one set.
    mpp
        µm per level-0 pixel; without it extents are in level-0 px.
    kept_most
        Foci inside the box that are sent one by one; all are in the totals.

    >>> corner = np.array([[0, 0, 0], [0, 1, 0], [0, 0, 1]], np.uint8)
    >>> edges = np.arange(4) * 2
    >>> from wsi_area.compute.objects.run_lengths import runs_of
    >>> whole = Box(0, 0, 0, 0, edges, edges, (False, False, False, False))
    >>> summarise_foci(runs_of(corner), whole, (1,), None).foci["area_px"].tolist()
    [8]
    """
    kinds = np.full(CODES, GAP, np.uint8)
    kinds[list(class_ids)] = FOCUS
    parts = find_parts(runs, box, kinds)
    if (runs.codes == UNREADABLE_CODE).any():
        mark_touching(runs, parts.numbers, UNREADABLE_CODE, TOUCHES_UNREAD, parts.marks)
    is_focus = parts.kinds == FOCUS
    hulls = part_hulls(runs, box.x_edges_l0_px, box.y_edges_l0_px, parts.numbers, parts.integers, is_focus,
                       parts.at_seam, mpp)  # fmt: skip
    table = _table(box, parts, hulls.extents_um)
    is_open = parts.at_border | (parts.marks & REACHES_RESERVED > 0)
    holes = ~is_focus & ~parts.at_seam & ~is_open
    np.add.at(table["hole_px"], parts.integers[holes, ABOVE] - 1, table["area_px"][holes])
    seams, renumbered = seams_of(runs, box, parts)
    above = parts.integers[parts.at_seam, ABOVE]
    inside = table[is_focus & ~parts.at_seam]
    return FociSummary(
        seams=seams,
        x_px=box.x_px,
        parts=table[parts.at_seam],
        is_open=is_open[parts.at_seam],
        above=np.where(above > 0, renumbered[np.maximum(above, 0)], above).astype(np.int32),
        hulls=hulls.of(parts.at_seam),
        foci=largest(inside, kept_most),
        foci_count=len(inside),
        foci_px=int(inside["area_px"].sum()),
        foci_hole_px=int(inside["hole_px"].sum()),
        foci_extent_um=float(inside["extent_um"].max(initial=0.0)),
        foci_touching_border=int(inside["touches_border"].sum()),
        foci_touching_unread=int(inside["touches_unread"].sum()),
        hole_count=int(holes.sum()),
    )


def _table(box: Box, parts: Parts, extents_um: NDArray[np.float64]) -> NDArray[np.void]:
    integers = parts.integers
    table = np.zeros(len(integers), PART_FIELDS)
    table["area_px"], table["sum_x2"], table["sum_y2"] = integers[:, AREA], integers[:, SUM_X2], integers[:, SUM_Y2]
    x, y = box.x_edges_l0_px, box.y_edges_l0_px
    table["left"], table["right"] = x[integers[:, LEFT]], x[integers[:, RIGHT]]
    table["top"], table["bottom"] = y[integers[:, TOP]], y[integers[:, BOTTOM]]
    table["first_x"], table["first_y"] = box.x_px + integers[:, FIRST_X], box.y_px + integers[:, TOP]
    table["extent_um"] = extents_um
    table["touches_border"] = parts.at_border
    table["touches_unread"] = parts.marks & TOUCHES_UNREAD > 0
    return table


def largest(foci: NDArray[np.void], most: int) -> NDArray[np.void]:
    """Return the largest foci, in the order of their area; of equal ones the upper first, then the left one."""
    order = np.lexsort((foci["first_x"], foci["first_y"], -foci["area_px"]))
    return foci[order[:most]]
