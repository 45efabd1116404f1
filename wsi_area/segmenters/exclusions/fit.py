"""segmenters: fits the exclusions that were asked for to one slide."""

from wsi_area.errors import MissingMppError, SettingsError
from wsi_area.model.calibration import Mpp
from wsi_area.model.pixels import Overview
from wsi_area.segmenters.colour.fills import Fills
from wsi_area.segmenters.colour.foreground import Foreground, fit_foreground
from wsi_area.segmenters.exclusions.settings import ExclusionSettings
from wsi_area.segmenters.protocol import FittedSegmenter

LARGEST_WORK_MPP_UM = 4.0  # for any exclusion: windows of a few pixels say nothing about a stroke or a line
ASKED = ("pen", "bubble", "fold", "out_of_focus")  # what is excluded only where it is asked for
_GRACE = 0.02  # as when a level is chosen: 1.0002 µm is what 1 µm means


def with_exclusions(
    fitted: FittedSegmenter,
    settings: ExclusionSettings,
    overview: Overview,
    work_mpp: Mpp | None,
    fills: Fills | None = None,
) -> FittedSegmenter:
    """Return the segmenter with artefacts as classes of their own, or itself where there is nothing to exclude.

    Parameters
    ----------
    fitted
        Any segmenter, fitted to the slide.
    settings
        What to exclude.
    overview
        The slide, with its ``mpp``; where it was filled it is not valid.
    work_mpp
        Size of the pixels that the tiles will have, None where it is not known.
    fills
        Where software filled it with one colour.

    Raises
    ------
    SettingsError
        If an exclusion is asked for that needs a pixel size, a finer one, or bright glass, and the slide has none;
        or if the segmenter has a class of that name which is not excluded.
    """
    foreground = fit_foreground(overview, "auto", "otsu")
    black = settings.unscanned_black == "auto" and foreground.facts["painted_black_fraction"] != 0
    is_filled = fills is not None and bool(fills.fills)
    if is_filled and fills is not None and fills.is_black and settings.unscanned_black == "auto":
        black, is_filled = True, False  # one class of what is next to black
    asked = [name for name in ASKED if getattr(settings, name)]
    if not asked and not black and not is_filled:
        return fitted
    px_um = _checked_px_um(asked, settings, overview, work_mpp, foreground)
    from wsi_area.segmenters.exclusions.excluding import excluding  # the rules, which most slides have no need of

    laid = fills if is_filled else None
    return excluding(fitted, asked, settings, overview, work_mpp, px_um, foreground, laid, black=black)


def _checked_px_um(
    asked: list[str], settings: ExclusionSettings, overview: Overview, work_mpp: Mpp | None, foreground: Foreground
) -> float | None:
    """Return the longer side of a work pixel in µm, or None where there is none and none is needed."""
    if work_mpp is None or overview.mpp is None:
        if asked:
            raise MissingMppError(
                f"exclusions {', '.join(asked)} have scales in µm and this slide has no pixel size; "
                "give one with --mpp or in the manifest, or turn them off"
            )
        return None
    px_um = max(work_mpp.x, work_mpp.y)
    _, reasons = assessable(settings, work_mpp)
    if reasons:
        raise SettingsError("; ".join(f"exclusions.{name} cannot be judged: {why}" for name, why in reasons.items()))
    bright_only = [name for name in asked if name != "out_of_focus"]
    if bright_only and foreground.background == "dark":
        raise SettingsError(
            f"exclusions {', '.join(bright_only)} are of bright-field slides and this one has a dark background; "
            "measure it in a run of its own, with --config fluorescence and another --out"
        )
    return px_um


def assessable(
    settings: ExclusionSettings, work_mpp: Mpp | None, finest: Mpp | None = None
) -> tuple[ExclusionSettings, dict[str, str]]:
    """Return the exclusions without those that work pixels of this size cannot show, and the reason of each such one.

    Parameters
    ----------
    settings
        What is asked for.
    work_mpp
        Size of the pixels that the tiles will have; None where the slide has none, and then nothing is left out here.
    finest
        Size of the pixels of level 0, to say whether another setting would do; None where it is not known.
    """
    px_um = 0.0 if work_mpp is None else max(work_mpp.x, work_mpp.y)
    reasons: dict[str, str] = {}
    for name in (name for name in ASKED if getattr(settings, name)):
        limit = _limit_um(name, settings)
        if px_um > limit * (1 + _GRACE):
            is_finer = finest is None or max(finest.x, finest.y) <= limit * (1 + _GRACE)
            more = f"; set tiling.work_mpp to {limit:g} or less" if is_finer else ", and it was scanned no finer"
            reasons[name] = f"it needs work pixels of at most {limit:g} µm, these are {px_um:.4g} µm{more}"
    return settings.model_copy(update=dict.fromkeys(reasons, False)), reasons


def _limit_um(name: str, settings: ExclusionSettings) -> float:
    """Return the largest work pixel in µm that shows an artefact."""
    if name != "out_of_focus":
        return LARGEST_WORK_MPP_UM
    from wsi_area.segmenters.exclusions.focus import LEAST_SCALE_PX

    return settings.focus_scale_um / LEAST_SCALE_PX
