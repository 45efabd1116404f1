"""reports: the areas of one slide as table rows, and the arithmetic of the one that counts most; pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from wsi_area.compute.area import area_mm2
from wsi_area.compute.explain import explain_area, from_mpp
from wsi_area.model.calibration import Mpp
from wsi_area.reports.documents import Record, mpp_of
from wsi_area.results.quantity import NONE, area_text, grouped, mm2_text, share_text


@dataclass(frozen=True, slots=True)
class AreaRow:
    """One line of the table, as it is printed."""

    name: str
    role: str  # what it counts as
    colour: str | None
    n_px: str
    area: str  # mm² ± 95 %
    filled: str  # mm² with holes counted in
    of_tissue: str
    kind: str  # class, total or account


@dataclass(frozen=True, slots=True)
class AreasTable:
    """Every class, the totals, and what belongs to no class: all of it adds up to the slide."""

    rows: tuple[AreaRow, ...]
    has_filled: bool
    has_area: bool
    sum_text: str
    worked: str  # one line of arithmetic


def areas_table(record: Record) -> AreasTable:
    """Return the areas of a measured slide; whatever has no pixel size has pixels only."""
    mpp = mpp_of(record)
    filled = (record.get("foci") or {}).get("filled_area_mm2")
    rows = (*_class_rows(record), *_total_rows(record, filled), *_account_rows(record, mpp))
    return AreasTable(rows, filled is not None, mpp is not None, _sum_text(record), worked_line(record))


def _class_rows(record: Record) -> Iterator[AreaRow]:
    tissue_px = record["tissue"]["n_px"]
    for c in record["classes"]:
        yield AreaRow(
            c["name"],
            _role(c),
            "#" + bytes(c["color_rgb"]).hex(),
            grouped(c["n_px"]),
            area_text(c["area_mm2"], c["area_u_mm2"]),
            NONE,
            share_text(c["n_px"], tissue_px) if c["is_tissue"] else NONE,
            "class",
        )


def _role(c: Record) -> str:
    if c["is_excluded"]:
        return "excluded from tissue"
    return "tissue, tumour" if c["is_tumor"] else "tissue" if c["is_tissue"] else "background"


def _total_rows(record: Record, filled_mm2: float | None) -> Iterator[AreaRow]:
    tumor, tissue, rel = record["tumor"], record["tissue"], record["calibration"]["relative_u_area"]
    if tumor["n_px"] is not None:
        share = share_text(tumor["n_px"], tissue["n_px"])
        filled = NONE if filled_mm2 is None else mm2_text(filled_mm2)
        area = area_text(tumor["area_mm2"], tumor["area_u_mm2"])
        yield AreaRow("all tumour", "total", None, grouped(tumor["n_px"]), area, filled, share, "total")
    u = None if rel is None or tissue["area_mm2"] is None else tissue["area_mm2"] * rel
    area = area_text(tissue["area_mm2"], u)
    yield AreaRow("all tissue", "total", None, grouped(tissue["n_px"]), area, NONE, NONE, "total")
    excluded_px = sum(c["n_px"] for c in record["classes"] if c["is_excluded"])
    if any(c["is_excluded"] for c in record["classes"]):
        area = NONE if (mpp := mpp_of(record)) is None else mm2_text(area_mm2(excluded_px, mpp))
        yield AreaRow("all excluded", "total", None, grouped(excluded_px), area, NONE, NONE, "total")


def _account_rows(record: Record, mpp: Mpp | None) -> Iterator[AreaRow]:
    counts = record["counts"]
    for name, key in (
        ("not scanned", "n_px_unscanned"),
        ("outside the region of interest", "n_px_outside_roi"),
        ("unreadable", "n_px_unreadable"),
        ("whole slide", "n_px_total"),
    ):
        n_px = counts[key]
        if key == "n_px_outside_roi" and not n_px and not record.get("roi"):
            continue  # nobody drew one
        area = NONE if mpp is None else mm2_text(area_mm2(n_px, mpp))
        role = "width × height" if key == "n_px_total" else "in no class"
        yield AreaRow(name, role, None, grouped(n_px), area, NONE, NONE, "account")


def _sum_text(record: Record) -> str:
    counts = record["counts"]
    parts = [*counts["n_px_by_class"], *(counts[f"n_px_{n}"] for n in ("unscanned", "outside_roi", "unreadable"))]
    size = f"{grouped(record['width_px'])} × {grouped(record['height_px'])}"
    return (
        f"The classes and what is in no class add up to {grouped(sum(parts))} px, which is {size}: "
        "every level-0 pixel is in exactly one line."
    )


def worked_line(record: Record) -> str:
    """Return the arithmetic of the tumour's area, or of the tissue's, in one line; empty without a pixel size."""
    mpp = mpp_of(record)
    if mpp is None:
        return ""
    what, counted = ("tumour", record["tumor"]) if record["tumor"]["n_px"] is not None else ("tissue", record["tissue"])
    source = record["calibration"]["source"]
    explained = explain_area(counted["n_px"], from_mpp(mpp, source), what=f"{what} pixels")
    return (
        f"{grouped(explained.n_px)} {what} px × {grouped(mpp.x)} µm × {grouped(mpp.y)} µm "
        f"= {grouped(explained.steps[-2].value)} µm² = {grouped(explained.area_mm2)} mm²"
    )


def foci_rows(record: Record, most: int) -> tuple[tuple[Any, ...], ...]:
    """Return number, mm², largest extent in mm and place in level-0 px of the first foci of the list."""
    mpp = mpp_of(record)
    return tuple(
        (
            number,
            mm2_text(focus.get("area_mm2")) if mpp is not None else NONE,
            mm2_text(focus.get("max_feret_mm")),
            _place(focus),
        )
        for number, focus in enumerate(((record.get("foci") or {}).get("listed") or ())[:most], start=1)
    )


def _place(focus: Record) -> str:
    x, y = focus.get("centroid_x_l0_px"), focus.get("centroid_y_l0_px")
    return NONE if x is None or y is None else f"{grouped(round(x))}, {grouped(round(y))}"
