"""exports: a slide's classes as GeoJSON for QuPath: exact pixel edges in level-0 pixels, streamed to one file.

Every feature is a locked annotation with a class (name and colour), an id that the same result always gets, and its
area. The polygons enclose exactly the level-0 pixels that were counted: their sum is held against result.json while
they are written, and a file is only there if it agrees.
"""

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from wsi_area.compute.count.area import area_mm2
from wsi_area.errors import CountMismatchError
from wsi_area.exports.class_outlines import ClassOutlines
from wsi_area.exports.feature_heads import FeatureHeads, json_text
from wsi_area.exports.measured_slide import MeasuredSlide
from wsi_area.exports.outline_texts import FEATURE_END, POLYGON_END, SEPARATOR, OutlineTexts, WrittenOutlines
from wsi_area.exports.tracing.rings import whole_regions
from wsi_area.exports.tracing.sweep import traced_regions
from wsi_area.results.content_hash import content_hash
from wsi_area.results.layout import OUTLINES_NAME
from wsi_area.storage.gzip_blocks import BlockWriter, PartSpool
from wsi_area.storage.in_order import InOrder
from wsi_area.storage.place import scratch_folder
from wsi_area.storage.whole_files import gzipped


def write_geojson(
    slide: MeasuredSlide, *, split: bool = False, simplify_px: float = 0.0, threads: int = 1
) -> tuple[ClassOutlines, ...]:
    """Write ``regions.geojson.gz`` into the folder of a slide's exports and return what each class came to.

    Parameters
    ----------
    slide
        What to outline: every class that covers something but the background.
    split : bool
        One object for each connected region instead of one for each class.
    simplify_px : float
        How far an outline may move, in level-0 px; 0: not at all.
    threads : int
        How many make text and pack it; the file does not depend on it.

    Raises
    ------
    CountMismatchError
        The outlines do not enclose the pixels that result.json counts; nothing was written.
    ResultError
        The class map cannot be read, or the file cannot be written.
    """
    outlines = {c.class_id: ClassOutlines(c.name) for c in slide.drawn_classes}
    texts = OutlineTexts(FeatureHeads(slide), split, simplify_px)
    with gzipped(slide.exports / OUTLINES_NAME) as file:
        file.write(b'{"type":"FeatureCollection","features":[\n')
        if split:
            _write_texts(slide, texts, outlines, {None: file}, threads)
            file.write(FEATURE_END.encode() if any(entry.regions for entry in outlines.values()) else b"")
        else:
            _write_by_class(file, slide, texts, outlines, threads)
        _refuse_mismatch(slide, outlines)
        about = _about(slide, list(outlines.values()), simplify_px)
        file.write(f'\n],\n"wsi_area":{json_text(about)}}}\n'.encode())
    return tuple(outlines.values())


def _write_by_class(
    file: BlockWriter, slide: MeasuredSlide, texts: OutlineTexts, outlines: Mapping[int, ClassOutlines], threads: int
) -> None:
    """Collect each class's polygons beside the file, then write one feature for each class."""
    beside = scratch_folder(slide.exports)
    with ExitStack() as opened:
        spools = {i: opened.enter_context(PartSpool(beside)) for i in outlines}
        _write_texts(slide, texts, outlines, spools, threads)
        for number, (class_id, entry) in enumerate(outlines.items()):
            # readers have stumbled over a MultiPolygon of one
            kind, opening, closing = ("Polygon", "", "") if entry.regions == 1 else ("MultiPolygon", "[", "]")
            head = texts.heads.head(class_id, kind, "", entry.regions, entry.area_px, entry.outline_area_px)
            file.write(f"{SEPARATOR if number else ''}{head}{opening}".encode())
            file.put_spooled(spools[class_id])
            file.write(f"{POLYGON_END if entry.regions else ''}{closing}}}}}".encode())


def _write_texts(
    slide: MeasuredSlide,
    texts: OutlineTexts,
    outlines: Mapping[int, ClassOutlines],
    files: Mapping[Any, PartSpool | BlockWriter],
    threads: int,
) -> None:
    """Write all regions into the file of their class, or all into one, and add them up."""
    x_edges, y_edges = slide.grid.edges_l0_px
    batches = traced_regions(slide.bands(), x_edges, y_edges, outlines, scratch_folder(slide.exports))

    def take(written: WrittenOutlines) -> None:
        for key, part in written.parts.items():
            files[key].put(part)
        for class_id, more in written.came_to.items():
            outlines[class_id].add(more)

    begun: frozenset[int | None] = frozenset()
    with InOrder(threads, take) as in_order:
        for batch in whole_regions(batches) if texts.simplify_px else batches:
            in_order.give(texts.written, batch, begun)
            begun |= texts.keys(batch)


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
