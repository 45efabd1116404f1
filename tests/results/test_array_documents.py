"""What zarr would write of our stores is what is written without it, and what zarr wrote is known again."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import zarr
from zarr.codecs import BloscCodec, BytesCodec, Crc32cCodec, GzipCodec, ZstdCodec

from wsi_area.results.class_map.array_documents import (
    known_class_map,
    known_ledger,
    write_class_map,
    write_group,
    write_ledger,
)

ATTRIBUTES = {"columns": ["px", "status"], "made_from": {"pixel_size": "0.5 × 0.5 µm"}, "level": 2, "factor": 1.5}
LEDGERS = [((1, 1, 19), 1), ((6, 10, 19), 4), ((123, 7, 31), 8)]
CLASS_MAPS = [((1, 1), 512, 512), ((3010, 4990), 2000, 500), ((742, 555), 540, 540)]


def ledger_by_zarr(folder: Path, shape: tuple[int, ...], k: int, **others: Any) -> None:
    settings: dict[str, Any] = {
        "shape": shape, "chunks": (k, k, shape[2]), "dtype": "<i8", "fill_value": -1,
        "compressors": ZstdCodec(level=1, checksum=True), "attributes": ATTRIBUTES,
    }  # fmt: skip
    zarr.create_array(folder, **(settings | others))


def class_map_by_zarr(folder: Path, shape: tuple[int, ...], shard: int, tile: int, **others: Any) -> None:
    settings: dict[str, Any] = {
        "shape": shape, "shards": (shard, shard), "chunks": (tile, tile), "dtype": "uint8", "fill_value": 0,
        "compressors": (BloscCodec(cname="zstd", clevel=1, shuffle="bitshuffle", typesize=1), Crc32cCodec()),
        "dimension_names": ("y", "x"),
    }  # fmt: skip
    zarr.create_array(folder, **(settings | others))


@pytest.mark.parametrize(("shape", "k"), LEDGERS)
def test_the_document_of_a_ledger_is_the_one_that_zarr_writes(tmp_path: Path, shape: tuple[int, ...], k: int) -> None:
    write_ledger(tmp_path / "ours", shape, k, ATTRIBUTES)
    ledger_by_zarr(tmp_path / "zarrs", shape, k)
    assert (tmp_path / "ours/zarr.json").read_bytes() == (tmp_path / "zarrs/zarr.json").read_bytes()
    assert known_ledger(tmp_path / "zarrs") == known_ledger(tmp_path / "ours")
    opened, known = zarr.open_array(tmp_path / "ours", mode="r"), known_ledger(tmp_path / "zarrs")
    assert known is not None
    assert (known.shape, known.file_shape, dict(known.attributes)) == (opened.shape, opened.chunks, dict(opened.attrs))


@pytest.mark.parametrize(("shape", "shard", "tile"), CLASS_MAPS)
def test_the_document_of_a_class_map_is_the_one_that_zarr_writes(
    tmp_path: Path, shape: tuple[int, ...], shard: int, tile: int
) -> None:
    write_class_map(tmp_path / "ours", shape, shard, tile)
    class_map_by_zarr(tmp_path / "zarrs", shape, shard, tile)
    assert (tmp_path / "ours/zarr.json").read_bytes() == (tmp_path / "zarrs/zarr.json").read_bytes()
    opened, known = zarr.open_array(tmp_path / "ours", mode="r"), known_class_map(tmp_path / "zarrs")
    assert known is not None
    assert (known.shape, known.file_shape, known.chunk_shape) == (opened.shape, opened.shards, opened.chunks)


@pytest.mark.parametrize("attributes", [{}, {"ome": {"version": "0.5"}}, {"name": "Gewebe µ", "n": [1, None]}])
def test_the_document_of_a_group_is_the_one_that_zarr_writes(tmp_path: Path, attributes: dict[str, Any]) -> None:
    write_group(tmp_path / "ours", attributes)
    zarr.create_group(tmp_path / "zarrs", attributes=attributes)
    assert (tmp_path / "ours/zarr.json").read_bytes() == (tmp_path / "zarrs/zarr.json").read_bytes()


@pytest.mark.parametrize(
    "others",
    [
        {"fill_value": 0},
        {"dtype": "<i4"},
        {"serializer": BytesCodec(endian="big")},
        {"compressors": GzipCodec()},
        {"compressors": None},
        {"chunks": (4, 2, 19)},
        {"chunks": (4, 4, 10)},
        {"shards": (8, 8, 19)},
        {"chunk_key_encoding": {"name": "default", "separator": "."}},
        {"chunk_key_encoding": {"name": "v2", "separator": "/"}},
    ],
)
def test_a_ledger_laid_out_otherwise_is_left_to_zarr(tmp_path: Path, others: dict[str, Any]) -> None:
    ledger_by_zarr(tmp_path / "a", (6, 10, 19), 4, **others)
    assert known_ledger(tmp_path / "a") is None


@pytest.mark.parametrize(
    "others",
    [
        {"fill_value": 255},
        {"dtype": "uint16"},
        {"compressors": BloscCodec(cname="zstd")},
        {"compressors": (GzipCodec(), Crc32cCodec())},
        {"shards": None, "chunks": (500, 500)},
        {"shards": (2000, 1000)},
        {"chunks": (500, 250)},
        {"chunk_key_encoding": {"name": "default", "separator": "."}},
    ],
)
def test_a_class_map_laid_out_otherwise_is_left_to_zarr(tmp_path: Path, others: dict[str, Any]) -> None:
    class_map_by_zarr(tmp_path / "a", (3010, 4990), 2000, 500, **others)
    assert known_class_map(tmp_path / "a") is None


def index_first(told: dict[str, Any]) -> None:
    told["codecs"][0]["configuration"]["index_location"] = "start"


def transformed(told: dict[str, Any]) -> None:
    told["storage_transformers"] = [{"name": "indirection"}]


def size_of_text(told: dict[str, Any]) -> None:
    told["shape"] = ["3010", "4990"]


def bare_size(told: dict[str, Any]) -> None:
    told["chunk_grid"]["configuration"]["chunk_shape"] = [0, 0]


def codec_more(told: dict[str, Any]) -> None:
    told["codecs"].append({"name": "crc32c"})


def group(told: dict[str, Any]) -> None:
    told["node_type"] = "group"


@pytest.mark.parametrize("changed", [index_first, transformed, size_of_text, bare_size, codec_more, group])
def test_a_document_that_was_changed_is_left_to_zarr(tmp_path: Path, changed: Callable[[dict[str, Any]], None]) -> None:
    write_class_map(tmp_path, (3010, 4990), 2000, 500)
    assert known_class_map(tmp_path) is not None
    told = json.loads((tmp_path / "zarr.json").read_bytes())
    changed(told)
    (tmp_path / "zarr.json").write_text(json.dumps(told))
    assert known_class_map(tmp_path) is None


@pytest.mark.parametrize("cname", ["lz4", "zstd", "blosclz"])
@pytest.mark.parametrize("level", [1, 5])
def test_how_densely_it_is_packed_is_left_open(tmp_path: Path, cname: str, level: int) -> None:
    packed = (BloscCodec(cname=cname, clevel=level, shuffle="shuffle", typesize=1), Crc32cCodec())
    class_map_by_zarr(tmp_path / "map", (3010, 4990), 2000, 500, compressors=packed)
    ledger_by_zarr(tmp_path / "rows", (6, 10, 19), 4, compressors=ZstdCodec(level=level, checksum=False))
    assert known_class_map(tmp_path / "map") is not None
    assert known_ledger(tmp_path / "rows") is not None


@pytest.mark.parametrize("content", [b"", b"{", b"[1, 2]", b"\xff"])
def test_a_torn_document_is_no_document(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "zarr.json").write_bytes(content)
    for known in (known_ledger, known_class_map):
        with pytest.raises(ValueError):  # noqa: PT011 (json's own words, or ours)
            known(tmp_path)
