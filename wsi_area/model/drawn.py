"""model: what somebody drew on a slide, or a tool made of it: outlines and masks, in level-0 pixels."""

from dataclasses import replace
from typing import Literal

from wsi_area.frozen_value import frozen_value
from wsi_area.model.drawn_mask import DrawnMask
from wsi_area.model.finding import QaFinding
from wsi_area.model.geometry import Size

_EXCLUDING = ("exclude", "ignore")


def names_exclusion(name: str) -> bool:
    """Return True if a class name says that its regions are not to be measured.

    >>> [names_exclusion(name) for name in ("Ignore*", "exclude_fold", "Tumor")]
    [True, True, False]
    """
    return name.strip().casefold().startswith(_EXCLUDING)


@frozen_value
class DrawnObject:
    """Which object of its file an outline is; "" where the format or the file does not say."""

    kind: str = "annotation"  # or "detection", "cell", "tile", "tmaCore", "root", as QuPath calls them
    object_id: str = ""
    own_name: str = ""  # beside its class, e.g. "A-1" of a core
    parent: str = ""  # what it lies in: the id of another object, or the layer
    own_class: str | None = None  # its class, "" where the file gives none; None: the name of its region is its class


AN_ANNOTATION = DrawnObject()


@frozen_value
class DrawnRegion:
    """One outline of a file.

    The geometry travels as well-known binary: immutable, hashable, exact, and read by every geometry library.
    """

    index: int  # its place in the file, from 0
    name: str  # its class as the file has it, "" where it has none
    wkb_l0_px: bytes  # a valid Polygon or MultiPolygon, x to the right, y down, level-0 px
    area_l0_px2: float  # of that geometry, exact
    stated_area_um2: float | None = None  # what the file itself says, never used as the area
    of: DrawnObject = AN_ANNOTATION


@frozen_value
class Drawn:
    """What one file holds for one slide."""

    path: str
    kind: str  # the format: "qupath-geojson", "imagescope-xml", "asap-xml", "ndpa", "camelyon-json", "mask"
    sha256: str  # of the file
    scale: float  # level-0 px per unit of the file, as used
    regions: tuple[DrawnRegion, ...] = ()
    mask: DrawnMask | None = None
    findings: tuple[QaFinding, ...] = ()  # invalid outlines by their index, stated areas that disagree …
    size_l0_px: Size | None = None  # of the slide it was read for

    @property
    def is_empty(self) -> bool:
        """Return True if somebody looked and drew nothing: no outline, no code other than 0."""
        return not self.regions and (self.mask is None or not any(self.mask.px_by_code[1:]))


RegionSource = Literal["annotations", "roi", "regions", "found"]
"""Where a region comes from: one of the three drawings that a slide may have, or the slide itself."""


@frozen_value
class NamedRegion:
    """A part of a slide with a row of its own in the table of regions; regions may lie over each other.

    An outline or a mask code says where it lies; a region with neither has no pixel, as a core that is missing.
    """

    region_id: str  # no other region of the slide has it
    name: str  # "" where nobody named it
    region_class: str  # "" where nobody classed it
    parent_id: str  # what it lies in: the id of another region, or a layer or group of the file; "" for nothing
    source: RegionSource
    status: str = ""  # what whoever found it knows of it; "": how it was counted says it
    wkb_l0_px: bytes | None = None  # a valid Polygon or MultiPolygon, level-0 px
    mask_code: tuple[int, int] | None = None  # which of the masks, and which of its codes


@frozen_value
class NamedRegions:
    """All regions of a slide that have a row of their own, in the order of their rows."""

    regions: tuple[NamedRegion, ...] = ()
    masks: tuple[DrawnMask, ...] = ()
    drawn: tuple[Drawn, ...] = ()  # the files that they come from, without their outlines, each once
    left_aside: int = 0  # detections, cells, tiles and roots of these files, which have no row
    not_assessed: str = ""  # why no region has a row, though there are some
    findings: tuple[QaFinding, ...] = ()  # what whoever found further regions has to say
    repeated_ids: tuple[str, ...] = ()  # that several regions of one layer of a file have

    def joined(self, further: tuple[NamedRegion, ...]) -> "NamedRegions":
        """Return these regions and others after them, such as those that were found on the slide."""
        return replace(self, regions=(*self.regions, *further))


@frozen_value
class RegionOfInterest:
    """What of a slide is to be measured: the included area less the excluded one."""

    path: str
    kind: str
    sha256: str
    scale: float
    wkb_l0_px: bytes | None  # Polygon or MultiPolygon in level-0 px …
    mask: DrawnMask | None = None  # … or a mask, whose codes other than 0 are inside
    findings: tuple[QaFinding, ...] = ()
