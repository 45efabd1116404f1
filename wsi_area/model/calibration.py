"""model: the size of a pixel, every claim about it, and the decision."""

from typing import ClassVar, Literal

from wsi_area.frozen_value import frozen_value
from wsi_area.model.documented import CLOSED
from wsi_area.model.finding import QaFinding
from wsi_area.model.geometry import Size

Rung = Literal["override", "vendor", "tiff", "image"]
"""Where a claim stands on the ladder, best first: somebody's explicit word, the scanner's own metadata
(vendor tags, DICOM spacing, OME-XML), TIFF resolution tags, the density of a PNG or JPEG."""

Quality = Literal["A", "B", "C", "given"]
"""A: stated as a pixel size by the scanner. B: derived from a tag with a real unit.
C: a print density, which editors write without meaning it; and a size that something on record speaks against.
given: typed by a person, who may say how sure it is; never better than that by itself."""
QUALITIES: tuple[Quality, ...] = ("A", "given", "B", "C")
"""The best first."""

Profile = Literal["glass", "plain"]
"""``glass`` is a microscope slide, whose size bounds what a pixel can be; ``plain`` is any other image."""


@frozen_value
class Mpp:
    """Micrometres per level-0 pixel, per axis."""

    x: float
    y: float

    @property
    def pixel_area_mm2(self) -> float:
        """Return the area of one level-0 pixel in mm²; the axes are never averaged.

        >>> Mpp(0.5, 0.25).pixel_area_mm2
        1.25e-07
        """
        return self.x * self.y * 1e-6


@frozen_value
class MppCandidate:
    """One claim about the pixel size, as found."""

    mpp: Mpp
    source: str  # the tag it was read from, e.g. "aperio.MPP", "dicom.PixelSpacing", "tiff.XResolution"
    rung: Rung
    quality: Quality
    note: str = ""  # the raw text, or the reason given with an override
    describes_px: Size | None = None  # the picture that it describes, where it says how large that is
    picture: int | None = None  # number of the picture it belongs to in the list of its file, where it says which
    u_um: float | None = None  # standard uncertainty of the size of a pixel, as stated; None: by its quality
    traced_to: str = ""  # instrument, date and certificate of a typed size, where they are on record
    is_confirmed: bool = False  # somebody says that it is meant, whatever the file says


@frozen_value
class UnreadClaim:
    """Something that a file says of its pixel size and that cannot be read as one."""

    __pydantic_config__: ClassVar = CLOSED

    source: str  # the tag, as in ``MppCandidate``
    text: str  # as it stands there


@frozen_value
class Calibration:
    """The pixel size that was chosen, what it was chosen from, and what was noticed.

    ``chosen`` is None where nothing on record can be believed: the slide is then counted in pixels only.
    """

    chosen: MppCandidate | None
    candidates: tuple[MppCandidate, ...]
    findings: tuple[QaFinding, ...]
    reason: str  # one sentence: why this one, or why none

    @property
    def mpp(self) -> Mpp | None:
        """Return the chosen pixel size, or None for pixels only."""
        return None if self.chosen is None else self.chosen.mpp
