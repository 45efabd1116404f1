"""exports: features of GeoJSON up to their coordinates, as text."""

import json
import uuid
from typing import TYPE_CHECKING, Any

from wsi_area.compute.count.area import area_mm2

if TYPE_CHECKING:  # whoever compiles the kernels has no more than their libraries
    from wsi_area.exports.measured_slide import MeasuredSlide

_OBJECTS = uuid.UUID("5c0a8f5e-6d0b-5a0e-9a63-0d6f1f6c2b11")
"""The namespace of the ids; any fixed UUID would do, this one must never change."""


class FeatureHeads:
    """What stands before the coordinates of a slide's features."""

    def __init__(self, slide: "MeasuredSlide") -> None:
        self.names = {c.class_id: c.name for c in slide.classes}
        self._fingerprint, self._mpp = slide.result.fingerprint, slide.result.mpp
        self._properties = {c.class_id: _properties(c.name, list(c.color_rgb)) for c in slide.classes}

    def head(self, class_id: int, kind: str, place: str, regions: int, area_px: int, outline_area_px: float) -> str:
        """Return a feature up to its coordinates; ``place`` tells apart the features of one class.

        Its id is by content: the same outlines have the same id whatever the tiles, and another run's do not get in
        their way.
        """
        object_id = uuid.uuid5(_OBJECTS, f"{self._fingerprint}/{self.names[class_id]}/{place}/{area_px}")
        measured = f'"regions":{regions}{self._measured("area", area_px)}'
        if outline_area_px != area_px:
            measured += self._measured("outline_area", outline_area_px)
        return (
            f'{{"type":"Feature","id":"{object_id}","properties":{self._properties[class_id]}{measured}}}}},'
            f'"geometry":{{"type":"{kind}","coordinates":'
        )

    def _measured(self, name: str, area_px: float) -> str:
        """Return an area in both units, as Python and JSON write numbers."""
        in_mm2 = "" if self._mpp is None else f',"{name}_mm2":{area_mm2(area_px, self._mpp)!r}'
        return f',"{name}_px":{area_px!r}{in_mm2}'


def _properties(name: str, color: list[int]) -> str:
    """Return the properties of a class up to its first measurement."""
    properties = {
        "objectType": "annotation",
        "name": name,
        "color": color,
        "classification": {"name": name, "color": color},
        "isLocked": True,
        "measurements": {},
    }
    return json_text(properties).removesuffix("}}")


def json_text(value: Any) -> str:
    """Return a value as JSON without spaces."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
