"""measuring: one call from a slide to the opened run, for a notebook or a script."""

import logging
import os
import shutil
import tempfile
import weakref
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

from wsi_area.errors import SettingsError
from wsi_area.inputs.collect import SlideInput, as_slides, collect_slides
from wsi_area.measuring.progress import shown_where_somebody_looks
from wsi_area.model.burden import FINAL
from wsi_area.notebook.notebook_run import NotebookRun, open_run
from wsi_area.run.events import Event, SlideDone
from wsi_area.run.pipeline import run_slides
from wsi_area.settings.run_settings import RunSettings, load
from wsi_area.storage.place import place_of, reached_by

_LOG = logging.getLogger(__name__)

PathLike = str | os.PathLike[str]


def measure(
    slides: PathLike | SlideInput | Sequence[PathLike | SlideInput],
    config: PathLike | RunSettings | None = None,
    *,
    out: PathLike | None = None,
    settings: Mapping[str, Any] | Sequence[str] = (),
    force: bool = False,
    progress: bool = True,
    **options: Any,
) -> NotebookRun:
    """Return the opened run of some slides, measured now.

    A slide that fails raises nothing: the log tells it, and ``run.summary`` has its status and reason.

    Parameters
    ----------
    slides : path, or sequence of them
        Files, folders, globs, ``@list.txt``, one manifest (``.csv``), or what `collect_slides` returned.
    config : path, name of a preset, or RunSettings
        None: the defaults.
    out : path or None
        The run's folder, or ``s3://bucket/prefix``; an interrupted run goes on there. None: a temporary one, which
        goes when the run is closed (``with wsi_area.measure(…) as run``), or when the run and its slides are forgotten.
    settings : mapping, or sequence of str
        On top of ``config``: ``{"tiling.work_mpp": 0.5}``, or ``["tiling.work_mpp=0.5"]``.
    force : bool
        Measure afresh what ``out`` holds from something else.
    progress : bool
        Show a bar, in a notebook or on a terminal; a script's log stays empty in any case.
    **options
        As `collect_slides` takes them: ``mpp``, ``mpp_reason``, ``annotations``, ``roi``, ``recursive`` and others.

    Raises
    ------
    SettingsError
        Something cannot be found, read or believed; nothing was measured.
    ResultError
        ``out`` cannot be written, or holds another run.
    KeyboardInterrupt
        It was interrupted; the same call goes on where it stopped, if ``out`` is given.
    """
    wanted = _settings_of(config, settings)
    asked = _slides_of(slides, wanted, options)
    if out is not None:
        return _measured(asked, wanted, out, force, progress)
    folder = tempfile.mkdtemp(prefix="wsi-area-")
    try:
        run = _measured(asked, wanted, folder, force, progress)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return replace(run, folder=_Temporary(folder))


class _Temporary:
    """A folder that goes when it is closed, or when nobody holds this any more, at the latest when Python ends."""

    def __init__(self, folder: str) -> None:
        self._taken_away = weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)

    def close(self) -> None:
        """Take it away now."""
        self._taken_away()


def _settings_of(config: PathLike | RunSettings | None, settings: Mapping[str, Any] | Sequence[str]) -> RunSettings:
    if isinstance(settings, str):
        settings = [settings]
    assignments, values = ((), settings) if isinstance(settings, Mapping) else (settings, None)
    if not isinstance(config, RunSettings):
        return load(None if config is None else os.fspath(config), assignments, values)
    if settings:
        raise SettingsError("settings come on top of a file or a preset; with RunSettings, give what you want in them")
    return config


def _slides_of(slides: Any, settings: RunSettings, options: dict[str, Any]) -> tuple[SlideInput, ...]:
    given = [slides] if isinstance(slides, str | os.PathLike | SlideInput) else list(slides)
    if any(isinstance(slide, SlideInput) for slide in given):
        if options:
            raise SettingsError(f"{', '.join(options)}: slides that collect_slides returned have their own; give paths")
        return as_slides(given, settings.storage.access)
    paths = [os.fspath(path) for path in given if not isinstance(path, SlideInput)]
    if len(paths) == 1 and paths[0].casefold().endswith(".csv") and "manifest" not in options:
        paths, options = [], {**options, "manifest": paths[0]}
    return collect_slides(paths, access=settings.storage.access, **options)


def _unseen(event: Event) -> None:
    """Show nothing."""


def _measured(
    slides: Sequence[SlideInput], settings: RunSettings, out: PathLike, force: bool, progress: bool
) -> NotebookRun:
    place = reached_by(place_of(os.fspath(out)), settings.storage.access)
    ended: list[SlideDone] = []

    def note(event: Event) -> None:
        if isinstance(event, SlideDone):
            ended.append(event)
        shown(event)

    with shown_where_somebody_looks(len(slides)) if progress else nullcontext(_unseen) as shown:
        outcome = run_slides(slides, settings, place, force=force, listener=note)
    for left in outcome.left_out:
        _LOG.warning("%s", left.line)
    for slide in ended:
        if slide.status not in FINAL:
            _LOG.warning("%s: %s: %s", slide.slide_id, slide.status, slide.message)
    if outcome.interrupted:
        raise KeyboardInterrupt(f"interrupted after {len(ended)} of {len(slides)} slides; the same call goes on")
    return open_run(place)
