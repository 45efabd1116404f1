"""slides: another file, another fingerprint; sampled, since hashing all of a slide takes minutes."""

import hashlib
import os
from collections.abc import Iterator
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
    return digests(path, quickhash)[0]


def digests(path: Path, quickhash: str | None) -> tuple[str, str]:
    """Return a slide's fingerprint, and the hex sha256 of what it holds alone: copies have the same; read once.

    The second knows no time and no name. A file that only names others, as those of MRXS and VMS do, holds them too.
    """
    status = path.stat()
    digest = hashlib.sha256(f"wsi_area 1 {status.st_size} {status.st_mtime_ns} {quickhash}".encode())
    content = hashlib.sha256(f"wsi_area content 1 {status.st_size}".encode())
    with path.open("rb") as stream:
        for offset in _offsets(status.st_size):
            stream.seek(offset)
            block = stream.read(_BLOCK_BYTES)
            digest.update(block)
            content.update(block)
    for name, size_bytes, mtime_ns in sorted(_companions(path)):
        digest.update(f"\0{name}\0{size_bytes}\0{mtime_ns}".encode(errors="surrogateescape"))
        if path.suffix.lower() in _NAMES_OTHERS and name != path.name:
            content.update(f"\0{name}\0{size_bytes}".encode(errors="surrogateescape"))
    return digest.hexdigest(), content.hexdigest()


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
