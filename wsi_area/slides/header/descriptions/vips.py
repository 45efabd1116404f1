"""slides: the properties that libvips writes into a TIFF: of the slide that a picture was made from, and its size."""

import re
from collections.abc import Iterator
from dataclasses import replace

from wsi_area.compute.units import positive_number
from wsi_area.model.calibration import MppCandidate
from wsi_area.model.geometry import Size
from wsi_area.slides.header.mpp_sources import Claim, claim_of

SOURCE = "vips.openslide.mpp-x"
_PROPERTY = re.compile(r"<name>([^<]{1,80})</name>\s*<value[^>]*>([^<]{0,80})</value>")
_IS_VIPS = "www.vips.ecs.soton.ac.uk"


def is_vips(description: str) -> bool:
    """Return True if libvips wrote a description.

    >>> is_vips("ImageJ=1.53t")
    False
    """
    return _IS_VIPS in description[:500]


def vips_claims(description: str) -> Iterator[Claim]:
    """Yield the pixel size of the slide that libvips read, with the size in pixels of that slide's level 0.

    libvips copies it word for word into whatever it makes of the slide: what it cut is told by the size alone.
    """
    if not is_vips(description):
        return
    told = dict(_PROPERTY.findall(description))
    x, y = told.get("openslide.mpp-x"), told.get("openslide.mpp-y")
    sides = [positive_number(told.get(f"openslide.level[0].{side}")) for side in ("width", "height")]
    if sides[0] is None or sides[1] is None:  # of which picture it is the size nobody knows
        yield from claim_of("?" if x or y else None, None, SOURCE, "tiff", "B", f"{x} × {y}, of a picture of no size")
        return
    full = Size(int(sides[0]), int(sides[1]))
    for claim in claim_of(x, y, SOURCE, "tiff", "B"):
        yield replace(claim, describes_px=full) if isinstance(claim, MppCandidate) else claim
