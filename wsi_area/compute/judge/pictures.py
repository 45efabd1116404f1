"""compute: what was decided about the pictures of a file, as findings; pure."""

import numpy as np

from wsi_area.model.finding import QaFinding
from wsi_area.model.pixels import Overview
from wsi_area.model.slide import SlideInfo

_DARK = 64  # grey levels of 255
ORIENTATIONS = {
    2: "mirrored", 3: "turned by 180°", 4: "upside down, mirrored", 5: "turned and mirrored", 6: "turned by 90°",
    7: "turned and mirrored", 8: "turned by 270°",
}  # fmt: skip


def picture_findings(info: SlideInfo) -> list[QaFinding]:
    """Return PICTURE_CHOSEN and ORIENTATION: which picture was taken where there were several, and how it lies."""
    found = []
    if info.picture_note:
        message, remedy = info.picture_note, "wsi-area check SLIDE lists every picture of the file"
        found.append(QaFinding(info.slide_id, "PICTURE_CHOSEN", "info", None, None, "", message, remedy))
    if info.orientation != 1:
        found.append(_orientation(info))
    return found


def looks_dark(overview: Overview) -> bool:
    """Return True if most of a slide that was scanned is nearly black, as the field of fluorescence is.

    Pure black is left out: software paints it where nothing was scanned.
    """
    rgb = overview.rgb
    brightest = np.maximum(np.maximum(rgb[..., 0], rgb[..., 1]), rgb[..., 2])[overview.valid]
    seen = brightest[brightest > 0]
    return bool(seen.size) and float((seen < _DARK).mean()) > 0.5


def _orientation(info: SlideInfo) -> QaFinding:
    how = ORIENTATIONS.get(info.orientation, "otherwise")
    shown = "it is measured as it is shown" if info.is_turned else "it is measured as it is stored, not as it is shown"
    message = f"its orientation on record is {info.orientation}, {how} when it is shown; {shown}"
    return QaFinding(info.slide_id, "ORIENTATION", "info", info.orientation, 1, "", message, "")
