"""run: how many tasks of a job array end soonest, by arithmetic: pure.

Tasks settle the plan one after the other, ``a`` seconds each, so that work of ``W`` core-seconds takes
T(n) = W / n + n · a with n tasks of one core, which is least at n = √(W / a). More tasks than that wait for each other.
"""

import math
from collections.abc import Mapping

from wsi_area.frozen_value import frozen_value

BYTES_PER_CORE_S = 25e6
"""What a core reads, sorts by colour and writes in a second at the finest level of JPEG slides (docs/scaling.md)."""

SETTLE_S = 0.015
"""What a task takes while others wait: ten times what it is on a disk of one's own, for a shared file system."""


@frozen_value
class BestTasks:
    """The number of tasks of one core that end soonest, and what it rests on."""

    tasks: int
    work_core_s: float
    settle_s: float = SETTLE_S

    @property
    def text(self) -> str:
        """Return it as a line.

        >>> print(best_tasks({"a": 30 * 10**9}).text)
        T(n) = W/n + n·a is least with 283 tasks: W = 1200 core-seconds (30 GB, 25 MB in each, as a colour rule takes \
at the finest level; a coarser pixel takes less, a network more), a = 0.015 s that the others wait for each
        """
        read_gb, mb_per_s = self.work_core_s * BYTES_PER_CORE_S / 1e9, BYTES_PER_CORE_S / 1e6
        return (
            f"T(n) = W/n + n·a is least with {self.tasks} task{'s' * (self.tasks > 1)}: W = {self.work_core_s:.0f} "
            f"core-seconds ({read_gb:.3g} GB, {mb_per_s:.0f} MB in each, as a colour rule takes at the finest "
            "level; a coarser pixel takes less, a network more), "
            f"a = {self.settle_s:g} s that the others wait for each"
        )


def best_tasks(file_bytes: Mapping[str, int]) -> BestTasks:
    """Return the number of tasks that end soonest for slides of so many bytes, never more than their work has seconds.

    >>> best_tasks({"a": 25_000_000 * 60, "b": 0}).tasks
    60
    """
    work_s = sum(file_bytes.values()) / BYTES_PER_CORE_S
    return BestTasks(max(1, min(round(math.sqrt(work_s / SETTLE_S)), round(work_s))), work_s)
