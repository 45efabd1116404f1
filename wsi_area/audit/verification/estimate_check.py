"""audit: an estimate made again: the coarse look counted, the spots drawn from the seed, the totals from the ledger."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from wsi_area.audit.verification.counted_again import CountedAgain
from wsi_area.compute.count.recount import WorkGrid
from wsi_area.compute.estimate.frame import seed_of_slide
from wsi_area.compute.estimate.rounds import Sample, in_cells
from wsi_area.compute.estimate.slide_frame import aim_of, quantities_of, slide_frame
from wsi_area.compute.estimate.strata import KINDS
from wsi_area.model.json_tree import json_digest
from wsi_area.model.ledger import LedgerLayout, TileStatus
from wsi_area.model.record.estimate.slide_estimate import CoarseLook, EstimateOnRecord
from wsi_area.model.slide_result import CountedSlide
from wsi_area.results.class_map.layered_map import grid_of
from wsi_area.results.class_map.ledger import ledger_attributes, ledger_rows
from wsi_area.results.class_map.sparse_class_map import SparseClassMap, sparse_class_map
from wsi_area.results.class_map.stored_class_map import open_class_map
from wsi_area.results.estimates.estimated_slide import Estimated, estimated_from
from wsi_area.results.estimates.spot_shares import spot_shares
from wsi_area.results.layout import SlideLayout
from wsi_area.results.seal.contents import ClassMapDigest, ledger_digest


def estimate_faults(
    layout: SlideLayout, slide: CountedSlide, estimate: EstimateOnRecord, ledger: NDArray[np.int64]
) -> Iterator[tuple[str, str]]:
    """Yield what an estimate says and its spots, drawn and added up again, do not.

    Parameters
    ----------
    layout, slide, estimate
        Where the slide lies, its result, and the estimate in it.
    ledger : int64 (rows, cols, columns)
        The rows of its spots.
    """
    columns, grid = LedgerLayout(len(slide.classes)), grid_of(slide)
    status = ledger[..., columns.status_column]
    counted = ledger[..., columns.px_columns].sum(axis=2)
    areas = _areas(grid)
    wrong = np.argwhere(np.where(status == TileStatus.UNSAMPLED, 0, areas) != counted)
    for row, col in wrong[:1].tolist():
        told = f"its row of the ledger has {counted[row, col]} px, it owns {areas[row, col]}"
        yield f"spot row {row} col {col}", told
    if len(wrong):
        return
    skipped = status == TileStatus.SKIPPED
    outside = skipped & (ledger[..., columns.outside_roi_column] == areas)
    bare = skipped & ~outside
    bare.ravel()[list(estimate.bare_drawn)] = True
    sample = _drawn_again(layout, slide, estimate, grid, ~outside, bare, areas)
    drawn = np.zeros(status.shape, np.bool_)
    drawn[tuple(sample.frame.place[sample.drawn].T)] = True
    if not np.array_equal(drawn, np.isin(status, (TileStatus.READ, TileStatus.UNREADABLE))):
        yield "estimate", f"seed {estimate.seed} draws {int(drawn.sum())} spots, and others were measured"
        return
    made = estimated_from(sample, ledger, [c.tissue_class for c in slide.classes], slide.mpp)
    yield from _totals_apart(slide, estimate, made)


def coarse_faults(
    layout: SlideLayout, slide: CountedSlide, look: CoarseLook, threads: int
) -> tuple[list[tuple[str, str]], str]:
    """Return the faults of a coarse look, held against itself tile by tile, and the digest of its stores."""
    coarse = layout.coarse
    grid = WorkGrid(slide.size_l0_px, slide.levels[look.level].size_px, look.reduce_factor, look.tile_px)
    rows, stored = ledger_rows(coarse), open_class_map(coarse)
    found = sparse_class_map(coarse)
    sparse = found if isinstance(found, SparseClassMap) and found.tile_px == grid.tile_px else None
    again = CountedAgain(
        stored, sparse, grid, LedgerLayout(look.class_count), rows, ClassMapDigest(stored.shape), threads
    )
    for _ in again.tiles_with_content():
        pass
    faults = [("coarse look", f"{what}: {why}") for what, why in again.faults]
    if ledger_attributes(coarse)["key"] != look.key:
        faults.append(("coarse look", "its ledger was made from something else than the estimate says"))
    return faults, json_digest([ledger_digest(rows), again.digest.hex])


def _drawn_again(
    layout: SlideLayout,
    slide: CountedSlide,
    estimate: EstimateOnRecord,
    grid: WorkGrid,
    live: NDArray[np.bool_],
    bare: NDArray[np.bool_],
    areas: NDArray[np.int64],
) -> Sample:
    """Return the spots that the seed and the numbers on record draw."""
    look, shares = estimate.coarse, None
    if look is not None:
        coarse = WorkGrid(slide.size_l0_px, slide.levels[look.level].size_px, look.reduce_factor, look.tile_px)
        shares = spot_shares(layout.coarse, coarse, grid, look.class_count)
    aim = aim_of(quantities_of([c.tissue_class for c in slide.classes]))
    seed = seed_of_slide(estimate.seed, slide.slide_id)
    frame = slide_frame(live, bare, areas, shares, aim, seed, estimate.bare_miss)
    if estimate.cells is not None:
        return in_cells(frame, estimate.cells)
    told = {stratum.kind: stratum.drawn for stratum in estimate.strata}
    counts = np.array([told.get(kind, 0) for kind in KINDS[: len(frame.sizes)]], np.int64)
    return Sample(frame, counts, None)


def _totals_apart(slide: CountedSlide, estimate: EstimateOnRecord, made: Estimated) -> Iterator[tuple[str, str]]:
    if estimate.areas != made.areas:
        now = {(area.kind, area.name): area for area in made.areas}
        for told in estimate.areas:
            due = now.get((told.kind, told.name))
            if told != due:
                px = "nothing" if due is None else f"{due.n_px} px, {due.low_px:.0f} to {due.high_px:.0f}"
                told_px = f"{told.n_px} px, {told.low_px:.0f} to {told.high_px:.0f}"
                yield "estimate", f"result.json says {told.name} {told_px}, the spots that were drawn make {px}"
    listed = tuple(c.n_px for c in slide.classes)
    if listed != made.whole.px_by_class:
        yield "classes", f"result.json lists {listed}, the spots that were drawn make {made.whole.px_by_class}"
    if slide.counts.class_counts.total_px != slide.size_l0_px.area_px or slide.counts.n_px_unsampled != (
        made.account.unsampled_px
    ):
        yield "accounting law", f"{slide.counts.n_px_unsampled} px are told unsampled, {made.account.unsampled_px} are"
    by_class = slide.counts.n_px_by_class
    if by_class != made.account.px_by_class:
        yield "counts", f"result.json says {by_class}, the rows of the ledger add up to {made.account.px_by_class}"


def _areas(grid: WorkGrid) -> NDArray[np.int64]:
    """Return the level-0 pixels that each spot owns, int64 (rows, cols)."""
    columns, rows = (np.append(edges[: -1 : grid.tile_px], edges[-1]) for edges in grid.edges_l0_px)
    return np.asarray(np.diff(rows)[:, None] * np.diff(columns))
