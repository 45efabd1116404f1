"""model: what is known of a slide before a pixel of it is decoded."""

from dataclasses import dataclass, field
from typing import ClassVar

from wsi_area.model.calibration import MppCandidate
from wsi_area.model.documented import CLOSED, Count, Length
from wsi_area.model.geometry import Region, Size

SAMPLE_BITS, SAMPLE_BITS_SOURCE = "plain.sample_bits", "plain.sample_bits_from"
"""Properties of a plain image of 16-bit samples: how many of the bits are used, and who says so."""


@dataclass(frozen=True, slots=True)
class Level:
    """One level of the pyramid; index 0 is the finest."""

    __pydantic_config__: ClassVar = CLOSED

    index: Count
    size_px: Size
    downsample_x: Length  # level-0 width / this width, exactly; never the reader's mean of both axes
    downsample_y: Length
    stored_tile_px: Size | None = None  # size of the compressed tiles, where the file has them


@dataclass(frozen=True, slots=True)
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
    properties: dict[str, str] = field(default_factory=dict, compare=False)  # a few, for the record
