"""notebook: where two class maps of one slide say other things, counted exactly in level-0 pixels."""

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from wsi_area.compute.count.area import area_mm2
from wsi_area.compute.quantity_text import with_mm2
from wsi_area.errors import ResultError
from wsi_area.frozen_value import frozen_value
from wsi_area.model.calibration import Mpp
from wsi_area.model.pixels import MaskArray
from wsi_area.notebook.overlay import class_names
from wsi_area.results.opened_slide import OpenedSlide
from wsi_area.results.tables.quantity import grouped, mm2_text, share_text

if TYPE_CHECKING:  # pandas takes longer to load than a slide's header: only who asks for a frame pays
    import pandas as pd

Ints = NDArray[np.int64]
_LONGEST_PX = 1024  # of the map that is looked at; what is counted is counted in full
_BAND_PX = 1024


@frozen_value(eq=False, repr=False)
class Disagreement:
    """Where two runs give a slide's pixels classes of other names."""

    slide: OpenedSlide  # of the first run
    share: NDArray[np.float64]  # (h, w), how much of each box is of another class, 0 to 1
    box_l0_px: int  # edge of such a box; those at the right and lower rim may be cut
    pairs_px: tuple[tuple[str, str, int], ...]  # (class in the first, in the second, level-0 px), the most first
    n_px_total: int

    @property
    def differs(self) -> MaskArray:
        """Return bool (h, w), True where anything in a box is of another class."""
        return np.asarray(self.share > 0)

    @property
    def n_px(self) -> int:
        """Return the number of level-0 pixels that are of another class, exactly."""
        return sum(n_px for _, _, n_px in self.pairs_px)

    @property
    def mpp(self) -> Mpp | None:
        """Return the pixel size that makes them mm²: that of the first run."""
        return self.slide.mpp

    @property
    def area_mm2(self) -> float | None:
        """Return their area; None where the first run has no pixel size."""
        return None if self.mpp is None else area_mm2(self.n_px, self.mpp)

    @property
    def text(self) -> str:
        """Return the area of what differs, and its share of the slide, in words."""
        much = f"{grouped(self.n_px)} px" if self.area_mm2 is None else with_mm2(mm2_text(self.area_mm2))
        return f"{much}, {share_text(self.n_px, self.n_px_total)} of the slide"

    @property
    def table(self) -> "pd.DataFrame":
        """Return a table of what became of what: one row for each pair of classes, the largest area first."""
        import pandas as pd

        mpp = self.mpp
        rows = [(*pair, None if mpp is None else area_mm2(pair[2], mpp)) for pair in self.pairs_px]
        return pd.DataFrame(rows, columns=["first", "second", "n_px", "area_mm2"])

    def __repr__(self) -> str:
        return f"<disagreement about {self.slide.slide_id}: {self.text}>"

    def plot(self, ax: Any = None) -> Any:
        """Return matplotlib axes with the slide in grey and what differs in colour, the more the stronger."""
        from wsi_area.notebook.plotting import plot_disagreement  # matplotlib takes 0.4 s to load

        return plot_disagreement(self, self.slide, ax)


def disagreement_of(first: OpenedSlide, second: OpenedSlide) -> Disagreement:
    """Return the difference of two class maps, by the names of their classes.

    The maps may be of other pixel sizes: both are laid on the level-0 pixels that their work pixels own.

    Raises
    ------
    ResultError
        Either was not counted, or they are not of slides of one size.
    """
    for slide in (first, second):
        if not slide.is_counted:
            raise ResultError(f"{slide.layout.root} ended as {slide.status} and has no class map to compare")
    sizes = [(s.counted.width_px, s.counted.height_px) for s in (first, second)]
    if sizes[0] != sizes[1]:
        raise ResultError(
            f"{first.slide_id} is {sizes[0][0]} × {sizes[0][1]} px in one run and {sizes[1][0]} × {sizes[1][1]} px in "
            "the other: pixels of two pictures cannot be compared, their areas can (compare(…).areas)"
        )
    names = sorted({*class_names(first).values(), *class_names(second).values()})
    columns, rows = (_common(*edges) for edges in zip(first.grid.edges_l0_px, second.grid.edges_l0_px, strict=True))
    box = max(-(-max(sizes[0]) // _LONGEST_PX), int(columns.sizes.max()), int(rows.sizes.max()))
    boxes = rows.box_of(box), columns.box_of(box)
    shape = int(boxes[0][-1]) + 1, int(boxes[1][-1]) + 1
    total = np.zeros(shape[0] * shape[1])  # float64, as bincount counts: exact up to 2**53
    pairs: Counter[tuple[int, int]] = Counter()
    for first_row, a, b in _bands(first, second, rows, columns, names):
        y, x = np.nonzero(a != b)
        px = rows.sizes[first_row + y] * columns.sizes[x]
        total += np.bincount(boxes[0][first_row + y] * shape[1] + boxes[1][x], px, total.size)
        summed = np.bincount(a[y, x].astype(np.int64) * len(names) + b[y, x], px, len(names) ** 2)
        pairs.update({divmod(int(n), len(names)): int(summed[n]) for n in np.flatnonzero(summed)})
    area = _box_sizes(rows, box)[:, None] * _box_sizes(columns, box)
    told = sorted(((names[i], names[j], n_px) for (i, j), n_px in pairs.items()), key=lambda pair: (-pair[2], pair))
    return Disagreement(first, total.reshape(shape) / area, box, tuple(told), sizes[0][0] * sizes[0][1])


@frozen_value(eq=False)
class _Axis:
    """One axis cut at every edge of either grid: which work pixel of each grid a cell lies in, and its size."""

    starts: Ints
    sizes: Ints
    in_first: Ints
    in_second: Ints

    def box_of(self, box_l0_px: int) -> Ints:
        return np.asarray(self.starts // box_l0_px)


def _common(a: Ints, b: Ints) -> _Axis:
    edges = np.union1d(a, b)
    starts = edges[:-1]
    return _Axis(
        starts, np.diff(edges), np.searchsorted(a, starts, "right") - 1, np.searchsorted(b, starts, "right") - 1
    )


def _box_sizes(axis: _Axis, box: int) -> Ints:
    return np.bincount(axis.box_of(box), axis.sizes).astype(np.int64)


def _bands(
    first: OpenedSlide, second: OpenedSlide, rows: _Axis, columns: _Axis, names: list[str]
) -> Iterator[tuple[int, NDArray[np.uint16], NDArray[np.uint16]]]:
    """Yield bands of cells: their first row, and the number of the name that either run gives each."""
    maps = first.class_map_array(), second.class_map_array()
    tables = [_name_numbers(slide, names) for slide in (first, second)]
    for start in range(0, len(rows.starts), _BAND_PX):
        y = slice(start, min(start + _BAND_PX, len(rows.starts)))
        parts = []
        for array, table, own_rows, own_columns in zip(
            maps, tables, (rows.in_first[y], rows.in_second[y]), (columns.in_first, columns.in_second), strict=True
        ):
            read = array[int(own_rows[0]) : int(own_rows[-1]) + 1]
            parts.append(table[read][own_rows - own_rows[0]][:, own_columns])
        yield start, parts[0], parts[1]


def _name_numbers(slide: OpenedSlide, names: list[str]) -> NDArray[np.uint16]:
    table = np.full(256, len(names), np.uint16)  # a code without a name cannot come: the run refused it
    for code, name in class_names(slide).items():
        table[code] = names.index(name)
    return table
