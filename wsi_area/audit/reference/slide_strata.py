"""audit: the strata of one slide, counted row by row, and the level-0 pixel that a number in a stratum stands for."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

import numpy as np

from wsi_area.compute.reference.share_limits import Ints
from wsi_area.compute.reference.strata import Strata, place_in_row, row_sizes, strata_of
from wsi_area.errors import ResultError
from wsi_area.frozen_value import frozen_value
from wsi_area.results.opened_slide import OpenedSlide

_BAND_PX = 1 << 23  # work px of the class map held at once, about


@frozen_value(eq=False)
class SlideStrata:
    """The strata of a slide: how many level-0 pixels of each lie in each row of work pixels."""

    slide: OpenedSlide
    class_count: int
    reach_px: int
    rows_px: Ints  # (work rows, 2 · classes)

    @property
    def sizes_px(self) -> list[int]:
        """Return the level-0 pixels of each stratum."""
        return [int(n) for n in self.rows_px.sum(axis=0)]

    def places(self, ranks: dict[int, Iterable[int]]) -> dict[tuple[int, int], tuple[int, int]]:
        """Return the level-0 pixel, x and y, of each stratum and number in it, counted row by row of the work grid.

        Only the bands that hold one are read.
        """
        columns, rows = self.slide.grid.edges_l0_px
        widths, heights = np.diff(columns), np.diff(rows)
        by_row: dict[int, list[tuple[int, int, int]]] = defaultdict(list)
        for stratum, numbers in ranks.items():
            ends = np.cumsum(self.rows_px[:, stratum])
            for number in numbers:
                row = int(np.searchsorted(ends, number, side="right"))
                by_row[row].append((stratum, number, number - (int(ends[row - 1]) if row else 0)))
        found = {}
        for first, last in _bands(self.slide):
            wanted = [row for row in by_row if first <= row < last]
            strata = _band(self.slide, first, last, self.class_count, self.reach_px) if wanted else None
            for row in wanted:
                assert strata is not None
                for stratum, number, within in by_row[row]:
                    column, rest = place_in_row(strata[row - first], stratum, within, widths, int(heights[row]))
                    dy, dx = divmod(rest, int(widths[column]))
                    found[stratum, number] = int(columns[column]) + dx, int(rows[row]) + dy
        return found


def slide_strata(slide: OpenedSlide, boundary_um: float) -> SlideStrata:
    """Return the strata of a counted slide; one pass over its class map.

    Raises
    ------
    ResultError
        Its class map is not what its result counts.
    """
    counted = slide.counted
    x_um, y_um = counted.work.work_mpp_x_um, counted.work.work_mpp_y_um
    reach_px = 0
    if boundary_um and x_um is not None and y_um is not None:
        reach_px = max(1, round(boundary_um / (x_um * y_um) ** 0.5))
    widths, heights = slide.grid.weights()
    k = len(counted.classes)
    parts = [
        row_sizes(_band(slide, first, last, k, reach_px), k, widths, heights[first:last])
        for first, last in _bands(slide)
    ]
    strata = SlideStrata(slide, k, reach_px, np.concatenate(parts))
    by_class = tuple(a + b for a, b in zip(strata.sizes_px[::2], strata.sizes_px[1::2], strict=True))
    if by_class != counted.counts.n_px_by_class:
        raise ResultError(
            f"{slide.slide_id}: its class map holds {by_class} px of its classes, its result counts "
            f"{counted.counts.n_px_by_class}; see wsi-area verify, and measure the slide again with --force"
        )
    return strata


def _bands(slide: OpenedSlide) -> Iterator[tuple[int, int]]:
    size = slide.grid.size_px
    rows = max(1, _BAND_PX // size.width_px)
    for first in range(0, size.height_px, rows):
        yield first, min(first + rows, size.height_px)


def _band(slide: OpenedSlide, first: int, last: int, class_count: int, reach_px: int) -> Strata:
    """Return the strata of some rows; rows about them are looked at, too."""
    top, bottom = max(0, first - reach_px), min(slide.grid.size_px.height_px, last + reach_px)
    whole = strata_of(slide.class_map_array()[top:bottom], class_count, reach_px)
    return whole[first - top : len(whole) - (bottom - last)]
