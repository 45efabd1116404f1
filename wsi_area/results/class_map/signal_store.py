"""results: the store of a signal map: the signal of each work pixel, in the whole steps that it is summed in.

It lies beside the class map and has the same tiles and shards. It is kept where a part of the slide is to have a signal
of its own: a named region, a band. A pixel of background, or without a class, has 0, as it adds nothing to any sum. So
what the map adds up to, class by class, is what the ledger says, to the last step.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wsi_area.errors import ResultError
from wsi_area.model.plan import SlidePlan
from wsi_area.results.class_map.array_documents import ZSTD_LEVEL, write_group, write_signal_map
from wsi_area.results.class_map.shard import with_checksum, write_shard
from wsi_area.results.layout import CLASS_MAP_ARRAY, SlideLayout, read_json
from wsi_area.segmenters.protocol import Signal


def create_signal_map(layout: SlideLayout, plan: SlidePlan, signal: Signal) -> None:
    """Lay out the empty signal map of a slide, an OME-Zarr image of whole steps."""
    shape, shard_px = (plan.work_size_px.height_px, plan.work_size_px.width_px), plan.batch_tiles * plan.tile_px
    attributes = {"signal": signal.name, "unit": signal.unit, "steps_per_unit": signal.micro_scale}
    write_signal_map(layout.signal_map / CLASS_MAP_ARRAY, shape, shard_px, plan.tile_px, attributes)
    unit: dict[str, str] = {} if plan.work_mpp is None else {"unit": "micrometer"}
    scale = [1.0, 1.0] if plan.work_mpp is None else [plan.work_mpp.y, plan.work_mpp.x]
    transform = {"type": "scale", "scale": scale}
    datasets: list[Any] = [{"path": CLASS_MAP_ARRAY, "coordinateTransformations": [transform]}]
    axes = [{"name": name, "type": "space", **unit} for name in ("y", "x")]
    multiscales: list[Any] = [{"name": f"{plan.slide.slide_id}: {signal.name}", "axes": axes, "datasets": datasets}]
    write_group(layout.signal_map, {"ome": {"version": "0.5", "multiscales": multiscales}})


def kept_signal(layout: SlideLayout) -> Signal | None:
    """Return the signal whose map lies beside the class map of a slide; None where there is none.

    Raises
    ------
    ResultError
        If what it says of itself is damaged.
    """
    place = layout.signal_map / CLASS_MAP_ARRAY / "zarr.json"
    if not place.exists():
        return None
    told = read_json(place).get("attributes")
    try:
        name, unit, steps = (told[key] for key in ("signal", "unit", "steps_per_unit"))  # type: ignore[index]
        return Signal(str(name), str(unit), int(steps))
    except (KeyError, TypeError, ValueError) as error:
        raise ResultError(f"{place} does not say which signal it has; measure the slide again with --force") from error


def encoded_signal(signal: NDArray[np.int32], tile_px: int) -> bytes | None:
    """Return a tile of a signal map as it lies in a shard, or None for one that is 0 throughout.

    Parameters
    ----------
    signal : int32 (h, w)
        Padded with 0 to ``tile_px`` squared, as a tile at the edge of the slide must be.
    tile_px : int
    """
    if not signal.any():
        return None
    from numcodecs import blosc  # 0.02 s of CPU to load, which a run without such maps need not pay

    whole = np.zeros((tile_px, tile_px), "<i4")
    whole[: signal.shape[0], : signal.shape[1]] = signal
    return with_checksum(blosc.compress(whole, b"zstd", ZSTD_LEVEL, blosc.BITSHUFFLE, whole.nbytes))


def write_signal_shard(
    layout: SlideLayout, row: int, col: int, tiles: Mapping[tuple[int, int], bytes], tiles_per_side: int
) -> None:
    """Write a shard of a signal map whole; without tiles there is none, which reads as 0.

    Parameters
    ----------
    layout, row, col
        The slide, and the place of the shard among the batches.
    tiles : mapping of (row, col) within the shard to bytes
        From `encoded_signal`.
    tiles_per_side : int
    """
    write_shard(layout.signal_place(row, col), tiles, tiles_per_side)
