"""segmenters: fits the exclusions that were asked for to one slide."""

from wsi_area.errors import MissingMppError, SettingsError
from wsi_area.model.calibration import Mpp
from wsi_area.model.classes import ClassScheme, TissueClass
from wsi_area.model.pixels import Overview, TilePixels
from wsi_area.segmenters.colour.colour_rule import ColourRule
from wsi_area.segmenters.colour.fills import Fills
from wsi_area.segmenters.colour.foreground import Foreground, fit_foreground
from wsi_area.segmenters.exclusions.absorption import White, seen_of
from wsi_area.segmenters.exclusions.black import WINDOW_PX, BlackRule
from wsi_area.segmenters.exclusions.bubble import BubbleRule
from wsi_area.segmenters.exclusions.excluded import ExcludedSegmenter, ExclusionRule
from wsi_area.segmenters.exclusions.fill import fill_rule
from wsi_area.segmenters.exclusions.focus import LEAST_SCALE_PX, FocusRule
from wsi_area.segmenters.exclusions.fold import fit_fold
from wsi_area.segmenters.exclusions.pen import PenRule
from wsi_area.segmenters.exclusions.settings import ExclusionSettings
from wsi_area.segmenters.exclusions.windows import radius_px
from wsi_area.segmenters.protocol import FittedSegmenter

LARGEST_WORK_MPP_UM = 4.0  # for any exclusion: windows of a few pixels say nothing about a stroke or a line
ASKED = ("pen", "bubble", "fold", "out_of_focus")  # what is excluded only where it is asked for
COLORS = {
    "unscanned_black": (40, 40, 40),
    "unscanned_fill": (70, 70, 90),
    "pen": (0, 170, 170),
    "bubble": (90, 200, 255),
    "fold": (120, 0, 120),
    "out_of_focus": (150, 150, 150),
}

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
    white = foreground.light.glass
    window_px = WINDOW_PX if px_um else 0
    rules: list[ExclusionRule] = [BlackRule(window_px)] if black else []
    if is_filled and fills is not None:
        rules.append(fill_rule(fills, overview.size_l0_px, window_px))
    if px_um is not None:
        rules += [_rule(name, settings, overview, px_um, foreground.rule, white.rgb) for name in asked]
    scheme, ids = _extended(fitted.scheme, [rule.name for rule in rules])
    facts: dict[str, object] = {
        "order": [rule.name for rule in rules],
        "white": None if white.source == "nominal" else list(white.rgb),
        "white_used": list(white.rgb),
        "foreground_threshold": foreground.threshold,
        "work_mpp": None if work_mpp is None else [work_mpp.x, work_mpp.y],
        "painted_black_fraction": foreground.facts["painted_black_fraction"],
        "signal_dropped": fitted.signal is not None,
        **{rule.name: rule.facts for rule in rules},
    }
    own_um = max(rule.reach_px for rule in rules) * (px_um or 0.0)
    return ExcludedSegmenter(
        inner=fitted,
        scheme=scheme,
        rules=tuple(zip(ids, rules, strict=True)),
        foreground=foreground.rule,
        lowered=foreground.lowered_rule(0.2),
        white=white.rgb,
        context_um=max(fitted.context_um, own_um),
        facts=fitted.facts | {"exclusions": facts},
    )


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
    return settings.focus_scale_um / LEAST_SCALE_PX if name == "out_of_focus" else LARGEST_WORK_MPP_UM


def _rule(
    name: str, settings: ExclusionSettings, overview: Overview, px_um: float, foreground: ColourRule, white: White
) -> ExclusionRule:
    if name == "pen":
        return PenRule(radius_px(settings.pen_window_um, px_um))
    if name == "bubble":
        return BubbleRule(radius_px(settings.bubble_line_um, px_um), round(100 * settings.bubble_chroma))
    if name == "fold":
        seen = seen_of(TilePixels(overview.rgb, overview.valid), foreground, white)
        assert overview.mpp is not None  # checked before
        on_overview = radius_px(settings.fold_window_um, max(overview.mpp.x, overview.mpp.y))
        window = radius_px(settings.fold_window_um, px_um)
        ratios = settings.fold_ratio, settings.fold_chroma_ratio, settings.fold_least_od
        return fit_fold(seen, on_overview, window, *ratios)
    return FocusRule(
        scale_px=max(1, round(settings.focus_scale_um / px_um)),
        window_px=radius_px(settings.focus_window_um, px_um),
        least_ratio=settings.focus_least_ratio,
        least_grey=settings.focus_least_grey,
    )


def _extended(scheme: ClassScheme, names: list[str]) -> tuple[ClassScheme, list[int]]:
    """Return the scheme with a class for each name, and their ids; a class that is there already serves."""
    classes = list(scheme.classes)
    ids = []
    for name in names:
        own = next((c for c in classes if c.name == name), None)
        if own is None:
            own = TissueClass(len(classes), name, COLORS[name], is_excluded=True)
            classes.append(own)
        elif not own.is_excluded:
            raise SettingsError(
                f"the segmenter has a class {name!r} that is not excluded, and exclusions.{name} would add to it; "
                "rename the class, mark it is_excluded, or turn that exclusion off"
            )
        ids.append(own.class_id)
    return ClassScheme(tuple(classes)), ids
