"""annotations: which format a file has, by its content, and the outlines in it, in the file's own units."""

from dataclasses import dataclass
from pathlib import Path

from wsi_area.annotations.asap import parse_asap
from wsi_area.annotations.camelyon import is_camelyon, parse_camelyon
from wsi_area.annotations.imagescope import parse_imagescope
from wsi_area.annotations.ndpa import parse_ndpa
from wsi_area.annotations.qupath import is_geojson, parse_geojson
from wsi_area.annotations.raw import Parsed
from wsi_area.annotations.stated_areas import stated_area_findings
from wsi_area.annotations.untrusted import MAX_TEXT_BYTES, parse_json, parse_xml, read_bytes, sha256_of, unpacked
from wsi_area.annotations.validity import OutlinedRegion, regions_of
from wsi_area.compute.first_bytes import first_bytes
from wsi_area.errors import AnnotationError
from wsi_area.model.finding import QaFinding

_BY_ROOT = {"Annotations": parse_imagescope, "ASAP_Annotations": parse_asap, "annotations": parse_ndpa}
_KNOWN = "QuPath GeoJSON, ImageScope XML, ASAP XML, Hamamatsu NDPA, CAMELYON JSON, or a mask as PNG, TIFF or zarr"


@dataclass(frozen=True, slots=True, eq=False)
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

    Raises
    ------
    AnnotationError
        It cannot be read, is too large, is no format of outlines that we know, or holds none.
    """
    file = Path(path)
    packed = read_bytes(file, MAX_TEXT_BYTES)
    parsed = _parsed(file, unpacked(file, packed))
    regions, faults = regions_of(parsed)
    findings = (*parsed.findings, *faults, *stated_area_findings(regions, parsed.mpp_um))
    if not regions:
        reasons = "; ".join(f.message for f in findings[:3]) or "it lists no object at all"
        raise AnnotationError(f"{file} holds no outline that encloses an area ({reasons}); give the right file")
    return OutlineFile(str(file), parsed.kind, sha256_of(packed), parsed.unit, parsed.mpp_um, regions, findings)


def _parsed(path: Path, text: bytes) -> Parsed:
    head = text[:64].lstrip(b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n")
    if head[:1] in (b"{", b"["):
        tree = parse_json(path, text)
        if is_camelyon(tree):
            return parse_camelyon(tree)
        if is_geojson(tree):
            return parse_geojson(tree)
        keys = ", ".join(sorted(tree)[:5]) if isinstance(tree, dict) else "a list"
        raise AnnotationError(f"{path} is JSON but no annotation format we know (it holds {keys}); known are {_KNOWN}")
    if head[:1] == b"<":
        root = parse_xml(path, text)
        parse = _BY_ROOT.get(root.tag)
        if parse is None:
            raise AnnotationError(f"{path} is XML of another kind (<{root.tag[:40]}>); known are {_KNOWN}")
        return parse(root)
    raise AnnotationError(
        f"{path} is neither JSON nor XML, so no annotation format that we know (it begins with {first_bytes(text)}); "
        f"known are {_KNOWN}"
    )
