"""compute: the processor that machine code is made for."""

import os
from functools import lru_cache

from llvmlite.binding import get_host_cpu_features, get_host_cpu_name


@lru_cache(maxsize=1)
def processor() -> tuple[str, str]:
    """Return the name and the features of the processor that code is made for; numba's settings go first."""
    name = os.environ.get("NUMBA_CPU_NAME") or get_host_cpu_name()
    features = os.environ.get("NUMBA_CPU_FEATURES")
    if features is None:
        features = get_host_cpu_features().flatten() if name == get_host_cpu_name() else ""
    return name, features
