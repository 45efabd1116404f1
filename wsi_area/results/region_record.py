"""results: named regions with what was counted in them, as the result and the table of regions say them."""

from collections.abc import Sequence

import shapely

from wsi_area.compute.count.area import area_mm2
from wsi_area.compute.count.ratios import ClassPx, ratios_of
from wsi_area.compute.regions.merged_tallies import RegionCounts
from wsi_area.model.calibration import Mpp
from wsi_area.model.classes import BACKGROUND_ID, ClassScheme, TissueClass
from wsi_area.model.drawn import NamedRegion, NamedRegions
from wsi_area.model.record.slide_regions import (
    LISTED_MOST,
    ClassInRegion,
    RegionFile,
    RegionOnRecord,
    RegionRatios,
    RegionsOnRecord,
)
from wsi_area.model.record.slide_signal import SignalInRegion
from wsi_area.segmenters.protocol import Signal

MASK = "mask"
"""The kind of a drawing that is a picture of codes."""


def rows_of(
    named: NamedRegions,
    counts: RegionCounts,
    scheme: ClassScheme,
    mpp: Mpp | None,
    relative_u_area: float | None,
    signal: Signal | None = None,
    *,
    has_layer: bool,
) -> list[RegionOnRecord]:
    """Return each region with what lies in it.

    Parameters
    ----------
    named, counts, scheme, mpp
        The regions, what was counted in each, the classes, µm per level-0 pixel.
    relative_u_area : float or None
        Standard uncertainty of an area over the area, from the pixel size.
    signal : Signal or None
        Whose map was kept beside the class map; None for none.
    has_layer : bool
        Whether the tissue of the slide is a layer of its own; else it is the tissue classes.
    """
    outlines = shapely.from_wkb([region.wkb_l0_px for region in named.regions])
    areas_px2 = shapely.area(outlines).tolist()
    tissue_of = counts.tissue_px if has_layer else counts.px
    mask_files = [number for number, drawn in enumerate(named.drawn) if drawn.kind == MASK]
    return [
        _with_signal(
            _row(region, px, tissue_px, focus_px, area_px2, scheme, mpp, has_layer), scheme, px, steps, mpp, signal
        ).model_copy(
            update={
                "ratios": _ratios(scheme, px),
                "relative_u_area": None if mpp is None else relative_u_area,
                "mask_file": None if region.mask_code is None else mask_files[region.mask_code[0]],
                "mask_code": None if region.mask_code is None else region.mask_code[1],
            }
        )
        for region, px, tissue_px, steps, focus_px, area_px2 in zip(
            named.regions, counts.px.tolist(), tissue_of.tolist(), counts.signal.tolist(),
            counts.largest_focus_px.tolist(), areas_px2, strict=True,
        )
    ]  # fmt: skip


def _with_signal(
    row: RegionOnRecord,
    scheme: ClassScheme,
    px: Sequence[int],
    steps: Sequence[int],
    mpp: Mpp | None,
    signal: Signal | None,
) -> RegionOnRecord:
    """Return a region with its signal, over the pixels of the tissue classes, and with that of each class."""
    if signal is None:
        return row
    scale, tissue = signal.micro_scale, [c.class_id for c in scheme.classes if c.is_tissue]
    n_px, sum_px = sum(px[i] for i in tissue), sum(steps[i] for i in tissue) / scale
    mean_of = {
        c.name: steps[c.class_id] / scale / px[c.class_id]
        for c in scheme.classes
        if c.class_id != BACKGROUND_ID and px[c.class_id]
    }
    of_region = SignalInRegion(
        name=signal.name,
        n_px=n_px,
        integrated_px=sum_px,
        mean=sum_px / n_px if n_px else None,
        integrated_mm2=None if mpp is None else area_mm2(sum_px, mpp),
        sum_per_mm2=None if mpp is None or not n_px else sum_px / area_mm2(n_px, mpp),
    )
    classes = tuple(c.model_copy(update={"mean_signal": mean_of.get(c.name)}) for c in row.classes)
    return row.model_copy(update={"signal": of_region, "classes": classes})


def _ratios(scheme: ClassScheme, px: Sequence[int]) -> RegionRatios:
    counted = [ClassPx(c, px[c.class_id]) for c in scheme.classes]
    found: dict[str, float | None] = {ratio.name: ratio.value for ratio in ratios_of(counted)}
    return RegionRatios.model_validate({name: found.get(name) for name in RegionRatios.model_fields})


def _row(
    region: NamedRegion,
    px: Sequence[int],
    tissue_px: Sequence[int],
    focus_px: int,
    outline_px2: float,
    scheme: ClassScheme,
    mpp: Mpp | None,
    has_layer: bool,
) -> RegionOnRecord:
    classes, tumor, positive = scheme.classes, scheme.names_tumor, any(c.is_positive for c in scheme.classes)
    unscanned, outside, unreadable = px[len(classes) :]
    tissue = sum(tissue_px) if has_layer else sum(px[c.class_id] for c in classes if c.is_tissue)
    classed = sum(px[: len(classes)])

    def of(counted: Sequence[int], flag: str, asked: bool) -> int | None:
        return sum(counted[c.class_id] for c in classes if getattr(c, flag)) if asked else None

    def mm2(n_px: float | None) -> float | None:
        return None if n_px is None or mpp is None else area_mm2(n_px, mpp)

    def in_region(c: TissueClass) -> ClassInRegion:
        n_px, is_part = px[c.class_id], c.is_tissue and tissue
        return ClassInRegion(
            name=c.name,
            n_px=n_px,
            area_mm2=mm2(n_px),
            pct_region=100 * n_px / classed if classed else None,
            pct_tissue=100 * tissue_px[c.class_id] / tissue if is_part else None,
        )

    outline = None if region.wkb_l0_px is None else outline_px2
    tumor_px, positive_px = of(px, "is_tumor", tumor), of(px, "is_positive", positive)
    return RegionOnRecord(
        region_id=region.region_id,
        name=region.name,
        region_class=region.region_class,
        parent_id=region.parent_id,
        source=region.source,
        status=region.status or ("incomplete" if unreadable else "complete" if sum(px) else "empty"),
        n_px=sum(px),
        area_mm2=mm2(sum(px)),
        outline_area_px=outline,
        outline_area_mm2=mm2(outline),
        n_px_unscanned=unscanned,
        n_px_outside_roi=outside,
        n_px_unreadable=unreadable,
        n_px_tissue=tissue,
        tissue_area_mm2=mm2(tissue),
        n_px_tumor=tumor_px,
        tumor_area_mm2=mm2(tumor_px),
        n_px_tumor_in_tissue=of(tissue_px, "is_tumor", tumor),
        n_px_positive=positive_px,
        positive_area_mm2=mm2(positive_px),
        n_px_positive_in_tissue=of(tissue_px, "is_positive", positive),
        largest_focus_px=focus_px if tumor else None,
        largest_focus_mm2=mm2(focus_px if tumor else None),
        classes=tuple(in_region(c) for c in classes),
    )


def regions_on_record(named: NamedRegions, rows: Sequence[RegionOnRecord]) -> RegionsOnRecord:
    """Return the named regions of a slide as its result has them."""
    return RegionsOnRecord(
        count=len(rows),
        incomplete=sum(row.n_px_unreadable > 0 for row in rows),
        empty=sum(row.n_px == 0 for row in rows),
        left_aside=named.left_aside,
        not_assessed=named.not_assessed,
        files=tuple(
            RegionFile(path=d.path, kind=d.kind, sha256=d.sha256, scale_l0_px_per_unit=d.scale) for d in named.drawn
        ),
        listed=tuple(rows[:LISTED_MOST]),
    )
