"""gzip in blocks: every reader of gzip reads it, and neither threads nor how it was written change a byte."""

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

from wsi_area.storage.gzip_blocks import packed_in_blocks

MIB = 1 << 20


def packed(parts: Iterable[bytes], threads: int = 1, level: int = 3) -> bytes:
    raw = io.BytesIO()
    with packed_in_blocks(raw, level, threads) as file:
        for part in parts:
            file.write(part)
    return raw.getvalue()


def content(size_bytes: int) -> bytes:
    """Text that can be packed, but not to nothing."""
    return np.random.default_rng(size_bytes).integers(48, 58, size_bytes, np.uint8).tobytes()


@pytest.mark.parametrize("size_bytes", [0, 1, 1000, MIB - 1, MIB, MIB + 1, 3 * MIB + 17])
def test_content_of_any_length_is_one_whole_member(size_bytes: int) -> None:
    text = content(size_bytes)
    reader = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    assert reader.decompress(packed([text])) == text
    assert reader.eof
    assert reader.unused_data == b""


@pytest.mark.parametrize("threads", [2, 3, 8])
def test_neither_threads_nor_the_parts_that_are_written_change_a_byte(threads: int) -> None:
    text = content(5 * MIB + 3)
    whole = packed([text])
    assert packed([text], threads) == whole
    cuts = [0, 1, 77, MIB + 5, 4 * MIB, len(text)]
    assert packed([text[a:b] for a, b in pairwise(cuts)], threads) == whole
    assert packed([memoryview(np.frombuffer(text, np.uint8))], threads) == whole


def test_the_gzip_program_finds_no_fault(tmp_path: Path) -> None:
    program = shutil.which("gzip")
    if program is None:
        pytest.skip("no gzip program")
    text, file = content(2 * MIB + 9), tmp_path / "a.gz"
    file.write_bytes(packed([text], threads=2))
    assert subprocess.run([program, "-dc", file], capture_output=True, check=True).stdout == text


@pytest.mark.parametrize("at", [40, -20, -6, -2])
def test_a_byte_that_changed_is_found_by_the_reader(at: int) -> None:
    damaged = bytearray(packed([content(2 * MIB)]))
    damaged[at] ^= 0x41
    with pytest.raises((gzip.BadGzipFile, zlib.error, EOFError)):
        gzip.decompress(bytes(damaged))


def test_a_disk_that_is_full_is_told_and_nothing_hangs() -> None:
    class Full(io.BytesIO):
        def write(self, data: object, /) -> int:
            if self.tell() > 10:
                raise OSError(28, "No space left on device")
            return super().write(data)  # type: ignore[arg-type]

    with pytest.raises(OSError, match="No space left"), packed_in_blocks(Full(), 3, 3) as file:
        file.write(content(9 * MIB))
