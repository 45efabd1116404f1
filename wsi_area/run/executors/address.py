"""run: the work done by the workers of a dask scheduler that somebody else runs, reached by its address."""

import ssl
from pathlib import Path
from typing import Any

from wsi_area.errors import SettingsError
from wsi_area.run.executors.distributed import DistributedExecutor
from wsi_area.settings.cluster_settings import TlsSettings

FIRST_WORKER_S, ANSWER_S = 120.0, 30.0
"""Seconds to wait for a cluster's first worker, and for its scheduler to answer."""


class SchedulerByAddress:
    """A scheduler of Kubernetes, LSF, or a lab's own; its workers come and go as whoever runs it likes."""

    planned_workers = None
    task_memory_bytes = None
    slides_at_once = None

    def __init__(self, address: str, tls: TlsSettings) -> None:
        self.cluster = address
        self.security = client_security(tls)

    def may_return(self, alone_s: float) -> bool:
        """Return that they may: whoever runs the scheduler can start workers at any time."""
        return True

    def no_worker(self) -> str:
        """Return the words where no worker is left."""
        return f"the dask scheduler at {self.cluster} has no worker left; start some, then run the same command again"

    def close(self) -> None:
        """End nothing: scheduler and workers are not ours."""


def client_security(tls: TlsSettings) -> Any:
    """Return the certificates that a client shows and believes, or None without certificates.

    Raises
    ------
    SettingsError
        Naming a file that cannot be used.
    """
    if tls.ca is None:
        return None
    from distributed import Security

    for name, path in (("ca", tls.ca), ("cert", tls.cert), ("key", tls.key)):
        if path is None or not path.is_file():
            raise SettingsError(f"tls.{name} = {path}: there is no such file; give the PEM files of your cluster")
    security = Security(
        require_encryption=True,
        tls_ca_file=str(tls.ca),
        tls_client_cert=str(tls.cert),
        tls_client_key=str(tls.key),
    )
    try:
        security.get_connection_args("client")
    except (ssl.SSLError, OSError) as error:
        raise SettingsError(
            f"the certificates {tls.ca}, {tls.cert} and key {tls.key} cannot be used ({error}); are they PEM, and does "
            "the key belong to the certificate?"
        ) from error
    return security


def address_executor(address: str, tls: TlsSettings, logs: Path | None) -> DistributedExecutor:
    """Return an executor of a scheduler's workers.

    Raises
    ------
    SettingsError
        If the scheduler does not answer, or has no worker.
    """
    from distributed import Client

    there = SchedulerByAddress(address, tls)
    try:
        client = Client(address, timeout=f"{ANSWER_S:g}s", set_as_default=False, security=there.security)
    except (OSError, TimeoutError, ValueError, TypeError) as error:
        raise SettingsError(
            f"no dask scheduler answers at {address} within {ANSWER_S:g} s ({error}); check run.scheduler, that it "
            "runs, and for tls:// the certificates in [tls]"
        ) from error
    try:
        client.wait_for_workers(1, timeout=FIRST_WORKER_S)
    except TimeoutError as error:
        client.close()
        raise SettingsError(
            f"the dask scheduler at {address} has had no worker for {FIRST_WORKER_S:g} s; start some"
        ) from error
    return DistributedExecutor(client, there, logs)
