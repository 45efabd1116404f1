"""model: one correction of a measured slide: what was drawn, what the pixels inside become, who drew it and when."""

from typing import Literal, get_args

from wsi_area.frozen_value import frozen_value
from wsi_area.model.finding import QaFinding

CorrectionKind = Literal["add", "erase", "exclude", "tissue", "not_tissue", "fill", "replace"]
"""add, erase, fill and replace change the classes; tissue and not_tissue the tissue; exclude changes both."""
CORRECTION_KINDS: tuple[CorrectionKind, ...] = get_args(CorrectionKind)

BY_HAND = "excluded_by_hand"
"""The class of what a person excludes without naming a class; no segmenter gives it."""

MOST_FILL_MM2 = 10.0
"""What a fill may take where its drawing states no limit of its own, mm²."""


@frozen_value
class Correction:
    """One drawing of a list; the next one is laid over what it leaves."""

    kind: CorrectionKind
    class_name: str = ""  # of add and fill: what the pixels become; of erase: which are taken, "" for any
    reviewer: str = ""
    utc: str = ""  # ISO 8601
    wkb_l0_px: bytes | None = None  # a valid Polygon or MultiPolygon, cut at the edges of the slide
    beyond_px: float = 0.0  # level-0 px² of the drawing that lie beyond the slide
    seed_l0_px: tuple[float, float] | None = None  # of fill: a point (x, y) in the component that is filled
    most_mm2: float = MOST_FILL_MM2  # of fill: a larger component is refused
    outlines: tuple[tuple[str, bytes], ...] = ()  # of replace: class and outline, the later over the earlier


@frozen_value
class Corrections:
    """What a file of corrections holds for one slide."""

    path: str
    sha256: str  # of the file
    slide_id: str  # "" where the file does not say
    base: str  # the content hash of the result that it corrects; "" where the file does not say
    listed: tuple[Correction, ...]
    findings: tuple[QaFinding, ...] = ()
