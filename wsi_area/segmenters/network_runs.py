"""segmenters: how many windows a network was shown in this thread; whoever runs one adds, the task of a batch asks."""

import threading


class _Shown(threading.local):
    windows = 0


_shown = _Shown()


def add_windows(number: int) -> None:
    """Add windows that a network was shown just now, blank ones included: each costs the same."""
    _shown.windows += number


def windows_so_far() -> int:
    """Return the number of windows that networks were shown in this thread since it began.

    >>> before = windows_so_far()
    >>> add_windows(4)
    >>> windows_so_far() - before
    4
    """
    return _shown.windows
