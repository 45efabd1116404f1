"""compute: what is said of a slide that OpenSlide does not open although it is stored as slides are; pure."""

from wsi_area.model.finding import QaFinding
from wsi_area.model.slide import SlideInfo

_NO_DAMAGE = "TIFF is not tiled"
"""OpenSlide's words where the first picture of a file is stored in strips, as a macro image may be."""


def refusal_findings(info: SlideInfo) -> list[QaFinding]:
    """Return REFUSED_BY_OPENSLIDE, with OpenSlide's reason; nothing where it opens the file, or where it is plain."""
    if not info.openslide_refusal:
        return []
    message = f"OpenSlide does not open this TIFF of tiles ({info.openslide_refusal}); its picture is decoded by itself"
    if _NO_DAMAGE in info.openslide_refusal:
        return [QaFinding(info.slide_id, "REFUSED_BY_OPENSLIDE", "info", None, None, "", message, "")]
    message += ", and what else the file should hold may be lost"
    remedy = "copy or export the file again; if it was written like that, save the picture alone as a tiled TIFF"
    return [QaFinding(info.slide_id, "REFUSED_BY_OPENSLIDE", "warning", None, None, "", message, remedy)]
