"""exports: a slide's classes as GeoJSON for QuPath: exact pixel edges in level-0 pixels, streamed to one file.

Every feature is a locked annotation with a class (name and colour), an id that the same result always gets, and its
area. The polygons enclose exactly the level-0 pixels that were counted: their sum is held against result.json while
they are written, and a file is only there if it agrees.
"""

import json
import shutil
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from wsi_area.compute.count.area import area_mm2
from wsi_area.errors import CountMismatchError
from wsi_area.exports.measured_slide import MeasuredSlide
from wsi_area.exports.simplifying import simplified
from wsi_area.exports.tracing import Ring, TracedRegion, traced_regions
from wsi_area.model.classes import TissueClass
from wsi_area.results.content_hash import content_hash
from wsi_area.results.layout import OUTLINES_NAME
from wsi_area.storage.place import scratch_folder
from wsi_area.storage.whole_files import gzipped

_OBJECTS = uuid.UUID("5c0a8f5e-6d0b-5a0e-9a63-0d6f1f6c2b11")
"""The namespace of the ids; any fixed UUID would do, this one must never change."""
_SEPARATOR = ",\n"


@dataclass(slots=True)
class ClassOutlines:
    """What the outlines of one class came to."""

    name: str
    regions: int = 0
    area_px: int = 0  # level-0 px inside exact outlines: what was counted
    outline_area_px: float = 0.0  # level-0 px² inside the outlines as written; differs where they were simplified
    kept_exact: int = 0  # regions that could not be simplified without breaking, and were left exact

    @property
    def change_pct(self) -> float:
        """Return by how much simplifying changed the area, in percent of what was counted."""
        return 100 * (self.outline_area_px - self.area_px) / self.area_px if self.area_px else 0.0


def write_geojson(slide: MeasuredSlide, *, split: bool = False, simplify_px: float = 0.0) -> tuple[ClassOutlines, ...]:
    """Write ``regions.geojson.gz`` into the folder of a slide's exports and return what each class came to.

    Parameters
    ----------
    slide
        What to outline: every class that covers something but the background.
    split : bool
        One object for each connected region instead of one for each class.
    simplify_px : float
        How far an outline may move, in level-0 px; 0: not at all.

    Raises
    ------
    CountMismatchError
        The outlines do not enclose the pixels that result.json counts; nothing was written.
    ResultError
        The class map cannot be read, or the file cannot be written.
    """
    outlines = {c.class_id: ClassOutlines(c.name) for c in slide.drawn_classes}
    with gzipped(slide.exports / OUTLINES_NAME) as file, ExitStack() as spools:
        file.write(b'{"type":"FeatureCollection","features":[\n')
        regions = _regions(slide, outlines, simplify_px)
        if split:
            _write_split(file, slide, regions)
        else:
            beside = scratch_folder(slide.exports)
            spool = {i: spools.enter_context(tempfile.TemporaryFile(dir=beside)) for i in outlines}
            _write_by_class(file, slide, regions, outlines, spool)
        _refuse_mismatch(slide, outlines)
        about = _about(slide, list(outlines.values()), simplify_px)
        file.write(f'\n],\n"wsi_area":{_json(about)}}}\n'.encode())
    return tuple(outlines.values())


@dataclass(frozen=True, slots=True, eq=False)
class _Outline:
    """A region as it is written."""

    region: TracedRegion  # exact, on level 0
    rings: tuple[Ring, ...]
    area_px: float  # level-0 px² that these rings enclose


def _regions(slide: MeasuredSlide, outlines: dict[int, ClassOutlines], simplify_px: float) -> Iterator[_Outline]:
    """Yield the regions in the frame of level 0, and add each up."""
    x_edges, y_edges = slide.grid.edges_l0_px
    for region in traced_regions(slide.bands(), x_edges, y_edges, outlines):
        entry = outlines[region.class_id]
        entry.regions += 1
        entry.area_px += region.area_px
        outline = _Outline(region, (region.shell, *region.holes), region.area_px)
        if simplify_px:
            simple = simplified(outline.rings, simplify_px)
            entry.kept_exact += simple is None
            outline = outline if simple is None else _Outline(region, simple.rings, simple.area_px)
        entry.outline_area_px += outline.area_px
        yield outline


def _write_split(file: IO[bytes], slide: MeasuredSlide, regions: Iterator[_Outline]) -> None:
    for number, outline in enumerate(regions):
        region = outline.region
        x, y = region.shell[0].tolist()  # no other region of its class begins there
        one = ClassOutlines(slide.classes[region.class_id].name, 1, region.area_px, outline.area_px)
        head = _head(slide, slide.classes[region.class_id], f"{x},{y}", one)
        feature = f'{head}"geometry":{{"type":"Polygon","coordinates":{_polygon(outline.rings)}}}}}'
        file.write(f"{_SEPARATOR if number else ''}{feature}".encode())


def _write_by_class(
    file: IO[bytes],
    slide: MeasuredSlide,
    regions: Iterator[_Outline],
    outlines: dict[int, ClassOutlines],
    spool: Mapping[int, IO[bytes]],
) -> None:
    """Collect each class's polygons beside the file, then write one feature for each class."""
    for outline in regions:
        class_id = outline.region.class_id
        separator = _SEPARATOR if outlines[class_id].regions > 1 else ""
        spool[class_id].write(f"{separator}{_polygon(outline.rings)}".encode())
    for number, (class_id, entry) in enumerate(outlines.items()):
        # readers have stumbled over a MultiPolygon of one
        kind, opening, closing = ("Polygon", "", "") if entry.regions == 1 else ("MultiPolygon", "[", "]")
        head = _head(slide, slide.classes[class_id], "", entry)
        before = f'{_SEPARATOR if number else ""}{head}"geometry":{{"type":"{kind}","coordinates":{opening}'
        file.write(before.encode())
        spool[class_id].seek(0)
        shutil.copyfileobj(spool[class_id], file, 1 << 20)
        file.write(f"{closing}}}}}".encode())


def _head(slide: MeasuredSlide, tissue_class: TissueClass, place: str, outlines: ClassOutlines) -> str:
    """Return a feature up to its geometry; ``place`` tells apart the features of one class."""
    color = list(tissue_class.color_rgb)
    areas: dict[str, float] = {"area": outlines.area_px}
    if outlines.outline_area_px != outlines.area_px:
        areas["outline_area"] = outlines.outline_area_px
    measurements: dict[str, float] = {"regions": outlines.regions}
    for name, area_px in areas.items():
        measurements[f"{name}_px"] = area_px
        if slide.result.mpp is not None:
            measurements[f"{name}_mm2"] = area_mm2(area_px, slide.result.mpp)
    properties = {
        "objectType": "annotation",
        "name": tissue_class.name,
        "color": color,
        "classification": {"name": tissue_class.name, "color": color},
        "isLocked": True,
        "measurements": measurements,
    }
    # by content: the same outlines have the same id whatever the tiles, and another run's do not get in their way
    object_id = uuid.uuid5(_OBJECTS, f"{slide.result.fingerprint}/{tissue_class.name}/{place}/{outlines.area_px}")
    return f'{{"type":"Feature","id":"{object_id}","properties":{_json(properties)},'


def _polygon(rings: tuple[Ring, ...]) -> str:
    """Return the coordinates of a polygon; the first point of a ring is its last again."""
    return f"[{','.join(map(_closed, rings))}]"


def _closed(ring: Ring) -> str:
    """Return a ring as JSON; Python writes lists of whole numbers as JSON has them but for the spaces."""
    points = ring.tolist()
    points.append(points[0])
    return str(points).replace(" ", "") if ring.dtype.kind == "i" else _json(points)


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def _refuse_mismatch(slide: MeasuredSlide, outlines: dict[int, ClassOutlines]) -> None:
    for class_id, entry in outlines.items():
        counted_px = slide.counts.px_by_class[class_id]
        if entry.area_px != counted_px:
            raise CountMismatchError(
                f"{slide.result.slide_id}: the outlines of {entry.name} enclose {entry.area_px} level-0 px, "
                f"result.json counts {counted_px} ({entry.area_px - counted_px:+d}); nothing was exported. "
                "Run `wsi-area verify`, then measure the slide again with --force"
            )


def _about(slide: MeasuredSlide, outlines: list[ClassOutlines], simplify_px: float) -> dict[str, Any]:
    """Return the members that stand beside the features; readers of GeoJSON pass over what they do not know."""
    mpp = slide.result.mpp
    by_class = [
        {
            "name": entry.name,
            "regions": entry.regions,
            "area_px": entry.area_px,
            "area_mm2": None if mpp is None else area_mm2(entry.area_px, mpp),
            "outline_area_px": entry.outline_area_px,
            "outline_area_mm2": None if mpp is None else area_mm2(entry.outline_area_px, mpp),
            "change_pct": entry.change_pct,
            "kept_exact": entry.kept_exact,
        }
        for entry in outlines
    ]
    return {
        "slide_id": slide.result.slide_id,
        "slide_file": Path(slide.result.path).name,
        "fingerprint": slide.result.fingerprint,
        "key": slide.result.key,
        "content_hash": content_hash(slide.result),
        "wsi_area_version": slide.result.wsi_area_version,
        "status": slide.result.status,
        "reason": slide.result.reason,
        "coordinates": "level-0 px from the top left corner; pixel edges, 4-connected",
        "width_px": slide.grid.size_l0_px.width_px,
        "height_px": slide.grid.size_l0_px.height_px,
        "mpp_x_um": None if mpp is None else mpp.x,
        "mpp_y_um": None if mpp is None else mpp.y,
        "simplify_px": simplify_px,
        "classes": by_class,
    }
