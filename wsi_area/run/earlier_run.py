"""run: what a run directory holds of earlier runs, what of it stays in the tables, and what leaves them."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from wsi_area.errors import ResultError, StaleResultError
from wsi_area.inputs.collect import SlideInput
from wsi_area.model.slide_result import EndedSlide, FailedSlide
from wsi_area.results.documents import ended_slide, read_result
from wsi_area.results.layout import RunLayout, read_json
from wsi_area.results.unmerged import discard_shards, is_unmerged, refuse_unmerged
from wsi_area.run.same_kind import differences, is_of
from wsi_area.settings.run_settings import RunSettings

_LOG = logging.getLogger(__name__)

INTERRUPTED = "not reached: the run was interrupted before this slide was measured; run the same command again"

NOT_REACHED = "Interrupted"
"""The error of a slide that a run did not come to."""

NAMED = 5
"""Slides named in a warning; run.json and the folder have all of them."""


def own_settings_in(layout: RunLayout, slides: Sequence[EndedSlide]) -> dict[str, Any]:
    """Return what slides of an earlier run had as settings of their own, by their ids, as run.json has it."""
    earlier = read_json(layout.run_json).get("slide_settings", {}) if slides else {}
    return {s.slide_id: earlier[s.slide_id] for s in slides if s.slide_id in earlier}


def merged_shards(layout: RunLayout, settings: RunSettings, force: bool) -> Mapping[str, Any] | None:
    """Return what the folder's run says of the shards that were merged into it; None where there were none.

    Raises
    ------
    ResultError
        If shards measured something that is not merged yet; ``force`` forgets what they said.
    """
    if layout.array_plan.exists():
        about = _said_earlier(layout, force)
        if force and (about is None or is_unmerged(layout) or not is_of(about, settings)):
            discard_shards(layout)
    refuse_unmerged(layout)
    return read_json(layout.run_json).get("shards") if layout.array_plan.exists() else None


def others_in(layout: RunLayout, slides: Sequence[SlideInput], settings: RunSettings, force: bool) -> list[EndedSlide]:
    """Return the results of the slides that an earlier run with the same settings put into the folder.

    Raises
    ------
    StaleResultError
        If that run had other settings: one folder never holds results of two kinds.
    ResultError
        If what it said is damaged; ``force`` begins the folder afresh.
    """
    earlier = _said_earlier(layout, force)
    if earlier is None:
        return []
    if not is_of(earlier, settings):
        if force:
            _warn_of_leaving(layout, earlier, slides)
            return []
        raise StaleResultError(
            f"{layout.root} holds a run with other settings: {differences(earlier, settings)}; "
            "choose another --out, or --force to start this folder afresh"
        )
    mine, paths = {s.slide_id for s in slides}, {s.path: s.slide_id for s in slides}
    ended = earlier.get("slides", {})
    others = [
        ended_document(layout, name, _ended(layout, ended.get(name)))
        for name in earlier.get("slides_planned", [])
        if name not in mine
    ]
    for other in others:
        if other.path in paths and not force:
            raise StaleResultError(
                f"{layout.root} holds {other.path} already, as {other.slide_id}; it would now be "
                f"{paths[other.path]} and be counted twice. Give it the same id in a manifest (slide_id), or "
                "choose another --out"
            )
    return [other for other in others if other.path not in paths]


def _said_earlier(layout: RunLayout, force: bool) -> Mapping[str, Any] | None:
    """Return the run.json of an earlier run; None where there is none, or a damaged one that ``force`` replaces.

    Raises
    ------
    ResultError
        If it is damaged.
    """
    if not layout.run_json.exists():
        return None
    try:
        return read_json(layout.run_json)
    except ResultError as error:
        if force:
            _LOG.warning("--force: %s is begun afresh; slides that are not asked for leave the tables", layout.run_json)
            return None
        if isinstance(error.__cause__, OSError):  # it may be whole: who may not read it is told so
            raise
        raise ResultError(
            f"{layout.run_json} is damaged: which slides this run has, and how each ended, is lost; what was measured "
            f"of them is kept in {layout.slides}. Remove that one file and run the same command again, with every "
            "slide that shall be in the tables: nothing is measured twice. Or --force measures them afresh"
        ) from error


def _warn_of_leaving(layout: RunLayout, earlier: Mapping[str, Any], slides: Sequence[SlideInput]) -> None:
    """Say which slides are no longer in the tables, since they were measured with settings that are no longer asked."""
    mine = {slide.slide_id for slide in slides}
    leaving = [str(name) for name in earlier.get("slides_planned", []) if name not in mine]
    if not leaving:
        return
    more = len(leaving) - NAMED
    named = ", ".join(leaving[:NAMED]) + (f" and {more} more" if more > 0 else "")
    _LOG.warning(
        "--force: %s of the earlier settings leave%s the tables and the report of %s: %s; their folders stay in %s, "
        "measured with the old settings. Name them too to measure them afresh, or choose another --out to keep both",
        "1 slide" if len(leaving) == 1 else f"{len(leaving)} slides",
        "s" * (len(leaving) == 1),
        layout.root,
        named,
        layout.slides,
    )


def _ended(layout: RunLayout, row: Mapping[str, Any] | None) -> EndedSlide | None:
    return None if row is None else ended_slide(row, layout.run_json)


def ended_document(layout: RunLayout, slide_id: str, ended: EndedSlide | None) -> EndedSlide:
    """Return what an earlier run says of a slide: its result, unless that run says that it failed.

    Parameters
    ----------
    layout : RunLayout
    slide_id : str
    ended : EndedSlide or None
        How the slide stands in run.json; None where that does not say.
    """
    if ended is not None and ended.status == "failed":
        return ended
    slide = layout.slide(slide_id)
    try:
        return read_result(slide) if slide.result_json.exists() else unmeasured(slide_id, "")
    except ResultError:
        return unmeasured(slide_id, "")


def unmeasured(slide_id: str, path: str, why: str = INTERRUPTED) -> FailedSlide:
    """Return a slide that a run did not come to: it is failed, and nothing was measured of it."""
    return FailedSlide(slide_id=slide_id, status="failed", reason=why, path=path, error=NOT_REACHED)
