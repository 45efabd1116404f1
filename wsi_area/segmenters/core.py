"""segmenters: the class map of a tile's core alone, from whatever a fitted segmenter offers."""

from wsi_area.model.geometry import Region
from wsi_area.model.pixels import ClassMap, TilePixels, TilePlace
from wsi_area.segmenters.protocol import CoreSegmenter, FittedSegmenter, PlacedSegmenter


def core_class_map(fitted: FittedSegmenter, pixels: TilePixels, place: TilePlace, core_work_px: Region) -> ClassMap:
    """Return uint8 of the core's shape: what a segmenter makes of a core, shown its halo where it has need of one.

    Parameters
    ----------
    fitted
        The segmenter.
    pixels, place
        Core and halo, and where they lie.
    core_work_px
        The core, on the work grid; within the place.
    """
    if isinstance(fitted, CoreSegmenter):
        return fitted.core_class_map_at(pixels, place, core_work_px)
    core_px = core_work_px.seen_from(place.work_px)
    if isinstance(fitted, PlacedSegmenter):
        return fitted.class_map_at(pixels, place)[core_px.slices]
    if fitted.context_um == 0:
        return fitted.class_map(pixels.part(core_px))
    return fitted.class_map(pixels)[core_px.slices]
