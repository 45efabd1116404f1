"""run: how a run ended, and run.json, the document that says what ran, with what, where, and how it ended."""

import os
import platform
import re
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import field, replace
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from typing import Any

from wsi_area.frozen_value import frozen_value
from wsi_area.model.burden import Status
from wsi_area.model.record.left_out import LeftOut
from wsi_area.model.run_record import Host, RunRecord
from wsi_area.model.slide_result import CountedSlide, EndedSlide
from wsi_area.results.documents import document_of
from wsi_area.results.same_content import with_same_content
from wsi_area.run.work.log_lines import slurm_ids
from wsi_area.segmenters.registry import segmenter_package
from wsi_area.settings.run_settings import RunSettings
from wsi_area.version import __version__

EXIT_OK, EXIT_SETTINGS, EXIT_FAILED, EXIT_CALIBRATION, EXIT_VERIFICATION, EXIT_INTERRUPTED = 0, 1, 2, 3, 4, 130

_RECORDED_PACKAGES = (
    "numpy", "numba", "zarr", "dask", "distributed", "openslide-python", "openslide-bin", "tifffile", "imagecodecs",
    "simplejpeg", "scikit-image", "pillow", "pydicom", "dask-jobqueue", "scipy", "shapely", "onnxruntime",
)  # fmt: skip
_VERSION_LINE = re.compile(r"^Version: *(\S+)", re.MULTILINE)


@frozen_value
class RunOutcome:
    """How a run ended: the result of every planned slide that came to an end, and the exit code."""

    slides: tuple[EndedSlide, ...]
    interrupted: bool
    planned: int  # slides that were asked for
    not_reached: tuple[EndedSlide, ...] = ()  # what the tables say of the others: failed, and why
    left_out: tuple[LeftOut, ...] = field(default=(), kw_only=True)  # what lay there and was not asked for
    seal: str = field(default="", kw_only=True)  # of the run; a task of a job array has none
    lost: str = field(default="", kw_only=True)  # why nobody was left to do the work; "" where somebody was

    @property
    def all_slides(self) -> tuple[EndedSlide, ...]:
        """Return every planned slide: those that came to an end, and those that did not."""
        return (*self.slides, *self.not_reached)

    @property
    def documents(self) -> list[dict[str, Any]]:
        """Return every planned slide as a document, JSON-ready."""
        return [document_of(slide) for slide in self.all_slides]

    @property
    def exit_code(self) -> int:
        """Return 0 if every slide is complete, else the code of the worst that happened."""
        statuses = {slide.status for slide in self.slides}
        if self.interrupted:
            return EXIT_INTERRUPTED
        is_lost = any(left.is_lost for left in self.left_out)
        if statuses & {"failed", "incomplete"} or len(self.slides) < self.planned or is_lost:
            return EXIT_FAILED
        return EXIT_CALIBRATION if "needs_calibration" in statuses else EXIT_OK


def run_header(
    settings: RunSettings, argv: Sequence[str], planned: Sequence[str], left_out: Sequence[LeftOut] = ()
) -> RunRecord:
    """Return the record of a run before it starts."""
    return RunRecord(
        wsi_area_version=__version__,
        argv=tuple(argv),
        started=datetime.now(UTC).isoformat(),
        host=Host(system=_system(), machine=platform.machine(), name=platform.node()),
        slurm=slurm_ids(os.environ),
        versions={"python": sys.version.split()[0], **package_versions()},
        settings=settings.canonical(),
        settings_origin=dict(settings.origins),
        config_hash=settings.measurement_hash,
        segmenter_package=segmenter_package(settings.segmenter.name),
        slides_planned=tuple(planned),
        left_out=tuple(left_out) or None,
        state="running",
    )


def _system() -> str:
    """Return the operating system as `platform.platform` says it, which starts another program to hear of it."""
    try:
        libc = os.confstr("CS_GNU_LIBC_VERSION")  # such as "glibc 2.36"
    except (AttributeError, ValueError, OSError):  # another system has none, or does not say
        libc = None
    if not libc:
        return platform.platform()
    return f"{platform.system()}-{platform.release()}-{platform.machine()}-with-{libc.replace(' ', '')}"


@cache  # 5 ms, and nothing is installed while a run is at work
def package_versions() -> dict[str, str]:
    """Return the versions of the packages that decode, count and keep; not to be changed by whoever is given them."""
    return {name: installed_version(name) for name in _RECORDED_PACKAGES}


def installed_version(package: str) -> str:
    """Return the version of a package, from the line that says it; the pages that follow describe the package."""
    try:
        told = distribution(package)
    except PackageNotFoundError:
        return "not installed"
    line = _VERSION_LINE.search(told.read_text("METADATA") or "")
    return line[1] if line else told.version


def ended_run(run: RunRecord, outcome: RunOutcome, table: Sequence[EndedSlide], worker_count: int) -> RunRecord:
    """Return a run with what is known at its end; ``table`` has every slide of the folder."""
    return run.model_copy(
        update={
            "state": "interrupted" if outcome.interrupted else "finished",
            "ended": datetime.now(UTC).isoformat(),
            "exit_code": outcome.exit_code,
            "statuses": status_counts(outcome.slides),
            "slides": {slide.slide_id: ended_row(slide) for slide in table},
            "not_reached": outcome.planned - len(outcome.slides),
            "slides_not_reached": tuple(slide.slide_id for slide in outcome.not_reached),
            "workers": worker_count,
            "timing": {s.slide_id: s.timing for s in outcome.slides if isinstance(s, CountedSlide)},
        }
    )


def as_of_run(
    table: Sequence[EndedSlide], outcome: RunOutcome, twins: Sequence[Sequence[str]]
) -> tuple[list[EndedSlide], RunOutcome]:
    """Return a run's slides, and how it ended, with what only the run as a whole can say of each.

    Parameters
    ----------
    table : sequence of EndedSlide
        Every slide of the folder.
    outcome : RunOutcome
    twins : sequence of sequence of str
        The slides whose files hold the same, group by group.
    """
    slides = tuple(with_same_content(slide, twins) for slide in outcome.slides)
    return [with_same_content(slide, twins) for slide in table], replace(outcome, slides=slides)


def warning_counts(slides: Iterable[EndedSlide]) -> dict[str, int]:
    """Return the number of slides that carry each warning or refusal, by its code."""
    counted = (slide for slide in slides if isinstance(slide, CountedSlide))
    return dict(Counter(code for s in counted for code in {f.code: None for f in s.findings if f.severity != "info"}))


def status_counts(slides: Iterable[EndedSlide]) -> dict[Status, int]:
    """Return the number of slides of each status."""
    return dict(Counter(slide.status for slide in slides))


def ended_row(slide: EndedSlide) -> EndedSlide:
    """Return the line of run.json on a slide: its id, status, reason and path."""
    return EndedSlide(slide_id=slide.slide_id, status=slide.status, reason=slide.reason, path=slide.path)
