"""annotations: what a feature of a list of corrections orders, whole or refused: operation, class, reviewer, time."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from wsi_area.annotations.corrections.drawn_features import SoundFeature
from wsi_area.annotations.raw import positive
from wsi_area.errors import AnnotationError
from wsi_area.model.corrections.correction import CORRECTION_KINDS, MOST_FILL_MM2, Correction, CorrectionKind
from wsi_area.plain_text import is_one_line, plain

MOST_LETTERS = 200
_WITH_CLASS: tuple[CorrectionKind, ...] = ("add", "fill")


def correction_of(feature: SoundFeature, index: int, told: Mapping[str, str], path: str) -> Correction:
    """Return the correction that a feature orders.

    Parameters
    ----------
    feature, index
        The feature, and its place in the file, from 1.
    told : mapping
        ``reviewer`` and ``utc`` of the whole file, for a feature that does not say.
    path : str
        For messages.

    Raises
    ------
    AnnotationError
        If something of it is missing, or contradicts the rest.
    """
    where = f"{path}: feature {index}"
    kind = _kind(feature.properties, where)
    name = _text(feature.properties, "class", where) or feature.class_name
    if kind in _WITH_CLASS and not name:
        raise AnnotationError(f"{where}: {kind} gives pixels a class, and it names none; give its class")
    reviewer = _text(feature.properties, "reviewer", where) or told["reviewer"]
    utc = _text(feature.properties, "utc", where) or told["utc"]
    if not reviewer:
        raise AnnotationError(
            f"{where}: it does not say who drew it; give its reviewer, or one for the whole file, or --reviewer to "
            "wsi-area amend"
        )
    require_line(reviewer, where)
    require_time(utc, where)
    if (kind == "fill") != (feature.geometry is None):
        needs = "a Point, its seed" if kind == "fill" else "a Polygon or MultiPolygon"
        raise AnnotationError(f"{where}: {kind} needs {needs}; draw it again")
    return Correction(
        kind,
        name,
        reviewer,
        utc,
        None if feature.geometry is None else bytes(feature.geometry.wkb),
        feature.beyond_px,
        feature.point_l0_px,
        _most_mm2(feature.properties, where) if kind == "fill" else MOST_FILL_MM2,
    )


def require_line(reviewer: str, where: str) -> None:
    """Refuse a name that is no line of text: it stands in tables and in sentences.

    Raises
    ------
    AnnotationError
    """
    if not is_one_line(reviewer):
        raise AnnotationError(
            f"{where}: the reviewer {reviewer[:40]!r} is not one line of text; give the name without line ends and "
            "control characters"
        )


def _kind(properties: Mapping[str, Any], where: str) -> CorrectionKind:
    found = properties.get("operation")
    for kind in CORRECTION_KINDS:
        if found == kind and kind != "replace":
            return kind
    if found == "replace":
        raise AnnotationError(
            f"{where}: replace is a drawing of classes; give it to every feature of a file, or to none"
        )
    raise AnnotationError(f"{where}: {str(found)[:40]!r} is no operation; give one of {', '.join(CORRECTION_KINDS)}")


def _text(properties: Mapping[str, Any], name: str, where: str) -> str:
    found = properties.get(name)
    if found is None:
        return ""
    if not isinstance(found, str) or len(found) > MOST_LETTERS:
        raise AnnotationError(f"{where}: its {name} is no text of at most {MOST_LETTERS} letters; give one")
    return plain(found.strip())


def require_time(utc: str, where: str) -> None:
    """Refuse a time that is none, or that does not say its zone.

    Raises
    ------
    AnnotationError
    """
    try:
        time = datetime.fromisoformat(utc)
    except ValueError:
        time = None
    if time is None or time.tzinfo is None:
        raise AnnotationError(
            f"{where}: {utc[:40]!r} is no time with its zone; give utc as 2026-01-31T12:00:00Z, or one for the whole "
            "file"
        )


def _most_mm2(properties: Mapping[str, Any], where: str) -> float:
    if "most_mm2" not in properties:
        return MOST_FILL_MM2
    found = positive(properties["most_mm2"])
    if found is None:
        raise AnnotationError(f"{where}: its most_mm2 is no number above 0; give the largest area to be filled, in mm²")
    return found
