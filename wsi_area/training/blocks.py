"""training: an image with its truth, block by block; nothing outside `within` is ever handed on."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from wsi_area.audit.truth import NO_TRUTH, Naming, Truth, truth_of
from wsi_area.compute.count.reduction import box_mean
from wsi_area.compute.cut.grid import l0_edges_px, place_at, tile_at, work_edges_l0_px
from wsi_area.compute.cut.roi import inside_roi
from wsi_area.frozen_value import frozen_value
from wsi_area.model.calibration import Mpp
from wsi_area.model.classes import BACKGROUND_ID
from wsi_area.model.geometry import Region
from wsi_area.model.pixels import ClassMap, MaskArray, Overview, TilePixels, TilePlace
from wsi_area.model.plan import Tile
from wsi_area.segmenters.appearance import appearance_of
from wsi_area.segmenters.colour.tissue import TissueSegmenter
from wsi_area.segmenters.pixels.balance import colour_balance
from wsi_area.segmenters.pixels.feature_set import FeatureSet
from wsi_area.segmenters.protocol import FittedSegmenter
from wsi_area.slides import SlideReader, borrow_reader, read_overview
from wsi_area.training.material import TrainingImage

OVERVIEW_SIDE_PX = 1024


@frozen_value(eq=False)
class Block:
    """One tile of an image: its pixels with their surroundings, and the truth of its core."""

    number: int
    pixels: TilePixels  # core and halo
    place: TilePlace  # of core and halo
    core: tuple[slice, slice]  # of the block's rows and columns
    core_work_px: Region
    truth: ClassMap  # uint8, the shape of the core: class ids, or NO_TRUTH


@frozen_value
class TruthRule:
    """What the truth of a pixel is, for every image alike."""

    naming: Naming
    ids: Mapping[str, int]  # class name → id
    rest_in_tissue: bool  # the rest is a class of tissue only: glass is the background

    def glass_matters(self) -> bool:
        """Return True if tissue must be told from glass to know the truth."""
        return self.naming.rest is not None and self.rest_in_tissue


def blocks_of(image: TrainingImage, rule: TruthRule) -> Iterator[Block]:
    """Yield the blocks of an image that are not wholly outside its ``within``, row by row."""
    tissue = TissueSegmenter().fit_colours(_overview(image)) if rule.glass_matters() else None
    drawn = truth_of(image.drawn, rule.naming, rule.ids)
    for number in range(image.plan.tile_count):
        if image.plan.is_read(number):
            yield _block(image, rule, drawn, tissue, number)


def _block(image: TrainingImage, rule: TruthRule, drawn: Truth, tissue: FittedSegmenter | None, number: int) -> Block:
    plan = image.plan
    tile = tile_at(plan, *divmod(number, plan.grid_cols))
    with borrow_reader(image.info, image.lane) as reader:
        pixels = _pixels_within(image, reader, tile)
    place = place_at(plan, tile.core_work_px.grown(plan.halo_px, plan.work_size_px))
    core = tile.core_work_px
    top, left = core.y_px - place.work_px.y_px, core.x_px - place.work_px.x_px
    at = np.s_[top : top + core.height_px], np.s_[left : left + core.width_px]
    of_core = place_at(plan, core)
    truth = drawn.rows(of_core.x_centres_l0_px, of_core.y_centres_l0_px).codes()
    if tissue is not None and rule.naming.rest is not None:
        is_glass = tissue.class_map(TilePixels(pixels.rgb[at], pixels.valid[at])) == BACKGROUND_ID
        truth[is_glass & (truth == rule.ids[rule.naming.rest])] = BACKGROUND_ID
    truth[~pixels.valid[at]] = NO_TRUTH
    return Block(number, pixels, place, at, core, truth)


def _pixels_within(image: TrainingImage, reader: SlideReader, tile: Tile) -> TilePixels:
    """Return core and halo at the work pixel size, made from pixels inside ``within`` only.

    What lies outside is blanked on the level that is read, before any mean is taken over it.
    """
    plan = image.plan
    pixels = reader.read(plan.level, tile.read_level_px)
    if image.within is not None:
        inside = inside_roi(image.within, _level_place(image, tile.read_level_px))
        rgb = np.where(inside[..., None], pixels.rgb, np.uint8(255))
        pixels = TilePixels(rgb, pixels.valid & inside)
    if plan.reduce_factor == 1:
        return pixels
    return box_mean(pixels.rgb, pixels.valid, plan.reduce_factor)


def _level_place(image: TrainingImage, box: Region) -> TilePlace:
    size, level = image.info.size_l0_px, image.info.levels[image.plan.level].size_px
    x = l0_edges_px(size.width_px, level.width_px, 1)[box.x_px : box.right_px + 1] / 1.0
    y = l0_edges_px(size.height_px, level.height_px, 1)[box.y_px : box.bottom_px + 1] / 1.0
    return TilePlace(box, (x[:-1] + x[1:]) / 2, (y[:-1] + y[1:]) / 2)


def used_l0_px(image: TrainingImage, block: Block, usable: MaskArray) -> Region | None:
    """Return the box of level-0 pixels round what a block may have handed on, or None where that is nothing.

    ``usable`` is bool (h, w) of core and halo.
    """
    rows, columns = np.flatnonzero(usable.any(axis=1)), np.flatnonzero(usable.any(axis=0))
    if not len(rows):
        return None
    x_edges, y_edges = work_edges_l0_px(image.plan)
    box = block.place.work_px
    left, right = int(x_edges[box.x_px + columns[0]]), int(x_edges[box.x_px + columns[-1] + 1])
    top, bottom = int(y_edges[box.y_px + rows[0]]), int(y_edges[box.y_px + rows[-1] + 1])
    return Region(left, top, right - left, bottom - top)


def looked_at(image: TrainingImage, features: FeatureSet) -> TrainingImage:
    """Return an image with how it looks, and its colour balance where the features ask for one.

    Both are found inside ``within`` only.
    """
    overview = _overview(image)
    balance = colour_balance(overview) if features.balanced else None
    return replace(image, balance=balance, appearance=appearance_of(overview))


def _overview(image: TrainingImage) -> Overview:
    """Return the overview that a run would make, or one of what lies inside ``within``."""
    with borrow_reader(image.info, image.lane) as reader:
        if image.within is None:
            overview = read_overview(image.info, reader, usable_levels=image.levels)
            (height, width), size, um = overview.valid.shape, image.info.size_l0_px, image.mpp
            return replace(overview, mpp=Mpp(um.x * size.width_px / width, um.y * size.height_px / height))
        return _overview_within(image, reader)


def _overview_within(image: TrainingImage, reader: SlideReader) -> Overview:
    plan = replace(image.plan, halo_px=0)
    size = plan.work_size_px
    factor = 1  # a power of two, so that boxes and tiles share their edges
    while max(size.width_px, size.height_px) > factor * OVERVIEW_SIDE_PX and factor < plan.tile_px:
        factor *= 2
    shape = -(-size.height_px // factor), -(-size.width_px // factor)
    rgb, valid = np.full((*shape, 3), 255, np.uint8), np.zeros(shape, np.bool_)
    for number in filter(plan.is_read, range(plan.tile_count)):
        tile = tile_at(plan, *divmod(number, plan.grid_cols))
        pixels = _pixels_within(image, reader, tile)
        small = box_mean(pixels.rgb, pixels.valid, factor)
        top, left = tile.core_work_px.y_px // factor, tile.core_work_px.x_px // factor
        at = np.s_[top : top + small.valid.shape[0]], np.s_[left : left + small.valid.shape[1]]
        rgb[at], valid[at] = small.rgb, small.valid
    work = plan.work_mpp
    mpp = None if work is None else Mpp(work.x * factor, work.y * factor)
    return Overview(rgb, valid, image.info.size_l0_px, mpp)
