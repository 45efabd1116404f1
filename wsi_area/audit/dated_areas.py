"""audit: the areas of one slide as a comparison of two dates takes them, with what makes each uncertain."""

from collections.abc import Iterator, Sequence
from typing import Literal

import numpy as np

from wsi_area.compute.judge.area_change import DatedArea, crack_count, u_count_of_cracks_mm2
from wsi_area.errors import ResultError
from wsi_area.frozen_value import frozen_value
from wsi_area.model.classes import BACKGROUND_ID
from wsi_area.model.pixels import MaskArray
from wsi_area.model.record.slide_areas import ClassOnRecord
from wsi_area.model.slide_result import CountedSlide
from wsi_area.results.opened_slide import OpenedSlide

Kind = Literal["class", "total"]

_BAND_PX = 1 << 25  # work px of the class map held at once, about


@frozen_value
class NamedArea:
    """The area of a class, or of all classes that are tumour, positive or tissue."""

    kind: Kind
    name: str
    is_tissue: bool
    is_tumor: bool
    is_positive: bool
    n_px: int
    area: DatedArea
    mean_signal: float | None  # of a class that adds to a signal, which the background does not
    is_background: bool = False


def dated_areas(slide: OpenedSlide) -> list[NamedArea]:
    """Return the areas of a slide that is complete: its totals, then its classes.

    Raises
    ------
    ResultError
        If it has no areas, or its class map cannot be read.
    """
    result = slide.counted
    members = list(_members(result.classes))
    cracks = _cracks(slide, [[c.id for c in classes] for _, _, classes in members])
    return [_named(result, kind, name, of, n) for (kind, name, of), n in zip(members, cracks, strict=True)]


def _members(classes: Sequence[ClassOnRecord]) -> Iterator[tuple[Kind, str, list[ClassOnRecord]]]:
    tumor = [c for c in classes if c.is_tumor]
    positive = [] if tumor else [c for c in classes if c.is_positive]
    totals = (("tumor", tumor), ("positive", positive), ("tissue", [c for c in classes if c.is_tissue]))
    yield from (("total", name, members) for name, members in totals if members)
    yield from (("class", c.name, [c]) for c in classes)


def _named(slide: CountedSlide, kind: Kind, name: str, classes: Sequence[ClassOnRecord], cracks: int) -> NamedArea:
    of = classes[0] if kind == "class" else slide.tissue if name == "tissue" else slide.headline
    is_background, x_um, y_um = of is slide.classes[BACKGROUND_ID], slide.work.work_mpp_x_um, slide.work.work_mpp_y_um
    u_rel = slide.calibration.relative_u_area
    if of.n_px is None or of.area_mm2 is None or x_um is None or y_um is None or u_rel is None:
        raise ResultError(f"{slide.slide_id}: {name} has no area in mm², so there is nothing to compare")
    return NamedArea(
        kind,
        name,
        all(c.is_tissue for c in classes),
        all(c.is_tumor for c in classes),
        all(c.is_positive for c in classes),
        of.n_px,
        DatedArea(of.area_mm2, u_rel, u_count_of_cracks_mm2(cracks, x_um * y_um * 1e-6)),
        None if is_background or not isinstance(of, ClassOnRecord) else of.mean_signal,
        is_background,
    )


def _cracks(slide: OpenedSlide, members: list[list[int]]) -> list[int]:
    """Return the edges between work pixels in and out of each set of classes, band by band."""
    array = slide.class_map_array()
    height, width = array.shape
    rows = max(1, _BAND_PX // max(1, width))
    counts = [0] * len(members)
    for top in range(0, height, rows):
        # one row of the band before it: the edges between two bands are counted once, those within that row are not
        overlap = int(top > 0)
        band = np.asarray(array[top - overlap : top + rows], dtype=np.uint8)
        for number, ids in enumerate(members):
            inside: MaskArray = np.isin(np.arange(256), ids)[band]
            counts[number] += crack_count(inside) - (crack_count(inside[:1]) if overlap else 0)
    return counts
