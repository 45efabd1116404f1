"""A worker process uses the memory of one tile for the next, whatever dask asks of the allocator.

Held by counting pages that the system had to hand out, not by time.
"""

import platform
import resource

import numpy as np
import pytest

from wsi_area.run.executors.choice import make_executor
from wsi_area.settings.run_settings import RunSection

ROUNDS, BLOCK_BYTES = 200, 1 << 20
PAGES = ROUNDS * BLOCK_BYTES // 4096

pytestmark = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the variable is read by glibc alone")


def pages_for_blocks(_: int) -> int:
    """Return the pages taken anew while blocks of the size of a tile are filled and freed, one after the other."""
    np.ones(BLOCK_BYTES, np.uint8)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _round in range(ROUNDS):
        np.ones(BLOCK_BYTES, np.uint8)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


@pytest.mark.parametrize("name", ["processes", "threads"])
def test_the_pages_of_a_freed_block_serve_the_next(name: str) -> None:
    made = make_executor(RunSection(executor=name, workers=1))  # type: ignore[arg-type]
    try:
        found = [pages for _, pages in made.map(pages_for_blocks, range(3))]
    finally:
        made.close()
    assert max(found) < PAGES / 10
