"""audit: tissue, its layer and its envelope counted again, and held against what the result says of them."""

from collections.abc import Iterator

import numpy as np

from wsi_area.errors import ResultError
from wsi_area.model.record.slide_areas import TissueEnvelope
from wsi_area.model.record.slide_tissue import TissueLayerOnRecord
from wsi_area.model.slide_result import CountedSlide
from wsi_area.results.class_map.crossing import Crossing, Enclosed
from wsi_area.results.class_map.enclosed import EnclosedBackground, EnvelopeRule, enclosed_background
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
    around = slide.tissue_envelope
    made = None if around is None else _envelope_again(layout.tissue, layer, around)
    found = _crossed_again(layout, slide, layer, made)
    enclosed = found[:, -1].copy()
    found[:, 0] += enclosed
    counted = tuple(tuple(line) for line in found[:, :-1].tolist())
    if counted != told.n_px_crossed:
        yield "tissue layer", f"result.json says {told.n_px_crossed} px, its class maps have {counted}"
    if around is not None and tuple(enclosed.tolist()) != told.n_px_enclosed:
        yield "tissue envelope", f"result.json says {told.n_px_enclosed} px enclosed, it encloses {enclosed.tolist()}"
    if slide.tissue.n_px != told.tissue_px:
        yield "tissue", f"result.json says {slide.tissue.n_px} px, its tissue layer has {told.tissue_px}"
    tumor = tuple(c.id for c in slide.classes if c.is_tumor)
    if tumor and slide.tumor.n_px is not None and slide.tumor.in_tissue_px != told.in_tissue_px(tumor):
        yield "tumor", f"result.json says {slide.tumor.in_tissue_px} px in tissue, not {told.in_tissue_px(tumor)}"


def share_faults(layout: SlideLayout, slide: CountedSlide) -> Iterator[tuple[str, str]]:
    """Yield each share of tissue or envelope that its pixels do not make, and an envelope that encloses otherwise."""
    told, around, tissue_px = slide.tissue_layer, slide.tissue_envelope, slide.tissue.n_px
    if around is not None:
        of_layer = None if told is None else sum(told.n_px_enclosed)
        enclosed_px = _envelope_again(layout, slide, around).n_px if of_layer is None else of_layer
        if around.enclosed_px != enclosed_px:
            yield "tissue envelope", f"result.json says {around.enclosed_px} px enclosed, it encloses {enclosed_px}"
        of_tissue = sum(c.n_px for c in slide.classes if c.is_tissue) if told is None else told.tissue_px
        if around.n_px != of_tissue + enclosed_px:
            yield (
                "tissue envelope",
                f"result.json says {around.n_px} px, with its tissue it is {of_tissue + enclosed_px}",
            )
    tumor = tuple(c.id for c in slide.classes if c.is_tumor)
    if tumor and slide.tumor.n_px is not None:
        yield from _share_fault("tumor", slide.tumor.fraction_of_tissue, _in_tissue_px(slide, told, tumor), tissue_px)
        if told is not None:
            of_px, inside_px = None if around is None else around.n_px, told.in_envelope_px(tumor)
            yield from _share_fault("tumor in the envelope", slide.tumor.fraction_of_envelope, inside_px, of_px)
    if slide.positive is not None:
        inside_px = _in_tissue_px(slide, told, tuple(c.id for c in slide.classes if c.is_positive))
        yield from _share_fault("positive", slide.positive.fraction_of_tissue, inside_px, tissue_px)


def _share_fault(what: str, told: float | None, n_px: int, of_px: int | None) -> Iterator[tuple[str, str]]:
    made = None if not of_px else n_px / of_px
    if told != made:
        yield what, f"result.json says {told} of it, its pixels make {made}"


def _in_tissue_px(slide: CountedSlide, layer: TissueLayerOnRecord | None, ids: tuple[int, ...]) -> int:
    return sum(c.n_px for c in slide.classes if c.id in ids) if layer is None else layer.in_tissue_px(ids)


def _crossed_again(
    layout: SlideLayout, slide: CountedSlide, layer: CountedSlide, made: EnclosedBackground | None
) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    """Return the classes over the layer, (classes + 3, classes of the layer + 4), the last column what is enclosed."""
    grid, side = grid_of(slide), slide.work.batch_tiles
    around = slide.tissue_envelope
    enclosed = None if made is None or around is None else Enclosed(made.boxes, _side_work_px(layer, around))
    crossing = Crossing.of(layout, grid, len(slide.classes), len(layer.classes), enclosed)
    found = np.zeros((len(slide.classes) + 3, len(layer.classes) + 4), np.int64)
    for row in range(-(-grid.shape[0] // side)):
        for col in range(-(-grid.shape[1] // side)):
            found += crossing.counted(row, col, side)
    return found


def _envelope_again(layout: SlideLayout, slide: CountedSlide, around: TissueEnvelope) -> EnclosedBackground:
    """Return the area that the envelope of a class map encloses, made again by the rule on record."""
    box_um = around.box_x_um, around.box_y_um
    rule = EnvelopeRule(_side_work_px(slide, around), box_um, around.closing_um, around.fill_um)
    return enclosed_background(layout, grid_of(slide), [c.id for c in slide.classes if c.is_tissue], rule)


def _side_work_px(slide: CountedSlide, around: TissueEnvelope) -> int:
    """Return the width of a box of the envelope in work pixels."""
    width_um = slide.work.work_mpp_x_um
    if width_um is None:
        raise ResultError(f"{slide.slide_id}: it has a tissue envelope and no pixel size; run it again")
    return max(1, round(around.box_x_um / width_um))
