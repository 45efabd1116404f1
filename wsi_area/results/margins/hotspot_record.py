"""results: the hot spots of a slide put on record, from what its boxes add to every window of a grid."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from wsi_area.compute.count.area import area_mm2
from wsi_area.compute.hotspots.best_windows import FoundWindow, best_windows
from wsi_area.compute.hotspots.window import MOST_CENTRES, Window, centres_px, grid_step_px, window_of
from wsi_area.compute.hotspots.window_sums import BoxSums
from wsi_area.frozen_value import frozen_value
from wsi_area.model.record.slide_hotspots import HotSpot, HotSpotsOnRecord
from wsi_area.model.slide_result import CountedSlide
from wsi_area.results.class_map.layered_map import grid_of
from wsi_area.results.margins.band_record import work_mpp_of
from wsi_area.results.margins.boxes import WindowGrid

Ints = NDArray[np.int64]


@frozen_value
class Asked:
    """What was asked of the hot spots of a slide."""

    shape: Literal["round", "square"]
    windows_mm2: tuple[float, ...]
    step_px: tuple[int, int]  # across, down; work px
    best: int
    tissue_share: float
    positive: tuple[str, ...]


@frozen_value(eq=False)
class AllWindows:
    """Every window of the grid of a slide, added up."""

    tissue_px: int  # level-0 px of the whole slide
    positive_px: int
    of_area: tuple[Ints, ...]  # by area: int64 (2, centres down, centres across)


def steps_px(slide: CountedSlide, step_um: float) -> tuple[int, int]:
    """Return the step of the grid on a slide in work pixels, across and down."""
    mpp, size = work_mpp_of(slide), grid_of(slide).size_px
    return (
        grid_step_px(step_um, mpp.x, size.width_px, MOST_CENTRES),
        grid_step_px(step_um, mpp.y, size.height_px, MOST_CENTRES),
    )


def grid_on(slide: CountedSlide, asked: Asked) -> WindowGrid:
    """Return the windows that are looked at on a slide."""
    mpp, size = work_mpp_of(slide), grid_of(slide).size_px
    across, down = asked.step_px
    windows = tuple(window_of(area, asked.shape, mpp) for area in asked.windows_mm2)
    return WindowGrid(centres_px(size.height_px, down), centres_px(size.width_px, across), windows)


def added_up(parts: Iterable[BoxSums | None], grid: WindowGrid) -> AllWindows:
    """Return every window of a grid from what the boxes of a slide add to it, in any order."""
    sums = tuple(np.zeros((2, len(grid.ys_px), len(grid.xs_px)), np.int64) for _ in grid.windows)
    tissue = positive = 0
    for part in parts:
        if part is None:
            continue
        tissue, positive = tissue + part.tissue_px, positive + part.positive_px
        for of_area, own in zip(sums, part.windows, strict=True):
            _, rows, cols = own.px.shape
            of_area[:, own.row : own.row + rows, own.col : own.col + cols] += own.px
    return AllWindows(tissue, positive, sums)


def hotspots_on_record(
    slide: CountedSlide, key: str, asked: Asked, grid: WindowGrid, found: AllWindows
) -> HotSpotsOnRecord:
    """Return the hot spots of a slide.

    Parameters
    ----------
    slide, key
        What is known of it so far, and the hash of what they are made from.
    asked, grid, found
        What was asked for, which windows were looked at, and what they hold.
    """
    mean = 100 * found.positive_px / found.tissue_px if found.tissue_px else None
    listed = tuple(
        spot
        for window, sums in zip(grid.windows, found.of_area, strict=True)
        for spot in _spots(slide, asked, grid, window, sums, mean or 0.0)
    )
    return HotSpotsOnRecord(
        key=key,
        shape=asked.shape,
        windows_mm2=asked.windows_mm2,
        step_x_px=asked.step_px[0],
        step_y_px=asked.step_px[1],
        best=asked.best,
        tissue_share=asked.tissue_share,
        positive_classes=asked.positive,
        mean_pct=mean,
        listed=listed,
    )


def least_tissue_px(slide: CountedSlide, window: Window, share: float) -> float:
    """Return the fewest level-0 pixels of tissue that a window must hold; 0 without a pixel size."""
    mpp = slide.mpp
    return 0.0 if mpp is None else share * window.area_mm2 / mpp.pixel_area_mm2


def _spots(
    slide: CountedSlide, asked: Asked, grid: WindowGrid, window: Window, sums: Ints, mean_pct: float
) -> Iterator[HotSpot]:
    mpp, edges = slide.mpp, grid_of(slide).edges_l0_px
    if mpp is None:
        return
    least = least_tissue_px(slide, window, asked.tissue_share)
    found = best_windows(sums, grid.ys_px, grid.xs_px, window, work_mpp_of(slide), least, asked.best)
    for rank, one in enumerate(found, 1):
        pct = 100 * one.positive_px / one.tissue_px
        center_x, center_y = _center_l0_px(one, window, edges)
        yield HotSpot(
            rank=rank,
            center_x_px=center_x,
            center_y_px=center_y,
            window_mm2=window.area_mm2,
            counted_mm2=area_mm2(_counted_px(one, window, edges), mpp),
            n_px_tissue=one.tissue_px,
            n_px_positive=one.positive_px,
            tissue_mm2=area_mm2(one.tissue_px, mpp),
            positive_mm2=area_mm2(one.positive_px, mpp),
            positive_pct=pct,
            times_mean=pct / mean_pct,
        )


def _center_l0_px(one: FoundWindow, window: Window, edges: tuple[Ints, Ints]) -> tuple[float, float]:
    """Return the middle of a window, column and row: of its pixels, wherever the slide ends."""
    x = one.x_px + (int(window.first_px.min()) + int(window.stop_px.max())) / 2
    y = one.y_px + window.first_row_px + window.rows_px / 2
    columns, rows = edges
    return float(np.interp(x, np.arange(len(columns)), columns)), float(np.interp(y, np.arange(len(rows)), rows))


def _counted_px(one: FoundWindow, window: Window, edges: tuple[Ints, Ints]) -> int:
    """Return the level-0 pixels of the slide under a window."""
    columns, rows = edges
    ys = one.y_px + window.first_row_px + np.arange(window.rows_px)
    inside = (ys >= 0) & (ys < len(rows) - 1)
    heights = np.diff(rows)[ys[inside]]
    left, right = (np.clip(one.x_px + px[inside], 0, len(columns) - 1) for px in (window.first_px, window.stop_px))
    return int((heights * (columns[right] - columns[left])).sum())


def ids_of(slide: CountedSlide, names: Sequence[str]) -> tuple[int, ...]:
    """Return the ids of classes by their names."""
    return tuple(c.id for c in slide.classes if c.name in names)
