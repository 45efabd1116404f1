"""run: the one that the settings name, started; each way is a file, loaded where it is asked for."""

from pathlib import Path

from wsi_area.errors import SettingsError
from wsi_area.run.executors.contract import Executor
from wsi_area.run.executors.threads import ThreadsExecutor
from wsi_area.settings.cluster_settings import ClusterSettings, TlsSettings
from wsi_area.settings.run_settings import RunSection
from wsi_area.storage.place import Place
from wsi_area.storage.processes import usable_cores


def make_executor(
    section: RunSection,
    cluster: ClusterSettings | None = None,
    tls: TlsSettings | None = None,
    out: Place | None = None,
) -> Executor:
    """Return the executor that the settings name, started.

    Parameters
    ----------
    section
        Who does the work.
    cluster, tls
        What is asked of a job, and what a scheduler is shown; by default as the settings have it by default.
    out
        The run directory, where workers log if it is a folder; SLURM jobs need one.

    Raises
    ------
    SettingsError
        If a scheduler is named that does not answer, or processes or jobs cannot be started.
    """
    workers = section.workers or usable_cores()
    logs = out / "logs" if isinstance(out, Path) else None
    if section.scheduler is not None:
        from wsi_area.run.executors.address import address_executor

        return address_executor(section.scheduler, tls or TlsSettings(), logs)
    if section.executor == "serial":
        from wsi_area.run.executors.serial import SerialExecutor

        return SerialExecutor()
    if section.executor == "threads":
        return ThreadsExecutor(workers)
    if section.executor == "slurm":
        if not isinstance(out, Path):
            raise SettingsError(
                f"run.executor=slurm needs a folder that the nodes see, not {out}: the certificates of its jobs lie "
                "there; give another --out, or use wsi-area submit"
            )
        from wsi_area.run.executors.slurm import slurm_executor

        return slurm_executor(cluster or ClusterSettings(), section.worker_retries, out)
    from wsi_area.run.executors.processes import processes_executor

    return processes_executor(workers, section.worker_retries, logs)
