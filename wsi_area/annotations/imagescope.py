"""annotations: Aperio ImageScope's XML: layers (Annotation) of regions, some of them holes."""

from xml.etree.ElementTree import Element

import numpy as np

from wsi_area.annotations.raw import (
    Parsed,
    RawOutline,
    Ring,
    box_ring,
    ellipse_ring,
    not_an_area,
    number,
    positive,
)

KIND = "imagescope-xml"
_NO_NAME = ("", "null", "none")  # converters write the word where ImageScope writes nothing
_NO_AREA = {"3": "an arrow", "4": "a ruler", "5": "a pointer"}
_ELLIPSE, _RECTANGLE = ("2", "ellipse"), ("1", "rectangle")


def parse_imagescope(root: Element) -> Parsed:
    """Return the regions of every layer, numbered through the file.

    The class of a region is the name of its layer, else its own text, else the value or the name of the layer's
    first attribute. A region with ``NegativeROA="1"`` is a hole in the regions of its layer.
    """
    parsed = Parsed(KIND, mpp_um=positive(root.get("MicronsPerPixel")))
    index = 0
    for layer, annotation in enumerate(root.iter("Annotation")):
        layer_name, fallback = _named(annotation.get("Name")), _attribute_name(annotation)
        for region in annotation.iter("Region"):
            name = layer_name or _named(region.get("Text")) or fallback
            ring = _ring(region)
            if len(ring) < 3 and region.get("Type") in _NO_AREA:
                parsed.findings.append(not_an_area(index, _NO_AREA[region.get("Type", "")]))
            else:
                parsed.outlines.append(
                    RawOutline(
                        index,
                        name,
                        ((_shape(region, ring),),),
                        layer,
                        region.get("NegativeROA") == "1",
                        positive(region.get("AreaMicrons")),
                        positive(region.get("Area")),
                    )
                )
            index += 1
    return parsed


def _ring(region: Element) -> Ring:
    pairs = [(number(vertex.get("X")), number(vertex.get("Y"))) for vertex in region.iter("Vertex")]
    return np.array(pairs, np.float64).reshape(-1, 2)


def _shape(region: Element, ring: Ring) -> Ring:
    """Return the outline that a region's vertices stand for.

    ImageScope stores rectangles as corners and ellipses as two corners of their box; other writers put the shape
    into GeoShape and store an ellipse by the four ends of its axes.
    """
    shape = region.get("GeoShape", "").lower() or region.get("Type", "").lower()
    if shape in _ELLIPSE and (len(ring) == 2 or (len(ring) == 4 and region.get("GeoShape"))):
        (x0, y0), (x1, y1) = ring.min(axis=0), ring.max(axis=0)
        return ellipse_ring((x0 + x1) / 2, (y0 + y1) / 2, (x1 - x0) / 2, (y1 - y0) / 2)
    return box_ring(ring) if shape in _RECTANGLE and len(ring) == 2 else ring


def _named(text: str | None) -> str:
    stripped = (text or "").strip()
    return "" if stripped.lower() in _NO_NAME else stripped


def _attribute_name(annotation: Element) -> str:
    for attribute in annotation.findall("Attributes/Attribute"):
        value, name = _named(attribute.get("Value")), _named(attribute.get("Name"))
        if value:
            return value
        if name and name.lower() != "description":  # the name that every new layer has
            return name
    return ""
