"""results: the named regions of one slide as they are shown: by the report and the notebook alike; pure."""

from wsi_area.frozen_value import frozen_value
from wsi_area.model.record.slide_regions import RegionOnRecord
from wsi_area.model.slide_result import CountedSlide
from wsi_area.results.tables.quantity import NONE, grouped, mm2_text, percent, signal_text

LISTED = 50
"""Regions that a page lists; the tables have all of them."""


@frozen_value
class RegionRow:
    """One region, as it is printed."""

    title: str  # its name, or its id where nobody named it
    region_class: str
    status: str  # empty where it is complete
    area: str  # mm², or level-0 px without a pixel size
    tissue: str  # percent of the region
    marked: str  # mm² of what is tumour, else of what is positive
    share: str  # of its tissue
    focus: str  # mm² of its largest
    signal: str  # mean over its tissue; NONE where none was kept


@frozen_value
class RegionsView:
    """The regions of a slide."""

    rows: tuple[RegionRow, ...]
    unit: str
    marked: str  # "tumour" or "positive"; empty where no class is either
    has_focus: bool
    signal: str  # its name; empty where no region has one
    text: str  # what is not in the rows


def regions_view(record: CountedSlide) -> RegionsView | None:
    """Return the regions of a slide, the first `LISTED` of them; None where nothing was named on it."""
    told = record.regions
    if told is None:
        return None
    first = told.listed[0] if told.listed else None
    marked = "" if first is None else _marked(first)
    has_area = record.mpp is not None
    rows = tuple(_row(region, marked, has_area) for region in told.listed[:LISTED])
    has_focus = marked == "tumour" and has_area
    return RegionsView(
        rows, "mm²" if has_area else "level-0 px", marked, has_focus, told.signal_name or "", _text(record)
    )


def _marked(region: RegionOnRecord) -> str:
    return "tumour" if region.n_px_tumor is not None else "positive" if region.n_px_positive is not None else ""


def _row(region: RegionOnRecord, marked: str, has_area: bool) -> RegionRow:
    px, mm2, share = (
        (region.n_px_tumor, region.tumor_area_mm2, region.tumor_pct_tissue)
        if marked == "tumour"
        else (region.n_px_positive, region.positive_area_mm2, region.positive_pct_tissue)
    )
    return RegionRow(
        title=region.name or region.region_id,
        region_class=region.region_class,
        status="" if region.status == "complete" else region.status,
        area=_amount(region.n_px, region.area_mm2, has_area),
        tissue=_percent(region.pct_tissue),
        marked=_amount(px, mm2, has_area),
        share=_percent(share),
        focus=mm2_text(region.largest_focus_mm2),
        signal=signal_text(None if region.signal is None else region.signal.mean),
    )


def _amount(n_px: int | None, area_mm2: float | None, has_area: bool) -> str:
    if has_area:
        return mm2_text(area_mm2)
    return NONE if n_px is None else grouped(n_px)


def _percent(value: float | None) -> str:
    return NONE if value is None else percent(value / 100)


def _text(record: CountedSlide) -> str:
    told = record.regions
    assert told is not None  # see the caller
    if told.not_assessed:
        return f"Not assessed: {told.not_assessed}."
    if not told.count and not told.left_aside:
        return "No region was drawn on this slide."
    parts = ["Regions may overlap: each is counted for itself."]
    if told.signal_name is not None:
        parts.append(f"The mean {told.signal_name} is over the pixels of the tissue classes.")
    if told.count > LISTED:
        parts.append(f"The first {LISTED} of {grouped(told.count)} are listed.")
    if told.incomplete:
        parts.append(f"{grouped(told.incomplete)} have pixels that could not be read.")
    if told.empty:
        parts.append(f"{grouped(told.empty)} hold no centre of a work pixel, so they have no pixel.")
    if told.left_aside:
        parts.append(f"{grouped(told.left_aside)} detections, cells, tiles or roots have no row.")
    return " ".join(parts)
