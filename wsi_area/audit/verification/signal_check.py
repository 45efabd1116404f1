"""audit: the signal map of a slide added up again, tile by tile and class by class, and held against its ledger."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from wsi_area.compute.count.recount import WorkGrid
from wsi_area.compute.regions.tally import Groups
from wsi_area.compute.regions.under_spans import signal_under
from wsi_area.frozen_value import frozen_value
from wsi_area.model.classes import ClassScheme
from wsi_area.model.ledger import LedgerLayout
from wsi_area.model.slide_result import CountedSlide
from wsi_area.results.class_map.layered_map import LayeredMap, grid_of
from wsi_area.results.class_map.ledger import ledger_rows
from wsi_area.results.class_map.signal_map import SignalMap
from wsi_area.results.layout import SlideLayout
from wsi_area.results.seal.contents import ClassMapDigest, tile_digest

WHAT = "signal map"
MOST_TOLD = 20
Ints = NDArray[np.int64]


@frozen_value
class SignalAddedUp:
    """What came of adding up a signal map again."""

    faults: tuple[tuple[str, str], ...] = ()
    digest: str | None = None  # None where there is no signal map


def add_up_signal(layout: SlideLayout, slide: CountedSlide) -> SignalAddedUp:
    """Return the faults of a slide's signal map, held against its ledger and its result; and the map's digest.

    Raises
    ------
    ResultError
        If the class map or the signal map cannot be read.
    """
    scheme = ClassScheme(tuple(c.tissue_class for c in slide.classes))
    layered, grid = LayeredMap.over(layout, grid_of(slide), scheme.classes), grid_of(slide)
    kept = layered.signal_map
    if kept is None:
        return SignalAddedUp()
    if kept.tile_px != grid.tile_px:
        told = f"its tiles have {kept.tile_px} px, those of the slide {grid.tile_px}"
        return SignalAddedUp(((WHAT, told),))
    rows, columns = ledger_rows(layout), LedgerLayout(len(scheme.classes))
    digest, faults = ClassMapDigest(kept.shape), list[tuple[str, str]]()
    for tile_rows, tile_cols, sums in _added_up(layered, kept, grid, scheme, digest):
        told_there = rows[tile_rows.start : tile_rows.stop, tile_cols.start : tile_cols.stop, columns.signal_columns]
        due = np.zeros_like(sums)  # no signal where there is no class
        due[..., : len(scheme.classes)] = told_there
        for row, col in np.argwhere((sums != due).any(axis=-1))[:MOST_TOLD]:
            found, said = sums[row, col].tolist(), due[row, col].tolist()
            where = f"tile row {tile_rows[row]} col {tile_cols[col]}"
            faults.append((WHAT, f"{where}: it adds up to {found} steps by class, the ledger to {said}"))
    faults += _document_faults(slide, kept, columns, rows)
    return SignalAddedUp(tuple(faults[:MOST_TOLD]), digest.hex)


def _added_up(
    layered: LayeredMap, kept: SignalMap, grid: WorkGrid, scheme: ClassScheme, digest: ClassMapDigest
) -> Iterator[tuple[range, range, Ints]]:
    """Yield the tiles of each shard, and what their signal adds up to, int64 (rows, columns, groups)."""
    groups, side, px = Groups.of(scheme), kept.tiles_per_side, grid.tile_px
    for shard_row, shard_col in kept.shards():
        rows = range(shard_row * side, min((shard_row + 1) * side, grid.shape[0]))
        cols = range(shard_col * side, min((shard_col + 1) * side, grid.shape[1]))
        box = slice(rows.start * px, rows.stop * px), slice(cols.start * px, cols.stop * px)
        signal, classes = kept[box], np.ascontiguousarray(layered.classes(*box))
        height, width = signal.shape
        lines, starts = np.mgrid[0:height, 0:width:px].reshape(2, -1)
        tile_of = (lines // px) * len(cols) + starts // px
        spans = np.array([tile_of, lines, starts, np.minimum(starts + px, width)], np.int32)
        edges = tuple(
            edge[part.start : part.stop + 1]
            for edge, part in zip((layered.columns_l0_px, layered.rows_l0_px), (box[1], box[0]), strict=True)
        )
        shape = (len(rows) * len(cols), groups.count)
        sums = signal_under(classes, groups.of_code, signal, (edges[0], edges[1]), spans, shape)
        for y in range(0, height, px):
            for x in range(0, width, px):
                digest.put(box[0].start + y, box[1].start + x, tile_digest(signal[y : y + px, x : x + px]))
        yield rows, cols, sums.reshape(len(rows), len(cols), groups.count)


def _document_faults(
    slide: CountedSlide, kept: SignalMap, columns: LedgerLayout, rows: Ints
) -> Iterator[tuple[str, str]]:
    if slide.signal is None:
        yield WHAT, "it is there, though result.json tells of no signal"
        return
    by_class = columns.total(rows.reshape(-1, rows.shape[-1])).signal_by_class
    due = sum(by_class[c.id] for c in slide.classes if c.is_tissue) / kept.signal.micro_scale
    if (slide.signal.name, slide.signal.integrated_px) != (kept.signal.name, due):
        told = f"{slide.signal.name} of {slide.signal.integrated_px!r}"
        yield WHAT, f"result.json tells of {told}, the ledger adds up to {kept.signal.name} of {due!r}"
