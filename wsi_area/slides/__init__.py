"""slides: EDGE in, everything that opens an image; pixels come in here and nothing is written.

TIFF structure and codecs (tifffile, imagecodecs) are loaded only by the first slide that needs them.
"""

from wsi_area.slides.header.inspect import SLIDE_SUFFIXES, inspect, pictures_of
from wsi_area.slides.lanes.choice import LaneDecision, choose_lane, with_edges_proven
from wsi_area.slides.lanes.handles import borrow_reader, close_readers, require_unchanged
from wsi_area.slides.lanes.overview import overview_box_l0_px, read_overview
from wsi_area.slides.lanes.reading import DamagedPart, DecodedTile, SlideReader, read_around_damage

__all__ = [
    "SLIDE_SUFFIXES",
    "DamagedPart",
    "DecodedTile",
    "LaneDecision",
    "SlideReader",
    "borrow_reader",
    "choose_lane",
    "close_readers",
    "inspect",
    "overview_box_l0_px",
    "pictures_of",
    "read_around_damage",
    "read_overview",
    "require_unchanged",
    "with_edges_proven",
]
