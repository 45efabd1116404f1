"""Zarr masks whose frames claim more than their chunks may hold are refused before anything that large is allocated."""

import bz2
import gzip
import json
import lzma
import struct
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import imagecodecs
import numcodecs
import numpy as np
import pytest
import zarr
from numcodecs import blosc
from zarr.codecs import BloscCodec, BytesCodec, Crc32cCodec, GzipCodec, ShardingCodec, ZstdCodec

from wsi_area.annotations import read_drawn
from wsi_area.errors import AnnotationError
from wsi_area.model.geometry import Size
from wsi_area.model.slide import Level, SlideInfo

SIDE, CHUNK = 64, 32
ALLOWED = CHUNK * CHUNK
CODES = (np.arange(SIDE * SIDE, dtype=np.uint32).reshape(SIDE, SIDE) // 97 % 5).astype(np.uint8)
SIZE = Size(SIDE, SIDE)
SLIDE = SlideInfo("S1", "S1.tif", "generic", SIZE, (Level(0, SIZE, 1.0, 1.0, None),), "f" * 64, 1, 1)
FORMAT_2 = {
    "zstd": numcodecs.Zstd(), "blosc": numcodecs.Blosc(), "gzip": numcodecs.GZip(), "zlib": numcodecs.Zlib(),
    "bz2": numcodecs.BZ2(), "lzma": numcodecs.LZMA(), "lz4": numcodecs.LZ4(), "none": None,
}  # fmt: skip
FORMAT_3 = {"zstd": ZstdCodec(), "blosc": BloscCodec(), "gzip": GzipCodec()}


def zstd_of_unknown_size(content: bytes) -> bytes:
    """A frame that does not tell its content's size: one block that repeats a byte (RFC 8878, 3.1.1)."""
    assert len(set(content)) == 1
    header = 1 | 1 << 1 | len(content) << 3
    return b"\x28\xb5\x2f\xfd\x00\x58" + struct.pack("<I", header)[:3] + content[:1]


FRAMES = {
    "zstd": imagecodecs.zstd_encode, "zstd of unknown size": zstd_of_unknown_size, "gzip": gzip.compress,
    "zlib": zlib.compress, "bz2": bz2.compress, "lzma": lzma.compress, "lz4": numcodecs.LZ4().encode, "none": bytes,
    "blosc": lambda content: blosc.compress(content, b"lz4", 1, 1),
}  # fmt: skip
"""A frame of some content, as other programs write it."""


def saved(path: Path, version: int, codec: Any, **further: Any) -> Path:
    options = {"compressors": codec} if codec is not None else {"compressors": None}
    array = zarr.create_array(
        path, shape=(SIDE, SIDE), chunks=(CHUNK, CHUNK), dtype="uint8", zarr_format=version, **options, **further
    )
    array[:] = CODES
    return path


def chunk_of(path: Path, version: int) -> Path:
    return path / ("1.0" if version == 2 else "c/1/0")


@pytest.mark.parametrize("codec", FORMAT_2)
def test_every_codec_of_format_2_is_read_as_before(tmp_path: Path, codec: str) -> None:
    drawn = read_drawn(saved(tmp_path / "a.zarr", 2, FORMAT_2[codec]), slide=SLIDE)
    assert np.array_equal(drawn.mask.codes(), CODES)


@pytest.mark.parametrize("location", ["start", "end", None])
@pytest.mark.parametrize("codec", FORMAT_3)
def test_every_codec_of_format_3_is_read_as_before_shards_too(tmp_path: Path, codec: str, location: str) -> None:
    path = tmp_path / "a.zarr"
    if location is None:
        saved(path, 3, (FORMAT_3[codec], Crc32cCodec()))
    else:
        inner = [BytesCodec(), Crc32cCodec(), FORMAT_3[codec], Crc32cCodec()]
        sharding = ShardingCodec(chunk_shape=(CHUNK, CHUNK), codecs=inner, index_location=location)
        zarr.create(
            store=path, shape=(SIDE, SIDE), chunks=(SIDE, SIDE), dtype="uint8", zarr_format=3, codecs=[sharding]
        )[:] = CODES
    assert np.array_equal(read_drawn(path, slide=SLIDE).mask.codes(), CODES)


@pytest.mark.parametrize("frame", FRAMES)
def test_a_frame_that_unpacks_to_more_than_its_chunk_is_refused_with_the_numbers(tmp_path: Path, frame: str) -> None:
    codec = frame.partition(" ")[0]
    path = saved(tmp_path / "a.zarr", 2, FORMAT_2[codec])
    chunk = chunk_of(path, 2)
    chunk.write_bytes(FRAMES[frame](b"\1" * ALLOWED))
    assert read_drawn(path, slide=SLIDE).mask.codes()[SIDE - 1, 0] == 1
    chunk.write_bytes(FRAMES[frame](b"\1" * (ALLOWED + 1)))
    with pytest.raises(AnnotationError) as refusal:
        read_drawn(path, slide=SLIDE)
    text = str(refusal.value)
    assert text.startswith(f"S1: {chunk}, chunk 1, 0: it would unpack to ")
    assert text.endswith(f"a chunk of {CHUNK} × {CHUNK} px has {ALLOWED}; it is damaged or hostile: save the mask anew")


def test_frames_that_add_up_to_more_than_the_chunk_are_refused_too(tmp_path: Path) -> None:
    for frame, codec in (("zstd", "zstd"), ("zstd of unknown size", "zstd"), ("gzip", "gzip"), ("bz2", "bz2")):
        path = saved(tmp_path / f"{frame}.zarr", 2, FORMAT_2[codec])
        half = FRAMES[frame](b"\1" * (ALLOWED // 2))
        chunk_of(path, 2).write_bytes(half + half)
        assert read_drawn(path, slide=SLIDE).mask.codes()[SIDE - 1, 0] == 1
        chunk_of(path, 2).write_bytes(half + half + half)
        with pytest.raises(AnnotationError, match="it would unpack to more bytes"):
            read_drawn(path, slide=SLIDE)


@pytest.mark.parametrize("location", ["start", "end"])
def test_a_frame_inside_a_shard_is_named_by_its_place(tmp_path: Path, location: str) -> None:
    path = tmp_path / "a.zarr"
    inner = [BytesCodec(), BloscCodec()]
    sharding = ShardingCodec(chunk_shape=(CHUNK, CHUNK), codecs=inner, index_location=location)
    zarr.create(
        store=path, shape=(SIDE, 2 * SIDE), chunks=(SIDE, SIDE), dtype="uint8", zarr_format=3, codecs=[sharding]
    )[:] = np.hstack([CODES, CODES])
    file = path / "c/0/1"
    content = bytearray(file.read_bytes())
    at = -4 - 16 if location == "end" else 16 * 3  # of the entry of chunk 1, 1 of the shard
    (offset,) = struct.unpack_from("<Q", content, at if at > 0 else len(content) + at)
    struct.pack_into("<I", content, offset + 4, 1 << 30)
    file.write_bytes(content)
    wide = SlideInfo(
        "S1", "S1.tif", "generic", Size(2 * SIDE, SIDE), (Level(0, Size(2 * SIDE, SIDE), 1.0, 1.0, None),), "f", 1, 1
    )
    with pytest.raises(AnnotationError, match=rf"c/0/1, chunk 1, 3: it would unpack to {1 << 30} bytes"):
        read_drawn(path, slide=wide)


LIMITED = """
import resource, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from test_mask_chunks import SLIDE
import imagecodecs, numcodecs.blosc, numcodecs.zstd, numcodecs.lz4  # loaded before memory is short
from wsi_area.annotations import read_drawn
from wsi_area.errors import AnnotationError
held = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (held + (192 << 20),) * 2)
try:
    read_drawn(sys.argv[1], slide=SLIDE)
except AnnotationError as error:
    print(error)
"""


@pytest.mark.parametrize("frame", ["blosc", "lz4", "zstd of unknown size", "zstd", "gzip"])
def test_a_bomb_is_refused_by_a_process_that_has_no_memory_for_it(tmp_path: Path, frame: str) -> None:
    codec = frame.partition(" ")[0]
    path = saved(tmp_path / "a.zarr", 2, FORMAT_2[codec])
    if codec in {"blosc", "lz4"}:  # what they claim is what is allocated
        small = bytearray(FRAMES[frame](b"\1" * ALLOWED))
        struct.pack_into("<I", small, 4 if codec == "blosc" else 0, 0x7FFF0000)
        chunk_of(path, 2).write_bytes(small)
    elif frame == "zstd of unknown size":
        chunk_of(path, 2).write_bytes(zstd_of_unknown_size(b"\1" * (1 << 17)) * 16_000)  # 2 GB
    else:
        chunk_of(path, 2).write_bytes(FRAMES[frame](bytes(1 << 29)))
    command = [sys.executable, "-c", LIMITED, str(path), str(Path(__file__).parent)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert ended.stderr == ""
    assert "it would unpack to" in ended.stdout
    assert len(ended.stdout) < 400


@pytest.mark.parametrize("codec", ["zstd", "blosc", "gzip", "zlib", "bz2", "lzma", "lz4"])
def test_a_damaged_chunk_is_said_to_be_damaged(tmp_path: Path, codec: str) -> None:
    path = saved(tmp_path / "a.zarr", 2, FORMAT_2[codec])
    chunk = chunk_of(path, 2)
    chunk.write_bytes(chunk.read_bytes()[: 5 if codec == "blosc" else -3] if codec != "lz4" else b"\1\2")
    with pytest.raises(AnnotationError, match="damaged"):
        read_drawn(path, slide=SLIDE)


def test_a_window_of_lzma_that_takes_all_memory_is_refused(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.zarr", 2, FORMAT_2["lzma"])
    packer = lzma.LZMACompressor(filters=[{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 12, "preset": 0}])
    frame = bytearray(packer.compress(bytes(ALLOWED)) + packer.flush())
    # the header of the block: size, flags, LZMA2's id and length of properties, the size of its window; then its sum
    assert frame[14:16] == b"\x21\x01"
    frame[16] = 36  # 2 to the power of 30
    frame[20:24] = struct.pack("<I", zlib.crc32(frame[12:20]))
    assert lzma.LZMADecompressor().decompress(bytes(frame)) == bytes(ALLOWED)
    chunk_of(path, 2).write_bytes(frame)
    with pytest.raises(AnnotationError, match=r"lzma cannot unpack it \(Memory usage limit exceeded\)"):
        read_drawn(path, slide=SLIDE)


def test_two_compressors_and_shards_in_shards_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.zarr"
    saved(path, 3, (GzipCodec(), ZstdCodec()))
    with pytest.raises(AnnotationError, match="is packed by gzip and then by zstd"):
        read_drawn(path, slide=SLIDE)
    path = saved(tmp_path / "b.zarr", 3, ZstdCodec())
    metadata = json.loads((path / "zarr.json").read_text())
    index = [{"name": "bytes", "configuration": {"endian": "little"}}]
    inner = {"chunk_shape": [16, 16], "codecs": [{"name": "bytes"}], "index_codecs": index}
    outer = {"chunk_shape": [CHUNK, CHUNK], "codecs": [{"name": "sharding_indexed", "configuration": inner}]}
    metadata["codecs"] = [{"name": "sharding_indexed", "configuration": {**outer, "index_codecs": index}}]
    (path / "zarr.json").write_text(json.dumps(metadata))
    with pytest.raises(AnnotationError, match="shards in shards"):
        read_drawn(path, slide=SLIDE)


def test_a_chunk_that_is_not_there_is_background_still(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.zarr", 3, ZstdCodec())
    chunk_of(path, 3).unlink()
    codes = read_drawn(path, slide=SLIDE).mask.codes()
    assert not codes[CHUNK:, :CHUNK].any()
    assert np.array_equal(codes[:CHUNK], CODES[:CHUNK])


def test_an_array_of_more_files_than_anybody_has_is_refused_before_one_is_looked_for(tmp_path: Path) -> None:
    size = Size(2048, 2048)
    slide = SlideInfo("S1", "S1.tif", "generic", size, (Level(0, size, 1.0, 1.0, None),), "f" * 64, 1, 1)
    zarr.create_array(tmp_path / "a.zarr", shape=(2048, 2048), chunks=(1, 1), dtype="uint8")
    with pytest.raises(AnnotationError, match=r"2048 × 2048 files of 1 × 1 px, more than 1048576"):
        read_drawn(tmp_path / "a.zarr", slide=slide)


def test_a_chunk_without_an_end_is_refused(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.zarr", 2, None)
    chunk_of(path, 2).unlink()
    chunk_of(path, 2).symlink_to("/dev/zero")
    with pytest.raises(AnnotationError, match="is not a file"):
        read_drawn(path, slide=SLIDE)
