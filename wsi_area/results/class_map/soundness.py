"""results: what a crash of the machine or a bad disk made of a slide's stores, found by their checksums and taken back.

A kill leaves files whole or not there; a machine that lost its power, or a disk, may leave them torn. A batch whose
rows or whose part of the class map cannot be read whole loses its rows: it counts as never measured, and is measured
again.
"""

import logging
import os
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import google_crc32c
import numpy as np
from numpy.typing import NDArray

from wsi_area.errors import ResultError
from wsi_area.model.classes import BACKGROUND_ID
from wsi_area.model.ledger import NOT_COMMITTED, LedgerLayout
from wsi_area.results.class_map.cleaned_store import NOTE
from wsi_area.results.class_map.ledger import open_ledger
from wsi_area.results.class_map.shard import CRC_BYTES, absent, index_start, stored_index
from wsi_area.results.class_map.signal_store import kept_signal
from wsi_area.results.class_map.stored_class_map import ZARR_FAULTS
from wsi_area.results.layout import CLASS_MAP_ARRAY, LEDGER_ARRAY, SlideLayout, chunk_place
from wsi_area.storage.place import Place, zarr_store

_LOG = logging.getLogger(__name__)


def take_back_torn(
    layout: SlideLayout, tiles: SlideLayout, class_count: int, only: Collection[tuple[int, int]] | None = None
) -> int:
    """Return the number of a slide's batches that were torn; they are as if they had never been measured.

    Where a filtered class map is torn, it is the note that it is whole that goes: it is written again from what is raw.

    Parameters
    ----------
    layout : SlideLayout
        The slide's folder in the run; nobody else writes there, or not what is looked at.
    tiles : SlideLayout
        Where its tiles are committed.
    class_count : int
    only : collection of (row, col), optional
        The batches that are looked at, where others are somebody else's.
    """
    if only is None and tiles != layout and (not stores_open(layout) or any(True for _ in _torn(layout, class_count))):
        layout.result_json.unlink(missing_ok=True)
        (layout.root / NOTE).unlink(missing_ok=True)
    torn = list(_torn(tiles, class_count, only))
    if torn:
        layout.result_json.unlink(missing_ok=True)  # first: it must not call complete what is taken back
    for row, col, why in torn:
        _LOG.warning("%s, batch row %d col %d is torn (%s); it is measured again", layout.root.name, row, col, why)
        tiles.rows_place(row, col).unlink(missing_ok=True)
    return len(torn)


def stores_open(layout: SlideLayout, *, has_class_map: bool = True) -> bool:
    """Return True if the metadata of a slide's maps and its ledger are whole; in a bucket they are, or not there.

    Chunks can be measured again one by one, but nobody could read them.

    Raises
    ------
    ResultError
        If the disk does not let it be read.
    """
    if not isinstance(layout.root, Path):
        return True
    import zarr  # imported here: it takes longer to load than many a slide takes

    try:
        stores = [(layout.ledger, LEDGER_ARRAY), (layout.class_map, CLASS_MAP_ARRAY)][: 1 + has_class_map]
        if layout.signal_map.exists():
            stores.append((layout.signal_map, CLASS_MAP_ARRAY))
        for store, array in stores:
            zarr.open_group(zarr_store(store), mode="r")
            zarr.open_array(zarr_store(store), path=array, mode="r")
    except (FileNotFoundError, KeyError, ValueError, TypeError):
        return False
    except OSError as error:
        raise ResultError(
            f"{layout.root} cannot be read ({error.strerror or error}); mend that and run again"
        ) from error
    return True


def _torn(
    layout: SlideLayout, class_count: int, only: Collection[tuple[int, int]] | None = None
) -> Iterator[tuple[int, int, str]]:
    """Yield the batches that are committed and not whole, and why; in a bucket an object is whole or not there."""
    if not isinstance(layout.ledger, Path) or not chunk_place(layout.ledger / LEDGER_ARRAY).exists():
        return
    ledger, has_signal = open_ledger(layout), kept_signal(layout) is not None
    k = ledger.chunks[0]
    columns = LedgerLayout(class_count)
    for row in range(-(-ledger.shape[0] // k)):
        for col in range(-(-ledger.shape[1] // k)):
            if only is not None and (row, col) not in only:
                continue
            try:
                rows = np.asarray(ledger[row * k : (row + 1) * k, col * k : (col + 1) * k], dtype=np.int64)
            except ZARR_FAULTS as error:
                yield row, col, f"its rows: {error}"
                continue
            if (rows[..., columns.status_column] == NOT_COMMITTED).any():
                continue
            place = layout.shard_place(row, col)
            why = _shard_fault(place, k, _holds_anything(rows, columns))
            if why is not None:
                yield row, col, f"its class map: {why}"
            elif has_signal:
                is_needed = bool(rows[..., columns.signal_columns].any())
                why = _shard_fault(layout.signal_place(row, col), k, is_needed)
                if why is not None:
                    yield row, col, f"its signal map: {why}"


def _holds_anything(rows: NDArray[np.int64], columns: LedgerLayout) -> bool:
    """Return True if a batch has pixels that are not background: only then is there a shard."""
    px = rows[..., columns.px_columns]
    return bool(px.sum() > px[..., BACKGROUND_ID].sum())


def _shard_fault(place: Place, tiles_per_side: int, is_needed: bool) -> str | None:
    """Return the fault of a shard of the class map, or None where it is whole."""
    try:
        content = place.read_bytes()
    except FileNotFoundError:
        return "it is gone" if is_needed else None
    except OSError as error:
        return str(error)
    return shard_fault(content, tiles_per_side)


def shard_fault(content: bytes, tiles_per_side: int) -> str | None:
    """Return the fault in the bytes of a shard, or None where every tile's checksum holds.

    Parameters
    ----------
    content : bytes
        Tiles, each with its checksum, then the index of where they lie, and its checksum.
    tiles_per_side : int
    """
    end = index_start(content, tiles_per_side)
    if end < 0 or not _is_sound(content[end:]):
        return "its index does not agree with its checksum"
    index = stored_index(content, tiles_per_side)
    for offset, length in index[~absent(index)].tolist():
        if offset + length > end or not _is_sound(content[offset : offset + length]):
            return f"the tile at byte {offset} does not agree with its checksum"
    return None


def _is_sound(content: bytes) -> bool:
    """Return True if bytes end with the checksum of those before."""
    stored = int.from_bytes(content[-CRC_BYTES:], "little")
    found: Any = google_crc32c.value(content[:-CRC_BYTES])
    return len(content) >= CRC_BYTES and bool(found == stored)


def flush_stores(layout: SlideLayout) -> None:
    """Have the disk hold every file of a slide's maps and its ledger, before a document may call the slide complete.

    Raises
    ------
    ResultError
        If it will not.
    """
    for store in (layout.class_map, layout.signal_map, layout.ledger):
        if isinstance(store, Path):
            for folder, _, names in os.walk(store):
                for name in names:
                    _flush(os.path.join(folder, name))


def _flush(path: str) -> None:
    try:
        with open(path, "rb") as file:
            os.fsync(file.fileno())
    except OSError as error:
        raise ResultError(
            f"{path} was not taken by the disk ({error.strerror or error}); look at the disk, then run the same "
            "command again"
        ) from error
