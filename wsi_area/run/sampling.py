"""run: blocks of a slide's tissue for segmenters that are fitted to more than its overview."""

import random

import numpy as np
from numpy.typing import NDArray

from wsi_area.compute.count.reduction import reduced
from wsi_area.compute.cut.grid import level_region, work_edges_l0_px
from wsi_area.model.geometry import Region
from wsi_area.model.pixels import Overview, TilePixels
from wsi_area.model.plan import SlidePlan
from wsi_area.segmenters.colour.tissue import TissueSegmenter
from wsi_area.slides import SlideReader

Ints = NDArray[np.int64]

BLOCK_PX = 256
"""Edge of a block, work px."""

_GOLDEN = 0.6180339887498949


def tissue_samples(reader: SlideReader, plan: SlidePlan, overview: Overview, count: int) -> tuple[TilePixels, ...]:
    """Return up to ``count`` blocks of 256 × 256 work pixels of tissue, where the overview shows most of it.

    The blocks lie on a grid of their own and the choice is seeded by the slide's size, so that it depends on
    neither the tiles nor the machine.

    Parameters
    ----------
    reader : SlideReader
    plan : SlidePlan
        Names the level and the reduce factor; its tiles play no part.
    overview : Overview
    count : int

    Raises
    ------
    TileReadError
        If a block cannot be decoded.
    """
    chosen = _chosen_blocks(plan, overview, count)
    return tuple(_block(reader, plan, block) for block in chosen)


def spread_samples(reader: SlideReader, plan: SlidePlan, count: int) -> tuple[TilePixels, ...]:
    """Return up to ``count`` blocks of 256 × 256 work pixels, evenly all over the slide; all if there are fewer.

    Parameters
    ----------
    reader : SlideReader
    plan : SlidePlan
        Names the level and the reduce factor; its tiles play no part.
    count : int

    Raises
    ------
    TileReadError
        If a block cannot be decoded.
    """
    size = plan.work_size_px
    columns = -(-size.width_px // BLOCK_PX)
    blocks = columns * -(-size.height_px // BLOCK_PX)
    # steps of the golden section: as even as a grid, and in step with neither rows nor columns
    chosen = set(range(blocks)) if blocks <= count else {int(blocks * (k * _GOLDEN % 1.0)) for k in range(count)}
    whole = Region(0, 0, size.width_px, size.height_px)
    places = (divmod(n, columns) for n in sorted(chosen))
    boxes = (Region(c * BLOCK_PX, r * BLOCK_PX, BLOCK_PX, BLOCK_PX).intersection(whole) for r, c in places)
    return tuple(_block(reader, plan, box) for box in boxes if box is not None)


def _chosen_blocks(plan: SlidePlan, overview: Overview, count: int) -> list[Region]:
    """Return seeded blocks of the work grid of which at least half is tissue, row by row."""
    tissue = TissueSegmenter().fit_colours(overview).colour_rule.is_foreground(overview.rgb) & overview.valid
    columns, rows = work_edges_l0_px(plan)
    size_l0 = plan.slide.size_l0_px
    left, right = _overview_spans(columns, size_l0.width_px, tissue.shape[1])
    top, bottom = _overview_spans(rows, size_l0.height_px, tissue.shape[0])
    table = np.zeros((tissue.shape[0] + 1, tissue.shape[1] + 1), np.int64)
    upto = table[1:, 1:]
    np.cumsum(np.cumsum(tissue, axis=1, out=upto), axis=0, out=upto)
    to_bottom, to_top = table[bottom], table[top]
    sums = to_bottom[:, right] - to_bottom[:, left] - to_top[:, right] + to_top[:, left]
    areas = (bottom - top)[:, None] * (right - left)
    candidates = [(int(r), int(c)) for r, c in np.argwhere(2 * sums >= areas)]
    chosen = random.Random(size_l0.width_px << 32 | size_l0.height_px).sample(candidates, min(count, len(candidates)))
    whole = Region(0, 0, plan.work_size_px.width_px, plan.work_size_px.height_px)
    blocks = (Region(c * BLOCK_PX, r * BLOCK_PX, BLOCK_PX, BLOCK_PX).intersection(whole) for r, c in sorted(chosen))
    return [block for block in blocks if block is not None]


def _overview_spans(edges_l0: Ints, size_l0_px: int, overview_px: int) -> tuple[Ints, Ints]:
    """Return the first and the end overview pixel under each block of one axis."""
    first = np.arange(0, len(edges_l0) - 1, BLOCK_PX)
    end = np.minimum(first + BLOCK_PX, len(edges_l0) - 1)
    return edges_l0[first] * overview_px // size_l0_px, -(-edges_l0[end] * overview_px // size_l0_px)


def _block(reader: SlideReader, plan: SlidePlan, box: Region) -> TilePixels:
    pixels = reader.read(plan.level, level_region(plan, box))
    return pixels if plan.reduce_factor == 1 else reduced(pixels, plan.reduce_factor)
