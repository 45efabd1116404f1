"""compute: zstd with tables that each thread makes once, and not for each frame."""

from functools import cache
from threading import local

import zstandard

_MATCH_BYTES, _MATCHES_LOG = 7, 8
"""How long a stretch of bytes must come again to be written shorter, and how many are remembered: of the bit planes of
noisy classes little comes again. To look for shorter ones, or among more, takes a third longer and packs no better."""
_OF_THREAD = local()


def plane_packer() -> zstandard.ZstdCompressor:
    """Return what packs bit planes most quickly, this thread's."""
    packer: zstandard.ZstdCompressor | None = getattr(_OF_THREAD, "planes", None)
    if packer is None:
        quickest = zstandard.ZstdCompressionParameters.from_level(
            1, strategy=zstandard.STRATEGY_FAST, min_match=_MATCH_BYTES, hash_log=_MATCHES_LOG
        )
        packer = _OF_THREAD.planes = zstandard.ZstdCompressor(compression_params=quickest)
    return packer


def unpacker() -> zstandard.ZstdDecompressor:
    """Return what unpacks frames that say how long their content is, this thread's."""
    made: zstandard.ZstdDecompressor | None = getattr(_OF_THREAD, "unpacker", None)
    if made is None:
        made = _OF_THREAD.unpacker = zstandard.ZstdDecompressor()
    return made


def row_packer(level: int) -> zstandard.ZstdCompressor:
    """Return what packs with a checksum at a level of zstd, this thread's."""
    packers: dict[int, zstandard.ZstdCompressor] = _OF_THREAD.__dict__.setdefault("rows", {})
    if level not in packers:
        packers[level] = zstandard.ZstdCompressor(level=level, write_checksum=True)
    return packers[level]


@cache
def packed_zeros(size_bytes: int) -> bytes:
    """Return the frame of so many bytes of 0, empty where there are none: zstd reads one frame after the other."""
    return plane_packer().compress(bytes(size_bytes)) if size_bytes else b""
