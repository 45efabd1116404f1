"""Files and slides that the tests of this room share: small ones whose areas anybody can check."""

import json
from pathlib import Path
from typing import Any

from wsi_area.model.calibration import Mpp, MppCandidate
from wsi_area.model.geometry import Size
from wsi_area.model.slide import Level, SlideInfo


def slide_of(width: int = 1000, height: int = 800, mpp: Mpp | None = None, **properties: str) -> SlideInfo:
    """Return a slide that has a size and a pixel size, and no file."""
    size = Size(width, height)
    claims = () if mpp is None else (MppCandidate(mpp, "openslide.mpp-x", "vendor", "A"),)
    named = {key.replace("__", "."): value for key, value in properties.items()}
    level = Level(0, size, 1.0, 1.0)
    return SlideInfo("S1", "S1.svs", "made-up", size, (level,), "f", 1, 1, mpp_candidates=claims, properties=named)


def square(x: float, y: float, side: float) -> list[list[float]]:
    return [[x, y], [x + side, y], [x + side, y + side], [x, y + side], [x, y]]


def feature(rings: list[Any], properties: dict[str, Any] | None = None, kind: str = "Polygon") -> dict[str, Any]:
    return {"type": "Feature", "geometry": {"type": kind, "coordinates": rings}, "properties": properties or {}}


def written(path: Path, tree: Any) -> Path:
    path.write_text(tree if isinstance(tree, str) else json.dumps(tree), encoding="utf-8")
    return path


def imagescope(regions: str, name: str = "", mpp: str = "0.5", attribute: str = "Description") -> str:
    return (
        f'<Annotations MicronsPerPixel="{mpp}"><Annotation Id="1" Name="{name}"><Attributes><Attribute '
        f'Name="{attribute}" Value=""/></Attributes><Regions>{regions}</Regions></Annotation></Annotations>'
    )


def region(points: list[list[float]], **attributes: Any) -> str:
    listed = "".join(f'<Vertex X="{x}" Y="{y}" Z="0"/>' for x, y in points)
    stated = "".join(f' {key}="{value}"' for key, value in attributes.items())
    return f"<Region{stated}><Vertices>{listed}</Vertices></Region>"


def codes_of(findings: Any) -> list[str]:
    return [finding.code for finding in findings]
