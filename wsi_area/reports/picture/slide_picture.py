"""reports: the picture of a slide with its classes, its tiles, its foci and its scale, in one frame."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from wsi_area.compute.picture.scale_bar import ScaleBar, scale_bar
from wsi_area.errors import ResultError
from wsi_area.frozen_value import frozen_value
from wsi_area.model.classes import ClassScheme
from wsi_area.model.ledger import LedgerLayout
from wsi_area.model.slide_result import CountedSlide
from wsi_area.reports.picture.embedded import png_address
from wsi_area.reports.picture.focus_marks import Mark, focus_marks
from wsi_area.reports.picture.paper import PaperPicture, paper_picture
from wsi_area.reports.picture.photo_layers import Frame, Layer, photo_layers
from wsi_area.reports.picture.region_outlines import RegionOutline, region_outlines
from wsi_area.reports.picture.tile_map import NOTHING_RGB, SKIPPED_RGB, UNSAMPLED_RGB, TileFacts, tile_map
from wsi_area.results.class_map.class_codes import OUTSIDE_RGB, UNREADABLE_RGB, reserved_in
from wsi_area.results.class_map.ledger import ledger_rows
from wsi_area.results.layout import SlideLayout

_TILES_CSS_PX = 480  # the longer side of the tile picture, about


@frozen_value
class LegendEntry:
    """A colour and what it stands for."""

    colour: str
    text: str


@frozen_value
class SlidePicture:
    """Everything to be drawn of a slide; ``photo`` is None where the run left no picture."""

    frame: Frame
    photo: Layer | None
    classes: Layer | None  # each in its very colour
    outlines: Layer | None  # of the classes; None too where they lie in no patches
    legend: tuple[LegendEntry, ...]
    marks: tuple[Mark, ...]
    bar: ScaleBar | None
    tiles: Layer | None
    tile_facts: TileFacts | None
    notes: tuple[str, ...]  # why something is not shown
    regions: tuple[RegionOutline, ...] = ()
    paper: PaperPicture | None = None  # where it goes to paper

    @property
    def on_paper(self) -> "SlidePicture":
        """Return the same with what paper shows."""
        if self.photo is None:
            return self
        return replace(self, paper=paper_picture(self.photo, self.classes, self.outlines))


def slide_picture(layout: SlideLayout, record: CountedSlide, budget_bytes: int) -> SlidePicture:
    """Return the picture of a measured slide, embedded in at most about ``budget_bytes``."""
    mpp = record.mpp
    y_scale = 1.0 if mpp is None else mpp.y / mpp.x
    frame = Frame(float(record.width_px), record.height_px * y_scale, y_scale)
    notes: list[str] = []
    rows = _ledger(layout, notes)
    tiles, facts = (None, None) if rows is None else _tiles(rows, record, frame, notes)
    left = budget_bytes - (0 if tiles is None else len(tiles.address))
    layers = photo_layers(layout, record, rows, frame, left, notes)
    marks = focus_marks(record, layers, frame)
    regions = region_outlines(layout, record, frame, marks, notes)
    return SlidePicture(
        frame,
        layers.photo,
        layers.classes,
        layers.outlines,
        _legend(record),
        marks,
        None if mpp is None else scale_bar(frame.width, mpp),
        tiles,
        facts,
        tuple(notes),
        tuple(regions),
    )


def _ledger(layout: SlideLayout, notes: list[str]) -> NDArray[np.int64] | None:
    try:
        return ledger_rows(layout)
    except ResultError as error:
        notes.append(f"The tiles cannot be shown: {error}")
        return None


def _tiles(
    rows: NDArray[np.int64], record: CountedSlide, frame: Frame, notes: list[str]
) -> tuple[Layer | None, TileFacts | None]:
    scheme = ClassScheme(tuple(c.tissue_class for c in record.classes))
    if not LedgerLayout(len(scheme.classes)).fits(rows.shape[-1]):
        notes.append(f"The tiles cannot be shown: the ledger is not of {len(scheme.classes)} classes.")
        return None, None
    if rows.shape[0] * rows.shape[1] == 1:
        notes.append("No picture of the tiles: the slide is a single tile, and the table of areas says all of it.")
        return None, None
    square_px = max(1, _TILES_CSS_PX // max(rows.shape[:2]))
    found = tile_map(rows, scheme, square_px)
    work = record.work
    tile_x, tile_y = (work.tile_px * per_work_px for per_work_px in record.work_px_l0)
    width, height = rows.shape[1] * tile_x, rows.shape[0] * tile_y * frame.y_scale
    return Layer(png_address(found.indices, found.palette), width, height), found.facts


def _legend(record: CountedSlide) -> tuple[LegendEntry, ...]:
    shown = [c for c in record.classes if c.id and c.n_px and not record.is_estimate]
    entries = [LegendEntry(_hex(c.color_rgb), c.name + (" (excluded)" if c.is_excluded else "")) for c in shown]
    reserved = [LegendEntry(_hex(code.color_rgb), code.text) for code in reserved_in(record).values()]
    return (*entries, *reserved)


def tile_legend(facts: TileFacts, *, is_estimate: bool = False) -> tuple[LegendEntry, ...]:
    """Return the colours of a tile picture that are no share, as far as it has any."""
    kinds = (
        (facts.skipped, SKIPPED_RGB, "skipped as bare glass"),
        (facts.nothing, NOTHING_RGB, "not drawn, or not scanned" if is_estimate else "not scanned"),
        (facts.outside, OUTSIDE_RGB, "outside the region of interest"),
        (facts.unreadable, UNREADABLE_RGB, "unreadable"),
        (facts.unsampled, UNSAMPLED_RGB, "not sampled"),
    )
    return tuple(LegendEntry(_hex(rgb), f"{text}: {count}") for count, rgb, text in kinds if count)


def _hex(rgb: tuple[int, int, int]) -> str:
    return "#" + bytes(rgb).hex()
