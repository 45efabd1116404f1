"""results: the documents in which zarr looks up how our stores are laid out, written and known again without zarr.

A run writes arrays of which nothing varies but their size, so it need not load zarr, which takes longer than many
a small slide. What says anything else than these documents is another program's, and left to zarr.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from wsi_area.frozen_value import frozen_value
from wsi_area.model.classes import BACKGROUND_ID
from wsi_area.model.ledger import NOT_COMMITTED
from wsi_area.storage.place import Place, commit

_Document = dict[str, Any]

ZSTD_LEVEL = 1
"""How densely the maps and the ledger are packed: any more takes longer than the disk saves."""
DOCUMENT_NAME = "zarr.json"

_KEYS = {"name": "default", "configuration": {"separator": "/"}}
_LITTLE_ENDIAN = {"name": "bytes", "configuration": {"endian": "little"}}
_CHECKSUM = {"name": "crc32c"}
_PACKED_ROWS = {"name": "zstd", "configuration": {"level": ZSTD_LEVEL, "checksum": True}}


def _packed(typesize: int) -> _Document:
    return {
        "name": "blosc",
        "configuration": {
            "typesize": typesize, "cname": "zstd", "clevel": ZSTD_LEVEL, "shuffle": "bitshuffle", "blocksize": 0,
        },
    }  # fmt: skip


@frozen_value
class StoredArray:
    """What the document of an array of ours says.

    Parameters
    ----------
    shape : tuple of int
    file_shape : tuple of int
        Of what one file holds: a batch.
    chunk_shape : tuple of int
        Of what is decoded at once: a tile of the class map, a batch of the ledger.
    attributes : mapping
    """

    shape: tuple[int, ...]
    file_shape: tuple[int, ...]
    chunk_shape: tuple[int, ...]
    attributes: Mapping[str, Any]


def write_group(store: Place, attributes: Mapping[str, Any]) -> None:
    """Write the document of a group.

    Raises
    ------
    OSError
    """
    _write(store, {"attributes": dict(attributes), "zarr_format": 3, "node_type": "group"})


def write_ledger(array: Place, shape: Sequence[int], batch_tiles: int, attributes: Mapping[str, Any]) -> None:
    """Write the document of a ledger: int64 (grid_rows, grid_cols, columns), a file a batch.

    Raises
    ------
    OSError
    """
    _write(array, _ledger(shape, (batch_tiles, batch_tiles, shape[2]), attributes))


def write_class_map(array: Place, shape: Sequence[int], shard_px: int, tile_px: int) -> None:
    """Write the document of a class map: uint8 (h, w), a file a shard, packed tile by tile.

    Raises
    ------
    OSError
    """
    _write(array, _class_map(shape, (shard_px, shard_px), (tile_px, tile_px)))


def write_signal_map(
    array: Place, shape: Sequence[int], shard_px: int, tile_px: int, attributes: Mapping[str, Any]
) -> None:
    """Write the document of a signal map: int32 (h, w), cut and packed as a class map is.

    Raises
    ------
    OSError
    """
    _write(array, _signal_map(shape, (shard_px, shard_px), (tile_px, tile_px), attributes))


def known_ledger(array: Place) -> StoredArray | None:
    """Return the array of a ledger by its document; None where it is laid out in another way than ours.

    Raises
    ------
    OSError, ValueError
        If there is no document, or none that is whole.
    """
    found = _read(array)
    try:
        shape, chunks = _sizes(found["shape"], 3), _sizes(found["chunk_grid"]["configuration"]["chunk_shape"], 3)
        attributes = dict(found["attributes"])
        made = _ledger(shape, chunks, attributes)
    except (KeyError, TypeError, ValueError):
        return None
    if _as_read(found) != _as_read(made) or chunks != (chunks[0], chunks[0], shape[2]):
        return None
    return StoredArray(shape, chunks, chunks, attributes)


def known_class_map(array: Place) -> StoredArray | None:
    """Return the array of a class map by its document; None where it is laid out in another way than ours.

    How its tiles are packed is left open, since each says so itself: earlier versions packed with LZ4.

    Raises
    ------
    OSError, ValueError
        If there is no document, or none that is whole.
    """
    return _known_map(array, lambda shape, shards, tiles, _: _class_map(shape, shards, tiles), has_attributes=False)


def known_signal_map(array: Place) -> StoredArray | None:
    """Return the array of a signal map by its document; None where it is laid out otherwise; as `known_class_map`."""
    return _known_map(array, _signal_map, has_attributes=True)


def _known_map(
    array: Place, made_of: Callable[[Sequence[int], Sequence[int], Sequence[int], Mapping[str, Any]], _Document],
    *, has_attributes: bool,
) -> StoredArray | None:  # fmt: skip
    found = _read(array)
    try:
        shape, shards = _sizes(found["shape"], 2), _sizes(found["chunk_grid"]["configuration"]["chunk_shape"], 2)
        tiles = _sizes(found["codecs"][0]["configuration"]["chunk_shape"], 2)
        attributes = dict(found["attributes"]) if has_attributes else {}
        made = made_of(shape, shards, tiles, attributes)
    except (KeyError, IndexError, TypeError, ValueError):
        return None
    is_square = shards[0] == shards[1] and tiles[0] == tiles[1] and shards[0] % tiles[0] == 0
    return StoredArray(shape, shards, tiles, attributes) if is_square and _as_read(found) == _as_read(made) else None


def _ledger(shape: Sequence[int], chunks: Sequence[int], attributes: Mapping[str, Any]) -> _Document:
    return _array(shape, "int64", chunks, NOT_COMMITTED, [_LITTLE_ENDIAN, _PACKED_ROWS], attributes, {})


def _class_map(shape: Sequence[int], shards: Sequence[int], tiles: Sequence[int]) -> _Document:
    sharding = _sharding(tiles, {"name": "bytes"}, 1)
    return _array(shape, "uint8", shards, BACKGROUND_ID, [sharding], {}, {"dimension_names": ["y", "x"]})


def _signal_map(
    shape: Sequence[int], shards: Sequence[int], tiles: Sequence[int], attributes: Mapping[str, Any]
) -> _Document:
    sharding = _sharding(tiles, _LITTLE_ENDIAN, 4)
    return _array(shape, "int32", shards, 0, [sharding], attributes, {"dimension_names": ["y", "x"]})


def _sharding(tiles: Sequence[int], as_bytes: _Document, typesize: int) -> _Document:
    return {
        "name": "sharding_indexed",
        "configuration": {
            "chunk_shape": list(tiles),
            "codecs": [as_bytes, _packed(typesize), _CHECKSUM],
            "index_codecs": [_LITTLE_ENDIAN, _CHECKSUM],
            "index_location": "end",
        },
    }


def _array(
    shape: Sequence[int],
    data_type: str,
    file_shape: Sequence[int],
    fill: int,
    codecs: list[_Document],
    attributes: Mapping[str, Any],
    names: _Document,
) -> _Document:
    """Return the document of an array, its keys in the order in which zarr writes them."""
    return {
        "shape": list(shape),
        "data_type": data_type,
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": list(file_shape)}},
        "chunk_key_encoding": _KEYS,
        "fill_value": fill,
        "codecs": codecs,
        "attributes": dict(attributes),
        **names,
        "zarr_format": 3,
        "node_type": "array",
        "storage_transformers": [],
    }


def _as_read(document: _Document) -> Any:
    """Return the part of a document that decides how its chunks are read: a frame tells how densely it was packed."""
    free = {"attributes", "dimension_names", "storage_transformers"}
    told = {key: value for key, value in document.items() if key not in free}
    return [_without_packing(told), document.get("storage_transformers") or []]


def _without_packing(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_packing(item) for item in value]
    if not isinstance(value, dict):
        return value
    if value.get("name") in ("blosc", "zstd"):
        return value["name"]
    if value.get("name") == "bytes":  # codes of one byte have no order, and may name one
        return "bytes" if value.get("configuration", {}).get("endian", "little") == "little" else value
    return {key: _without_packing(item) for key, item in value.items()}


def _sizes(told: Any, axes: int) -> tuple[int, ...]:
    """Return the sizes of an array's axes.

    Raises
    ------
    ValueError
        If they are not so many whole numbers above 0.
    """
    if not isinstance(told, list) or len(told) != axes or not all(type(size) is int and size > 0 for size in told):
        raise ValueError(f"{told!r} is not the size of {axes} axes")
    return tuple(told)


def _read(array: Place) -> _Document:
    found = json.loads((array / DOCUMENT_NAME).read_bytes())
    if not isinstance(found, dict):
        raise ValueError(f"{array / DOCUMENT_NAME} holds no JSON object")
    return found


def _write(node: Place, document: _Document) -> None:
    commit(node / DOCUMENT_NAME, (json.dumps(document, indent=2).encode(),), flushed=False)
