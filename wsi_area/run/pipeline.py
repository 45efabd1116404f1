"""run: many slides, each to its own end; what the command line and the API call."""

import logging
import platform
import signal
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from wsi_area import __version__
from wsi_area.errors import ResultError, StaleResultError, WsiAreaError
from wsi_area.results.layout import SCHEMA_VERSION, RunLayout, read_json, sole_writer, write_json
from wsi_area.results.object_tables import write_objects
from wsi_area.results.record import failed_record
from wsi_area.results.tables import write_tables
from wsi_area.run.drawings import refuse_mismatch
from wsi_area.run.events import Listener, SlideDone
from wsi_area.run.executors import Executor, make_executor
from wsi_area.run.inputs import SlideInput
from wsi_area.run.measure_slide import Context, Measured, measure_slide
from wsi_area.run.memory import task_memory_limit_bytes
from wsi_area.run.settings import MEASUREMENT_SECTIONS, RunSettings

_LOG = logging.getLogger(__name__)

EXIT_OK, EXIT_SETTINGS, EXIT_FAILED, EXIT_CALIBRATION, EXIT_VERIFICATION, EXIT_INTERRUPTED = (
    0,
    1,
    2,
    3,
    4,
    130,
)

_RECORDED_PACKAGES = (
    "numpy", "numba", "zarr", "dask", "distributed", "openslide-python", "openslide-bin", "tifffile", "imagecodecs",
    "scikit-image", "pillow", "pydicom",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """How a run ended: the document of every planned slide that came to an end, and the exit code."""

    records: tuple[Mapping[str, Any], ...]
    interrupted: bool
    planned: int  # slides that were asked for

    @property
    def exit_code(self) -> int:
        """Return 0 if every slide is complete, else the code of the worst that happened."""
        statuses = {r["status"] for r in self.records}
        if self.interrupted:
            return EXIT_INTERRUPTED
        if statuses & {"failed", "incomplete"} or len(self.records) < self.planned:
            return EXIT_FAILED
        return EXIT_CALIBRATION if "needs_calibration" in statuses else EXIT_OK


def run_slides(
    slides: Sequence[SlideInput],
    settings: RunSettings,
    out: Path,
    *,
    force: bool = False,
    listener: Listener = lambda event: None,
    argv: Sequence[str] = (),
) -> RunOutcome:
    """Measure slides into a run directory and return how each ended.

    Parameters
    ----------
    slides : sequence of SlideInput
        With distinct slide ids.
    settings : RunSettings
    out : Path
        The run directory; an interrupted run of the very same goes on where it stopped, further slides join it.
    force : bool
        Measure afresh what was made from something else.
    listener : callable
        Is told of each event, from several threads.
    argv : sequence of str
        For the record.

    Raises
    ------
    SettingsError, ResultError
        If nothing could be started: a wrong setting, a folder that cannot be written or is in use.
    """
    refuse_mismatch(settings, slides)
    layout = RunLayout(out)
    with sole_writer(out):
        others = _others_in(layout, slides, settings, force)
        executor = make_executor(settings.run)
        header = _header(settings, argv, [*(r["slide_id"] for r in others), *(s.slide_id for s in slides)])
        try:
            write_json(layout.run_json, {**header, "state": "running"})
            limit = task_memory_limit_bytes(
                settings.run.memory_limit_mb, executor.worker_count, executor.task_memory_bytes
            )
            context = Context(settings, executor, listener, limit, force)
            with _stops_on_signal(executor) as interrupted:
                outcomes = _measure_all(slides, layout, context)
                records = [m.record for m in outcomes if m is not None]
                cut_short = interrupted.is_set() and len(records) < len(slides)
                outcome = RunOutcome(tuple(records), cut_short, len(slides))
                # the tables are part of the run: a signal waits until they are whole
                own = [m.record if m else _planned(s) for s, m in zip(slides, outcomes, strict=True)]
                table = [*others, *own]
                write_tables(layout, table)
                write_objects(layout, [r["slide_id"] for r in table if r["status"] != "failed"])
                write_json(layout.run_json, {**header, **_footer(outcome, table, executor)})
        finally:
            executor.close()
    return outcome


def _others_in(
    layout: RunLayout, slides: Sequence[SlideInput], settings: RunSettings, force: bool
) -> list[Mapping[str, Any]]:
    """Return the documents of the slides that an earlier run with the same settings put into the folder.

    Raises
    ------
    StaleResultError
        If that run had other settings: one folder never holds results of two kinds.
    """
    if not layout.run_json.exists():
        return []
    earlier = read_json(layout.run_json)
    if earlier.get("config_hash") != settings.measurement_hash:
        if force:
            return []
        raise StaleResultError(
            f"{layout.root} holds a run with other settings: {_differences(earlier.get('settings', {}), settings)}; "
            "choose another --out, or --force to start this folder afresh"
        )
    mine, paths = {s.slide_id for s in slides}, {s.path: s.slide_id for s in slides}
    ended = earlier.get("slides", {})
    others = [
        _document(layout, name, ended.get(name, {})) for name in earlier.get("slides_planned", []) if name not in mine
    ]
    for record in others:
        if record["path"] in paths and not force:
            raise StaleResultError(
                f"{layout.root} holds {record['path']} already, as {record['slide_id']}; it would now be "
                f"{paths[record['path']]} and be counted twice. Give it the same id in a manifest (slide_id), or "
                "choose another --out"
            )
    return [record for record in others if record["path"] not in paths]


def _document(layout: RunLayout, slide_id: str, ended: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what an earlier run says of a slide: its document, unless that run says that it failed."""
    if ended.get("status") == "failed":
        return failed_record(slide_id, str(ended["path"]), str(ended["reason"]), {})
    path = layout.slide(slide_id).result_json
    try:
        return read_json(path) if path.exists() else _unmeasured(slide_id, "")
    except ResultError:
        return _unmeasured(slide_id, "")


def _differences(earlier: Mapping[str, Any], settings: RunSettings) -> str:
    """Return which settings differ, then and now."""
    now = settings.canonical()
    found = [
        f"{section}.{key} {_change(then.get(key), own.get(key))}"
        for section, then, own in ((name, earlier.get(name, {}), now[name]) for name in MEASUREMENT_SECTIONS)
        for key in sorted({*then, *own})
        if then.get(key) != own.get(key)
    ]
    return ", ".join(found) or "another version"


def _change(then: Any, now: Any) -> str:
    return "differ" if isinstance(then, list) or isinstance(now, list) else f"was {then!r}, is {now!r}"


def _measure_all(slides: Sequence[SlideInput], layout: RunLayout, context: Context) -> list[Measured | None]:
    """Return each slide's outcome; several are in flight so that no core idles between two."""
    in_flight = min(context.settings.run.slides_in_flight, len(slides)) or 1
    with ThreadPoolExecutor(in_flight, thread_name_prefix="wsi-area-slide") as drivers:
        return list(drivers.map(lambda slide: _measure_one(slide, layout, context), slides))


def _measure_one(slide: SlideInput, layout: RunLayout, context: Context) -> Measured | None:
    try:
        measured = measure_slide(slide, layout.slide(slide.slide_id), context)
    except Exception as error:  # the boundary of a slide: whatever befalls one, the others go on
        if not isinstance(error, WsiAreaError):
            _LOG.exception("%s: please report this", slide.slide_id)
        # what is on disk is somebody's earlier result or a full disk: it is left as it is
        measured = Measured(
            failed_record(slide.slide_id, slide.path, str(error), {"error": type(error).__name__}), False
        )
    if measured is not None:
        record = measured.record
        _LOG.info("%s: %s %s", slide.slide_id, record["status"], record["reason"])
        context.listener(SlideDone(slide.slide_id, record["status"], record["reason"], measured.resumed))
    return measured


@contextmanager
def _stops_on_signal(executor: Executor) -> Iterator[threading.Event]:
    """Let Ctrl-C and SIGTERM finish what is running, commit it, and end; a second one gives up the tables."""
    interrupted = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield interrupted
        return

    def stop(number: int, frame: object) -> None:
        if interrupted.is_set():
            raise KeyboardInterrupt
        interrupted.set()
        executor.stop()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield interrupted
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _planned(slide: SlideInput) -> dict[str, Any]:
    return _unmeasured(slide.slide_id, slide.path)


def _unmeasured(slide_id: str, path: str) -> dict[str, Any]:
    """Return the document of a slide that an interrupted run did not come to."""
    reason = "the run was interrupted before this slide was measured; run the same command again"
    return failed_record(slide_id, path, reason, {"error": "Interrupted"})


def _header(settings: RunSettings, argv: Sequence[str], planned: Sequence[str]) -> dict[str, Any]:
    return {
        "schema_version": SCHEMA_VERSION,
        "wsi_area_version": __version__,
        "argv": list(argv),
        "started": datetime.now(UTC).isoformat(),
        "host": {"system": platform.platform(), "machine": platform.machine(), "name": platform.node()},
        "versions": {"python": sys.version.split()[0], **_package_versions()},
        "settings": settings.canonical(),
        "config_hash": settings.measurement_hash,
        "slides_planned": list(planned),
    }


def _package_versions() -> dict[str, str]:
    found = {}
    for name in _RECORDED_PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def _footer(outcome: RunOutcome, table: Sequence[Mapping[str, Any]], executor: Executor) -> dict[str, Any]:
    by_status: dict[str, int] = {}
    for record in outcome.records:
        by_status[record["status"]] = by_status.get(record["status"], 0) + 1
    return {
        "state": "interrupted" if outcome.interrupted else "finished",
        "ended": datetime.now(UTC).isoformat(),
        "exit_code": outcome.exit_code,
        "statuses": by_status,
        "slides": {r["slide_id"]: {k: r.get(k) for k in ("slide_id", "status", "reason", "path")} for r in table},
        "not_reached": outcome.planned - len(outcome.records),
        "workers": executor.worker_count,
        "timing": {r["slide_id"]: r["timing"] for r in outcome.records if "timing" in r},
    }
