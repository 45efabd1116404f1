"""tests: corrections painted a second time, on whole arrays with numpy, scipy and shapely, by no code of ours."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy import ndimage

UNSCANNED, OUTSIDE, UNREADABLE = 255, 254, 253
Codes = NDArray[np.uint8]
BASE = {"reviewer": "A. Reader", "utc": "2026-03-01T10:00:00Z"}


def box(x0: float, y0: float, x1: float, y1: float) -> dict[str, Any]:
    """A rectangle as GeoJSON."""
    return {"type": "Polygon", "coordinates": [[[x0, y0], [x1, y0], [x1, y1], [x0, y1], [x0, y0]]]}


def operation(name: str, geometry: dict[str, Any], **further: Any) -> dict[str, Any]:
    """A feature that orders something."""
    return {"type": "Feature", "geometry": geometry, "properties": {"operation": name, **further}}


def seed(x: float, y: float) -> dict[str, Any]:
    """A point as GeoJSON."""
    return {"type": "Point", "coordinates": [x, y]}


def write_corrections(path: Path, base: str, features: Sequence[Mapping[str, Any]], **top: Any) -> Path:
    """A file of corrections."""
    document = {"type": "FeatureCollection", "base": base, **BASE, **top, "features": list(features)}
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def inside(geometry: Mapping[str, Any], x_centres: NDArray[np.float64], y_centres: NDArray[np.float64]) -> Any:
    """Which centres lie in a geometry whose edges meet none of them, bool (h, w)."""
    shape = shapely.geometry.shape(geometry)
    x, y = np.meshgrid(x_centres, y_centres)
    return shapely.contains_xy(shape, x, y)


def centres(edges: NDArray[np.int64]) -> NDArray[np.float64]:
    """The middles of work columns or rows, level-0 px."""
    return (edges[:-1] + edges[1:]) / 2


def painted(
    codes: Codes, features: Sequence[Mapping[str, Any]], edges: tuple[Any, Any], classes: Mapping[str, int],
    tissue: Sequence[str], *, has_layer: bool = False,
) -> tuple[Codes, NDArray[np.bool_]]:  # fmt: skip
    """A class map with corrections, and which pixels a drawing decided on; classes by name, among them the one that
    excludes by hand."""
    codes, held = codes.copy(), np.zeros(codes.shape, np.bool_)
    x, y = (centres(e) for e in edges)
    tissue_ids = [classes[name] for name in tissue]
    for feature in features:
        told, geometry = feature["properties"], feature["geometry"]
        kind, name = told["operation"], told.get("class")
        free = codes < UNREADABLE
        if kind in {"tissue", "not_tissue"} and has_layer:
            continue
        if kind == "fill":
            px, py = geometry["coordinates"]
            at = int(np.searchsorted(edges[1], py, "right")) - 1, int(np.searchsorted(edges[0], px, "right")) - 1
            labels, _ = ndimage.label(codes == codes[at], np.ones((3, 3)))
            taken = labels == labels[at]
        else:
            taken = inside(geometry, x, y) & free
        if kind == "erase":
            taken = taken & (codes == classes[name]) if name else taken
        if kind == "tissue":
            taken = taken & ~np.isin(codes, tissue_ids)
        if kind == "not_tissue":
            taken = taken & np.isin(codes, tissue_ids)
        becomes = {
            "add": name, "fill": name, "erase": "background", "not_tissue": "background", "tissue": tissue[0],
            "exclude": name or "excluded_by_hand",
        }[kind]  # fmt: skip
        codes[taken] = classes[becomes]
        held |= taken
    return codes, held


def painted_layer(
    codes: Codes, features: Sequence[Mapping[str, Any]], edges: tuple[Any, Any], tissue: int, excluded: int
) -> Codes:
    """A tissue layer with corrections; the ids of its tissue, and of what is excluded by hand."""
    codes = codes.copy()
    x, y = (centres(e) for e in edges)
    for feature in features:
        kind = feature["properties"]["operation"]
        if kind in {"tissue", "not_tissue", "exclude"}:
            taken = inside(feature["geometry"], x, y) & (codes < UNREADABLE)
            if kind == "not_tissue":
                taken &= codes == tissue
            if kind == "tissue":
                taken &= codes != tissue
            codes[taken] = {"tissue": tissue, "not_tissue": 0, "exclude": excluded}[kind]
    return codes


def px_by_code(codes: Codes, edges: tuple[Any, Any]) -> dict[int, int]:
    """The level-0 pixels of each code of a class map."""
    weights = np.multiply.outer(np.diff(edges[1]), np.diff(edges[0])).astype(np.int64)
    return {int(code): int(weights[codes == code].sum()) for code in np.unique(codes)}


def filtered(codes: Codes, tissue: tuple[tuple[int, ...], float], hole_px: float, excluded: int) -> Codes:
    """A class map of level-0 pixels with small tissue taken away and then small holes filled, object by object."""
    ids, least_px = tissue
    for wanted, structure, limit, is_hole in ((ids, np.ones((3, 3)), least_px, False), ((0,), None, hole_px, True)):
        before, codes = codes, codes.copy()
        numbered, count = ndimage.label(np.isin(before, wanted), structure)
        for n in range(1, count + 1):
            mask = numbered == n
            at_edge = mask[0].any() or mask[-1].any() or mask[:, 0].any() or mask[:, -1].any()
            if mask.sum() >= limit or (is_hole and at_edge):
                continue
            touched: dict[int, int] = {}
            for axis, step in ((0, 1), (0, -1), (1, 1), (1, -1)):
                moved = np.roll(mask, step, axis)
                edge = [slice(None), slice(None)]
                edge[axis] = slice(0, 1) if step == 1 else slice(-1, None)
                moved[tuple(edge)] = False
                for code, times in zip(*np.unique(before[moved & ~mask], return_counts=True), strict=True):
                    touched[int(code)] = touched.get(int(code), 0) + int(times)
            if is_hole and any(code >= UNREADABLE for code in touched):
                continue
            plain = {c: k for c, k in touched.items() if c < UNREADABLE and c != excluded}
            chosen = plain or {c: k for c, k in touched.items() if c == excluded}
            if chosen:
                codes[mask] = min(chosen, key=lambda c: (-chosen[c], c))
    return codes
