"""annotations: a file of corrections: a list of drawings with their orders, or the corrected outlines of all classes.

It is GeoJSON in level-0 pixels. Where a feature says what it does (``operation``), every feature has to: the file is a
list of corrections. Where none does, it is a drawing of classes, as QuPath writes it, and is one correction: replace.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from wsi_area.annotations.corrections.drawn_features import Feature, replacing, sound_features
from wsi_area.annotations.corrections.orders import correction_of, require_line, require_time
from wsi_area.annotations.json_text import decoded
from wsi_area.annotations.untrusted import MAX_TEXT_BYTES, read_bytes, unpacked
from wsi_area.errors import AnnotationError
from wsi_area.model.corrections.correction import CORRECTION_KINDS, Correction, Corrections
from wsi_area.model.geometry import Size

OPERATION = "operation"


def corrections_bytes(path: Path) -> bytes:
    """Return the text of a file of corrections, unpacked where it is packed.

    Raises
    ------
    AnnotationError
        If it cannot be read, or is too large.
    """
    return unpacked(path, read_bytes(path, MAX_TEXT_BYTES))


def signed_content(content: bytes, path: str, reviewer: str, utc: str) -> bytes:
    """Return the text of a file of corrections with who drew them and when, where it does not say so as a whole.

    Parameters
    ----------
    content, path
        The text, and where it lies, for messages.
    reviewer, utc : str
        What is taken where a feature does not say, and neither does the file; "" for nothing.

    Raises
    ------
    AnnotationError
        If it is no GeoJSON.
    """
    document = _document(content, path)
    missing = {
        name: value
        for name, value in (("reviewer", reviewer), ("utc", utc))
        if value and not document.get(name) and any(not _properties(f).get(name) for f in _features(document, path))
    }
    return json.dumps({**document, **missing}, ensure_ascii=False).encode() if missing else content


def parse_corrections(content: bytes, path: str, size: Size, reviewer: str = "") -> Corrections:
    """Return the corrections that a text holds for a slide.

    Parameters
    ----------
    content : bytes
        Of the file.
    path : str
        Where it lies, for messages.
    size : Size
        Of the slide, level-0 px.
    reviewer : str
        Who corrects, where the file does not say.

    Raises
    ------
    AnnotationError
        If it is no GeoJSON, an order is not whole, or an outline encloses nothing on this slide.
    """
    document = _document(content, path)
    features = _features(document, path)
    with_order = [n for n, one in enumerate(features, 1) if OPERATION in _properties(one)]
    if all(_properties(one).get(OPERATION) == "replace" for one in features):
        with_order = []  # the same as a drawing that says nothing of it
    if with_order and len(with_order) < len(features):
        missing = next(n for n in range(1, len(features) + 1) if n not in set(with_order))
        raise AnnotationError(
            f"{path}: feature {missing} has no {OPERATION!r}, and {len(with_order)} of {len(features)} have one; give "
            f"each one of {', '.join(CORRECTION_KINDS)}, or none to any"
        )
    told = _told(document)
    told["reviewer"] = told["reviewer"] or reviewer
    sound, findings = sound_features(features, size, path)
    if with_order:
        listed = tuple(correction_of(one, n, told, path) for n, one in enumerate(sound, 1))
    else:
        told["reviewer"] = told["reviewer"] or ", ".join(dict.fromkeys(_each(features, "reviewer")))
        told["utc"] = told["utc"] or max(_each(features, "utc"), default="")
        require_line(told["reviewer"], path)
        if told["utc"]:
            require_time(told["utc"], path)
        drawn, noticed = replacing(sound, told["reviewer"], told["utc"], path)
        listed, findings = (drawn,), (*findings, *noticed)
    return Corrections(path, hashlib.sha256(content).hexdigest(), told["slide"], told["base"], listed, findings)


def slide_named(content: bytes, path: str) -> str:
    """Return the slide that a file of corrections says it is for; "" where it does not say; errors as of the other."""
    return _told(_document(content, path))["slide"]


def _told(document: Mapping[str, Any]) -> dict[str, str]:
    """Return the facts that hold for a file as a whole: slide, base, reviewer and time, "" for what it does not say."""
    told = {name: str(document.get(name) or "") for name in ("slide", "base", "reviewer", "utc")}
    about = document.get("wsi_area")  # what an export says of itself, where a program kept it
    if isinstance(about, dict):
        told["slide"] = told["slide"] or str(about.get("slide_id") or "")
        told["base"] = told["base"] or str(about.get("content_hash") or "")
    return told


def is_replacing(listed: tuple[Correction, ...]) -> bool:
    """Return True if corrections are a drawing of classes rather than a list of orders."""
    return any(one.kind == "replace" for one in listed)


def _document(content: bytes, path: str) -> Mapping[str, Any]:
    try:
        found = json.loads(decoded(Path(path), content))
    except (ValueError, RecursionError) as error:
        raise AnnotationError(f"{path} is not JSON that can be read ({error}); export it again") from error
    if isinstance(found, list):
        found = {"type": "FeatureCollection", "features": found}
    if isinstance(found, dict) and found.get("type") == "Feature":
        found = {"type": "FeatureCollection", "features": [found]}
    if not isinstance(found, dict) or found.get("type") != "FeatureCollection":
        raise AnnotationError(f"{path} is no GeoJSON FeatureCollection; export it again as GeoJSON")
    return found


def _features(document: Mapping[str, Any], path: str) -> list[Feature]:
    found = document.get("features")
    if not isinstance(found, list) or not found:
        raise AnnotationError(f"{path} lists no feature, so it corrects nothing; draw something, or leave it out")
    strange = next((n for n, one in enumerate(found, 1) if not isinstance(one, dict)), None)
    if strange is not None:
        raise AnnotationError(f"{path}: feature {strange} is no GeoJSON feature; export it again")
    return found


def _each(features: list[Feature], name: str) -> list[str]:
    """Return the texts of features under a name, of those that say anything."""
    return [str(told) for one in features if (told := _properties(one).get(name))]


def _properties(feature: Feature) -> Mapping[str, Any]:
    found = feature.get("properties")
    return found if isinstance(found, dict) else {}
