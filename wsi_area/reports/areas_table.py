"""reports: the areas of one slide as table rows, and the arithmetic of the one that counts most; pure."""

from collections.abc import Iterator
from typing import Any

from wsi_area.compute.count.area import area_mm2
from wsi_area.compute.count.explain import explain_area, from_mpp
from wsi_area.compute.quantity_text import with_mm2
from wsi_area.frozen_value import frozen_value
from wsi_area.model.calibration import Mpp
from wsi_area.model.record.slide_areas import COVERAGE_95, ClassOnRecord
from wsi_area.model.record.slide_foci import Focus
from wsi_area.model.record.slide_origin import RoiOutlines
from wsi_area.model.slide_result import CountedSlide
from wsi_area.results.tables.adjusted_text import adjusted_lines
from wsi_area.results.tables.light_text import envelope_text
from wsi_area.results.tables.made_of import headline_made_of, tissue_role
from wsi_area.results.tables.quantity import NONE, grouped, mm2_text
from wsi_area.results.tables.shown_areas import class_area, total_areas
from wsi_area.results.tables.step_text import step_lines
from wsi_area.results.tables.tissue_name import tissue_name


@frozen_value
class AreaRow:
    """One line of the table, as it is printed."""

    kind: str  # class, total or account
    name: str
    role: str  # what it counts as
    n_px: str
    area: str  # mm² ± pixel size
    filled: str = NONE  # mm² with holes counted in
    outline: str = NONE  # mm² that its drawn outlines enclose
    of_tissue: str = NONE
    colour: str | None = None


@frozen_value
class AreasTable:
    """Every class, the totals, and what belongs to no class: all of it adds up to the slide."""

    rows: tuple[AreaRow, ...]
    has_filled: bool
    has_outline: bool
    has_area: bool
    share_of: str  # what a share is a part of; empty where nothing is tissue
    sum_text: str
    worked: str  # one line of arithmetic
    drawn: tuple[str, ...]  # a drawn or an adjusted area beside the counted one, a sentence each
    steps: tuple[str, ...]  # what each step took or added, a line each


def areas_table(record: CountedSlide) -> AreasTable:
    """Return the areas of a measured slide; whatever has no pixel size has pixels only."""
    mpp = record.mpp
    filled = None if record.foci is None else record.foci.filled_area_mm2
    tissue = tissue_name([record])
    rows = (*_class_rows(record), *_total_rows(record, filled), *_account_rows(record, mpp))
    return AreasTable(
        rows,
        filled is not None,
        any(row.outline != NONE for row in rows),
        mpp is not None,
        tissue or "",
        _sum_text(record),
        worked_line(record),
        (*drawn_lines(record), *adjusted_lines(record)),
        step_lines(record),
    )


def _class_rows(record: CountedSlide) -> Iterator[AreaRow]:
    outlines = {entry.class_: mm2_text(entry.area_mm2) for entry in record.outlines}
    for c in record.classes:
        shown, outline = class_area(record, c), outlines.get(c.name, NONE)
        colour = "#" + bytes(c.color_rgb).hex()
        yield AreaRow(
            "class",
            c.name,
            _role(c),
            shown.px_text,
            shown.area_text,
            outline=outline,
            of_tissue=shown.share,
            colour=colour,
        )


def _role(c: ClassOnRecord) -> str:
    return _counts_as(c) if c.role in (None, "tumor") else f"{_counts_as(c)}, {c.role}"


def _counts_as(c: ClassOnRecord) -> str:
    if c.is_excluded:
        return "excluded from tissue"
    if c.is_tissue:
        return "tissue, tumour" if c.is_tumor else "tissue, positive" if c.is_positive else "tissue"
    return "background" if c.id == 0 else "not tissue"


def _total_rows(record: CountedSlide, filled_mm2: float | None) -> Iterator[AreaRow]:
    around = record.tissue_envelope
    for total in total_areas(record):
        role = {
            "headline": headline_made_of(record),
            "tissue": tissue_role(record),
            "envelope": "" if around is None else envelope_text(around),
        }.get(total.kind, "total")
        title = total.name if total.kind == "envelope" else f"all {total.name}"
        filled = mm2_text(filled_mm2) if total.kind == "headline" else NONE
        yield AreaRow("total", title, role, total.px_text, total.area_text, filled, of_tissue=total.share)
    excluded = [c.n_px for c in record.classes if c.is_excluded]
    if excluded:
        mpp = None if record.analyzed.area_mm2 is None else record.mpp
        yield AreaRow("total", "all excluded", "total", grouped(sum(excluded)), _exact(sum(excluded), mpp))


def _account_rows(record: CountedSlide, mpp: Mpp | None) -> Iterator[AreaRow]:
    counts, roi = record.counts, record.roi
    if roi:
        n_px = counts.n_px_total - counts.n_px_outside_roi
        drawn = mm2_text(roi.outline_area_mm2 if isinstance(roi, RoiOutlines) else None)
        role = "all but what is outside"
        yield AreaRow("account", "region of interest", role, grouped(n_px), _exact(n_px, mpp), outline=drawn)
    if roi or counts.n_px_outside_roi:  # else nobody drew one
        yield _account("outside the region of interest", "in no class", counts.n_px_outside_roi, mpp)
    yield _account("not scanned", "in no class", counts.n_px_unscanned, mpp)
    yield _account("unreadable", "in no class", counts.n_px_unreadable, mpp)
    if counts.n_px_unsampled:  # of an estimate alone
        yield _account("not sampled", "estimated in the classes", counts.n_px_unsampled, mpp)
    yield _account("whole slide", "width × height", counts.n_px_total, mpp)


def _account(name: str, role: str, n_px: int, mpp: Mpp | None) -> AreaRow:
    return AreaRow("account", name, role, grouped(n_px), _exact(n_px, mpp))


def _exact(n_px: int, mpp: Mpp | None) -> str:
    return NONE if mpp is None else mm2_text(area_mm2(n_px, mpp))


def _sum_text(record: CountedSlide) -> str:
    counts = record.counts
    size = f"{grouped(record.width_px)} × {grouped(record.height_px)}"
    if counts.n_px_unsampled:
        return (
            f"Of {size} = {grouped(counts.n_px_total)} px, {grouped(counts.n_px_unsampled)} px were not sampled. The "
            "areas of the classes are estimates of the whole picture, and hold these too."
        )
    return (
        f"The classes and what is in no class add up to {grouped(counts.all_px)} px, which is {size}: "
        "every level-0 pixel is in exactly one line."
    )


def worked_line(record: CountedSlide) -> str:
    """Return in one line how the area of the tumour, or of what is positive, or of the tissue is made; or nothing."""
    mpp = record.mpp
    if mpp is None or record.analyzed.area_mm2 is None:
        return ""
    headline = record.headline
    what, n_px = ("tissue", record.tissue.n_px) if headline.n_px is None else (headline.title, headline.n_px)
    if n_px is None:
        return ""
    explained = explain_area(n_px, from_mpp(mpp, record.calibration.source or ""), what=f"{what} pixels")
    return (
        f"{grouped(explained.n_px)} {what} px × {grouped(mpp.x)} µm × {grouped(mpp.y)} µm "
        f"= {grouped(explained.steps[-2].value)} µm² = {grouped(explained.area_mm2)} mm²"
    )


def drawn_lines(record: CountedSlide) -> tuple[str, ...]:
    """Return for each class that was drawn what its outlines enclose, beside the pixels that were counted in them."""
    by_name = {entry.name: entry for entry in record.classes}
    where = " that lie in the region of interest" if record.roi else ""
    whole = " on the whole slide" if record.roi else ""
    lines = []
    for outline in record.outlines:
        name, half_mm2 = outline.class_, COVERAGE_95 * outline.u_count_mm2
        lines.append(
            f"The outlines of {name} enclose {with_mm2(mm2_text(outline.area_mm2))}{whole}, the pixels counted in "
            f"them{where} are {with_mm2(mm2_text(by_name[name].area_mm2))}; counting in work pixels is good to ± "
            f"{grouped(float(f'{half_mm2:.2g}'))} mm² (95\u202f%)."
        )
    return tuple(lines)


def foci_rows(record: CountedSlide, most: int) -> tuple[tuple[Any, ...], ...]:
    """Return number, mm², largest extent in mm and place in level-0 px of the first foci of the list."""
    mpp = record.mpp
    return tuple(
        (
            number,
            mm2_text(focus.area_mm2) if mpp is not None else NONE,
            mm2_text(focus.max_feret_mm),
            _place(focus),
        )
        for number, focus in enumerate(() if record.foci is None else record.foci.listed[:most], start=1)
    )


def _place(focus: Focus) -> str:
    x, y = focus.centroid_x_l0_px, focus.centroid_y_l0_px
    return NONE if x is None or y is None else f"{grouped(round(x))}, {grouped(round(y))}"
