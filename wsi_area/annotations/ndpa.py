"""annotations: Hamamatsu's NDPA, in nanometres from the centre of the physical slide."""

from collections.abc import Iterator
from xml.etree.ElementTree import Element

import numpy as np

from wsi_area.annotations.raw import Parsed, RawOutline, ellipse_ring, noted, number
from wsi_area.model.drawn import DrawnObject

KIND = "ndpa"
_NO_AREA = {"linearmeasure": "a measured line", "pin": "a pin", "pointer": "a pointer"}


def parse_ndpa(root: Element, events: Iterator[tuple[str, Element]]) -> Parsed:
    """Return the outlines of an NDPA file; the class is the title that NDP.view shows beside an outline."""
    parsed, index = Parsed(KIND, unit="nm"), 0
    for event, view in events:
        if event == "end" and view.tag == "ndpviewstate":
            _add_view(parsed, index, view)
            index += 1
            view.clear()  # its points are in an array now
    return parsed


def _add_view(parsed: Parsed, index: int, view: Element) -> None:
    annotation = view.find("annotation")
    name = (view.findtext("title") or "").strip()
    of = DrawnObject(object_id=view.get("id", ""), own_name=name)
    units = (view.findtext("coordformat") or "nanometers").strip().lower()
    if annotation is None or annotation.get("type") in _NO_AREA:
        parsed.leave_out(index, "a bookmark" if annotation is None else _NO_AREA[annotation.get("type", "")])
    elif units != "nanometers":
        message = f"outline {index} is in {units!r}, not in nanometers, and is left out"
        parsed.findings.append(noted("OUTLINE_INVALID", "warning", message, remedy="save it again with NDP.view"))
    elif annotation.get("type") == "circle":
        x, y, radius = (number(annotation.findtext(key)) for key in ("x", "y", "radius"))
        parsed.outlines.append(RawOutline(index, name, ((ellipse_ring(x, y, radius, radius),),), of=of))
    else:
        points = [(number(p.findtext("x")), number(p.findtext("y"))) for p in annotation.iter("point")]
        ring = np.array(points, np.float64).reshape(-1, 2)
        if (annotation.findtext("closed") or "1").strip() == "0":
            parsed.leave_out(index, "an open line")
        else:
            parsed.outlines.append(RawOutline(index, name, ((ring,),), of=of))
