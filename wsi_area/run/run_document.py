"""run: how a run ended, and run.json, the document that says what ran, with what, where, and how it ended."""

import os
import platform
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from wsi_area.results.layout import SCHEMA_VERSION
from wsi_area.results.same_content import with_same_content
from wsi_area.segmenters.registry import segmenter_package
from wsi_area.settings.run_settings import RunSettings
from wsi_area.version import __version__

EXIT_OK, EXIT_SETTINGS, EXIT_FAILED, EXIT_CALIBRATION, EXIT_VERIFICATION, EXIT_INTERRUPTED = 0, 1, 2, 3, 4, 130

_RECORDED_PACKAGES = (
    "numpy", "numba", "zarr", "dask", "distributed", "openslide-python", "openslide-bin", "tifffile", "imagecodecs",
    "simplejpeg", "scikit-image", "pillow", "pydicom", "dask-jobqueue",
)  # fmt: skip
_SLURM_VARIABLES = (
    "SLURM_JOB_ID", "SLURM_ARRAY_JOB_ID", "SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_COUNT", "SLURM_CLUSTER_NAME",
    "SLURM_JOB_PARTITION", "SLURM_JOB_NODELIST", "SLURM_RESTART_COUNT",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """How a run ended: the document of every planned slide that came to an end, and the exit code."""

    records: tuple[Mapping[str, Any], ...]
    interrupted: bool
    planned: int  # slides that were asked for
    not_reached: tuple[Mapping[str, Any], ...] = ()  # what the tables say of the others: failed, and why

    @property
    def told(self) -> tuple[Mapping[str, Any], ...]:
        """Return the document of every planned slide: of those that came to an end, and of those that did not."""
        return (*self.records, *self.not_reached)

    @property
    def exit_code(self) -> int:
        """Return 0 if every slide is complete, else the code of the worst that happened."""
        statuses = {r["status"] for r in self.records}
        if self.interrupted:
            return EXIT_INTERRUPTED
        if statuses & {"failed", "incomplete"} or len(self.records) < self.planned:
            return EXIT_FAILED
        return EXIT_CALIBRATION if "needs_calibration" in statuses else EXIT_OK


def run_header(settings: RunSettings, argv: Sequence[str], planned: Sequence[str]) -> dict[str, Any]:
    """Return what is known of a run before it starts."""
    return {
        "schema_version": SCHEMA_VERSION,
        "wsi_area_version": __version__,
        "argv": list(argv),
        "started": datetime.now(UTC).isoformat(),
        "host": {"system": platform.platform(), "machine": platform.machine(), "name": platform.node()},
        "slurm": slurm_ids(os.environ),
        "versions": {"python": sys.version.split()[0], **_package_versions()},
        "settings": settings.canonical(),
        "settings_origin": settings.origins,
        "config_hash": settings.measurement_hash,
        **segmenter_facts(settings),
        "slides_planned": list(planned),
    }


def segmenter_facts(settings: RunSettings) -> dict[str, str]:
    """Return which package somebody else's segmenter is of, with its version; nothing for one of ours."""
    package = segmenter_package(settings.segmenter.name)
    return {} if package is None else {"segmenter_package": package}


def slurm_ids(environment: Mapping[str, str]) -> dict[str, str] | None:
    """Return by what names SLURM knows this process; None outside a job.

    >>> slurm_ids({"SLURM_JOB_ID": "12", "HOME": "/root"})
    {'SLURM_JOB_ID': '12'}
    """
    found = {name: environment[name] for name in _SLURM_VARIABLES if name in environment}
    return found if "SLURM_JOB_ID" in found else None


def _package_versions() -> dict[str, str]:
    found = {}
    for name in _RECORDED_PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def run_footer(outcome: RunOutcome, table: Sequence[Mapping[str, Any]], worker_count: int) -> dict[str, Any]:
    """Return how a run ended; ``table`` has the document of every slide of the folder."""
    return {
        "state": "interrupted" if outcome.interrupted else "finished",
        "ended": datetime.now(UTC).isoformat(),
        "exit_code": outcome.exit_code,
        "statuses": status_counts(outcome.records),
        "slides": {r["slide_id"]: ended_row(r) for r in table},
        "not_reached": outcome.planned - len(outcome.records),
        "slides_not_reached": [r["slide_id"] for r in outcome.not_reached],
        "workers": worker_count,
        "timing": {r["slide_id"]: r["timing"] for r in outcome.records if "timing" in r},
    }


def as_of_run(
    table: Sequence[Mapping[str, Any]], outcome: RunOutcome, about: Mapping[str, Any]
) -> tuple[list[Mapping[str, Any]], RunOutcome]:
    """Return the documents of a run's slides, and how it ended, with what only the run as a whole can say of each.

    Parameters
    ----------
    table : sequence of mapping
        The document of every slide of the folder.
    outcome : RunOutcome
    about : mapping
        run.json, as far as it is known.
    """
    records = tuple(with_same_content(record, about) for record in outcome.records)
    return [with_same_content(record, about) for record in table], replace(outcome, records=records)


def warning_counts(records: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """Return how many slides carry each warning or refusal, by its code.

    >>> warning_counts([{"findings": [{"code": "FOLD_HIGH", "severity": "warning"}]}, {"status": "failed"}])
    {'FOLD_HIGH': 1}
    """
    by_code: dict[str, int] = {}
    for record in records:
        for code in {f["code"]: None for f in record.get("findings", ()) if f["severity"] != "info"}:
            by_code[code] = by_code.get(code, 0) + 1
    return by_code


def status_counts(records: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """Return how many slides have each status.

    >>> status_counts([{"status": "complete"}, {"status": "failed"}, {"status": "complete"}])
    {'complete': 2, 'failed': 1}
    """
    by_status: dict[str, int] = {}
    for record in records:
        by_status[record["status"]] = by_status.get(record["status"], 0) + 1
    return by_status


def ended_row(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return what run.json says of a slide: its id, status, reason and path."""
    return {name: record.get(name) for name in ("slide_id", "status", "reason", "path")}
