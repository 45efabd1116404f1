"""compute: the processor that machine code is made for, and how it is told from another without LLVM."""

import os
from functools import lru_cache

_TELLING = {"vendor_id", "cpu family", "model", "stepping", "flags"}
"""Of what Linux says of an x86 processor: what stays the same as long as it runs the same instructions as fast."""

_SHUFFLING = {"avx512f", "avx512bw", "avx512dq", "avx512vl", "avx512vbmi", "popcnt", "bmi1", "bmi2"}
"""The instructions of ``segmenters.colour.compiled_shuffles``, as Linux calls them."""


@lru_cache(maxsize=1)
def processor() -> tuple[str, str]:
    """Return the name and the features of the processor that code is made for, as LLVM has them.

    numba's settings go first.
    """
    from llvmlite.binding import get_host_cpu_features, get_host_cpu_name  # 50 MB, which a run with its code spares

    name = os.environ.get("NUMBA_CPU_NAME") or get_host_cpu_name()
    features = os.environ.get("NUMBA_CPU_FEATURES")
    if features is None:
        features = get_host_cpu_features().flatten() if name == get_host_cpu_name() else ""
    return name, features


def processor_key() -> tuple[str, ...]:
    """Return words that tell the processor from any other for which other code is made: those of Linux, or of LLVM."""
    is_named = "NUMBA_CPU_NAME" in os.environ or "NUMBA_CPU_FEATURES" in os.environ
    return (() if is_named else as_linux_tells()) or processor()


@lru_cache(maxsize=1)
def as_linux_tells(file: str = "/proc/cpuinfo") -> tuple[str, ...]:
    """Return what Linux says of the first processor; nothing where it is no x86, or this no Linux."""
    told: list[str] = []
    try:
        with open(file, encoding="utf-8", errors="replace") as lines:
            for line in lines:
                if not line.strip():
                    break  # of one processor of many
                if line.partition("\t")[0].strip() in _TELLING:
                    told.append(" ".join(line.split()))
    except OSError:
        return ()
    return tuple(told) if len(told) == len(_TELLING) else ()


@lru_cache(maxsize=1)
def shuffles_bytes() -> bool:
    """Return True if the processor looks up 64 bytes at once (AVX-512 VBMI), as Linux tells; False where it doesn't."""
    flags = next((line.split() for line in as_linux_tells() if line.startswith("flags")), [])
    return _SHUFFLING.issubset(flags)
