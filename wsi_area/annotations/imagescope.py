"""annotations: Aperio ImageScope's XML: layers (Annotation) of regions, some of them holes."""

from collections.abc import Iterator
from dataclasses import replace
from xml.etree.ElementTree import Element

import numpy as np

from wsi_area.annotations.raw import Parsed, RawOutline, Ring, box_ring, ellipse_ring, noted, number, positive
from wsi_area.model.drawn import DrawnObject

KIND = "imagescope-xml"
_NO_NAME = ("", "null", "none")  # converters write the word where ImageScope writes nothing
_NO_AREA = {"3": "an arrow", "4": "a ruler", "5": "a pointer"}
_ELLIPSE, _RECTANGLE = ("2", "ellipse"), ("1", "rectangle")
_YES, _NO = ("1", "true", "yes", "t", "y", "on", "-1"), ("", "0", "false", "no", "f", "n", "off", "null", "none")


def parse_imagescope(root: Element, events: Iterator[tuple[str, Element]]) -> Parsed:
    """Return the regions of every layer, numbered through the file.

    The class of a region is the name of its layer, else its own text, else the value or the name of the layer's
    first attribute. A region with ``NegativeROA`` 1 or true is a hole.
    """
    parsed = Parsed(KIND, mpp_um=positive(root.get("MicronsPerPixel")))
    layer, index, waiting = 0, 0, list[RawOutline]()
    for event, element in events:
        if event == "end" and element.tag == "Region":
            _add_region(parsed, waiting, layer, index, element)
            index += 1
            element.clear()  # its points are in an array now
        elif event == "end" and element.tag == "Annotation":
            parsed.outlines += _in_layer(waiting, element)
            waiting, layer = [], layer + 1
            element.clear()
    for outline in waiting:
        parsed.leave_out(outline.index, "a region in no layer", severity="warning")
    return parsed


def _add_region(parsed: Parsed, waiting: list[RawOutline], layer: int, index: int, region: Element) -> None:
    """Add a region, named after its text for now, to those that wait for the end of their layer."""
    ring, kind = _ring(region), region.get("Type", "")
    if len(ring) < 3 and kind in _NO_AREA:
        parsed.leave_out(index, _NO_AREA[kind])
        return
    stated = positive(region.get("AreaMicrons")), positive(region.get("Area"))
    hole = next((value for key, value in region.items() if key.casefold() == "negativeroa"), "").strip().casefold()
    if hole not in (*_YES, *_NO):
        message = f'region {index} has NegativeROA="{hole[:20]}", which is neither yes nor no; it is taken for no hole'
        parsed.findings.append(noted("HOLE_UNCERTAIN", "warning", message, remedy="save the file again in ImageScope"))
    text = _named(region.get("Text"))
    of = DrawnObject(object_id=region.get("Id", ""), own_name=text)
    shape = ((_shape(region, ring),),)
    waiting.append(RawOutline(index, text, shape, layer, hole in _YES, *stated, of))


def _in_layer(regions: list[RawOutline], annotation: Element) -> Iterator[RawOutline]:
    """Yield the regions of a layer with their class, which the whole layer tells."""
    layer_name, fallback = _named(annotation.get("Name")), _attribute_name(annotation)
    parent = layer_name or annotation.get("Id", "")
    for region in regions:
        name = layer_name or region.name or fallback
        yield replace(region, name=name, of=replace(region.of, parent=parent))


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
