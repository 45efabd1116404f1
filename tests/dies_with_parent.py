"""What a server that a test starts is given, so that it ends with the test run, however that ends."""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None  # loaded before a fork, in which nothing may be


def dies_with_parent() -> None:
    """Have the kernel kill this process when the one that started it ends: for ``preexec_fn``, on Linux."""
    if _LIBC is not None:
        _LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() == 1:  # it ended meanwhile
            os._exit(1)
