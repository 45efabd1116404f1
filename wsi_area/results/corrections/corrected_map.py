"""results: a measured class map with corrections laid over it, box by box; nothing is kept, and nothing is written."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from wsi_area.compute.corrections.component import Component, component_at
from wsi_area.compute.corrections.painting import Painted, meets, painted, place_of
from wsi_area.compute.corrections.strokes import (
    Stroke,
    class_strokes,
    corrected_scheme,
    refuse_unknown_exclusion,
    tissue_strokes,
)
from wsi_area.compute.count.area import area_mm2
from wsi_area.compute.count.recount import WorkGrid
from wsi_area.errors import AnnotationError
from wsi_area.frozen_value import frozen_value
from wsi_area.model.calibration import Mpp
from wsi_area.model.classes import ClassScheme
from wsi_area.model.corrections.correction import Correction
from wsi_area.model.geometry import Region
from wsi_area.model.pixels import ClassMap
from wsi_area.results.class_map.class_codes import RESERVED
from wsi_area.results.class_map.stored_class_map import StoredClassMap, open_class_map
from wsi_area.results.layout import SlideLayout

Ints = NDArray[np.int64]


@frozen_value(eq=False)
class CorrectedMap:
    """The class map of one layer as it was measured, and the strokes that are laid over it."""

    layout: SlideLayout  # of what was measured: before filters by size, where there are any
    grid: WorkGrid
    scheme: ClassScheme  # with the classes that corrections bring
    strokes: tuple[Stroke, ...]
    count: int  # of corrections

    def meets(self, box_work_px: Region) -> bool:
        """Return True if a stroke may be laid over a pixel of a box."""
        place, _ = place_of(box_work_px, *self.grid.edges_l0_px)
        return any(meets(stroke, place) for stroke in self.strokes)

    def within(self, box_work_px: Region) -> "CorrectedMap":
        """Return the same with those strokes alone that may be laid over a pixel of a box."""
        place, _ = place_of(box_work_px, *self.grid.edges_l0_px)
        return replace(self, strokes=tuple(stroke for stroke in self.strokes if meets(stroke, place)))

    def painted(self, box_work_px: Region) -> Painted:
        """Return a box of the corrected map, before any filter by size.

        Raises
        ------
        ResultError
            If the class map below cannot be read.
        """
        return self._over(open_class_map(self.layout), box_work_px)

    def _over(self, stored: StoredClassMap, box: Region) -> Painted:
        codes = stored[box.y_px : box.bottom_px, box.x_px : box.right_px]
        place, weights = place_of(box, *self.grid.edges_l0_px)
        return painted(codes, self.strokes, place, weights, self.count)


def corrected_classes(
    layout: SlideLayout,
    grid: WorkGrid,
    scheme: ClassScheme,
    mpp: Mpp | None,
    listed: Sequence[Correction],
    *,
    has_layer: bool,
) -> CorrectedMap:
    """Return the classes of a slide with corrections laid over them; each fill finds its component on what is below it.

    Parameters
    ----------
    layout, grid, scheme, mpp
        Of what was measured; µm per level-0 pixel.
    listed
        The corrections, in their order.
    has_layer : bool
        Whether the tissue is a layer of its own.

    Raises
    ------
    AnnotationError
        If a correction names a class that it cannot mean, or a fill cannot be laid or would take more than it may.
    ResultError
        If the class map cannot be read.
    """
    with_new = corrected_scheme(scheme, listed)
    refuse_unknown_exclusion(listed, with_new)
    filled: dict[int, Component] = {}
    for number, one in enumerate(listed):
        if one.kind == "fill":
            before = class_strokes(listed[:number], with_new, filled, has_layer=has_layer)
            below = CorrectedMap(layout, grid, with_new, tuple(before), number)
            filled[number] = _component(below, number, one, mpp)
    strokes = class_strokes(listed, with_new, filled, has_layer=has_layer)
    return CorrectedMap(layout, grid, with_new, tuple(strokes), len(listed))


def corrected_tissue(
    layout: SlideLayout, grid: WorkGrid, scheme: ClassScheme, listed: Sequence[Correction]
) -> CorrectedMap:
    """Return a tissue layer with corrections laid over it; parameters and errors as of `corrected_classes`."""
    ours = [one for one in listed if one.kind == "exclude"]
    with_new = corrected_scheme(scheme, ours)
    return CorrectedMap(layout, grid, with_new, tuple(tissue_strokes(listed, with_new)), len(listed))


def _component(below: CorrectedMap, number: int, one: Correction, mpp: Mpp | None) -> Component:
    """Return the pixels that a fill takes on the map below it."""
    told = f"correction {number + 1} (fill)"
    if mpp is None or one.seed_l0_px is None:
        raise AnnotationError(
            f"{told}: what it may take is stated in mm², and the slide has no pixel size; give the slide one, or draw "
            "the outline and add it"
        )
    stored, (columns, rows) = open_class_map(below.layout), below.grid.edges_l0_px
    x, y = (int(np.searchsorted(e, v, "right")) - 1 for e, v in zip((columns, rows), one.seed_l0_px, strict=True))

    def codes_of(box: Region) -> ClassMap:
        return below._over(stored, box).codes

    at_seed = int(codes_of(Region(x, y, 1, 1))[0, 0])
    if at_seed in RESERVED:
        raise AnnotationError(
            f"{told}: its seed ({one.seed_l0_px[0]:g}, {one.seed_l0_px[1]:g}) is {RESERVED[at_seed].text}; such pixels "
            "are never painted, so give a seed on a class"
        )
    most_px = one.most_mm2 / mpp.pixel_area_mm2
    found = component_at(codes_of, (x, y), below.grid.size_px, *below.grid.weights(), most_px)
    if not found.is_whole:
        name = below.scheme.classes[found.code].name
        raise AnnotationError(
            f"{told}: the part of {name} at its seed has more than {one.most_mm2:g} mm² (at least "
            f"{area_mm2(found.n_px, mpp):.6g} mm²); state a larger most_mm2 if that is meant, or close the gap first"
        )
    return found
