"""slides: the pixel size out of OME-XML, read without building a tree and without entities."""

from collections.abc import Mapping
from xml.parsers import expat

from wsi_area.slides.header.units import positive_number, um_per_unit

MAX_XML_CHARS = 1 << 24


class _DoctypeRefused(Exception):
    """A document type is where entity bombs and outside references live; OME-XML needs none."""


def ome_mpp(text: str) -> tuple[float, float] | None:
    """Return µm per pixel (x, y) of the first ``Pixels`` element, or None where it does not say both.

    Entities are never expanded: a document with a document type is refused as a whole.

    >>> ome_mpp('<OME><Pixels PhysicalSizeX="250" PhysicalSizeXUnit="nm" PhysicalSizeY="0.25"/></OME>')
    (0.25, 0.25)
    >>> ome_mpp('<OME><Pixels PhysicalSizeX="0.25"/></OME>') is None
    True
    """
    found = _first_pixels(text)
    if found is None:
        return None
    sizes = [_size_um(found, axis) for axis in "XY"]
    if sizes[0] is None or sizes[1] is None:
        return None
    return sizes[0], sizes[1]


def _size_um(attributes: Mapping[str, str], axis: str) -> float | None:
    value = positive_number(attributes.get(f"PhysicalSize{axis}"))
    um = um_per_unit(attributes.get(f"PhysicalSize{axis}Unit", "µm"))  # the schema's default
    return None if value is None or um is None else positive_number(value * um)


def _first_pixels(text: str) -> Mapping[str, str] | None:
    if len(text) > MAX_XML_CHARS or "<" not in text:
        return None
    found: list[dict[str, str]] = []

    def on_element(name: str, attributes: dict[str, str]) -> None:
        if not found and name.rpartition(":")[2] == "Pixels":
            found.append(attributes)

    def on_doctype(*_: object) -> None:
        raise _DoctypeRefused

    parser = expat.ParserCreate()
    parser.StartElementHandler = on_element
    parser.StartDoctypeDeclHandler = on_doctype
    try:
        parser.Parse(text, True)
    except (_DoctypeRefused, expat.ExpatError, UnicodeEncodeError):
        # a text cut short after Pixels still said what it said; one with a document type is not believed
        return found[0] if found else None
    return found[0] if found else None
