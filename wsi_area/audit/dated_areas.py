"""results: the areas of one slide as a comparison of two dates takes them, with what makes each uncertain."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from wsi_area.compute.judge.area_change import DatedArea, crack_count, u_count_of_cracks_mm2
from wsi_area.model.classes import BACKGROUND_ID
from wsi_area.model.pixels import MaskArray
from wsi_area.results.opened_slide import OpenedSlide

Kind = Literal["class", "total"]

_BAND_PX = 1 << 25  # work px of the class map held at once, about


@dataclass(frozen=True, slots=True)
class NamedArea:
    """The area of a class, or of all classes that are tumour or tissue."""

    kind: Kind
    name: str
    is_tissue: bool
    is_tumor: bool
    n_px: int
    area: DatedArea
    signal_per_mm2: float | None  # of a class that adds to a signal, which the background does not
    is_background: bool = False


def dated_areas(slide: OpenedSlide) -> list[NamedArea]:
    """Return the areas of a slide that is complete: its totals, then its classes.

    Raises
    ------
    ResultError
        If the class map cannot be read.
    """
    record = slide.record
    members = list(_members(record["classes"]))
    cracks = _cracks(slide, [ids for _, _, ids in members])
    classes = {c["id"]: c for c in record["classes"]}
    return [_named(record, classes, kind, name, ids, n) for (kind, name, ids), n in zip(members, cracks, strict=True)]


def _members(classes: list[Mapping[str, Any]]) -> Iterator[tuple[Kind, str, list[int]]]:
    for name in ("tumor", "tissue"):
        ids = [c["id"] for c in classes if c[f"is_{name}"]]
        if ids:
            yield "total", name, ids
    for c in classes:
        yield "class", c["name"], [c["id"]]


def _named(
    record: Mapping[str, Any],
    classes: Mapping[int, Mapping[str, Any]],
    kind: Kind,
    name: str,
    ids: list[int],
    cracks: int,
) -> NamedArea:
    work, first, is_background = record["work"], classes[ids[0]], ids == [BACKGROUND_ID]
    of = first if kind == "class" else record[name]
    u_count_mm2 = u_count_of_cracks_mm2(cracks, work["work_mpp_x_um"] * work["work_mpp_y_um"] * 1e-6)
    return NamedArea(
        kind,
        name,
        all(classes[i]["is_tissue"] for i in ids),
        all(classes[i]["is_tumor"] for i in ids),
        of["n_px"],
        DatedArea(of["area_mm2"], record["calibration"]["relative_u_area"], u_count_mm2),
        first["signal_per_mm2"] if kind == "class" and not is_background else None,
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
