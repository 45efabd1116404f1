"""run: where the workers of dask come from; what an executor asks of those who start them."""

from typing import Protocol


class Workforce(Protocol):
    """Where the workers come from, and whether more will come."""

    @property
    def slides_at_once(self) -> int | None:
        """Return the number of slides that keep the workers busy, or None for one for each worker."""
        ...

    @property
    def planned_workers(self) -> int | None:
        """Return the number of workers that there will be, or None where they are to be counted."""
        ...

    @property
    def task_memory_bytes(self) -> int | None:
        """Return the bytes that a task may use, or None for what the workers say."""
        ...

    def may_return(self, alone_s: float) -> bool:
        """Return True if workers may still come, when none has been there for so long."""
        ...

    def no_worker(self) -> str:
        """Return the words where no worker is left: why, and what to do."""
        ...

    def close(self) -> None:
        """End what was started."""
        ...
