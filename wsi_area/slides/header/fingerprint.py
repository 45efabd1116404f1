"""slides: another file, another fingerprint; sampled, since hashing all of a slide takes minutes."""

import hashlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from wsi_area.slides.header.companion_files import HAMAMATSU_SUFFIXES, MRXS_SUFFIX, companions_of

_BLOCK_BYTES = 1 << 16
_SPREAD_BLOCKS = 14
_MAX_COMPANIONS = 4096
_NAMES_OTHERS = {MRXS_SUFFIX, *HAMAMATSU_SUFFIXES}
"""Files whose pixels lie in others: alone they might be the same for two slides."""


def fingerprint(path: Path, quickhash: str | None) -> str:
    """Return the hex sha256 of size, time, sampled blocks and companion files of a slide.

    Head, tail and 14 blocks spread between are read; ``quickhash`` is OpenSlide's own digest, if any.
    """
    status = path.stat()
    return _of_this_file(path, status, quickhash, _blocks(path, status.st_size))


def digests(path: Path, quickhash: str | None) -> tuple[str, str]:
    """Return a slide's fingerprint, and the hex sha256 of what it holds alone: copies have the same; read once.

    The second knows no time and no name. A file that only names others, as those of MRXS and VMS do, holds them too.
    """
    status = path.stat()
    blocks = list(_blocks(path, status.st_size))
    content = hashlib.sha256(f"wsi_area content 1 {status.st_size}".encode())
    for block in blocks:
        content.update(block)
    if path.suffix.lower() in _NAMES_OTHERS:
        for name, size_bytes, _ in sorted(_companions(path)):
            if name != path.name:
                content.update(f"\0{name}\0{size_bytes}".encode(errors="surrogateescape"))
    return _of_this_file(path, status, quickhash, blocks), content.hexdigest()


def _of_this_file(path: Path, status: os.stat_result, quickhash: str | None, blocks: Iterable[bytes]) -> str:
    """Return the hex sha256 of a file's size, time and blocks, and of its companions."""
    digest = hashlib.sha256(f"wsi_area 1 {status.st_size} {status.st_mtime_ns} {quickhash}".encode())
    for block in blocks:
        digest.update(block)
    for name, size_bytes, mtime_ns in sorted(_companions(path)):
        digest.update(f"\0{name}\0{size_bytes}\0{mtime_ns}".encode(errors="surrogateescape"))
    return digest.hexdigest()


def _blocks(path: Path, size_bytes: int) -> Iterator[bytes]:
    """Yield the sampled blocks of a file."""
    with path.open("rb") as stream:
        for offset in _offsets(size_bytes):
            stream.seek(offset)
            yield stream.read(_BLOCK_BYTES)


def _offsets(size_bytes: int) -> list[int]:
    last = max(0, size_bytes - _BLOCK_BYTES)
    return sorted({last * i // (_SPREAD_BLOCKS + 1) for i in range(_SPREAD_BLOCKS + 2)})


def _companions(path: Path) -> Iterator[tuple[str, int, int]]:
    """Yield name, size and time of the files that belong to a slide of several files."""
    companions = companions_of(path)
    if companions is None or not companions.folder.is_dir():
        return
    with os.scandir(str(companions.folder)) as entries:
        for count, entry in enumerate(entries):
            if count >= _MAX_COMPANIONS:
                return
            if companions.include(entry.name) and entry.is_file():
                status = entry.stat()
                yield entry.name, status.st_size, status.st_mtime_ns
