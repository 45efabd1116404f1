"""annotations: the chunks of a zarr mask, bounded before zarr unpacks one: a frame may claim more than its chunk holds.

Codecs believe what a frame says of itself and allocate that much, or unpack as long as there is input. So before the
first pixel is read every chunk is held against the size that the array declares: by its header where that is what the
codec goes by, and else by unpacking it into no more room than that.
"""

import bz2
import lzma
import stat
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from wsi_area.errors import AnnotationError
from wsi_area.frozen_value import frozen_value

_CRC, _SHARDED = "crc32c", "sharding_indexed"
_NO_CODEC_OF_BYTES = frozenset({"bytes", "transpose", _SHARDED})
_CRC_BYTES, _ENTRY_BYTES = 4, 16
_ABSENT = np.iinfo(np.uint64).max
_LZMA_BYTES = 1 << 28
"""Working memory that a frame may ask for: of the presets the largest asks for a quarter."""
_MAX_STREAMS = 64
_MAX_FILES = 1 << 20
_REMEDY = "it is damaged or hostile: save the mask anew"


@frozen_value
class _Packing:
    """How the smallest chunks of an array are packed: a compressor or none, with checksums inside and outside it."""

    compressor: str | None
    checksums_inside: int
    checksums_outside: int
    index: Mapping[str, Any] | None  # of shards; None where a file is a chunk


def require_bounded_chunks(
    where: Path, array: Any, metadata: Mapping[str, Any], limit_bytes: int
) -> frozenset[tuple[int, int]]:
    """Return row and column of the files that are stored; a chunk that unpacks to more than was declared is refused.

    Nothing larger is allocated here.

    Parameters
    ----------
    where : Path
        The folder of the array.
    array : zarr array of whole numbers (…, h, w)
        Opened, no chunk of it read; all axes but the last two are 1 long, and so are its chunks.
    metadata : mapping
        What the array says of its codecs, format 2 or 3: the file that zarr went by.
    limit_bytes : int
        That all of its files together may have.

    Raises
    ------
    AnnotationError
        Naming file, chunk and the numbers.
    """
    packing = _packing(where, metadata)
    height, width = array.chunks[-2:]
    allowed, total = height * width * array.dtype.itemsize + _CRC_BYTES * packing.checksums_inside, 0
    stored = set[tuple[int, int]]()
    for file, place in _files(where, array):
        try:
            content = _content(file, limit_bytes - total)
        except FileNotFoundError:
            continue  # reads as background
        except OSError as error:
            raise AnnotationError(f"{file} cannot be read ({error.strerror or error}); check the path") from error
        if content is None:
            raise AnnotationError(
                f"{where}: its chunks have more than {limit_bytes} bytes; save the mask at a coarser scale"
            )
        total += len(content)
        stored.add(place)
        for name, chunk in _chunks(file, place, content, array, packing):
            found = _unpacked_bytes(f"{file}, chunk {name}", chunk, packing, allowed)
            if found > allowed:
                told = "more" if found == allowed + 1 else str(found)
                raise AnnotationError(
                    f"{file}, chunk {name}: it would unpack to {told} bytes, a chunk of {width} × {height} px has "
                    f"{allowed}; {_REMEDY}"
                )
    return frozenset(stored)


def _packing(where: Path, metadata: Mapping[str, Any]) -> _Packing:
    """Return the packing of an array's chunks; what no writer of masks does is refused, for it cannot be bounded."""
    if metadata["zarr_format"] == 2:
        codecs = [*(metadata.get("filters") or ()), *([metadata["compressor"]] if metadata.get("compressor") else ())]
        names, index = [str(codec["id"]) for codec in codecs], None
    else:
        names = [str(codec["name"]) for codec in metadata["codecs"]]
        index = next((codec["configuration"] for codec in metadata["codecs"] if codec["name"] == _SHARDED), None)
        if index is not None:
            around = [name for name in names if name not in _NO_CODEC_OF_BYTES]
            names = [str(codec["name"]) for codec in index["codecs"]]
            if around or _SHARDED in names or [c["name"] for c in index["index_codecs"]] not in _INDEX_CODECS:
                raise AnnotationError(f"{where}: shards in shards, or packed once more, cannot be bounded; {_REMEDY}")
    names = [name for name in names if name not in _NO_CODEC_OF_BYTES]
    compressors = [name for name in names if name != _CRC]
    if len(compressors) > 1:
        raise AnnotationError(f"{where} is packed by {' and then by '.join(compressors)}; {_REMEDY}, with one of them")
    at = names.index(compressors[0]) if compressors else 0
    return _Packing(compressors[0] if compressors else None, at, len(names) - at - len(compressors), index)


_INDEX_CODECS = (["bytes"], ["bytes", _CRC])


def _content(file: Path, limit_bytes: int) -> bytes | None:
    """Return the content of a file, None where that is more than the limit; a device or a pipe has no end."""
    status = file.stat()
    if not stat.S_ISREG(status.st_mode):
        raise AnnotationError(f"{file} is not a file; {_REMEDY}")
    return file.read_bytes() if status.st_size <= limit_bytes else None


def _files(where: Path, array: Any) -> Iterator[tuple[Path, tuple[int, int]]]:
    """Yield the files that zarr will ask for, there or not, and which place of the grid each has."""
    height, width = (array.shards or array.chunks)[-2:]
    rows, cols = (-(-length // side) for length, side in zip(array.shape[-2:], (height, width), strict=True))
    ahead = (0,) * (array.ndim - 2)
    if rows * cols > _MAX_FILES:  # each is asked for, there or not
        raise AnnotationError(
            f"{where}: {rows} × {cols} files of {width} × {height} px, more than {_MAX_FILES}; save the mask in larger "
            "chunks"
        )
    for row in range(rows):
        for col in range(cols):
            yield where / array.metadata.encode_chunk_key((*ahead, row, col)), (row, col)


def _chunks(
    file: Path, place: tuple[int, int], content: bytes, array: Any, packing: _Packing
) -> Iterator[tuple[str, bytes]]:
    """Yield the packed chunks of a file, each with its place in the grid of chunks."""
    if packing.index is None:
        yield f"{place[0]}, {place[1]}", content
        return
    per_shard = [shard // chunk for shard, chunk in zip(array.shards[-2:], array.chunks[-2:], strict=True)]
    count = per_shard[0] * per_shard[1]
    index_bytes = _ENTRY_BYTES * count
    codecs: Sequence[Mapping[str, Any]] = packing.index["index_codecs"]
    size = index_bytes + _CRC_BYTES * (len(codecs) - 1)
    if size > len(content):
        raise AnnotationError(f"{file}: {len(content)} bytes are too few for a shard of {count} chunks; {_REMEDY}")
    start = 0 if packing.index.get("index_location") == "start" else len(content) - size
    order = ">" if (codecs[0].get("configuration") or {}).get("endian") == "big" else "<"
    entries = np.frombuffer(content, f"{order}u8", 2 * count, start).reshape(-1, 2)
    for number in np.flatnonzero(entries[:, 0] != _ABSENT).tolist():
        offset, length = (int(value) for value in entries[number])
        row, col = divmod(number, per_shard[1])
        name = f"{place[0] * per_shard[0] + row}, {place[1] * per_shard[1] + col}"
        if offset + length > len(content):
            raise AnnotationError(
                f"{file}, chunk {name}: it would end at byte {offset + length} of {len(content)}; {_REMEDY}"
            )
        yield name, content[offset : offset + length]


def _unpacked_bytes(what: str, chunk: bytes, packing: _Packing, allowed: int) -> int:
    """Return to how many bytes a chunk unpacks; where only unpacking tells, ``allowed + 1`` stands for any above."""
    content = chunk[: len(chunk) - _CRC_BYTES * packing.checksums_outside]
    if packing.compressor is None:
        return len(content)
    try:
        if packing.compressor == "blosc":
            return _stated(content, 4, 16)
        if packing.compressor == "lz4":
            return _stated(content, 0, 4)
        if packing.compressor == "zstd":
            return _unpacked_by_zstd(content, allowed)
        return _unpacked_by_streams(packing.compressor, content, allowed)
    except (EOFError, OSError, ValueError, RuntimeError, zlib.error, lzma.LZMAError) as error:
        raise AnnotationError(f"{what}: {packing.compressor} cannot unpack it ({error}); {_REMEDY}") from error


def _stated(content: bytes, at: int, header_bytes: int) -> int:
    if len(content) < header_bytes:
        raise EOFError(f"{len(content)} bytes, its header alone has {header_bytes}")
    return int.from_bytes(content[at : at + 4], "little")


def _unpacked_by_zstd(content: bytes, allowed: int) -> int:
    import imagecodecs  # only where somebody packed a mask with it

    try:
        return len(imagecodecs.zstd_decode(content, out=allowed))
    except imagecodecs.ZstdError as error:
        if "too small" in str(error):
            return allowed + 1
        raise


def _unpacked_by_streams(codec: str, content: bytes, allowed: int) -> int:
    total = 0
    for _ in range(_MAX_STREAMS):
        unpacker = _unpacker(codec)
        total += len(unpacker.decompress(content, allowed + 1 - total))
        if total > allowed:
            return allowed + 1
        if not unpacker.eof:
            raise EOFError("it ends before its last byte")
        if not (content := unpacker.unused_data):
            return total
    raise ValueError(f"more than {_MAX_STREAMS} streams in one chunk")


def _unpacker(codec: str) -> Any:
    if codec == "bz2":
        return bz2.BZ2Decompressor()
    if codec == "lzma":
        return lzma.LZMADecompressor(memlimit=_LZMA_BYTES)
    return zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)  # gzip and zlib tell themselves apart
