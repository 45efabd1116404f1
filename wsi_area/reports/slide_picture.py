"""reports: the picture of a slide with its classes, its tiles, its foci and its scale, in one frame."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from wsi_area.compute.class_picture import PictureGrid, majority_picture, outlined
from wsi_area.compute.scale_bar import ScaleBar, scale_bar
from wsi_area.errors import ResultError
from wsi_area.model.classes import OUTSIDE_ROI_CODE, UNREADABLE_CODE, UNSCANNED_CODE, ClassScheme, TissueClass
from wsi_area.model.ledger import LedgerLayout
from wsi_area.reports.documents import Record, mpp_of
from wsi_area.reports.embedded import LADDER, Rung, jpeg_address, png_address, reduced
from wsi_area.reports.tile_map import NOTHING_RGB, OUTSIDE_RGB, SKIPPED_RGB, UNREADABLE_RGB, TileMap, tile_map
from wsi_area.results.layout import SlideLayout
from wsi_area.results.store import ledger_rows, open_class_map
from wsi_area.results.thumbnail import UNSCANNED_RGB, Thumbnail, read_thumbnail

_RESERVED = {
    UNREADABLE_CODE: ("unreadable", UNREADABLE_RGB, "n_px_unreadable"),
    OUTSIDE_ROI_CODE: ("outside the region of interest", OUTSIDE_RGB, "n_px_outside_roi"),
    UNSCANNED_CODE: ("not scanned", UNSCANNED_RGB, "n_px_unscanned"),
}
_WIDEST_CSS_PX, _TALLEST_CSS_PX = 640, 520
_TILES_CSS_PX = 480  # the longer side of the tile picture, about
LISTED_FOCI = 10
"""Foci named one by one on the page and numbered on the picture, the largest first."""


@dataclass(frozen=True, slots=True)
class Frame:
    """The slide's rectangle: level-0 px across, and down in units of the same physical length."""

    width: float
    height: float
    y_scale: float  # units per level-0 px down; 1 where pixels are square or their size is unknown

    @property
    def css_width_px(self) -> int:
        """Return how wide the picture is shown where there is room."""
        return max(120, round(min(_WIDEST_CSS_PX, _TALLEST_CSS_PX * self.width / self.height)))


@dataclass(frozen=True, slots=True)
class Layer:
    """An image and how far it reaches in the frame from its origin on; what lies beyond is cut."""

    address: str
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class LegendEntry:
    """A colour and what it stands for."""

    colour: str
    text: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A numbered ring on the picture."""

    number: int
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class SlidePicture:
    """Everything to be drawn of a slide; ``photo`` is None where the run left no picture."""

    frame: Frame
    photo: Layer | None
    classes: Layer | None
    legend: tuple[LegendEntry, ...]
    marks: tuple[Mark, ...]
    bar: ScaleBar | None
    tiles: Layer | None
    tile_facts: TileMap | None
    notes: tuple[str, ...]  # why something is not shown


def slide_picture(layout: SlideLayout, record: Record, budget_bytes: int) -> SlidePicture:
    """Return the picture of a measured slide, embedded in at most about ``budget_bytes``."""
    mpp = mpp_of(record)
    y_scale = 1.0 if mpp is None else mpp.y / mpp.x
    frame = Frame(float(record["width_px"]), record["height_px"] * y_scale, y_scale)
    notes: list[str] = []
    tiles, facts = _tiles(layout, record, frame, notes)
    left = budget_bytes - (0 if tiles is None else len(tiles.address))
    photo, classes = _photo_and_classes(layout, record, frame, left, notes)
    return SlidePicture(
        frame,
        photo,
        classes,
        _legend(record),
        _marks(record, frame),
        None if mpp is None else scale_bar(frame.width, mpp),
        tiles,
        facts,
        tuple(notes),
    )


def scheme_of(record: Record) -> ClassScheme:
    """Return the classes of a slide's document."""
    flags = ("is_tissue", "is_tumor", "is_excluded")
    return ClassScheme(
        tuple(
            TissueClass(c["id"], c["name"], _rgb(c["color_rgb"]), **{flag: c[flag] for flag in flags})
            for c in record["classes"]
        )
    )


def _rgb(values: Any) -> tuple[int, int, int]:
    red, green, blue = (int(value) for value in values)
    return red, green, blue


def _photo_and_classes(
    layout: SlideLayout, record: Record, frame: Frame, budget_bytes: int, notes: list[str]
) -> tuple[Layer | None, Layer | None]:
    try:
        thumbnail = read_thumbnail(layout)
    except ResultError as error:
        notes.append(str(error))
        return None, None
    if thumbnail is None:
        notes.append(
            "The run left no picture of this slide (thumb.jpg), so there is none to show; run the same command "
            "again to have it made."
        )
        return None, None
    photo: Layer | None = None
    classes: Layer | None = None
    for rung in LADDER:
        photo = _photo(thumbnail, rung, frame)
        if len(photo.address) > budget_bytes:
            continue
        try:
            classes = _classes(layout, record, thumbnail, rung, frame)
        except (ResultError, OSError, ValueError, RuntimeError) as error:  # zarr names a torn chunk in many ways
            notes.append(f"The class map cannot be shown ({error}).")
            return photo, None
        if len(photo.address) + len(classes.address) <= budget_bytes:
            break
    return photo, classes


def _photo(thumbnail: Thumbnail, rung: Rung, frame: Frame) -> Layer:
    rgb = reduced(thumbnail.rgb, rung.reduction)
    return Layer(jpeg_address(rgb, rung.jpeg_quality), *_reach(rgb.shape, thumbnail, rung, frame))


def _reach(shape: tuple[int, ...], thumbnail: Thumbnail, rung: Rung, frame: Frame) -> tuple[float, float]:
    return (
        shape[1] * rung.reduction * thumbnail.box_x_l0_px,
        shape[0] * rung.reduction * thumbnail.box_y_l0_px * frame.y_scale,
    )


def _classes(layout: SlideLayout, record: Record, thumbnail: Thumbnail, rung: Rung, frame: Frame) -> Layer:
    """Return the class map on the very grid of the photograph, one picture pixel over the other."""
    work = record["work"]
    level = record["levels"][work["level"]]
    per_work_px = [work["reduce_factor"] * level[name] for name in ("downsample_x", "downsample_y")]
    height, width = (-(-side // rung.reduction) for side in thumbnail.rgb.shape[:2])
    grid = PictureGrid(
        width,
        height,
        rung.reduction * thumbnail.box_x_l0_px / per_work_px[0],
        rung.reduction * thumbnail.box_y_l0_px / per_work_px[1],
    )
    colours = {c["id"]: _rgb(c["color_rgb"]) for c in record["classes"]}
    colours |= {code: colour for code, (_, colour, key) in _RESERVED.items() if record["counts"][key]}
    picture = majority_picture(open_class_map(layout), grid, sorted(colours))
    return Layer(png_address(*outlined(picture, colours)), *_reach((height, width), thumbnail, rung, frame))


def _tiles(layout: SlideLayout, record: Record, frame: Frame, notes: list[str]) -> tuple[Layer | None, TileMap | None]:
    try:
        rows = ledger_rows(layout)
    except ResultError as error:
        notes.append(f"The tiles cannot be shown: {error}")
        return None, None
    scheme = scheme_of(record)
    if rows.shape[-1] != len(LedgerLayout(len(scheme.classes)).columns):
        notes.append(f"The tiles cannot be shown: the ledger is not of {len(scheme.classes)} classes.")
        return None, None
    if rows.shape[0] * rows.shape[1] == 1:
        notes.append("No picture of the tiles: the slide is a single tile, and the table of areas says all of it.")
        return None, None
    square_px = max(1, _TILES_CSS_PX // max(rows.shape[:2]))
    facts = tile_map(rows, scheme, square_px)
    work = record["work"]
    level = record["levels"][work["level"]]
    tile_x, tile_y = (work["tile_px"] * work["reduce_factor"] * level[f"downsample_{axis}"] for axis in "xy")
    width, height = rows.shape[1] * tile_x, rows.shape[0] * tile_y * frame.y_scale
    return Layer(png_address(facts.indices, facts.palette), width, height), facts


def _legend(record: Record) -> tuple[LegendEntry, ...]:
    shown = [c for c in record["classes"] if c["id"] and c["n_px"]]
    entries = [
        LegendEntry(_hex(c["color_rgb"]), c["name"] + (" (excluded)" if c["is_excluded"] else "")) for c in shown
    ]
    reserved = [LegendEntry(_hex(rgb), text) for text, rgb, key in _RESERVED.values() if record["counts"][key]]
    return (*entries, *reserved)


def tile_legend(facts: TileMap) -> tuple[LegendEntry, ...]:
    """Return the colours of a tile picture that are no share, as far as it has any."""
    kinds = (
        (facts.skipped, SKIPPED_RGB, "skipped as bare glass"),
        (facts.nothing, NOTHING_RGB, "not scanned"),
        (facts.outside, OUTSIDE_RGB, "outside the region of interest"),
        (facts.unreadable, UNREADABLE_RGB, "unreadable"),
    )
    return tuple(LegendEntry(_hex(rgb), f"{text}: {count}") for count, rgb, text in kinds if count)


def _hex(rgb: Any) -> str:
    return "#" + bytes(_rgb(rgb)).hex()


def _marks(record: Record, frame: Frame) -> tuple[Mark, ...]:
    listed = (record.get("foci") or {}).get("listed") or ()
    return tuple(
        Mark(number, float(focus["centroid_x_l0_px"]), float(focus["centroid_y_l0_px"]) * frame.y_scale)
        for number, focus in enumerate(listed[:LISTED_FOCI], start=1)
        if _is_placed(focus)
    )


def _is_placed(focus: Mapping[str, Any]) -> bool:
    place = [focus.get("centroid_x_l0_px"), focus.get("centroid_y_l0_px")]
    return all(isinstance(p, int | float) and np.isfinite(p) for p in place)
