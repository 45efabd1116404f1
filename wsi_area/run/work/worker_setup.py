"""run: what each worker process on this machine does first; loaded by dask, which calls `dask_setup`."""

import signal


def dask_setup(worker: object) -> None:
    """Leave Ctrl-C to the coordinator, which lets the running batches be committed and then ends the workers."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
