"""slides: EDGE in, everything that opens an image; pixels come in here and nothing is written.

TIFF structure and codecs (tifffile, imagecodecs) are loaded only by the first slide that needs them.
"""

from wsi_area.slides.header.inspect import SLIDE_SUFFIXES, inspect, pictures_of
from wsi_area.slides.lanes.box_sums import BoxSums
from wsi_area.slides.lanes.choice import (
    LaneDecision,
    choose_lane,
    refuse_other_edges,
    with_edges_left,
    with_edges_proven,
)
from wsi_area.slides.lanes.handles import borrow_reader, close_readers, require_unchanged
from wsi_area.slides.lanes.overview import (
    overview_box_l0_px,
    overview_lane,
    overview_level,
    overview_of,
    overview_parts,
    read_overview,
    read_part,
)
from wsi_area.slides.lanes.reading import DamagedPart, DecodedTile, SlideReader, read_around_damage
from wsi_area.slides.lanes.shared_tiles import SharedTiles

__all__ = [
    "SLIDE_SUFFIXES",
    "BoxSums",
    "DamagedPart",
    "DecodedTile",
    "LaneDecision",
    "SharedTiles",
    "SlideReader",
    "borrow_reader",
    "choose_lane",
    "close_readers",
    "inspect",
    "overview_box_l0_px",
    "overview_lane",
    "overview_level",
    "overview_of",
    "overview_parts",
    "pictures_of",
    "read_around_damage",
    "read_overview",
    "read_part",
    "refuse_other_edges",
    "require_unchanged",
    "with_edges_left",
    "with_edges_proven",
]
