"""annotations: ASAP's XML, in which a group is a class."""

from collections.abc import Iterator
from xml.etree.ElementTree import Element

import numpy as np

from wsi_area.annotations.raw import Parsed, RawOutline, Ring, box_ring, noted, number
from wsi_area.model.drawn import DrawnObject

KIND = "asap-xml"
_NO_AREA = {"dot": "a dot", "pointset": "a set of points", "measurement": "a measured line"}


def parse_asap(root: Element, events: Iterator[tuple[str, Element]]) -> Parsed:
    """Return the outlines of an ASAP file; the class is the group, or the outline's own name where it has none."""
    parsed, index = Parsed(KIND), 0
    splines: list[int] = []
    for event, annotation in events:
        if event != "end" or annotation.tag != "Annotation":
            continue
        kind = (annotation.get("Type") or "").lower()
        if kind in _NO_AREA:
            parsed.leave_out(index, _NO_AREA[kind])
        else:
            ring = _ring(annotation)
            if kind == "rectangle" and len(ring) == 2:
                ring = box_ring(ring)
            if kind == "spline":
                splines.append(index)
            of = DrawnObject(own_name=(annotation.get("Name") or "").strip())
            parsed.outlines.append(RawOutline(index, _class_name(annotation), ((ring,),), of=of))
        index += 1
        annotation.clear()  # its points are in an array now
    if splines:
        message = f"{len(splines)} splines (first: object {splines[0]}) are measured as polygons through their points"
        parsed.findings.append(noted("SPLINE_AS_POLYGON", "info", message, float(len(splines))))
    return parsed


def _class_name(annotation: Element) -> str:
    group = (annotation.get("PartOfGroup") or "").strip()
    return group if group and group.lower() != "none" else (annotation.get("Name") or "").strip()


def _ring(annotation: Element) -> Ring:
    points = [(number(c.get("Order")), number(c.get("X")), number(c.get("Y"))) for c in annotation.iter("Coordinate")]
    if all(order == order for order, _, _ in points):  # NaN where a writer left the order out: as they stand
        points.sort(key=lambda point: point[0])
    return np.array([(x, y) for _, x, y in points], np.float64).reshape(-1, 2)
