"""exports: a slide's class map as OME-Zarr labels: its exact copy, coarser levels by majority, names and colours.

The group is a multiscale image and a label image at once: the slide's own pixels are not copied. Its origin is the
middle of the slide's level-0 pixel in the upper left corner, as for an image of the slide itself, so both lie on
each other in a viewer.
"""

from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import numpy as np
import zarr
from zarr.codecs import BloscCodec, Crc32cCodec

from wsi_area.compute.count.area import area_mm2
from wsi_area.compute.picture.pyramid import MODE_RULE, halved, level_shapes
from wsi_area.exports.measured_slide import MeasuredSlide, boxes, read_box, refuse_other_counts
from wsi_area.model.classes import BACKGROUND_ID, OUTSIDE_ROI_CODE, UNREADABLE_CODE, UNSCANNED_CODE
from wsi_area.model.geometry import Region, Size
from wsi_area.results.class_map.sparse_class_map import sparse_class_map
from wsi_area.results.layout import LABELS_NAME
from wsi_area.storage.in_order import for_each
from wsi_area.storage.whole_files import replaced_folder

OmeVersion = Literal["0.4", "0.5"]
_CHUNK_PX, _SHARD_PX = 512, 2048
_BLOSC_V2: dict[str, Any] = {"id": "blosc", "cname": "zstd", "clevel": 3, "shuffle": 2}  # 2: bits, as below
_UNREADABLE_RGBA, _NOTHING_RGBA = [0, 0, 0, 255], [0, 0, 0, 0]


def write_labels(slide: MeasuredSlide, version: OmeVersion = "0.5", threads: int = 1) -> int:
    """Write ``labels.ome.zarr`` into the folder of a slide's exports and return how many levels it has.

    Its finest level is read again from disk and counted before it gets its name.

    Parameters
    ----------
    slide
        What to write.
    version
        Of OME-Zarr: "0.5" is zarr format 3 with shards, "0.4" zarr format 2 for older readers.
    threads : int
        How many share the shards.

    Raises
    ------
    CountMismatchError
        The codes written do not cover the pixels that result.json counts; nothing is left behind.
    ResultError
        The class map cannot be read, or the store cannot be written.
    """
    size = slide.grid.size_px
    shapes = level_shapes((size.height_px, size.width_px))
    target = slide.exports / LABELS_NAME
    with replaced_folder(target) as folder:
        group = zarr.create_group(folder, zarr_format=3 if version == "0.5" else 2)
        arrays = [_create_level(group, str(n), shape, version) for n, shape in enumerate(shapes)]
        _copy(slide, arrays[0], threads)
        for finer, coarser in pairwise(arrays):
            _halve(finer, coarser, threads)
        group.attrs.update(attributes(slide, len(shapes), version))
        refuse_other_counts(slide, zarr.open_array(folder, path="0", mode="r"), _SHARD_PX, target, threads)
    return len(shapes)


def _create_level(group: zarr.Group, path: str, shape: tuple[int, int], version: OmeVersion) -> Any:
    common: dict[str, Any] = {"shape": shape, "dtype": "uint8", "fill_value": BACKGROUND_ID}
    chunks = (_CHUNK_PX, _CHUNK_PX)
    if version == "0.4":
        return group.create_array(
            path,
            chunks=chunks,
            chunk_key_encoding={"name": "v2", "separator": "/"},
            compressors=_BLOSC_V2,
            **common,
        )
    return group.create_array(
        path,
        shards=(_SHARD_PX, _SHARD_PX),
        chunks=chunks,
        dimension_names=("y", "x"),
        compressors=(BloscCodec(cname="zstd", clevel=3, shuffle="bitshuffle"), Crc32cCodec()),
        **common,
    )


def _copy(slide: MeasuredSlide, array: Any, threads: int) -> None:
    """Write the finest level, shard by shard."""
    class_map = sparse_class_map(slide.layout)

    def copy(b: Region) -> None:
        box = read_box(class_map, b, slide.layout.class_map)
        if box.any():  # background is what an array is filled with
            array[b.y_px : b.bottom_px, b.x_px : b.right_px] = box

    for_each(boxes(slide.grid.size_px, _SHARD_PX), copy, threads)


def _halve(finer: Any, coarser: Any, threads: int) -> None:
    """Write a level from the one below it, shard by shard."""
    height, width = coarser.shape

    def halve(b: Region) -> None:
        below = np.asarray(finer[2 * b.y_px : 2 * b.bottom_px, 2 * b.x_px : 2 * b.right_px], dtype=np.uint8)
        if below.any():
            coarser[b.y_px : b.bottom_px, b.x_px : b.right_px] = halved(below)

    for_each(boxes(Size(width, height), _SHARD_PX), halve, threads)


def attributes(slide: MeasuredSlide, levels: int, version: OmeVersion) -> dict[str, Any]:
    """Return the attributes of the group, as OME-Zarr 0.5 (below ``ome``) or 0.4 wants them."""
    multiscale: dict[str, Any] = {
        "name": slide.result.slide_id,
        "axes": _axes(slide),
        "datasets": [{"path": str(n), "coordinateTransformations": _transformations(slide, n)} for n in range(levels)],
        "type": "mode",
        "metadata": {"description": MODE_RULE},
    }
    # no source.image: it would name an image in zarr, and the slide itself is none; wsi_area.source names its file
    label = {"colors": _colors(slide), "properties": _properties(slide)}
    ours = {"wsi_area": _origin(slide)}
    if version == "0.4":
        return {
            "multiscales": [{"version": version, **multiscale}],
            "image-label": {"version": version, **label},
            **ours,
        }
    return {"ome": {"version": version, "multiscales": [multiscale], "image-label": label}, **ours}


def _axes(slide: MeasuredSlide) -> list[dict[str, str]]:
    unit = {} if slide.result.mpp is None else {"unit": "micrometer"}
    return [{"name": name, "type": "space", **unit} for name in ("y", "x")]


def _transformations(slide: MeasuredSlide, level: int) -> list[dict[str, Any]]:
    """Return the size of a level's pixel and where the middle of its first one lies; µm, or level-0 px without mpp.

    A pixel of s level-0 pixels has its middle (s − 1) / 2 level-0 pixels from the middle of the first of them.
    """
    grid, mpp = slide.grid, slide.result.mpp
    per_px = (1.0, 1.0) if mpp is None else (mpp.y, mpp.x)
    sizes = (
        (grid.size_l0_px.height_px, grid.level_px.height_px),
        (grid.size_l0_px.width_px, grid.level_px.width_px),
    )
    spans = [grid.reduce_factor * size_l0 / size_level * 2**level for size_l0, size_level in sizes]
    scale = [span * unit for span, unit in zip(spans, per_px, strict=True)]
    shift = [(span - 1) / 2 * unit for span, unit in zip(spans, per_px, strict=True)]
    return [{"type": "scale", "scale": scale}, {"type": "translation", "translation": shift}]


def _colors(slide: MeasuredSlide) -> list[dict[str, Any]]:
    """Return a colour for every code: background and what lies outside are not seen, unreadable tiles are black."""
    by_class = [
        {"label-value": c.class_id, "rgba": [*c.color_rgb, 0 if c.class_id == BACKGROUND_ID else 255]}
        for c in slide.classes
    ]
    unseen = {OUTSIDE_ROI_CODE: _NOTHING_RGBA, UNSCANNED_CODE: _NOTHING_RGBA}
    reserved = {UNREADABLE_CODE: _UNREADABLE_RGBA, **unseen}
    return [*by_class, *({"label-value": code, "rgba": rgba} for code, rgba in reserved.items())]


def _properties(slide: MeasuredSlide) -> list[dict[str, Any]]:
    """Return the meaning of each code; reserved codes have no class, so that no importer takes them for one."""
    counts = slide.counts
    classes = [
        {"label-value": c.class_id, "class": c.name, **_extent(slide, counts.px_by_class[c.class_id])}
        for c in slide.classes
    ]
    reserved = {
        UNREADABLE_CODE: ("unreadable", counts.unreadable_px),
        OUTSIDE_ROI_CODE: ("outside_roi", counts.outside_roi_px),
        UNSCANNED_CODE: ("unscanned", counts.unscanned_px),
    }
    return [
        *classes,
        *(
            {"label-value": code, "reserved": meaning, **_extent(slide, n_px)}
            for code, (meaning, n_px) in reserved.items()
        ),
    ]


def _extent(slide: MeasuredSlide, n_px: int) -> dict[str, float]:
    return {"n_px": n_px} if slide.result.mpp is None else {"n_px": n_px, "area_mm2": area_mm2(n_px, slide.result.mpp)}


def _origin(slide: MeasuredSlide) -> dict[str, Any]:
    return {
        "slide_id": slide.result.slide_id,
        "status": slide.result.status,
        "reason": slide.result.reason,
        "key": slide.result.key,
        "wsi_area_version": slide.result.wsi_area_version,
        "source": {
            "file": Path(slide.result.path).name,
            "fingerprint": slide.result.fingerprint,
            "width_px": slide.grid.size_l0_px.width_px,
            "height_px": slide.grid.size_l0_px.height_px,
        },
    }
