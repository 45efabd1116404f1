"""results: the zarr stores of one slide: the class map, and the ledger that says what of it is true.

A class map cannot tell "computed and empty" from "never computed" (a missing chunk reads as the fill value),
so the ledger does: a row that is not −1 is committed. A batch writes its shard of the class map first and its
rows after, each by an atomic rename or put. No two batches share a shard or a ledger chunk.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wsi_area.errors import ResultError, StaleResultError
from wsi_area.model.classes import ClassScheme
from wsi_area.model.ledger import LedgerLayout
from wsi_area.model.plan import SlidePlan
from wsi_area.results.class_map.array_documents import write_class_map, write_group, write_ledger
from wsi_area.results.class_map.ledger import ledger_document, write_rows
from wsi_area.results.class_map.overlaid import OVER_KEY, ledger_attribute, write_stored_shard
from wsi_area.results.class_map.signal_store import create_signal_map, write_signal_shard
from wsi_area.results.layout import CLASS_MAP_ARRAY, LEDGER_ARRAY, SlideLayout
from wsi_area.segmenters.protocol import Signal
from wsi_area.storage.place import Place, mending, remove_tree


def create_store(
    layout: SlideLayout,
    plan: SlidePlan,
    scheme: ClassScheme,
    key: str,
    made_from: Mapping[str, str],
    *,
    has_class_map: bool = True,
    signal: Signal | None = None,
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
    has_class_map : bool
        False for an estimate: of what is not looked at nobody may read that it is background.
    signal : Signal or None
        What is kept pixel by pixel beside the classes; None for nothing.
    """
    for path in (layout.ledger, layout.class_map, layout.signal_map):
        remove_tree(path)
    below = layout.base
    over = {} if below is None else {OVER_KEY: ledger_attribute(below, "key")}
    if has_class_map:
        _create_class_map(layout, plan, scheme)
    if signal is not None:
        create_signal_map(layout, plan, signal)
    columns = LedgerLayout(len(scheme.classes)).columns
    k = plan.batch_tiles
    write_group(layout.ledger, {})
    write_ledger(
        layout.ledger / LEDGER_ARRAY,
        (plan.grid_rows, plan.grid_cols, len(columns)),
        k,
        {
            "columns": list(columns), "key": key, "made_from": dict(made_from), "tile_px": plan.tile_px,
            "batch_tiles": k, "level": plan.level, "reduce_factor": plan.reduce_factor, **over,
        },
    )  # fmt: skip


def _create_class_map(layout: SlideLayout, plan: SlidePlan, scheme: ClassScheme) -> None:
    shape, shard_px = (plan.work_size_px.height_px, plan.work_size_px.width_px), plan.batch_tiles * plan.tile_px
    write_class_map(layout.class_map / CLASS_MAP_ARRAY, shape, shard_px, plan.tile_px)
    write_group(layout.class_map, _ome_attributes(plan, scheme))


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
    """Return the origin of a slide's stores, part by part, or None where there are none that open."""
    try:
        made_from = ledger_document(layout).attributes["made_from"]
    except (FileNotFoundError, KeyError, ValueError):
        return None
    except OSError as error:
        raise ResultError(
            f"{layout.ledger} cannot be read ({error.strerror or error}); mend that and run again"
        ) from error
    return dict(made_from) if isinstance(made_from, Mapping) else None


@lru_cache(maxsize=8)
def _batch_tiles_of(root: Place, key: str) -> int:
    """Return the tiles on a batch's side, having made sure that the ledger is the one of this key."""
    ledger = ledger_document(SlideLayout(root))
    if ledger.attributes["key"] != key:
        raise StaleResultError(
            f"{root.name}: the ledger on disk was made from another slide, setting or version; use --force to "
            "measure it afresh"
        )
    return ledger.file_shape[0]


def commit_batch(
    layout: SlideLayout,
    key: str,
    first_tile: tuple[int, int],
    tiles: Mapping[tuple[int, int], bytes],
    rows: NDArray[np.int64],
    signal: Mapping[tuple[int, int], bytes] | None = None,
) -> None:
    """Commit one batch: its class map, its signal map where one is kept, then its ledger rows.

    Parameters
    ----------
    layout, key
        Where, and what the stores must have been made with.
    first_tile : (row, col)
        Of the batch in the tile grid.
    tiles : mapping of (row, col) within the batch to bytes
        Its tiles that are not all background, from `shard.encoded_tile`. Without any there is no shard, and one
        of an earlier try is taken away.
    rows : int64 (tile_rows, tile_cols, columns)
    signal : mapping of (row, col) within the batch to bytes, or None
        Its tiles with a signal, from `signal_store.encoded_signal`; None where no signal map is kept.

    Raises
    ------
    ResultError
        If it cannot be written; nothing is committed then.
    """
    try:
        k = _batch_tiles_of(layout.root, key)
        batch_row, batch_col = (n // k for n in first_tile)
        write_stored_shard(layout, batch_row, batch_col, tiles, k)
        if signal is not None:
            write_signal_shard(layout, batch_row, batch_col, signal, k)
        write_rows(layout.rows_place(batch_row, batch_col), rows, k)
    except OSError as error:
        raise ResultError(
            f"{layout.root} cannot be written ({error.strerror or error}); {mending(layout.root)}, then run the "
            "same command again: what is committed is kept"
        ) from error


def commit_rows(layout: SlideLayout, first_tile: tuple[int, int], rows: NDArray[np.int64], tiles_per_side: int) -> None:
    """Commit the ledger rows of a batch whose class map is the one below it: for an amended version.

    Parameters
    ----------
    layout, first_tile, rows
        As of `commit_batch`.
    tiles_per_side : int
        Tiles on a batch's side.

    Raises
    ------
    ResultError
        If they cannot be written.
    """
    batch_row, batch_col = (n // tiles_per_side for n in first_tile)
    try:
        write_rows(layout.rows_place(batch_row, batch_col), rows, tiles_per_side)
    except OSError as error:
        raise ResultError(
            f"{layout.root} cannot be written ({error.strerror or error}); {mending(layout.root)}"
        ) from error
