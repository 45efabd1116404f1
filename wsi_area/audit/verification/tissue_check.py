"""audit: the tissue layer of a slide counted again, under its classes, and held against what the result says of it."""

from collections.abc import Iterator

import numpy as np

from wsi_area.errors import ResultError
from wsi_area.model.slide_result import CountedSlide
from wsi_area.results.class_map.crossing import Crossing
from wsi_area.results.class_map.layered_map import grid_of
from wsi_area.results.documents import read_result
from wsi_area.results.layout import SlideLayout
from wsi_area.results.sound_areas import require_sound


def read_layer(layout: SlideLayout, slide: CountedSlide) -> CountedSlide | None:
    """Return the result of a slide's tissue layer; None where its tissue is none.

    Raises
    ------
    ResultError
        If it is not there, or not the one that the slide was laid over.
    CountMismatchError
        If it does not add up.
    """
    told = slide.tissue_layer
    if told is None:
        return None
    layer = read_result(layout.tissue)
    if not isinstance(layer, CountedSlide) or layer.key != told.key:
        raise ResultError(f"{layout.tissue.result_json} is not the tissue layer that the slide was laid over")
    require_sound(layer, layout.tissue.result_json)
    return layer


def crossing_faults(layout: SlideLayout, slide: CountedSlide, layer: CountedSlide) -> Iterator[tuple[str, str]]:
    """Yield what the result says of its classes over its tissue and the two class maps do not."""
    told = slide.tissue_layer
    if told is None:
        return
    grid, side = grid_of(slide), slide.work.batch_tiles
    crossing = Crossing.of(layout, grid, len(slide.classes), len(layer.classes), None)
    found = np.zeros((len(slide.classes) + 3, len(layer.classes) + 4), np.int64)
    for row in range(-(-grid.shape[0] // side)):
        for col in range(-(-grid.shape[1] // side)):
            found += crossing.counted(row, col, side)
    counted = tuple(tuple(line) for line in found[:, :-1].tolist())
    if counted != told.n_px_crossed:
        yield "tissue layer", f"result.json says {told.n_px_crossed} px, its class maps have {counted}"
    if slide.tissue.n_px != told.tissue_px:
        yield "tissue", f"result.json says {slide.tissue.n_px} px, its tissue layer has {told.tissue_px}"
    tumor = tuple(c.id for c in slide.classes if c.is_tumor)
    if tumor and slide.tumor.n_px is not None and slide.tumor.in_tissue_px != told.in_tissue_px(tumor):
        yield "tumor", f"result.json says {slide.tumor.in_tissue_px} px in tissue, not {told.in_tissue_px(tumor)}"
    share = None if not told.tissue_px or not tumor else told.in_tissue_px(tumor) / told.tissue_px
    if slide.tumor.n_px is not None and slide.tumor.fraction_of_tissue != share:
        yield "tumor", f"result.json says {slide.tumor.fraction_of_tissue} of the tissue, its pixels make {share}"
