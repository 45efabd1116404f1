"""annotations: what QuPath writes beside a geometry: class, object, and the areas that it measured itself."""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any

from wsi_area.annotations.raw import positive
from wsi_area.model.drawn import DrawnObject

_KINDS = {
    "annotation": "annotation",
    "detection": "detection",
    "cell": "cell",
    "tile": "tile",
    "tmacore": "tmaCore",
    "tma_core": "tmaCore",
    "root": "root",
    # QuPath 0.2 wrote the name of its class where ids stand today
    "pathannotationobject": "annotation",
    "pathdetectionobject": "detection",
    "pathcellobject": "cell",
    "pathtileobject": "tile",
    "tmacoreobject": "tmaCore",
    "pathrootobject": "root",
}
KEPT_ID = "region_id"
"""Among the metadata that QuPath keeps of an object: an id that is no UUID, and so none of QuPath's."""

_PARENTS = ("parent", "parentId", "parent_id", "parentID")
_AREA = re.compile(r"(?:(?:cell|roi|annotation|object): *)?area[ _]*(?:in )?[\[(]?(um|px|mm)[\^ ]?2[\])]?")
_UM2 = {"um": 1.0, "mm": 1e6}


def class_name(properties: Mapping[str, Any]) -> str:
    """Return the class of an object: its classification (a text, a name or a list of names), else its own name.

    >>> class_name({"classification": "Tumor"}), class_name({"classification": {"name": "Ignore*", "color": [0, 0, 0]}})
    ('Tumor', 'Ignore*')
    >>> class_name({"name": "Annotation 3"})
    'Annotation 3'
    """
    return _classification(properties) or _text(properties.get("name"))


def _classification(properties: Mapping[str, Any]) -> str:
    """Return the classification of an object, "" where it has none."""
    classification = properties.get("classification")
    if isinstance(classification, str) and classification.strip():
        return classification.strip()
    if isinstance(classification, Mapping):
        names = classification.get("names")
        if isinstance(names, list) and names:
            return ": ".join(str(part) for part in names)
        name = classification.get("name")
        if isinstance(name, str) and name.strip():
            return name.strip()
    return ""


def drawn_object(feature: Mapping[str, Any], properties: Mapping[str, Any]) -> DrawnObject:
    """Return the kind of QuPath object that a feature is; one of no known type is an annotation, as QuPath reads it.

    >>> drawn_object({"id": "PathDetectionObject"}, {}).kind
    'detection'
    >>> drawn_object({"id": "8a1"}, {"objectType": "tmaCore"})
    DrawnObject(kind='tmaCore', object_id='8a1', own_name='', parent='', own_class='')
    """
    own_id = _text(feature.get("id"))
    stated = next((text for key in ("objectType", "object_type", "type") if (text := _text(properties.get(key)))), "")
    kind = _KINDS.get(stated.casefold()) or _KINDS.get(own_id.casefold(), "annotation")
    held = (source.get(key) for source in (properties, feature) for key in _PARENTS)
    parent = next((text for value in held if (text := _text(value))), "")
    kept = properties.get("metadata")
    kept_id = _text(kept.get(KEPT_ID)) if isinstance(kept, Mapping) else ""
    object_id = kept_id or ("" if own_id.casefold() in _KINDS else own_id)
    return DrawnObject(kind, object_id, _text(properties.get("name")), parent, _classification(properties))


def stated_areas(properties: Mapping[str, Any]) -> tuple[float | None, float | None]:
    """Return the area that QuPath itself states, in µm² and in px², each None where it states none.

    >>> stated_areas({"measurements": {"Area µm^2": 40000.0}}), stated_areas({"measurements": {"Area px^2": "NaN"}})
    ((40000.0, None), (None, None))
    """
    um2: float | None = None
    px2: float | None = None
    for name, value in _measurements(properties):
        stated = positive(value)
        found = _AREA.fullmatch(_plain(name)) if stated is not None and "rea" in name else None
        if stated is None or found is None:
            continue
        if found[1] == "px":
            px2 = stated
        else:
            um2 = stated * _UM2[found[1]]
    return um2, px2


def _measurements(properties: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the measurements of an object by their names; before 0.4 they were a list of name and value."""
    found = properties.get("measurements")
    if isinstance(found, Mapping):
        yield from found.items()
    elif isinstance(found, list):
        yield from (
            (entry["name"], entry.get("value"))
            for entry in found
            if isinstance(entry, Mapping) and isinstance(entry.get("name"), str)
        )
    else:  # flattened: beside the other properties
        yield from properties.items()


def _plain(name: str) -> str:
    """Return a name with one spelling of µ and of ²: the micro sign, the Greek letter and u are one.

    >>> [_plain(name) for name in ("Area µm^2", "Area μm²", "Area um^2")]
    ['area um^2', 'area um2', 'area um^2']
    """
    return unicodedata.normalize("NFKC", name).casefold().replace("μ", "u").strip()


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""
