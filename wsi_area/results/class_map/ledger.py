"""results: the ledger of a slide as it lies on disk: what was counted in each tile, a row that is not −1 is committed.

On a disk its files are read here, one after the other; zarr, which asks for several at once, reads them in a bucket,
and wherever another program laid them out.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import zstandard
from numpy.typing import NDArray

from wsi_area.compute.packers import row_packer
from wsi_area.model.ledger import NOT_COMMITTED
from wsi_area.results.class_map.array_documents import ZSTD_LEVEL, StoredArray, known_ledger
from wsi_area.results.class_map.stored_class_map import zarr_errors_of
from wsi_area.results.layout import LEDGER_ARRAY, SlideLayout
from wsi_area.storage.place import Place, commit, zarr_store

if TYPE_CHECKING:
    import zarr

_ROW_TYPE = "<i8"


def write_rows(path: Place, rows: NDArray[np.int64], tiles_per_side: int) -> None:
    """Write the ledger chunk of one batch as zarr lays it down: padded, little-endian, one zstd frame with checksum.

    By zarr itself it takes a few ms of Python under the lock that all threads share: the others wait meanwhile.

    Raises
    ------
    OSError
    """
    chunk = np.full((tiles_per_side, tiles_per_side, rows.shape[2]), NOT_COMMITTED, _ROW_TYPE)
    chunk[: rows.shape[0], : rows.shape[1]] = rows
    commit(path, (row_packer(ZSTD_LEVEL).compress(chunk.tobytes()),), flushed=False)


def open_ledger(layout: SlideLayout) -> "zarr.Array[Any]":
    """Return the ledger as a lazy zarr array; its errors are zarr's."""
    import zarr  # imported here: it takes longer to load than many a slide takes

    return zarr.open_array(zarr_store(layout.ledger), path=LEDGER_ARRAY, mode="r")


def ledger_document(layout: SlideLayout) -> StoredArray:
    """Return the document of the ledger: its size, that of a batch, and its attributes; its errors are zarr's."""
    found = known_ledger(layout.ledger / LEDGER_ARRAY)
    if found is not None:
        return found
    array = open_ledger(layout)
    return StoredArray(array.shape, array.chunks, array.chunks, dict(array.attrs))


def ledger_rows(
    layout: SlideLayout, tile_rows: range | None = None, tile_cols: range | None = None
) -> NDArray[np.int64]:
    """Return the ledger, int64 (rows, cols, columns); −1 in a row that is not committed.

    Parameters
    ----------
    layout : SlideLayout
    tile_rows, tile_cols : range, optional
        The tiles that are wanted: no others are read. None: all of them.

    Raises
    ------
    ResultError
        If there is none, or a chunk of it is damaged.
    """
    wanted = tuple(slice(None) if part is None else slice(part.start, part.stop) for part in (tile_rows, tile_cols))
    with zarr_errors_of(layout.ledger):
        found = known_ledger(layout.ledger / LEDGER_ARRAY) if isinstance(layout.ledger, Path) else None
        if found is None:
            return np.asarray(open_ledger(layout)[wanted], dtype=np.int64)
        grid_rows, grid_cols, _ = found.shape
        return _rows(layout, found, range(grid_rows)[wanted[0]], range(grid_cols)[wanted[1]])


def _rows(layout: SlideLayout, ledger: StoredArray, rows: range, cols: range) -> NDArray[np.int64]:
    k, _, columns = ledger.file_shape
    read = np.full((len(rows), len(cols), columns), NOT_COMMITTED, np.int64)
    if not read.size:
        return read
    for batch_row in range(rows.start // k, -(-rows.stop // k)):
        for batch_col in range(cols.start // k, -(-cols.stop // k)):
            try:
                content = layout.rows_place(batch_row, batch_col).read_bytes()
            except FileNotFoundError:  # nothing of it was ever committed
                continue
            chunk = np.frombuffer(_unpacked(content, k * k * columns * 8), _ROW_TYPE).reshape(k, k, columns)
            top, left = max(batch_row * k, rows.start), max(batch_col * k, cols.start)
            bottom, right = min(batch_row * k + k, rows.stop), min(batch_col * k + k, cols.stop)
            held = chunk[top - batch_row * k : bottom - batch_row * k, left - batch_col * k : right - batch_col * k]
            read[top - rows.start : bottom - rows.start, left - cols.start : right - cols.start] = held
    return read


def _unpacked(frame: bytes, most_bytes: int) -> bytes:
    try:
        return zstandard.ZstdDecompressor().decompress(frame, max_output_size=most_bytes)
    except zstandard.ZstdError as error:
        raise ValueError(str(error)) from error


def ledger_attributes(layout: SlideLayout) -> Mapping[str, Any]:
    """Return the ledger's account of itself: columns, key, tile and batch size.

    Raises
    ------
    ResultError
        If there is no ledger that opens.
    """
    with zarr_errors_of(layout.ledger):
        return ledger_document(layout).attributes
