"""annotations: Hamamatsu's NDPA, in nanometres from the centre of the physical slide."""

from xml.etree.ElementTree import Element

import numpy as np

from wsi_area.annotations.raw import Parsed, RawOutline, ellipse_ring, not_an_area, noted, number

KIND = "ndpa"
_NO_AREA = {"linearmeasure": "a measured line", "pin": "a pin", "pointer": "a pointer"}


def parse_ndpa(root: Element) -> Parsed:
    """Return the outlines of an NDPA file; the class is the title that NDP.view shows beside an outline."""
    parsed = Parsed(KIND, unit="nm")
    for index, view in enumerate(root.iter("ndpviewstate")):
        annotation = view.find("annotation")
        name = (view.findtext("title") or "").strip()
        units = (view.findtext("coordformat") or "nanometers").strip().lower()
        if annotation is None or annotation.get("type") in _NO_AREA:
            what = "a bookmark" if annotation is None else _NO_AREA[annotation.get("type", "")]
            parsed.findings.append(not_an_area(index, what))
        elif units != "nanometers":
            message = f"outline {index} is in {units!r}, not in nanometers, and is left out"
            parsed.findings.append(noted("OUTLINE_INVALID", "warning", message, remedy="save it again with NDP.view"))
        elif annotation.get("type") == "circle":
            x, y, radius = (number(annotation.findtext(key)) for key in ("x", "y", "radius"))
            parsed.outlines.append(RawOutline(index, name, ((ellipse_ring(x, y, radius, radius),),)))
        elif (annotation.findtext("closed") or "1").strip() == "0":
            parsed.findings.append(not_an_area(index, "an open line"))
        else:
            points = [(number(p.findtext("x")), number(p.findtext("y"))) for p in annotation.iter("point")]
            parsed.outlines.append(RawOutline(index, name, ((np.array(points, np.float64).reshape(-1, 2),),)))
    return parsed
