"""gzip of parts: every reader of gzip reads it as one member, whoever packed a part and however it was written."""

import gzip
import io
import shutil
import subprocess
import zlib
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from wsi_area.storage.gzip_blocks import PackedPart, PartSpool, packed_in_blocks, packed_part

MIB = 1 << 20


def packed(parts: Iterable[bytes | memoryview | PackedPart]) -> bytes:
    raw = io.BytesIO()
    with packed_in_blocks(raw) as file:
        for part in parts:
            if isinstance(part, PackedPart):
                file.put(part)
            else:
                file.write(part)
    return raw.getvalue()


def content(size_bytes: int) -> bytes:
    """Text that can be packed, but not to nothing."""
    return np.random.default_rng(size_bytes).integers(48, 58, size_bytes, np.uint8).tobytes()


def by_zlib(text: bytes) -> PackedPart:
    """A part that another library packed."""
    packer = zlib.compressobj(6, wbits=-zlib.MAX_WBITS)
    return PackedPart(packer.compress(text) + packer.flush(zlib.Z_FULL_FLUSH), zlib.crc32(text), len(text))


@pytest.mark.parametrize("size_bytes", [0, 1, 1000, MIB - 1, MIB, MIB + 1, 3 * MIB + 17])
def test_content_of_any_length_is_one_whole_member(size_bytes: int) -> None:
    text = content(size_bytes)
    reader = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    assert reader.decompress(packed([text])) == text
    assert reader.eof
    assert reader.unused_data == b""


def test_the_parts_that_are_written_change_no_byte() -> None:
    text = content(5 * MIB + 3)
    whole = packed([text])
    cuts = [0, 1, 77, MIB + 5, 4 * MIB, len(text)]
    assert packed([text[a:b] for a, b in pairwise(cuts)]) == whole
    assert packed([memoryview(np.frombuffer(text, np.uint8))]) == whole


@pytest.mark.parametrize("sizes_bytes", [(5, 0, 70_000), (0,), (MIB + 1, 3, 2 * MIB, 9)])
def test_parts_packed_elsewhere_stand_between_what_is_written(sizes_bytes: tuple[int, ...]) -> None:
    texts = [content(n) for n in sizes_bytes]
    parts: list[bytes | PackedPart] = [b"head "]
    for text in texts:
        parts += [by_zlib(text), b" between ", packed_part(text), b""]
    expected = b"head " + b"".join(text + b" between " + text for text in texts)
    assert gzip.decompress(packed(parts)) == expected


def test_parts_that_waited_in_files_arrive_in_the_order_of_the_files(tmp_path: Path) -> None:
    raw, first, second = io.BytesIO(), [content(n) for n in (40, 3 * MIB)], [content(n) for n in (0, 999)]
    with PartSpool(tmp_path) as one, PartSpool(None) as other, packed_in_blocks(raw) as file:
        for a, b in zip(first, second, strict=True):
            other.put(by_zlib(b))
            one.put(packed_part(a))
        file.write(b"<")
        file.put_spooled(one)
        file.write(b"|")
        file.put_spooled(other)
    assert gzip.decompress(raw.getvalue()) == b"<" + b"".join(first) + b"|" + b"".join(second)
    assert list(tmp_path.iterdir()) == []


def test_the_gzip_program_finds_no_fault(tmp_path: Path) -> None:
    program = shutil.which("gzip")
    if program is None:
        pytest.skip("no gzip program")
    text, file = content(2 * MIB + 9), tmp_path / "a.gz"
    file.write_bytes(packed([text, by_zlib(text)]))
    assert subprocess.run([program, "-dc", file], capture_output=True, check=True).stdout == 2 * text


@pytest.mark.parametrize("at", [40, -20, -6, -2])
def test_a_byte_that_changed_is_found_by_the_reader(at: int) -> None:
    damaged = bytearray(packed([content(2 * MIB)]))
    damaged[at] ^= 0x41
    with pytest.raises((gzip.BadGzipFile, zlib.error, EOFError)):
        gzip.decompress(bytes(damaged))


def test_a_disk_that_is_full_is_told() -> None:
    class Full(io.BytesIO):
        def write(self, data: object, /) -> int:
            if self.tell() > 10:
                raise OSError(28, "No space left on device")
            return super().write(data)  # type: ignore[arg-type]

    with pytest.raises(OSError, match="No space left"), packed_in_blocks(Full()) as file:
        file.write(content(9 * MIB))
