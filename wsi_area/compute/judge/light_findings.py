"""compute: whether the glass of a slide was seen where its number leans on it, and whether all of it was taken."""

from collections.abc import Sequence

from wsi_area.model.burden import SlideBurden
from wsi_area.model.classes import BACKGROUND_ID
from wsi_area.model.finding import QaFinding, Severity
from wsi_area.model.light import Light

MOST_TAKEN = 0.95
"""Share of what was scanned that a class other than background may have before somebody should look."""
GLASS_TAKEN = 0.5
"""Share of the tiles that look like bare glass which one class may have; on healthy slides it is next to nothing."""
FALL_LIMIT = 0.06
"""Fall of the light over the field. On five real slides it is 1.0 to 2.3 %, on fields that show enough glass 0.4 to
3.6 %, on one photograph 4.6 %. At the threshold tissue absorbs 8 % of the glass; a fall of 6 % takes 3 of them at
either end of the field."""
MOST_SHADE = 0.05
"""Share of the tissue that may be flat and of the colour of the glass. On real slides and fields of tissue it is 0."""
MOSTLY_TISSUE = 0.5  # of the picture with the colours of stained tissue: it is a crop, a core, a field of nothing else
LITTLE_GLASS = 0.05  # of the picture: gaps and rims within tissue


def light_findings(
    burden: SlideBurden,
    light: Light | None,
    most_taken: float = MOST_TAKEN,
    fall_limit: float = FALL_LIMIT,
    *,
    was_drawn: bool = False,
    glass_taken: float | None = None,
) -> tuple[QaFinding, ...]:
    """Return ``GLASS_NOT_SEEN``, ``ALL_TISSUE`` and ``GLASS_UNEVEN`` where they apply.

    Parameters
    ----------
    burden
        What came out.
    light
        What the segmenter made of the light of the slide; None where it looks for no glass.
    most_taken, fall_limit
        Shares between 0 and 1.
    was_drawn
        Whether a region of interest, or the classes themselves, were drawn by somebody: then all of it may be tissue.
    glass_taken
        The largest share that a class other than background has of the tiles that look like bare glass and were read;
        None where there is none. The glass that is not read counts as background, whatever would be found there.
    """
    found = [] if light is None else _uneven(burden.slide_id, light, fall_limit)
    taken = _taken(burden)
    if taken is None:
        return tuple(found)
    is_tissue = was_drawn or _is_tissue_throughout(light)
    if light is not None and light.leans_on_glass and light.glass.source == "nominal" and taken > 0:
        severity: Severity = "warning" if taken > most_taken and not is_tissue else "info"
        found.append(_not_seen(burden.slide_id, light, taken, most_taken, severity))
    elif taken > most_taken and not (is_tissue and burden.counts.unreadable_px):  # of a part, it says nothing
        found.append(_all_tissue(burden.slide_id, taken, most_taken, "info" if is_tissue else "warning"))
    elif glass_taken is not None and glass_taken > GLASS_TAKEN:
        found.append(_glass_taken(burden.slide_id, glass_taken))
    return tuple(found)


def _taken(burden: SlideBurden) -> float | None:
    """Return the largest share that tissue, or any one class but background, has of what was scanned and read."""
    scanned = sum(burden.counts.px_by_class)
    own: Sequence[int] = [c.n_px for c in burden.classes if c.tissue_class.class_id != BACKGROUND_ID]
    return max([burden.tissue_px, *own]) / scanned if scanned else None


def _is_tissue_throughout(light: Light | None) -> bool:
    """Return True if the picture has the colours of tissue nearly everywhere, and no glass to speak of."""
    if light is None or (light.tissue_like or 0.0) < MOSTLY_TISSUE:
        return False
    return light.glass.share is None or light.glass.share <= LITTLE_GLASS


def _not_seen(slide_id: str, light: Light, taken: float, limit: float, severity: Severity) -> QaFinding:
    level = light.glass.level
    message = f"no glass was seen, it was taken to be ({level}, {level}, {level}); {taken:.1%} of the slide is tissue"
    if severity == "info":
        remedy = "as a crop, a core or a field of nothing but tissue has it; else give segmenter.glass = [R, G, B]"
    else:
        remedy = (
            "glass of another light may have been counted as tissue: look at the slide, give its colour with "
            "segmenter.glass = [R, G, B], and run again"
        )
    return QaFinding(slide_id, "GLASS_NOT_SEEN", severity, taken, limit, "", message, remedy)


def _all_tissue(slide_id: str, taken: float, limit: float, severity: Severity) -> QaFinding:
    message = f"{taken:.1%} of what was scanned is of one kind, glass included"
    if severity == "info":
        remedy = "as a crop, a core or a region of nothing but tissue has it"
    else:
        remedy = (
            "background may have been counted as well: look at the class map, at segmenter.threshold and at "
            "segmenter.glass; a picture without any background is a result"
        )
    return QaFinding(slide_id, "ALL_TISSUE", severity, taken, limit, "", message, remedy)


def _glass_taken(slide_id: str, share: float) -> QaFinding:
    message = f"{share:.1%} of the tiles that look like bare glass and were read is of one class, and not background"
    remedy = (
        "glass was counted as that class where it was read, and as background where it was not: look at the class map, "
        "at the threshold, or at the order of a model's classes"
    )
    return QaFinding(slide_id, "ALL_TISSUE", "warning", share, GLASS_TAKEN, "", message, remedy)


def _uneven(slide_id: str, light: Light, limit: float) -> list[QaFinding]:
    fall, shade = light.glass.fall, light.shade
    if not light.leans_on_glass:
        return []
    if fall is None or fall <= limit:
        return [] if shade is None or shade <= MOST_SHADE else [_in_the_shade(slide_id, shade)]
    message = (
        f"the light falls by {fall:.1%} over the field, and one threshold and one glass are used for all of it: glass "
        "in the dim part may be counted as tissue"
    )
    remedy = "correct the shading when scanning or exporting and measure again; look at the class map before that"
    return [QaFinding(slide_id, "GLASS_UNEVEN", "warning", fall, limit, "", message, remedy)]


def _in_the_shade(slide_id: str, shade: float) -> QaFinding:
    message = (
        f"{shade:.1%} of what is tissue on the overview is flat and has the colour of the glass, only darker: glass "
        "beyond a coverslip's edge, under a shadow or at an unlit rim may have been counted as tissue"
    )
    remedy = (
        "look at the class map; leave that part out with a region of interest (--roi), or give segmenter.threshold, "
        "and run again"
    )
    return QaFinding(slide_id, "GLASS_UNEVEN", "warning", shade, MOST_SHADE, "", message, remedy)
