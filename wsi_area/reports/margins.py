"""reports: the bands and hot spots of one slide as table rows, with the picture of every window; pure but for that."""

import base64
from collections.abc import Sequence
from itertools import pairwise

from wsi_area.frozen_value import frozen_value
from wsi_area.model.record.slide_bands import Band, BandsOnRecord
from wsi_area.model.record.slide_hotspots import HotSpotsOnRecord
from wsi_area.model.slide_result import CountedSlide
from wsi_area.results.layout import HEAT_MAP_NAME, SlideLayout
from wsi_area.results.tables.quantity import NONE, grouped, mm2_text, signal_text

MOST_PICTURE_BYTES = 150_000
"""A larger picture is left out of the page; it lies beside the slide's result."""


@frozen_value
class BandRow:
    """One band, as it is printed."""

    border: str
    band: str
    tissue: str  # mm²
    by_class: str
    positive: str  # percent of the band's tissue; NONE where no class is positive
    signal: str  # mean over the band's tissue; NONE where none was kept


@frozen_value
class SpotRow:
    """One hot spot, as it is printed."""

    title: str
    place: str
    tissue: str
    positive: str
    share: str
    times: str


@frozen_value
class MarginsView:
    """The bands and hot spots of a slide."""

    bands: tuple[BandRow, ...]
    spots: tuple[SpotRow, ...]
    spots_text: str  # empty where none were asked for
    has_positive: bool
    signal: str  # its name; empty where no band has one
    heat_map: str  # data address; empty where there is none
    heat_text: str


def margins_view(record: CountedSlide, layout: SlideLayout | None) -> MarginsView | None:
    """Return the bands and hot spots of a slide; None where neither was asked for.

    Parameters
    ----------
    record : CountedSlide
    layout : SlideLayout or None
        Where its files lie; None leaves the picture out.
    """
    bands, spots = record.bands, record.hotspots
    if bands is None and spots is None:
        return None
    rows = () if bands is None else _bands(bands)
    heat = "" if spots is None or layout is None or not spots.listed else _heat_map(layout)
    return MarginsView(
        rows,
        () if spots is None else tuple(_spots(spots)),
        "" if spots is None else _spots_text(spots),
        any(row.positive != NONE for row in rows),
        record.signal.name if record.signal is not None and bands is not None and bands.has_signal else "",
        heat,
        "" if spots is None or not heat else _heat_text(spots),
    )


def _bands(told: BandsOnRecord) -> tuple[BandRow, ...]:
    found: list[BandRow] = []
    edges = list(pairwise(told.edges_um))
    for border in told.border_classes:
        for from_um, to_um in edges:
            rows = [b for b in told.listed if (b.border_class, b.from_um, b.to_um) == (border, from_um, to_um)]
            share = next((b.positive_pct for b in rows if b.positive_pct is not None), None)
            classes = ", ".join(f"{b.class_} {mm2_text(b.area_mm2)}" for b in rows if b.n_px)
            found.append(
                BandRow(
                    border,
                    f"{from_um:g} to {to_um:g}".replace("-", "−"),
                    mm2_text(sum(b.area_mm2 for b in rows)),
                    classes or NONE,
                    NONE if share is None else f"{share:.1f} %",
                    _mean_signal(rows),
                )
            )
    return tuple(found)


def _mean_signal(rows: Sequence[Band]) -> str:
    """Return the mean of the signal over all of a band's pixels that have one."""
    known = [(band.mean_signal * band.n_px, band.n_px) for band in rows if band.mean_signal is not None]
    return signal_text(sum(of for of, _ in known) / sum(n for _, n in known) if known else None)


def _spots(told: HotSpotsOnRecord) -> list[SpotRow]:
    return [
        SpotRow(
            f"{spot.window_mm2:.4g} mm², no. {spot.rank}",
            f"{grouped(round(spot.center_x_px))}, {grouped(round(spot.center_y_px))}",
            mm2_text(spot.tissue_mm2),
            mm2_text(spot.positive_mm2),
            f"{spot.positive_pct:.1f} %",
            f"{spot.times_mean:.2f}",
        )
        for spot in told.listed
    ]


def _spots_text(told: HotSpotsOnRecord) -> str:
    what = ", ".join(told.positive_classes)
    if not told.listed:
        return f"No window of {_areas(told)} mm² with enough tissue holds any of {what}."
    mean = "" if told.mean_pct is None else f"; of all tissue it is {told.mean_pct:.1f} %"
    return f"Windows ({told.shape}) with the most of {what}, none over another{mean}."


def _areas(told: HotSpotsOnRecord) -> str:
    return ", ".join(f"{area:.4g}" for area in told.windows_mm2)


def _heat_text(told: HotSpotsOnRecord) -> str:
    top = max(s.positive_mm2 for s in told.listed if s.window_mm2 == told.listed[0].window_mm2)
    return (
        f"Every window of {told.windows_mm2[0]:.4g} mm², by its centre: violet has none, yellow the most of any; "
        f"the best listed has {mm2_text(top)} mm²."
    )


def _heat_map(layout: SlideLayout) -> str:
    try:
        content = (layout.root / HEAT_MAP_NAME).read_bytes()
    except OSError:
        return ""
    if len(content) > MOST_PICTURE_BYTES:
        return ""
    return f"data:image/png;base64,{base64.b64encode(content).decode()}"
