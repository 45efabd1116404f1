"""slides: another file, another fingerprint; sampled, since hashing all of a slide takes minutes."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

_BLOCK_BYTES = 1 << 16
_SPREAD_BLOCKS = 14
_MAX_COMPANIONS = 4096
_ANY = ("",)


def fingerprint(path: Path, quickhash: str | None) -> str:
    """Return the hex sha256 of size, time, sampled blocks and companion files of a slide.

    Head, tail and 14 blocks spread between are read; ``quickhash`` is OpenSlide's own digest, if any.
    """
    status = path.stat()
    digest = hashlib.sha256(f"wsi_area 1 {status.st_size} {status.st_mtime_ns} {quickhash}".encode())
    with path.open("rb") as stream:
        for offset in _offsets(status.st_size):
            stream.seek(offset)
            digest.update(stream.read(_BLOCK_BYTES))
    for name, size_bytes, mtime_ns in sorted(_companions(path)):
        digest.update(f"\0{name}\0{size_bytes}\0{mtime_ns}".encode(errors="surrogateescape"))
    return digest.hexdigest()


def content_digest(path: str) -> str:
    """Return the hex sha256 of size and sampled blocks of a file alone: copies of it have the same."""
    size_bytes = os.path.getsize(path)
    digest = hashlib.sha256(f"{size_bytes}".encode())
    with open(path, "rb") as stream:
        for offset in _offsets(size_bytes):
            stream.seek(offset)
            digest.update(stream.read(_BLOCK_BYTES))
    return digest.hexdigest()


def _offsets(size_bytes: int) -> list[int]:
    last = max(0, size_bytes - _BLOCK_BYTES)
    return sorted({last * i // (_SPREAD_BLOCKS + 1) for i in range(_SPREAD_BLOCKS + 2)})


def _companions(path: Path) -> Iterator[tuple[str, int, int]]:
    """Yield name, size and time of the files that belong to a slide of several files."""
    suffix = path.suffix.lower()
    kept: tuple[str, ...]
    if suffix == ".mrxs":
        folder, kept = path.with_suffix(""), _ANY
    elif suffix in (".dcm", ".dicom", ""):
        folder, kept = path.parent, (".dcm", ".dicom") if suffix else _ANY
    elif suffix in (".vms", ".vmu"):
        folder, kept = path.parent, (".jpg", ".opt", ".ngr", ".vms", ".vmu")
    else:
        return
    if not folder.is_dir() or (suffix == "" and not _is_dicom(path)):
        return
    with os.scandir(folder) as entries:
        for count, entry in enumerate(entries):
            if count >= _MAX_COMPANIONS:
                return
            if entry.is_file() and entry.name.lower().endswith(kept):
                status = entry.stat()
                yield entry.name, status.st_size, status.st_mtime_ns


def _is_dicom(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(132)[128:] == b"DICM"
