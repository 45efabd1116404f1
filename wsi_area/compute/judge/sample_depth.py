"""compute: what becomes of the samples of a picture that has more than 256 of them, as a finding; pure."""

from wsi_area.model.finding import QaFinding
from wsi_area.model.slide import SAMPLE_BITS, SAMPLE_BITS_SOURCE, SlideInfo


def sample_depth_findings(info: SlideInfo) -> list[QaFinding]:
    """Return SAMPLES_SCALED where 16-bit samples became 256 grey levels; its ``measured`` is steps per grey level."""
    if SAMPLE_BITS not in info.properties:
        return []
    bits = int(info.properties[SAMPLE_BITS])
    steps = 1 << (bits - 8)
    message = (
        f"its samples have 16 bits, of which {bits} are used (by {info.properties[SAMPLE_BITS_SOURCE]}): "
        f"0 to {(1 << bits) - 1} became grey levels 0 to 255, {steps} steps each; thresholds and grey values count "
        "in grey levels"
    )
    remedy = "compare grey values only between pictures with as many steps; areas by Otsu's threshold need not mind"
    return [QaFinding(info.slide_id, "SAMPLES_SCALED", "info", float(steps), None, "steps", message, remedy)]
