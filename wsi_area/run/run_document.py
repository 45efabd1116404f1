"""run: how a run ended, and run.json, the document that says what ran, with what, where, and how it ended."""

import os
import platform
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from wsi_area.model.burden import Status
from wsi_area.model.documented import SCHEMA_VERSION
from wsi_area.model.slide_result import CountedSlide, EndedSlide
from wsi_area.results.documents import document_of
from wsi_area.results.same_content import SAME_CONTENT, with_same_content
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
    """How a run ended: the result of every planned slide that came to an end, and the exit code."""

    slides: tuple[EndedSlide, ...]
    interrupted: bool
    planned: int  # slides that were asked for
    not_reached: tuple[EndedSlide, ...] = ()  # what the tables say of the others: failed, and why

    @property
    def records(self) -> tuple[dict[str, Any], ...]:
        """Return the slides that came to an end as documents."""
        return tuple(document_of(slide) for slide in self.slides)

    @property
    def told(self) -> tuple[dict[str, Any], ...]:
        """Return every planned slide as a document: those that came to an end, and those that did not."""
        return tuple(document_of(slide) for slide in (*self.slides, *self.not_reached))

    @property
    def exit_code(self) -> int:
        """Return 0 if every slide is complete, else the code of the worst that happened."""
        statuses = {slide.status for slide in self.slides}
        if self.interrupted:
            return EXIT_INTERRUPTED
        if statuses & {"failed", "incomplete"} or len(self.slides) < self.planned:
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


def run_footer(outcome: RunOutcome, table: Sequence[EndedSlide], worker_count: int) -> dict[str, Any]:
    """Return how a run ended; ``table`` has every slide of the folder."""
    return {
        "state": "interrupted" if outcome.interrupted else "finished",
        "ended": datetime.now(UTC).isoformat(),
        "exit_code": outcome.exit_code,
        "statuses": status_counts(outcome.slides),
        "slides": {slide.slide_id: ended_row(slide) for slide in table},
        "not_reached": outcome.planned - len(outcome.slides),
        "slides_not_reached": [slide.slide_id for slide in outcome.not_reached],
        "workers": worker_count,
        "timing": {s.slide_id: s.timing.model_dump() for s in outcome.slides if isinstance(s, CountedSlide)},
    }


def as_of_run(
    table: Sequence[EndedSlide], outcome: RunOutcome, about: Mapping[str, Any]
) -> tuple[list[EndedSlide], RunOutcome]:
    """Return a run's slides, and how it ended, with what only the run as a whole can say of each.

    Parameters
    ----------
    table : sequence of EndedSlide
        Every slide of the folder.
    outcome : RunOutcome
    about : mapping
        run.json, as far as it is known.
    """
    twins = about.get(SAME_CONTENT, ())
    slides = tuple(with_same_content(slide, twins) for slide in outcome.slides)
    return [with_same_content(slide, twins) for slide in table], replace(outcome, slides=slides)


def warning_counts(slides: Iterable[EndedSlide]) -> dict[str, int]:
    """Return how many slides carry each warning or refusal, by its code."""
    counted = (slide for slide in slides if isinstance(slide, CountedSlide))
    return dict(Counter(code for s in counted for code in {f.code: None for f in s.findings if f.severity != "info"}))


def status_counts(slides: Iterable[EndedSlide]) -> dict[Status, int]:
    """Return how many slides have each status."""
    return dict(Counter(slide.status for slide in slides))


def ended_row(slide: EndedSlide) -> dict[str, str]:
    """Return what run.json says of a slide: its id, status, reason and path."""
    return {"slide_id": slide.slide_id, "status": slide.status, "reason": slide.reason, "path": slide.path}
