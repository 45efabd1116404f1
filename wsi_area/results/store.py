"""results: the zarr stores of one slide: the class map, and the ledger that says what of it is true.

A class map cannot tell "computed and empty" from "never computed" (a missing chunk reads as the fill value),
so the ledger does: a row that is not −1 is committed. A batch writes its shard of the class map first and its
rows after, by one atomic rename: a shard that was torn has no rows and is written again, whole. No two batches
share a shard or a ledger chunk.
"""

import shutil
import threading
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray
from zarr.codecs import BloscCodec, Crc32cCodec, ZstdCodec

from wsi_area.errors import ResultError, StaleResultError
from wsi_area.model.classes import BACKGROUND_ID, ClassScheme
from wsi_area.model.ledger import NOT_COMMITTED, LedgerLayout
from wsi_area.model.pixels import ClassMap
from wsi_area.model.plan import SlidePlan
from wsi_area.results.layout import SlideLayout

LEDGER_ARRAY, CLASS_MAP_ARRAY = "counts", "0"
_OPENING = threading.Lock()


def create_store(
    layout: SlideLayout, plan: SlidePlan, scheme: ClassScheme, key: str, made_from: Mapping[str, str]
) -> None:
    """Lay out the empty stores of a slide; the ledger comes last, so a store that opens is whole.

    Parameters
    ----------
    layout : SlideLayout
    plan : SlidePlan
    scheme : ClassScheme
    key : str
        Hash of everything the result depends on; a store with another key is not continued.
    made_from : mapping
        The same part by part.
    """
    with _OPENING:  # zarr's settings are global, see `_open_for_writing`
        _create(layout, plan, scheme, key, made_from)


def _create(layout: SlideLayout, plan: SlidePlan, scheme: ClassScheme, key: str, made_from: Mapping[str, str]) -> None:
    for path in (layout.ledger, layout.class_map):
        if path.exists():
            shutil.rmtree(path)
    shard_px = plan.batch_tiles * plan.tile_px
    image = zarr.create_group(layout.class_map)
    image.create_array(
        CLASS_MAP_ARRAY,
        shape=(plan.work_size_px.height_px, plan.work_size_px.width_px),
        shards=(shard_px, shard_px),
        chunks=(plan.tile_px, plan.tile_px),
        dtype="uint8",
        fill_value=BACKGROUND_ID,
        # bit planes of few classes: half the time of zstd, which took half as long as decoding the slide itself
        compressors=(BloscCodec(cname="lz4", clevel=1, shuffle="bitshuffle"), Crc32cCodec()),
        dimension_names=("y", "x"),
    )
    image.attrs.update(_ome_attributes(plan, scheme))
    columns = LedgerLayout(len(scheme.classes)).columns
    k = plan.batch_tiles
    ledger = zarr.create_group(layout.ledger)
    ledger.create_array(
        LEDGER_ARRAY,
        shape=(plan.grid_rows, plan.grid_cols, len(columns)),
        chunks=(k, k, len(columns)),
        dtype="int64",
        fill_value=NOT_COMMITTED,
        compressors=ZstdCodec(level=1, checksum=True),
        attributes={
            "columns": list(columns), "key": key, "made_from": dict(made_from), "tile_px": plan.tile_px,
            "batch_tiles": k, "level": plan.level, "reduce_factor": plan.reduce_factor,
        },
    )  # fmt: skip


def _ome_attributes(plan: SlidePlan, scheme: ClassScheme) -> dict[str, Any]:
    unit: dict[str, str] = {} if plan.work_mpp is None else {"unit": "micrometer"}
    scale = [1.0, 1.0] if plan.work_mpp is None else [plan.work_mpp.y, plan.work_mpp.x]
    transform = {"type": "scale", "scale": scale}
    axes = [{"name": name, "type": "space", **unit} for name in ("y", "x")]
    colors = [{"label-value": c.class_id, "rgba": [*c.color_rgb, 255 if c.class_id else 0]} for c in scheme.classes]
    properties = [{"label-value": c.class_id, "class": c.name} for c in scheme.classes]
    return {
        "ome": {
            "version": "0.5",
            "multiscales": [
                {
                    "name": plan.slide.slide_id,
                    "axes": axes,
                    "datasets": [{"path": CLASS_MAP_ARRAY, "coordinateTransformations": [transform]}],
                }
            ],
            "image-label": {"colors": colors, "properties": properties},
        }
    }


def stored_origin(layout: SlideLayout) -> dict[str, Any] | None:
    """Return what a slide's stores were made from, part by part, or None where there are none that open."""
    try:
        made_from = zarr.open_array(layout.ledger, path=LEDGER_ARRAY, mode="r").attrs["made_from"]
    except (FileNotFoundError, KeyError, ValueError):
        return None
    return dict(made_from) if isinstance(made_from, Mapping) else None


@lru_cache(maxsize=8)
def _open_for_writing(root: Path, key: str) -> tuple[zarr.Array[Any], zarr.Array[Any]]:
    # zarr's settings are global: no other thread may open a ledger while the pipeline is exchanged below
    with _OPENING:
        return _opened(SlideLayout(root), key)


def _opened(layout: SlideLayout, key: str) -> tuple[zarr.Array[Any], zarr.Array[Any]]:
    ledger = zarr.open_array(layout.ledger, path=LEDGER_ARRAY, mode="r+")
    if ledger.attrs["key"] != key:
        raise StaleResultError(
            f"{layout.root.name}: the ledger on disk was made from another slide, setting or version; use --force to "
            "measure it afresh"
        )
    # zarr's own pipeline hands each of a shard's chunks to a thread of its own, at twice the cost of compressing
    # it; the ledger keeps that pipeline, because its file is renamed into place and so never torn
    with zarr.config.set({"codec_pipeline.path": "zarrs.ZarrsCodecPipeline", "threading.max_workers": 1}):
        return zarr.open_array(layout.class_map, path=CLASS_MAP_ARRAY, mode="r+"), ledger


def commit_batch(
    layout: SlideLayout,
    key: str,
    first_tile: tuple[int, int],
    first_work_px: tuple[int, int],
    class_map: ClassMap | None,
    rows: NDArray[np.int64],
) -> None:
    """Commit one batch: its class map, then its ledger rows.

    Parameters
    ----------
    layout, key
        Where, and what the stores must have been made with.
    first_tile : (row, col)
        Of the batch in the tile grid.
    first_work_px : (y, x)
        Of the batch in the class map.
    class_map : uint8 (h, w) or None
        What is all background leaves no shard, and takes away one of an earlier try. None where no try was made.
    rows : int64 (tile_rows, tile_cols, columns)

    Raises
    ------
    ResultError
        If it cannot be written; nothing is committed then.
    """
    try:
        image, ledger = _open_for_writing(layout.root, key)
        row, col = first_tile
        batch = row // ledger.chunks[0], col // ledger.chunks[1]
        _write_shard(image, _shard_path(layout, *batch), first_work_px, class_map)
        ledger[row : row + rows.shape[0], col : col + rows.shape[1]] = rows
    except (OSError, RuntimeError) as error:  # zarrs raises RuntimeError where the disk is full
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise ResultError(
            f"{layout.root} cannot be written ({reason}); free some space, then run the same "
            "command again: what is committed is kept"
        ) from error


def _write_shard(image: zarr.Array[Any], shard: Path, first_px: tuple[int, int], class_map: ClassMap | None) -> None:
    # an earlier try may have left a torn shard, which cannot be written into, or tiles that it could not read
    shard.unlink(missing_ok=True)
    if class_map is None:
        return
    y, x = first_px
    try:
        image[y : y + class_map.shape[0], x : x + class_map.shape[1]] = class_map
    except (OSError, RuntimeError):
        shard.unlink(missing_ok=True)  # a torn one would keep the space that the tables need to say so
        raise


def _shard_path(layout: SlideLayout, shard_row: int, shard_col: int) -> Path:
    return layout.class_map / CLASS_MAP_ARRAY / "c" / str(shard_row) / str(shard_col)


def ledger_rows(layout: SlideLayout) -> NDArray[np.int64]:
    """Return the ledger, int64 (grid_rows, grid_cols, columns); −1 in a row that is not committed.

    Raises
    ------
    ResultError
        If there is none, or a chunk of it is damaged.
    """
    try:
        array = zarr.open_array(layout.ledger, path=LEDGER_ARRAY, mode="r")
        return np.asarray(array[:], dtype=np.int64)
    except (OSError, KeyError, ValueError, RuntimeError) as error:
        raise ResultError(f"{layout.ledger} cannot be read ({error}); measure the slide again with --force") from error


def open_class_map(layout: SlideLayout) -> "zarr.Array[Any]":
    """Return the class map as a lazy zarr array, uint8 (h, w) on the work grid."""
    try:
        return zarr.open_array(layout.class_map, path=CLASS_MAP_ARRAY, mode="r")
    except (OSError, KeyError, ValueError) as error:
        raise ResultError(f"{layout.class_map} cannot be opened ({error}); was the slide measured?") from error


def ledger_attributes(layout: SlideLayout) -> Mapping[str, Any]:
    """Return what the ledger says of itself: columns, key, tile and batch size."""
    return dict(zarr.open_array(layout.ledger, path=LEDGER_ARRAY, mode="r").attrs)
