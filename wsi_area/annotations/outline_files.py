"""annotations: which format a file has, by its content, and the outlines in it, in the file's own units."""

from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import Element

from wsi_area.annotations import imagescope
from wsi_area.annotations.asap import parse_asap
from wsi_area.annotations.imagescope import parse_imagescope
from wsi_area.annotations.json_outlines import parse_json_outlines
from wsi_area.annotations.ndpa import parse_ndpa
from wsi_area.annotations.raw import Parsed, noted
from wsi_area.annotations.stated_areas import OWN_TOLERANCE, stated_area_findings
from wsi_area.annotations.untrusted import MAX_TEXT_BYTES, read_bytes, sha256_of, unpacked, xml_events
from wsi_area.annotations.validity import OutlinedRegion, regions_of
from wsi_area.compute.first_bytes import first_bytes
from wsi_area.errors import AnnotationError
from wsi_area.frozen_value import frozen_value
from wsi_area.model.finding import QaFinding

_BY_ROOT = {"Annotations": parse_imagescope, "ASAP_Annotations": parse_asap, "annotations": parse_ndpa}
_CONTAINERS = {
    "Annotations": frozenset(
        [
            "Annotations",
            "Annotation",
            "Attributes",
            "Attribute",
            "Regions",
            "RegionAttributeHeaders",
            "AttributeHeader",
            "Plots",
        ]
    ),
    "ASAP_Annotations": frozenset(["ASAP_Annotations", "Annotations", "AnnotationGroups", "Group", "Attributes"]),
    "annotations": frozenset({"annotations"}),
}
"""What a file in which nothing was drawn may hold, by its root: lists, layers and groups, but no objects."""

_KNOWN = "QuPath GeoJSON, ImageScope XML, ASAP XML, Hamamatsu NDPA, CAMELYON JSON, or a mask as PNG, TIFF or zarr"


@frozen_value(eq=False)
class OutlineFile:
    """The outlines of one file, before they meet a slide."""

    path: str
    kind: str
    sha256: str
    unit: str  # "px" of the image it was drawn on, or "nm" from the centre of the physical slide
    mpp_um: float | None  # µm per unit, where the file states it
    regions: tuple[OutlinedRegion, ...]
    findings: tuple[QaFinding, ...]  # their slide is ""


def read_outlines(path: str | Path) -> OutlineFile:
    """Return the outlines of a file in its own units, with what was noticed; no slide is needed.

    A file that lists no object at all says that nothing was drawn: it has no region, and a finding.

    Raises
    ------
    AnnotationError
        It cannot be read, is too large, is no format of outlines that we know, or holds objects of which none
        encloses an area.
    """
    file = Path(path)
    parsed, sha256 = _parsed(file)
    try:
        regions, faults = regions_of(parsed)
    except AnnotationError as error:
        raise AnnotationError(f"{file}: {error}") from error
    findings = [*parsed.left_out_findings(), *parsed.findings, *faults]
    if parsed.kind == imagescope.KIND:
        findings += stated_area_findings(regions, parsed.mpp_um and parsed.mpp_um**2, OWN_TOLERANCE)
    if not regions and findings:
        reasons = "; ".join(f.message for f in findings[:3])
        raise AnnotationError(f"{file} holds no outline that encloses an area ({reasons}); give the right file")
    if not regions:
        message = f"the file ({parsed.kind}) lists no object: it was looked at and nothing was drawn, which is 0 mm²"
        findings.append(noted("NOTHING_DRAWN", "info", message, 0.0))
    return OutlineFile(str(file), parsed.kind, sha256, parsed.unit, parsed.mpp_um, regions, tuple(findings))


def _recorded(events: Iterator[tuple[str, Element]], tags: set[str]) -> Iterator[tuple[str, Element]]:
    """Yield the events, and put the tag of each element that ends on record."""
    for event, element in events:
        if event == "end":
            tags.add(element.tag)
        yield event, element


def _parsed(path: Path) -> tuple[Parsed, str]:
    """Return the content of a file, and its digest; no copy of a large text outlives its use."""
    packed = read_bytes(path, MAX_TEXT_BYTES)
    sha256 = sha256_of(packed)
    content = unpacked(path, packed)
    del packed
    head = content[:64].lstrip(b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n")
    if head[:1] in (b"{", b"["):
        return parse_json_outlines(path, content, _KNOWN), sha256
    if head[:1] == b"<":
        events = xml_events(path, content)
        root = next(element for _, element in events)
        parse = _BY_ROOT.get(root.tag)
        if parse is None:
            for _ in events:  # what is no XML at all is told first
                pass
            raise AnnotationError(f"{path} is XML of another kind (<{root.tag[:40]}>); known are {_KNOWN}")
        tags = set[str]()
        parsed = parse(root, _recorded(events, tags))
        strange = tags - _CONTAINERS[root.tag]
        if strange and not (parsed.outlines or parsed.left_out or parsed.findings):
            raise AnnotationError(
                f"{path} lists no object, and holds what an empty {parsed.kind} does not (<{min(strange)[:40]}>), so "
                "it does not say that nothing was drawn; give the right file"
            )
        return parsed, sha256
    raise AnnotationError(
        f"{path} is neither JSON nor XML, so no annotation format that we know (it begins with "
        f"{first_bytes(content)}); known are {_KNOWN}"
    )
