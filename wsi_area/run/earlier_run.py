"""run: what a folder holds of an earlier run: how it differs from what is asked now, what of it stays in the tables."""

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from wsi_area.errors import ResultError, StaleResultError
from wsi_area.inputs.collect import SlideInput
from wsi_area.model.run_record import RunRecord
from wsi_area.model.slide_result import EndedSlide, FailedSlide
from wsi_area.results.documents import read_result
from wsi_area.results.layout import RunLayout
from wsi_area.results.run_folder import Act, RunFolder, Standing, Wish, decide, read_folder
from wsi_area.run.continuation import package_change
from wsi_area.segmenters.registry import segmenter_package
from wsi_area.settings.effect import Effect
from wsi_area.settings.run_settings import RunSettings

if TYPE_CHECKING:  # loaded where a folder holds an earlier run
    from wsi_area.settings.difference import SettingDifference

_LOG = logging.getLogger(__name__)

INTERRUPTED = "not reached: the run was interrupted before this slide was measured; run the same command again"

NOT_REACHED = "Interrupted"
"""The error of a slide that a run did not come to."""

NAMED = 5
"""Slides named in a warning; run.json and the folder have all of them."""


def settled(layout: RunLayout, settings: RunSettings, wish: Wish) -> tuple[RunFolder, Act]:
    """Return the state of a folder, held against the settings asked for, and what may be done with it.

    Raises
    ------
    ResultError
        If the wish is refused; nothing was changed.
    """
    # a run goes on with other bands or another tissue layer: it counts them anew, and `others_in` sees to the rest
    effects = (Effect.NUMBERS,) if wish is Wish.RUN else (Effect.NUMBERS, Effect.AFTER)
    folder = read_folder(layout, lambda earlier: difference(earlier, settings, *effects))
    return folder, decide(folder, wish)


def difference(earlier: RunRecord, settings: RunSettings, *effects: Effect) -> str:
    """Return in what an earlier run, by its run.json, differs from these settings here and now; "" where in nothing.

    Of the settings, those count that can have one of the effects.

    Another version of somebody else's segmenter is another setting: it may measure something else.
    """
    packages = earlier.segmenter_package, segmenter_package(settings.segmenter.name)
    if earlier.config_hash == settings.measurement_hash and packages[0] == packages[1]:
        return ""
    from wsi_area.settings.difference import differences

    apart = differences(earlier.settings, settings.canonical(), *effects)
    if not apart and packages[0] == packages[1] and _is_of_these_settings(earlier):
        return ""
    found = _said(apart)
    if packages[0] != packages[1]:
        found.append(f"segmenter package {package_change(*packages)}")
    return ", ".join(found) or "another version"


def _is_of_these_settings(earlier: RunRecord) -> bool:
    """Return True if an earlier run knew every setting that there is now: its hash is that of its settings by today."""
    try:
        return RunSettings.model_validate(earlier.settings).measurement_hash == earlier.config_hash
    except ValidationError:
        return False


def _said(apart: Sequence["SettingDifference"]) -> list[str]:
    return [f"{d.key} {_change(d.first, d.second)}" for d in apart]


def _change(then: Any, now: Any) -> str:
    return "differ" if isinstance(then, list) or isinstance(now, list) else f"was {then!r}, is {now!r}"


def others_in(
    folder: RunFolder, act: Act, slides: Sequence[SlideInput], force: bool, settings: RunSettings
) -> list[EndedSlide]:
    """Return the results of the slides of the earlier run that stay in the tables, besides those asked for.

    Raises
    ------
    StaleResultError
        If a slide asked for is there under another id: it would be counted twice. If slides that are not asked for
        would stay beside others with another tissue layer, or with other bands.
    """
    mine, paths = {s.slide_id for s in slides}, {s.path: s.slide_id for s in slides}
    earlier = folder.earlier  # no task of an array writes one: none is there until they are merged
    others = [] if earlier is None else [name for name in earlier.slides_planned if name not in mine]
    if earlier is None or not act.keeps_others:
        _warn_of_leaving(folder, others)
        return []
    _refuse_to_mix(folder, earlier, settings, others)
    found = [ended_document(folder.layout, name, earlier.ended_slides.get(name)) for name in others]
    for other in found:
        if other.path in paths and not force:
            raise StaleResultError(
                f"{folder.layout.root} holds {other.path} already, as {other.slide_id}; it would now be "
                f"{paths[other.path]} and be counted twice. Give it the same id in a manifest (slide_id), or "
                "choose another --out"
            )
    return [other for other in found if other.path not in paths]


def _refuse_to_mix(folder: RunFolder, earlier: RunRecord, settings: RunSettings, others: Sequence[str]) -> None:
    """Refuse a run of which a part would be counted by other rules than the rest; as `others_in`."""
    from wsi_area.settings.difference import differences

    apart = differences(earlier.settings, settings.canonical(), Effect.AFTER)
    if not others or not apart:
        return
    named = ", ".join(others[:NAMED]) + (f" and {len(others) - NAMED} more" if len(others) > NAMED else "")
    raise StaleResultError(
        f"{folder.layout.root} was measured with other settings ({', '.join(_said(apart))}), and would keep "
        f"{len(others)} of its slides that are not asked for: {named}. Name them too: they are counted anew on their "
        "class maps, and no tile is read again. Or choose another --out"
    )


def _warn_of_leaving(folder: RunFolder, leaving: Sequence[str]) -> None:
    """Say which slides are no longer in the tables, as far as that is known."""
    layout = folder.layout
    if folder.standing is Standing.DAMAGED:
        _LOG.warning("--force: %s is begun afresh; slides that are not asked for leave the tables", layout.run_json)
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


def ended_document(layout: RunLayout, slide_id: str, ended: EndedSlide | None) -> EndedSlide:
    """Return the record of a slide in an earlier run: its result, unless that run says that it failed.

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
