"""model: what is known of a slide before a pixel of it is decoded."""

from dataclasses import field
from typing import ClassVar

from wsi_area.frozen_value import frozen_value
from wsi_area.model.calibration import MppCandidate, UnreadClaim
from wsi_area.model.documented import CLOSED, Count, Length
from wsi_area.model.geometry import Region, Size
from wsi_area.model.picture import ANY_PICTURE, Picture, PictureChoice, StoredPart

UPRIGHT = 1
"""The orientation, as TIFF and EXIF number it, of a picture that is shown as it is stored."""

SAMPLE_BITS, SAMPLE_BITS_SOURCE = "plain.sample_bits", "plain.sample_bits_from"
"""Properties of a plain image of 16-bit samples: how many of the bits are used, and who says so."""

DIRECT_VENDORS = ("aperio", "dicom", "generic-tiff", "hamamatsu", "philips", "trestle", "ventana")
"""What OpenSlide calls the files whose layout is plain tiles: the direct lane may try them, and the OpenSlide lane
holds their stored tiles against a strict decoder. A further vendor needs what OpenSlide makes of a tile of no bytes
(`slides.lanes.proof`, `slides.stored.tiff_levels.FULL_VENDORS`), and raises the measurement version: its damaged tiles
are then counted as unreadable."""


@frozen_value
class Level:
    """One level of the pyramid; index 0 is the finest."""

    __pydantic_config__: ClassVar = CLOSED

    index: Count
    size_px: Size
    downsample_x: Length  # level-0 width / this width, exactly; never the reader's mean of both axes
    downsample_y: Length
    stored_tile_px: Size | None = None  # size of the compressed tiles, where the file has them


@frozen_value
class SlideInfo:
    """One slide (one scene) as its file describes it."""

    slide_id: str
    path: str
    vendor: str  # OpenSlide's name, or "plain-image"
    size_l0_px: Size
    levels: tuple[Level, ...]
    fingerprint: str  # hex digest of size, mtime and sampled blocks: another file, another fingerprint
    file_bytes: int
    mtime_ns: int
    objective_power: float | None = None  # what the scanner wrote: information, never arithmetic
    bounds_l0_px: Region | None = None  # metadata; coordinates are always absolute
    mpp_candidates: tuple[MppCandidate, ...] = ()
    imaged_volume_mm: tuple[float, float] | None = None  # DICOM (width, height)
    content_digest: str = ""  # hex digest of size and sampled blocks alone: a copy has the same, whatever its time
    unread_claims: tuple[UnreadClaim, ...] = ()  # what the file says of its pixel size in words nobody can read
    pictures: tuple[Picture, ...] = ()  # every picture of the file, the one that is measured among them
    choice: PictureChoice = ANY_PICTURE  # which picture was asked for
    picture_note: str = ""  # what was decided among the pictures, "" where there was nothing to decide
    colours_assumed: bool = False  # three grey pictures that nothing names are taken as red, green and blue
    openslide_levels: tuple[int, ...] = ()  # OpenSlide's number of each level; empty where they are the same
    level_directories: tuple[int, ...] = ()  # of each level, where its TIFF directory begins; empty: its size tells
    level_parts: tuple[tuple[StoredPart, ...], ...] = ()  # for each level where its samples lie; empty: OpenSlide knows
    orientation: int = UPRIGHT  # as TIFF and EXIF number it: 1 upright, 2 to 8 turned or mirrored when shown
    is_turned: bool = False  # it is measured as shown; else as stored
    openslide_refusal: str = ""  # why OpenSlide does not open a TIFF of tiles, in its words
    properties: dict[str, str] = field(default_factory=dict, compare=False)  # a few, for the record
